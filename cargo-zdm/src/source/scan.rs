//! One file, read once: the names that its modules declare, the files that they lead to, the structs that are models.
//!
//! Comes in: a file and where it stands in its crate. Goes out: [`Scan`].
//! Must not know: other files; what a name means is found when all are read.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Fields, Item, ItemMod, ItemStruct, UseTree};

use super::diagnostics::{Diagnostic, Source};
use super::item_attributes::{
    derives_migratable, mentions, path_attribute, seen_from_root, under_conditions,
};
use super::module_tree::Place;
use super::{SourceError, SourceOptions};

/// A file to be read.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// Position in the workspace's targets.
    pub(super) target: usize,
    pub(super) file: Utf8PathBuf,
    pub(super) owns_folder: bool,
    pub(super) context: Context,
}

/// Where a module stands in its crate.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    /// Names from the crate's root, which is empty.
    pub(super) path: Vec<String>,
    /// The `cfg` conditions of the module and of those around it.
    pub(super) conditions: Vec<String>,
    /// A module around it is private to a part of the crate.
    pub(super) hidden: bool,
}

/// What a module declares in the namespace of types.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) context: Context,
    pub(super) names: HashMap<String, Name>,
    /// `use path::*`, and whether the crate's root sees it.
    pub(super) globs: Vec<(Vec<String>, bool)>,
}

/// A name in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// `type X = …;`, the target's text.
    Alias(String),
    /// `#[zdm(transparent)] struct X(…);`, the wrapped type's text.
    Newtype(String),
    /// Any other type: what it is in words.
    Type(&'static str),
    /// `mod x`
    Module,
    /// `use path as x`
    Import {
        path: Vec<String>,
        /// The crate's root sees it.
        visible: bool,
    },
}

/// A struct with `#[derive(Migratable)]` that is no newtype.
pub(super) struct Candidate {
    pub(super) target: usize,
    pub(super) context: Context,
    pub(super) file: Utf8PathBuf,
    pub(super) source: Source,
    pub(super) item: ItemStruct,
}

/// What a file holds.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) modules: Vec<Module>,
    pub(super) pending: Vec<Pending>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What a file must contain at least one of to matter here.
const MARKS: [&str; 6] = [
    "Migratable",
    "mod ",
    "type ",
    "transparent",
    "pub use ",
    "pub(crate) use ",
];

/// Reads a file. `code` is the folder of generated code, where no model is.
pub(super) fn file(
    pending: &Pending,
    root: &Utf8Path,
    code: Option<&Utf8Path>,
    options: &SourceOptions,
) -> Result<Scan, SourceError> {
    let text = options
        .text_of(&pending.file)
        .map_err(|error| SourceError::Unreadable {
            file: pending.file.clone(),
            error,
        })?;
    let mut scan = Scan::default();
    if !MARKS.iter().any(|mark| text.contains(mark)) {
        return Ok(scan);
    }
    let source = Source {
        shown: pending
            .file
            .strip_prefix(root)
            .unwrap_or(&pending.file)
            .to_owned(),
        text: text.into(),
    };
    match syn::parse_file(&source.text) {
        Ok(parsed) => {
            let reader = Reader {
                pending,
                source: &source,
                code,
                options,
            };
            let place = Place::of_file(&pending.file, pending.owns_folder);
            reader.module(&mut scan, parsed.items, pending.context.clone(), &place);
        }
        Err(error) => scan.diagnostics.push(source.at(
            error.span(),
            format!("this file is not Rust that can be read: {error}"),
        )),
    }
    Ok(scan)
}

struct Reader<'a> {
    pending: &'a Pending,
    source: &'a Source,
    code: Option<&'a Utf8Path>,
    options: &'a SourceOptions,
}

