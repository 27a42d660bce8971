//! What a name in a field's type means: aliases, newtypes and imports, followed through the workspace's modules.
//!
//! Comes in: the modules of every crate. Goes out: the [`RustType`] of a field.
//! Must not know: syntax beyond types, files.

use std::collections::HashMap;
use std::sync::OnceLock;

use syn::{Type, TypePath};
use zdm_model::{LogicalType, RustType, option_of, spelled, vec_of};

use super::scan::{Module, Name};

/// No chain of aliases and re-exports is longer.
const LONGEST_CHAIN: usize = 32;

/// Every module of every crate in the workspace.
#[derive(Default)]
pub(super) struct Scope {
    modules: HashMap<(usize, String), Module>,
    /// Libraries by the name that other crates use.
    libraries: HashMap<String, usize>,
    reexports: OnceLock<Reexports>,
}

/// By the module that re-exports and by what its names lead to: the first of the names. To follow every name anew for every
/// model would take a time that grows with their square.
type Reexports = HashMap<At, HashMap<(At, String), String>>;

/// A module, and in which target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct At {
    pub(super) target: usize,
    pub(super) path: Vec<String>,
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A declaration in the workspace.
    Declared(At, String, &'a Name),
    /// A path into a crate outside of the workspace.
    External(Vec<String>),
    /// No declaration and no import: the language's own names.
    Prelude,
    /// A path into the workspace that ends nowhere.
    Lost,
}

impl Scope {
    /// Puts the modules of all files together.
    pub(super) fn new(modules: Vec<(usize, Module)>, libraries: HashMap<String, usize>) -> Self {
        let modules = modules
            .into_iter()
            .map(|(target, module)| ((target, module.context.path.join("::")), module))
            .collect();
        Self {
            modules,
            libraries,
            reexports: OnceLock::new(),
        }
    }

    /// What a type means that stands in a module.
    pub(super) fn resolve(&self, ty: &Type, at: &At) -> RustType {
        self.resolve_within(ty, at, LONGEST_CHAIN)
    }

    /// How the whole crate names a type that stands in `at`, if it can: where a module around it is private, by a
    /// re-export.
    pub(super) fn public_path(&self, at: &At, ident: &str) -> Option<Vec<String>> {
        let module = self.module(at)?;
        if module.private.contains(ident) {
            return None;
        }
        if !module.context.hidden {
            return Some([at.path.as_slice(), &[ident.to_owned()]].concat());
        }
        let reexports = self.reexports.get_or_init(|| self.reexports());
        let wanted = (at.clone(), ident.to_owned());
        (0..at.path.len()).rev().find_map(|depth| {
            let outer = At {
                target: at.target,
                path: at.path[..depth].to_vec(),
            };
            self.module(&outer)
                .filter(|module| !module.context.hidden)?;
            let named = reexports.get(&outer).and_then(|names| names.get(&wanted));
            let name = named.cloned().or_else(|| {
                let found = self.find(&outer, &[ident.to_owned()], LONGEST_CHAIN);
                let here =
                    matches!(found, Found::Declared(to, last, _) if (&to, &last) == (at, &wanted.1));
                here.then(|| ident.to_owned())
            })?;
            Some([outer.path.as_slice(), &[name]].concat())
        })
    }

    fn reexports(&self) -> Reexports {
        let mut all = Reexports::new();
        for ((target, _), module) in &self.modules {
            if module.context.hidden {
                continue;
            }
            let outer = At {
                target: *target,
                path: module.context.path.clone(),
            };
            let mut names: HashMap<_, String> = HashMap::new();
            for (name, value) in &module.names {
                if matches!(value, Name::Import { visible: true, .. })
                    && let Found::Declared(to, last, _) =
                        self.find(&outer, std::slice::from_ref(name), LONGEST_CHAIN)
                {
                    let first = names.entry((to, last)).or_insert_with(|| name.clone());
                    if name < first {
                        first.clone_from(name);
                    }
                }
            }
            all.insert(outer, names);
        }
        all
    }

