//! Columns that come out of another table: `split_from`, `merged_from`, `moved_from`.

use std::collections::BTreeMap;

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
            .or(given.with.as_ref().map(|given| given.span))
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

/// A column that comes out of a table which stays was one column of it, and keeps its values.
pub(super) fn column_of_another_table(declaration: &Declaration, errors: &mut Errors) {
    let mut taken = BTreeMap::new();
    for field in &declaration.fields {
        let given = &field.attributes;
        let Some(moved) = &given.moved_from else {
            continue;
        };
        let (table, column) = (&moved.value.table, &moved.value.column);
        if *table == declaration.table_name.value {
            errors.at(
                moved.span,
                format!(
                    "`{table}` is this struct's own table: a column that stays in it is `renamed_from = \"{column}\"`"
                ),
            );
        }
        if other_table(declaration).is_some() {
            errors.at(
                moved.span,
                "columns of this struct come out of another table already, by `split_from` or `merged_from`: let them come one \
                 after the other, in versions of their own",
            );
        }
        let beside = [
            ("`renamed_from`", given.renamed_from.is_some()),
            ("`from`", given.from.is_some()),
            ("`up`", given.up.is_some()),
            ("`with`", given.with.is_some()),
            ("`down`", given.down.is_some()),
            ("`one_way`", given.one_way.is_some()),
            ("`valid_if`", given.valid_if.is_some()),
            ("`on_invalid`", given.on_invalid.is_some()),
            ("`final_name`", given.final_name.is_some()),
            ("`primary_key`", given.primary_key.is_some()),
            ("`auto`", given.auto.is_some()),
            ("`generated`", given.generated.is_some()),
        ];
        let beside = beside.iter().filter(|(_, given)| *given);
        let beside: Vec<_> = beside.map(|(word, _)| *word).collect();
        if !beside.is_empty() {
            errors.at(
                moved.span,
                format!(
                    "`moved_from` keeps every value as it is, so {} cannot stand beside it; what is to be converted or computed is \
                     so in a version of its own",
                    beside.join(", ")
                ),
            );
        }
        if let Some(first) = taken.insert((table, column), &field.ident) {
            errors.at(
                moved.span,
                format!("`{first}` is moved from `{table}.{column}` already"),
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
