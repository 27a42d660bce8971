//! One file, read once: the names that its modules declare, the files that they lead to, the structs that are models.
//!
//! Comes in: a file and where it stands in its crate. Goes out: [`Scan`].
//! Must not know: other files; what a name means is found when all are read.

use std::collections::{HashMap, HashSet};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{DeriveInput, Fields, Ident, Item, ItemMod, ItemStruct, Visibility};
use zdm_model::{Declared, RustType};

use super::diagnostics::{Diagnostic, Source};
use super::enums::Found;
use super::item_attributes::{derives, mentions, path_attribute, seen_from_root, under_conditions};
use super::module_tree::Place;
use super::{SourceError, SourceOptions, imports, included, unseen};

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
    /// The files that lead to its own, from the crate's root.
    pub(super) way: Vec<Utf8PathBuf>,
    /// A module around it is private to a part of the crate.
    pub(super) hidden: bool,
}

/// What a module declares in the namespace of types.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) context: Context,
    pub(super) names: HashMap<String, Name>,
    /// Types among them that only a part of the crate sees.
    pub(super) private: HashSet<String>,
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
    /// An enum that a column can have as its type: its name in the database.
    Enum(String),
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
    pub(super) enums: Vec<Found>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// One of the modules is the generated code.
    pub(super) declares_code: bool,
}

/// What a file must contain to hold a model.
pub(crate) const MARK: &str = "Migratable";
/// What a file must contain at least one of to matter here.
const MARKS: [&str; 7] = [
    MARK,
    "include!",
    "mod ",
    "type ",
    "transparent",
    "pub use ",
    "pub(crate) use ",
];

/// What is the same for all files.
#[derive(Clone, Copy)]
pub(super) struct Project<'a> {
    pub(super) root: &'a Utf8Path,
    /// The folder of generated code, where no model is.
    pub(super) code: Option<&'a Utf8Path>,
    pub(super) options: &'a SourceOptions,
}

/// Reads a file.
pub(super) fn file(pending: &Pending, project: Project<'_>) -> Result<Scan, SourceError> {
    let mut scan = Scan::default();
    let reader = Reader::open(pending, project, 0).map_err(|error| SourceError::Unreadable {
        file: pending.file.clone(),
        error,
    })?;
    if let Some(reader) = reader {
        let items = reader.parse(&mut scan);
        let place = Place::of_file(&pending.file, pending.owns_folder);
        reader.module(&mut scan, items, pending.context.clone(), &place);
    }
    Ok(scan)
}

pub(super) struct Reader<'a> {
    pub(super) pending: &'a Pending,
    pub(super) source: Source,
    pub(super) project: Project<'a>,
    /// How many files lead here by `include!`.
    pub(super) depth: usize,
}

impl<'a> Reader<'a> {
    /// `None` for a file in which nothing matters.
    pub(super) fn open(
        pending: &'a Pending,
        project: Project<'a>,
        depth: usize,
    ) -> io::Result<Option<Self>> {
        let text = project.options.text_of(&pending.file)?;
        let matters = MARKS.iter().any(|mark| text.contains(mark));
        let shown = pending.file.strip_prefix(project.root);
        Ok(matters.then(|| Reader {
            pending,
            source: Source {
                shown: shown.unwrap_or(&pending.file).to_owned(),
                text: text.into(),
            },
            project,
            depth,
        }))
    }

    pub(super) fn parse(&self, scan: &mut Scan) -> Vec<Item> {
        match syn::parse_file(&self.source.text) {
            Ok(parsed) => parsed.items,
            Err(error) => {
                scan.diagnostics.push(self.source.at(
                    error.span(),
                    format!("this file is not Rust that can be read: {error}"),
                ));
                Vec::new()
            }
        }
    }

    fn module(&self, scan: &mut Scan, items: Vec<Item>, context: Context, place: &Place) {
        let mut module = Module {
            context,
            ..Module::default()
        };
        self.items(scan, items, &mut module, place);
        scan.modules.push(module);
    }

