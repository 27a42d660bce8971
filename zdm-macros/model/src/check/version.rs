//! The column that counts the writes of a row, by which a write finds out that it was overtaken.

use crate::LogicalType;
use crate::attributes::Errors;
use crate::attributes::column::ColumnAttributes;
use crate::declaration::Declaration;

pub(super) fn counts_writes(declaration: &Declaration, errors: &mut Errors) {
    let key = declaration.key();
    let mut seen = None;
    for field in &declaration.fields {
        let given = &field.attributes;
        let Some(version) = &given.version else {
            continue;
        };
        let is_key = key.iter().any(|part| part.ident == field.ident);
        let problem = if let Some(first) = seen.replace(&field.ident) {
            Some(format!("`{first}` counts the writes of a row already"))
        } else if declaration.attributes.no_primary_key.is_some() && key.is_empty() {
            Some("nothing tells the rows of this table apart, so none of them is written by what was read of it".to_owned())
        } else if is_key {
            Some("a row keeps its key, so that cannot count its writes".to_owned())
        } else if field.is_optional() {
            Some("every row has a version, so the field is no `Option`".to_owned())
        } else if !counts(field.rust.logical) {
            Some(format!(
                "`version` counts, so the field is an `i64`, `i32` or `i16`, not `{}`",
                field.rust.text
            ))
        } else {
            beside(given)
        };
        if let Some(problem) = problem {
            errors.at(version.span, problem);
        }
    }
}

fn counts(logical: Option<LogicalType>) -> bool {
    use LogicalType::{Int2, Int4, Int8};
    matches!(logical, None | Some(Int2 | Int4 | Int8))
}

/// Two sides would have to be compared.
fn beside(given: &ColumnAttributes) -> Option<String> {
    let words = [
        ("auto", given.auto.is_some()),
        ("generated", given.generated.is_some()),
        ("renamed_from", given.renamed_from.is_some()),
        ("moved_from", given.moved_from.is_some()),
        ("from", given.from.is_some()),
        ("up", given.up.is_some()),
    ];
    let word = words.iter().find(|(_, given)| *given)?.0;
    Some(match word {
        "auto" | "generated" => format!(
            "the repository counts a `version`, and `{word}` leaves the value to the database: the two cannot stand together"
        ),
        _ => format!(
            "while a column is in transition its sides cannot count writes: leave `version` out as long as `{word}` stands there; \
             a new column starts with `default = \"0\"`"
        ),
    })
}
