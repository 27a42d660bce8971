//! From structs to the schema.
//!
//! Comes in: the structs that derive `Migratable`, the names of the workspace. Goes out: [`Models`], or what is wrong
//! between models.
//! Must not know: how files are found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use heck::ToSnakeCase as _;
use quote::ToTokens;
use syn::DeriveInput;
use zdm_model::{Declared, Model, ModelField, Schema, Table, names};

use super::diagnostics::Diagnostic;
use super::item_attributes::seen_from_root;
use super::scan::Candidate;
use super::scope::{At, Scope};
use super::workers::Findings;
use super::workspace::Workspace;
use super::{FoundEnum, FoundModel, Models, SourceError, enums, is_below, may_hold_models};

/// A model as its file declares it.
pub(super) struct Declaration {
    target: usize,
    pub(super) table: Table,
    model: FoundModel,
    /// The struct's name in its file, for mistakes between models; its message is empty.
    place: Diagnostic,
}

/// Reads a struct on the thread that parsed it.
pub(super) fn read(candidate: Candidate, scope: &Scope) -> Result<Declaration, Vec<Diagnostic>> {
    let Candidate {
        target,
        context,
        file,
        source,
        item,
    } = candidate;
    let at = At {
        target,
        path: context.path,
    };
    let place = source.at(item.ident.span(), "");
    let visible = seen_from_root(&item.vis, at.path.len());
    let input = DeriveInput::from(item);
    let declared = Declared::parse(&input, &|ty| scope.resolve(ty, &at));
    let model = match declared {
        Ok(Declared::Model(model)) => model,
        // A newtype that is none is refused, so a candidate is a model or has mistakes.
        Ok(Declared::Newtype(newtype)) => {
            let message = format!("`{}` is no tuple struct of one field", newtype.ident);
            return Err(vec![place.saying(message)]);
        }
        Err(errors) => {
            let errors = errors.into_iter();
            return Err(errors
                .map(|error| source.at(error.span(), error.to_string()))
                .collect());
        }
    };
    let mut diagnostics: Vec<_> = hidden_fields(&model, at.path.len())
        .map(|field| {
            let message = format!(
                "generated code cannot see the private field `{}`: make it `pub(crate)` or `pub`",
                field.ident
            );
            source.at(field.ident.span(), message)
        })
        .collect();
    diagnostics.extend(model.fields.iter().filter_map(|field| {
        let name = scope.spelling(&field.ty, &at).err()?;
        let message = format!(
            "generated code cannot name the type `{name}`: make it and the modules around it `pub(crate)` or `pub`"
        );
        Some(source.at(field.ident.span(), message))
    }));
    let path = scope.public_path(&at, &model.ident.to_string());
    let Some(path) = path.filter(|_| visible && diagnostics.is_empty()) else {
        if diagnostics.is_empty() {
            let message = format!(
                "generated code cannot name `{}`: make the struct and the modules around it `pub(crate)` or `pub`, \
                 or re-export it where the whole crate sees it",
                model.ident
            );
            diagnostics.push(place.saying(message));
        }
        return Err(diagnostics);
    };
    let mut table = model.table;
    table.source = source.location(model.ident.span());
    for (column, field) in table.columns.iter_mut().zip(&model.fields) {
        column.source = source.location(field.ident.span());
    }
    Ok(Declaration {
        target,
        model: FoundModel {
            table_name: table.name.clone(),
            ident: model.ident.to_string(),
            crate_path: format!("crate::{}", path.join("::")),
            package: String::new(),
            root_file: file.clone(),
            way: context.way,
            line: place.line,
            file,
            visibility: input.vis.to_token_stream().to_string().replace(' ', ""),
            skipped_fields: model
                .skipped
                .iter()
                .map(|field| field.ident.to_string())
                .collect(),
            version: model.version,
            conditions: context.conditions,
        },
        table,
        place,
    })
}

/// Puts all models together.
pub(super) fn assemble(
    workspace: Workspace,
    findings: Findings,
    only: &[PathBuf],
) -> Result<Models, SourceError> {
    let mut declarations = findings.declarations;
    let missing = restrict(&mut declarations, only);
    declarations.sort_by(|left, right| {
        let key = |declaration: &Declaration| {
            (
                declaration.table.name.clone(),
                declaration.model.file.clone(),
                declaration.target,
            )
        };
        key(left).cmp(&key(right))
    });
    let mut diagnostics = findings.diagnostics;
    diagnostics.extend(doubles(&declarations));
    diagnostics.extend(shared_index_names(&declarations));
    diagnostics.extend(shared_modules(&declarations));
    diagnostics.extend(broken_references(&declarations));
    let enums = enums::of_schema(findings.enums, &declarations, only, &mut diagnostics);
    if !diagnostics.is_empty() {
        diagnostics.sort_by(|left, right| {
            (&left.file, left.line, left.column).cmp(&(&right.file, right.line, right.column))
        });
        diagnostics.dedup();
        return Err(SourceError::Mistakes(diagnostics));
    }
    // A model with a mistake is no declaration yet, so its file is not called empty before the mistake is told.
    if let Some(path) = missing {
        return Err(SourceError::NothingThere(path));
    }
    let mut models = Models {
        schema: Schema::default(),
        models: Vec::new(),
        enums: Vec::new(),
        packages: Vec::new(),
        declares_code: declarations
            .iter()
            .all(|declaration| findings.with_code.contains(&declaration.target)),
        workspace_root: workspace.root,
    };
    for declaration in declarations {
        let target = &workspace.targets[declaration.target];
        if let Some(name) = &target.runtime_renamed {
            return Err(SourceError::RuntimeRenamed {
                manifest: target.package.directory.join("Cargo.toml"),
                name: name.clone(),
            });
        }
        models.packages.push(target.package.clone());
        models.schema.tables.push(declaration.table);
        models.models.push(FoundModel {
            package: target.package.name.clone(),
            root_file: target.root_file.clone(),
            ..declaration.model
        });
    }
    for found in enums {
        models.schema.enums.push(found.enumeration);
        models.enums.push(FoundEnum {
            ident: found.ident,
            file: models.workspace_root.join(found.place.file),
        });
    }
    models.packages.sort();
    models.packages.dedup();
    Ok(models)
}

