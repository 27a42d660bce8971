//! How generated code writes a type of the user's, which it names from another module.
//!
//! Comes in: a type and where it stands. Goes out: the same type with full paths, or the name that nobody else can say.
//! Must not know: what a type means to a database.

use syn::{GenericArgument, Path, PathArguments, Type, TypePath};

use super::scan::Name;
use super::scope::{At, Found, Scope, segments};

/// Names of the language that need no path, as far as types are made of them.
const LANGUAGE: [&str; 21] = [
    "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16",
    "u32", "u64", "u128", "usize", "String", "Vec", "Option", "Box",
];
/// No chain of aliases is longer.
const LONGEST_CHAIN: usize = 32;

impl Scope {
    /// The type with the full path of every name in it, and with what an alias stands for in the alias' place.
    ///
    /// # Errors
    ///
    /// The first name that the whole crate cannot say.
    pub(super) fn spelling(&self, ty: &Type, at: &At) -> Result<Type, String> {
        let mut ty = ty.clone();
        self.spell(&mut ty, at, LONGEST_CHAIN)?;
        Ok(ty)
    }

    fn spell(&self, ty: &mut Type, at: &At, chain: usize) -> Result<(), String> {
        match ty {
            Type::Array(array) => self.spell(&mut array.elem, at, chain),
            Type::Slice(slice) => self.spell(&mut slice.elem, at, chain),
            Type::Reference(reference) => self.spell(&mut reference.elem, at, chain),
            Type::Tuple(tuple) => {
                let mut elements = tuple.elems.iter_mut();
                elements.try_for_each(|element| self.spell(element, at, chain))
            }
            Type::Path(path) if path.qself.is_none() => {
                if let Some(aliased) = self.spell_path(path, at, chain)? {
                    *ty = aliased;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Gives a path its full length; what an alias stands for comes back instead.
    fn spell_path(
        &self,
        path: &mut TypePath,
        at: &At,
        chain: usize,
    ) -> Result<Option<Type>, String> {
        let full = match self.find_type(at, path) {
            Found::Prelude => {
                let name = segments(path).concat();
                if LANGUAGE.contains(&name.as_str()) {
                    vec![name]
                } else {
                    here(at, &[name])
                }
            }
            Found::External(full) => full,
            Found::Lost => here(at, &segments(path)),
            Found::Declared(to, _, Name::Alias(target)) if chain > 0 => {
                let mut ty = syn::parse_str::<Type>(target).map_err(|_| target.clone())?;
                self.spell(&mut ty, &to, chain - 1)?;
                return Ok(Some(ty));
            }
            Found::Declared(to, name, _) => {
                let public = self.public_path(&to, &name).ok_or(name)?;
                let crate_name = self.crate_name(at, &to).to_owned();
                [&[crate_name], public.as_slice()].concat()
            }
        };
        let mut arguments = path
            .path
            .segments
            .last()
            .map(|last| last.arguments.clone())
            .unwrap_or_default();
        if let PathArguments::AngleBracketed(given) = &mut arguments {
            for argument in &mut given.args {
                if let GenericArgument::Type(ty) = argument {
                    self.spell(ty, at, chain)?;
                }
            }
        }
        let text = full.join("::");
        path.path = syn::parse_str::<Path>(&text).map_err(|_| text)?;
        if let Some(last) = path.path.segments.last_mut() {
            last.arguments = arguments;
        }
        Ok(None)
    }
}

/// A path that stands in a module, from the crate's root.
fn here(at: &At, path: &[String]) -> Vec<String> {
    let mut module = at.path.clone();
    let mut rest = path;
    while let [first, below @ ..] = rest {
        match first.as_str() {
            "crate" => return path.to_vec(),
            "self" => {}
            "super" => {
                module.pop();
            }
            _ => break,
        }
        rest = below;
    }
    [&["crate".to_owned()], module.as_slice(), rest].concat()
}
