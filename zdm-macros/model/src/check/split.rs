//! A table whose columns come out of another one: `split_from`, `merged_from`.

use crate::attributes::values::Reference;
use crate::attributes::{Errors, Given};
use crate::declaration::Declaration;

/// A row has the key of the row that its columns come out of.
pub(super) fn keys_have_the_same_width(declaration: &Declaration, errors: &mut Errors) {
    let attributes = &declaration.attributes;
    if let (Some(_), Some(merged)) = (&attributes.split_from, &attributes.merged_from) {
        errors.at(
            merged.span,
            "a table is new, `split_from`, or was there, `merged_from`: remove one of them",
        );
    }
    let Some(split) = other_table(declaration) else {
        return;
    };
    let (own, other) = (declaration.key().len(), split.value.columns.len());
    if own != 0 && own != other {
        errors.at(
            split.span,
            format!(
                "a row keeps its key when its columns move: the key of this struct has {own}, `{}` names {other}",
                split.value.table
            ),
        );
    }
}

/// A column that moves keeps its values; only its name may be another.
pub(super) fn values_are_kept(declaration: &Declaration, errors: &mut Errors) {
    if other_table(declaration).is_none() {
        return;
    }
    for field in declaration.whole_fields() {
        let given = &field.attributes;
        let several = given.from.as_ref().filter(|from| from.value.len() > 1);
        let converting = given.up.as_ref().map(|given| given.span);
        let converting = converting
            .or(given.down.as_ref().map(|given| given.span))
            .or(given.one_way.as_ref().map(|given| given.span))
            .or(given.valid_if.as_ref().map(|given| given.span))
            .or(given.on_invalid.as_ref().map(|given| given.span))
            .or(several.map(|given| given.span));
        if let Some(span) = converting {
            errors.at(
                span,
                "a column that moves to another table keeps its values: name the one column that it was with \
                 `from(\"…\")`, and convert it in a version of its own",
            );
        }
    }
}

/// Where columns come from, if it is another table.
fn other_table(declaration: &Declaration) -> Option<&Given<Reference>> {
    let attributes = &declaration.attributes;
    attributes
        .split_from
        .as_ref()
        .or(attributes.merged_from.as_ref())
}