    fn resolve_within(&self, ty: &Type, at: &At, chain: usize) -> RustType {
        if let Some(inner) = option_of(ty) {
            let inner = self.resolve_within(inner, at, chain);
            let problem = (inner.nullable == Some(true))
                .then(|| "an `Option` in an `Option` has no column type".to_owned());
            return RustType {
                nullable: Some(true),
                problem: problem.or_else(|| inner.problem.clone()),
                ..inner
            };
        }
        let Type::Path(path) = ty else {
            return RustType::of(ty);
        };
        let written = self
            .spelling(ty, at)
            .map_or_else(|_| spelled(ty), |ty| spelled(&ty));
        let unknown = |reason: &str| unknown(&spelled(ty), written.clone(), reason);
        if chain == 0 {
            return unknown("its aliases go in a circle");
        }
        let element = vec_of(ty).map(|element| self.resolve_within(element, at, chain - 1));
        if let Some(array) = element.and_then(|element| element.vec_of_enum(written.clone())) {
            return array;
        }
        match self.find_type(at, path) {
            Found::Prelude => in_prelude(ty, written),
            Found::External(_) => external(&written, &unknown),
            Found::Lost => unknown(
                "the path leads to nothing in this workspace that could be read; what macros make is not seen",
            ),
            Found::Declared(to, _, declared) => match declared {
                Name::Alias(target) => match syn::parse_str::<Type>(target) {
                    Ok(ty) => self.resolve_within(&ty, &to, chain - 1),
                    Err(_) => unknown("its alias cannot be read"),
                },
                Name::Newtype(inner) => self.newtype(written, inner, &to, chain - 1),
                Name::Enum(name) => RustType::of_enum(written, name),
                Name::Type("an enum") => unknown("it is an enum; let it derive `MigratableEnum`"),
                Name::Type(what) => unknown(&format!(
                    "it is {what}; make it a newtype with `#[derive(Migratable)] #[zdm(transparent)]`"
                )),
                Name::Module | Name::Import { .. } => unknown("it names no type"),
            },
        }
    }

    fn newtype(&self, text: String, inner: &str, to: &At, chain: usize) -> RustType {
        let Ok(ty) = syn::parse_str::<Type>(inner) else {
            return unknown(&text.clone(), text, "what it wraps cannot be read");
        };
        let wrapped = self.resolve_within(&ty, to, chain);
        if wrapped.nullable == Some(true) {
            let reason =
                "it wraps an `Option`; let it wrap the value, and the field be an `Option`";
            return unknown(&text.clone(), text, reason);
        }
        RustType {
            text,
            nullable: Some(false),
            ..wrapped
        }
    }