fn hidden_fields(model: &Model, depth: usize) -> impl Iterator<Item = &ModelField> {
    let fields = model.fields.iter().chain(&model.skipped);
    fields.filter(move |field| !seen_from_root(&field.visibility, depth))
}

/// Keeps the models below the given paths; a path that holds none comes back.
fn restrict(declarations: &mut Vec<Declaration>, only: &[PathBuf]) -> Option<PathBuf> {
    if only.is_empty() {
        return None;
    }
    let below = |declaration: &Declaration, path: &Path| is_below(&declaration.model.file, path);
    let missing = only
        .iter()
        .find(|path| !declarations.iter().any(|found| below(found, path)));
    declarations.retain(|found| may_hold_models(&found.model.file, only));
    missing.cloned()
}

fn doubles(declarations: &[Declaration]) -> impl Iterator<Item = Diagnostic> {
    declarations.windows(2).filter_map(|pair| {
        let (first, second) = (&pair[0], &pair[1]);
        if first.table.name != second.table.name {
            return None;
        }
        let same_struct = first.model.file == second.model.file && first.model.line == second.model.line;
        let message = if same_struct {
            format!(
                "`{}` is compiled into two targets of its package: declare its module in the library alone, and let the \
                 binary use it from there",
                second.model.ident
            )
        } else {
            format!(
                "the table `{}` is declared twice, here and at {}: remove one, or name it with `#[zdm(table = \"…\")]`",
                second.table.name, first.table.source
            )
        };
        Some(second.place.saying(message))
    })
}

/// Generated code calls the module of `billing.invoices` as that of `billing_invoices`.
fn shared_modules(declarations: &[Declaration]) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<String, &Declaration> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for declaration in declarations {
        let name = &declaration.table.name;
        let Some(first) = owners.insert(name.to_snake_case(), declaration) else {
            continue;
        };
        let in_schemas = [&first.table.name, name].map(|name| names::schema_of(name).is_some());
        if first.table.name != *name && in_schemas.contains(&true) {
            diagnostics.push(declaration.place.saying(format!(
                "the module of `{name}` would have the name of that of `{}` ({}): give one of the two another name",
                first.table.name, first.table.source
            )));
        }
    }
    diagnostics
}

/// Index names are unique in a PostgreSQL schema and in an SQLite file, not just in a table.
fn shared_index_names(declarations: &[Declaration]) -> Vec<Diagnostic> {
    let mut owners: BTreeMap<(Option<&str>, &str), &Declaration> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for declaration in declarations {
        let table = &declaration.table;
        let indexes = table.indexes.iter().map(|index| &index.name);
        for name in indexes.chain(table.uniques.iter().map(|unique| &unique.name)) {
            let place = (names::schema_of(&table.name), name.as_str());
            let Some(first) = owners.insert(place, declaration) else {
                continue;
            };
            if first.table.name != declaration.table.name {
                diagnostics.push(declaration.place.saying(format!(
                    "the index name `{name}` is taken by the table `{}` ({}), and a database has each name once: give \
                     `index = \"…\"` another one",
                    first.table.name, first.table.source
                )));
            }
        }
    }
    diagnostics
}

/// A foreign key needs columns that a key or a unique index covers. Tables outside of the models are not judged.
fn broken_references(declarations: &[Declaration]) -> Vec<Diagnostic> {
    let tables: BTreeMap<&str, &Table> = declarations
        .iter()
        .map(|declaration| (declaration.table.name.as_str(), &declaration.table))
        .collect();
    let mut diagnostics = Vec::new();
    for declaration in declarations {
        for key in &declaration.table.foreign_keys {
            let Some(table) = tables.get(key.references.as_str()) else {
                continue;
            };
            if !table.is_unique(&key.referenced_columns) {
                diagnostics.push(declaration.place.saying(format!(
                    "the foreign key `{}` references `{}({})`, which is neither the primary key nor unique there ({})",
                    key.name,
                    key.references,
                    key.referenced_columns.join(", "),
                    table.source
                )));
            }
        }
    }
    diagnostics
}
