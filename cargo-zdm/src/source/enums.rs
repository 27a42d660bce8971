//! The enums of the schema, which columns have as their types.
//!
//! Comes in: an enum's syntax tree; then every enum of the workspace, and the models. Goes out: those of the schema, or what is
//! wrong with them.
//! Must not know: how files are found.

use std::path::PathBuf;

use syn::DeriveInput;
use zdm_model::{EnumModel, Enumeration};

use super::diagnostics::Diagnostic;
use super::item_attributes::{derives, under_conditions};
use super::may_hold_models;
use super::models::Declaration;
use super::scan::{Module, Name, Reader, Scan};

/// An enum with `#[derive(MigratableEnum)]`.
pub(super) struct Found {
    /// The enum's name in Rust.
    pub(super) ident: String,
    pub(super) enumeration: Enumeration,
    /// The enum's name in its file, for mistakes between enums; its message is empty.
    pub(super) place: Diagnostic,
}

impl Reader<'_> {
    /// An enum, which may be the type of columns.
    pub(super) fn enumeration(&self, scan: &mut Scan, input: &DeriveInput, module: &mut Module) {
        let mut name = Name::Type("an enum");
        if derives(&input.attrs, "MigratableEnum")
            && under_conditions(&input.attrs, &module.context).is_some()
        {
            match EnumModel::parse(input) {
                Ok(model) => {
                    name = Name::Enum(model.enumeration.name.clone());
                    scan.enums.push(Found {
                        ident: input.ident.to_string(),
                        enumeration: Enumeration {
                            source: self.source.location(input.ident.span()),
                            ..model.enumeration
                        },
                        place: self.source.at(input.ident.span(), ""),
                    });
                }
                Err(errors) => scan.diagnostics.extend(
                    errors
                        .into_iter()
                        .map(|error| self.source.at(error.span(), error.to_string())),
                ),
            }
        }
        module.names.insert(input.ident.to_string(), name);
        self.no_table(scan, input, &module.context);
    }
}

/// The enums of the schema, each once and ordered by name: those where models are looked for, and whatever a column has.
pub(super) fn of_schema(
    mut found: Vec<Found>,
    declarations: &[Declaration],
    only: &[PathBuf],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Found> {
    let is_used = |found: &Found| {
        let mut columns = declarations.iter().flat_map(|model| &model.table.columns);
        columns.any(|column| found.enumeration.is_type_of(column))
    };
    found.retain(|found| {
        only.is_empty() || may_hold_models(&found.place.file, only) || is_used(found)
    });
    found.sort_by(|left, right| {
        let key = |found: &Found| {
            (
                found.enumeration.name.clone(),
                found.enumeration.source.clone(),
            )
        };
        key(left).cmp(&key(right))
    });
    // A file that several targets lead to is read as often.
    found.dedup_by(|left, right| left.enumeration == right.enumeration);
    for pair in found.windows(2) {
        let (first, second) = (&pair[0].enumeration, &pair[1]);
        if first.name == second.enumeration.name {
            diagnostics.push(second.place.saying(format!(
                "the enum `{}` is declared twice, here and at {}: remove one, or name it with `#[zdm(name = \"…\")]`",
                first.name, first.source
            )));
        }
    }
    found
}