impl Reader<'_> {
    fn module(&self, scan: &mut Scan, items: Vec<Item>, context: Context, place: &Place) {
        let mut module = Module {
            context,
            ..Module::default()
        };
        for item in items {
            match item {
                Item::Mod(item) => {
                    module
                        .names
                        .insert(item.ident.unraw().to_string(), Name::Module);
                    self.child(scan, item, &module.context, place);
                }
                Item::Struct(item) => self.structure(scan, item, &mut module),
                Item::Type(item) => {
                    let name = if item.generics.params.is_empty() {
                        Name::Alias(item.ty.to_token_stream().to_string())
                    } else {
                        Name::Type("an alias with parameters")
                    };
                    module.names.insert(item.ident.to_string(), name);
                }
                Item::Enum(item) => {
                    module
                        .names
                        .insert(item.ident.to_string(), Name::Type("an enum"));
                }
                Item::Union(item) => {
                    module
                        .names
                        .insert(item.ident.to_string(), Name::Type("a union"));
                }
                Item::Use(item) => {
                    let visible = seen_from_root(&item.vis, module.context.path.len());
                    import(&mut module, &item.tree, Vec::new(), visible);
                }
                _ => {}
            }
        }
        scan.modules.push(module);
    }

    fn child(&self, scan: &mut Scan, item: ItemMod, parent: &Context, place: &Place) {
        let Some(mut context) = under_conditions(&item.attrs, parent) else {
            return;
        };
        let name = item.ident.unraw().to_string();
        context.hidden |= !seen_from_root(&item.vis, parent.path.len());
        context.path.push(name.clone());
        let path = path_attribute(&item.attrs);
        if let Some((_, items)) = item.content {
            self.module(scan, items, context, &place.inline(&name, path.as_deref()));
            return;
        }
        if self.code.is_some_and(|code| code == place.folder(&name)) {
            return;
        }
        if item
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("cfg_attr") && mentions(attribute, "path"))
        {
            scan.diagnostics.push(self.source.at(
                item.ident.span(),
                format!(
                    "the file of `{name}` depends on `cfg_attr(…, path = …)`, so which models it holds cannot be told; \
                     give the module a fixed place"
                ),
            ));
            return;
        }
        let candidates = place.candidates(&name, path.as_deref());
        match candidates.iter().find(|(file, _)| self.options.has(file)) {
            Some((file, owns_folder)) => scan.pending.push(Pending {
                target: self.pending.target,
                file: file.clone(),
                owns_folder: *owns_folder,
                context,
            }),
            // The compiler does not miss the file of a module that is switched off.
            None if !context.conditions.is_empty() => {}
            None => {
                let files: Vec<_> = candidates.iter().map(|(file, _)| file.as_str()).collect();
                scan.diagnostics.push(self.source.at(
                    item.ident.span(),
                    format!(
                        "the module `{name}` has no file: looked for {}",
                        files.join(" and ")
                    ),
                ));
            }
        }
    }

    fn structure(&self, scan: &mut Scan, item: ItemStruct, module: &mut Module) {
        let ident = item.ident.to_string();
        if item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg_attr") && mentions(attribute, "Migratable")
        }) {
            scan.diagnostics.push(self.source.at(
                item.ident.span(),
                "whether this is a model depends on `cfg_attr`, so its table cannot be told; derive `Migratable` always",
            ));
            return;
        }
        if !derives_migratable(&item.attrs) {
            module.names.insert(ident, Name::Type("a struct"));
            return;
        }
        let Some(context) = under_conditions(&item.attrs, &module.context) else {
            return;
        };
        if let Some(inner) = newtype(&item) {
            module.names.insert(ident, Name::Newtype(inner));
            return;
        }
        module.names.insert(ident, Name::Type("a model"));
        scan.candidates.push(Candidate {
            target: self.pending.target,
            context,
            file: self.pending.file.clone(),
            source: self.source.clone(),
            item,
        });
    }
}

/// A newtype's wrapped type. What is wrong with a newtype, the compiler says.
fn newtype(item: &ItemStruct) -> Option<String> {
    let transparent = item
        .attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("zdm") && mentions(attribute, "transparent"));
    match &item.fields {
        Fields::Unnamed(fields) if transparent => fields
            .unnamed
            .first()
            .map(|field| field.ty.to_token_stream().to_string()),
        _ => None,
    }
}

fn import(module: &mut Module, tree: &UseTree, mut path: Vec<String>, visible: bool) {
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.unraw().to_string());
            import(module, &tree.tree, path, visible);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                import(module, tree, path.clone(), visible);
            }
        }
        UseTree::Glob(_) => module.globs.push((path, visible)),
        UseTree::Name(name) => {
            let name = name.ident.unraw().to_string();
            if name != "self" {
                path.push(name);
            }
            if let Some(last) = path.last().cloned() {
                module.names.insert(last, Name::Import { path, visible });
            }
        }
        UseTree::Rename(rename) => {
            if rename.ident != "self" {
                path.push(rename.ident.unraw().to_string());
            }
            let name = rename.rename.unraw().to_string();
            module.names.insert(name, Name::Import { path, visible });
        }
    }
}