    /// What the path of a type that stands in a module leads to.
    pub(super) fn find_type(&self, at: &At, path: &TypePath) -> Found<'_> {
        let segments = segments(path);
        if path.path.leading_colon.is_some() {
            return Found::External(segments);
        }
        self.find(at, &segments, LONGEST_CHAIN)
    }

    /// By which name a crate calls the library of another target, `crate` its own.
    pub(super) fn crate_name(&self, at: &At, to: &At) -> &str {
        self.libraries
            .iter()
            .find(|(_, target)| **target == to.target && to.target != at.target)
            .map_or("crate", |(name, _)| name.as_str())
    }

    /// Follows a path from a module.
    fn find(&self, at: &At, path: &[String], chain: usize) -> Found<'_> {
        let (Some(first), Some(chain)) = (path.first(), chain.checked_sub(1)) else {
            return Found::Lost;
        };
        let rest = &path[1..];
        let inside = |path: &[String]| At {
            target: at.target,
            path: path.to_vec(),
        };
        match first.as_str() {
            "crate" => return self.descend(&inside(&[]), rest, chain),
            "self" if rest.first().is_some_and(|next| next == "super") => {
                return self.find(at, rest, chain);
            }
            "self" => return self.descend(at, rest, chain),
            "super" => {
                return match at.path.split_last() {
                    Some((_, parent)) if rest.first().is_some_and(|next| next == "super") => {
                        self.find(&inside(parent), rest, chain)
                    }
                    Some((_, parent)) => self.descend(&inside(parent), rest, chain),
                    None => Found::Lost,
                };
            }
            _ => {}
        }
        if self.declares(at, first, chain) {
            return self.descend(at, path, chain);
        }
        if let Some(library) = self.libraries.get(first)
            && !rest.is_empty()
        {
            let root = At {
                target: *library,
                path: Vec::new(),
            };
            return self.descend(&root, rest, chain);
        }
        if rest.is_empty() {
            Found::Prelude
        } else {
            Found::External(path.to_vec())
        }
    }

    fn declares(&self, at: &At, name: &str, chain: usize) -> bool {
        let Some(module) = self.module(at) else {
            return false;
        };
        // `use chrono;` imports the crate's own name and leads back to itself.
        match module.names.get(name) {
            Some(Name::Import { path, .. }) => *path != [name.to_owned()],
            Some(_) => true,
            None => self.glob(at, module, name, chain).is_some(),
        }
    }

    /// Follows a path whose first segment stands in the module itself.
    fn descend(&self, at: &At, path: &[String], chain: usize) -> Found<'_> {
        let (Some((first, rest)), Some(chain)) = (path.split_first(), chain.checked_sub(1)) else {
            return Found::Lost;
        };
        let Some(module) = self.module(at) else {
            return Found::Lost;
        };
        match module.names.get(first) {
            Some(Name::Import { path, .. }) => {
                self.find(at, &[path.as_slice(), rest].concat(), chain)
            }
            Some(Name::Module) if !rest.is_empty() => {
                let child = At {
                    target: at.target,
                    path: [at.path.as_slice(), std::slice::from_ref(first)].concat(),
                };
                self.descend(&child, rest, chain)
            }
            Some(name) if rest.is_empty() => Found::Declared(at.clone(), first.clone(), name),
            Some(_) => Found::Lost,
            None => match self.glob(at, module, first, chain) {
                Some(from) => self.descend(&from, path, chain),
                None => Found::Lost,
            },
        }
    }

    /// The module of the workspace from which a glob import brings a name.
    fn glob(&self, at: &At, module: &Module, name: &str, chain: usize) -> Option<At> {
        let chain = chain.checked_sub(1)?;
        module.globs.iter().find_map(|(path, _)| {
            let from = self.module_at(at, path, chain)?;
            (from != *at && self.declares(&from, name, chain)).then_some(from)
        })
    }

    /// The module that a `use` path names, if it is one of the workspace.
    fn module_at(&self, at: &At, path: &[String], chain: usize) -> Option<At> {
        let mut here = at.clone();
        for (position, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => here.path.clear(),
                "self" => {}
                "super" => {
                    here.path.pop()?;
                }
                name => match self.module(&here)?.names.get(name) {
                    Some(Name::Module) => here.path.push(name.to_owned()),
                    Some(Name::Import { path, .. }) if *path != [name.to_owned()] => {
                        here = self.module_at(&here, path, chain.checked_sub(1)?)?;
                    }
                    _ if position == 0 => {
                        here = At {
                            target: *self.libraries.get(name)?,
                            path: Vec::new(),
                        }
                    }
                    _ => return None,
                },
            }
        }
        Some(here)
    }

    fn module(&self, at: &At) -> Option<&Module> {
        self.modules.get(&(at.target, at.path.join("::")))
    }
}

pub(super) fn segments(path: &TypePath) -> Vec<String> {
    let segments = path.path.segments.iter();
    segments.map(|segment| segment.ident.to_string()).collect()
}

/// A name without declaration or import: the language's, or what a glob import of another crate brings.
fn in_prelude(ty: &Type, text: String) -> RustType {
    let known = RustType::of(ty);
    let full = match known.logical {
        None if known.problem.is_some() => return known,
        None => {
            return unknown(
                &known.text,
                text,
                "no declaration and no import of it was found; what macros make is not seen",
            );
        }
        Some(LogicalType::TimestampTz) => "chrono::DateTime<chrono::Utc>",
        Some(LogicalType::Timestamp) => "chrono::NaiveDateTime",
        Some(LogicalType::Date) => "chrono::NaiveDate",
        Some(LogicalType::Time) => "chrono::NaiveTime",
        Some(LogicalType::Uuid) => "uuid::Uuid",
        Some(LogicalType::Json) => "serde_json::Value",
        Some(_) => return known,
    };
    RustType {
        text: full.to_owned(),
        ..known
    }
}

/// A type of another crate, known by its last segment, spelled with its full path.
fn external(text: &str, unknown: &dyn Fn(&str) -> RustType) -> RustType {
    let known = syn::parse_str::<Type>(text).map(|ty| RustType::of(&ty));
    match known {
        Ok(known) if known.logical.is_some() || known.problem.is_some() => known,
        Ok(_) => unknown("no database type is known for it"),
        Err(_) => unknown("its path cannot be read"),
    }
}

fn unknown(shown: &str, text: String, reason: &str) -> RustType {
    RustType {
        problem: Some(format!(
            "the column type of `{shown}` is not known: {reason}. Or name it in the database: `#[zdm(sql_type = \"…\")]`"
        )),
        text,
        logical: None,
        nullable: Some(false),
        enumeration: None,
    }
}