    pub(super) fn items(
        &self,
        scan: &mut Scan,
        items: Vec<Item>,
        module: &mut Module,
        place: &Place,
    ) {
        for item in items {
            if let Some((name, visibility)) = type_of(&item)
                && !seen_from_root(visibility, module.context.path.len())
            {
                module.private.insert(name.to_string());
            }
            match item {
                Item::Mod(item) => {
                    module
                        .names
                        .insert(item.ident.unraw().to_string(), Name::Module);
                    self.child(scan, item, &module.context, place);
                }
                Item::Struct(item) => self.structure(scan, item, module),
                Item::Type(item) => {
                    let name = if item.generics.params.is_empty() {
                        Name::Alias(item.ty.to_token_stream().to_string())
                    } else {
                        Name::Type("an alias with parameters")
                    };
                    module.names.insert(item.ident.to_string(), name);
                }
                Item::Enum(item) => self.enumeration(scan, &item.into(), module),
                Item::Union(item) => {
                    module
                        .names
                        .insert(item.ident.to_string(), Name::Type("a union"));
                    self.no_table(scan, &item.into(), &module.context);
                }
                Item::Use(item) => {
                    if let Some(name) = imports::renamed(&item.tree) {
                        scan.diagnostics.push(self.source.at(
                            name.span(),
                            format!("models are found by the name `{name}`: import it under its own name"),
                        ));
                    }
                    let visible = seen_from_root(&item.vis, module.context.path.len());
                    imports::import(module, &item.tree, Vec::new(), visible);
                }
                Item::Macro(item) => {
                    if let Some(path) = included::path(&item) {
                        self.include(scan, &item, &path, module);
                    } else {
                        let modules = unseen::modules(&item, place);
                        self.refuse(scan, modules);
                        self.unseen(scan, &Item::Macro(item));
                    }
                }
                item => self.unseen(scan, &item),
            }
        }
    }

    fn unseen(&self, scan: &mut Scan, item: &Item) {
        if self.source.text.contains(MARK) {
            self.refuse(scan, unseen::models(item));
        }
    }

    /// Refuses what no module leads to, where models may be.
    fn refuse(&self, scan: &mut Scan, found: Vec<(Span, String)>) {
        if !found.is_empty()
            && super::may_hold_models(&self.pending.file, &self.project.options.only)
        {
            let found = found.into_iter();
            scan.diagnostics
                .extend(found.map(|(span, message)| self.source.at(span, message)));
        }
    }

    /// Refuses the derive on what is no struct, as the compiler will.
    pub(super) fn no_table(&self, scan: &mut Scan, input: &DeriveInput, context: &Context) {
        if !derives(&input.attrs, MARK) || under_conditions(&input.attrs, context).is_none() {
            return;
        }
        let errors = Declared::parse(input, &RustType::of).err();
        let errors = errors.into_iter().flatten();
        scan.diagnostics
            .extend(errors.map(|error| self.source.at(error.span(), error.to_string())));
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
        let is_code = |code: &Utf8Path| place.leads_to(code, &name, path.as_deref());
        if self.project.code.is_some_and(is_code) {
            scan.declares_code = true;
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
        match candidates
            .iter()
            .find(|(file, _)| self.project.options.has(file))
        {
            Some((file, owns_folder)) => {
                context.way.push(self.pending.file.clone());
                scan.pending.push(Pending {
                    target: self.pending.target,
                    file: file.clone(),
                    owns_folder: *owns_folder,
                    context,
                });
            }
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
        if !derives(&item.attrs, MARK) {
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

/// The type that an item declares.
fn type_of(item: &Item) -> Option<(&Ident, &Visibility)> {
    match item {
        Item::Struct(item) => Some((&item.ident, &item.vis)),
        Item::Type(item) => Some((&item.ident, &item.vis)),
        Item::Enum(item) => Some((&item.ident, &item.vis)),
        Item::Union(item) => Some((&item.ident, &item.vis)),
        _ => None,
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
