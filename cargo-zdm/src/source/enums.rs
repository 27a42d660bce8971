//! The enums that columns have as their types.
//!
//! Comes in: every enum of the workspace, the models. Goes out: those of the schema, or what is wrong between them.
//! Must not know: how files are found.

use zdm_model::Enumeration;

use super::diagnostics::Diagnostic;
use super::models::Declaration;
use super::scan::FoundEnum;

/// The enums that some column has, each once and ordered by name.
pub(super) fn used(
    mut found: Vec<FoundEnum>,
    declarations: &[Declaration],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Enumeration> {
    let is_used = |found: &FoundEnum| {
        let mut columns = declarations.iter().flat_map(|model| &model.table.columns);
        columns.any(|column| found.enumeration.is_type_of(column))
    };
    found.retain(is_used);
    found.sort_by(|left, right| {
        let key = |found: &FoundEnum| {
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
    found.into_iter().map(|found| found.enumeration).collect()
}
