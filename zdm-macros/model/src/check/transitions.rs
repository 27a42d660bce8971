//! How columns come out of others: `renamed_from`, `from`, `up`, `down`, `one_way`, `valid_if`, `on_invalid`, `drops`.

use std::collections::BTreeMap;

use crate::OnInvalid;
use crate::attributes::expression::Down;
use crate::attributes::{Errors, Given};
use crate::declaration::{Declaration, Field};
use crate::names;

pub(super) fn rename_stands_alone(declaration: &Declaration, errors: &mut Errors) {
    let mut renamed = BTreeMap::new();
    for field in &declaration.fields {
        let given = &field.attributes;
        let Some(rename) = &given.renamed_from else {
            continue;
        };
        let beside = [
            ("`from`", given.from.is_some()),
            ("`up`", given.up.is_some()),
            ("`with`", given.with.is_some()),
            ("`down`", given.down.is_some()),
            ("`one_way`", given.one_way.is_some()),
            ("`valid_if`", given.valid_if.is_some()),
            ("`on_invalid`", given.on_invalid.is_some()),
        ];
        let beside: Vec<_> = beside
            .iter()
            .filter_map(|(word, given)| given.then_some(*word))
            .collect();
        if !beside.is_empty() {
            errors.at(
                rename.span,
                format!(
                    "`renamed_from` keeps every value, so {} cannot stand beside it; to convert values write \
                     `from(\"{}\")` with `up` and `down`",
                    beside.join(", "),
                    rename.value
                ),
            );
        }
        if let Some(first) = renamed.insert(&rename.value, &field.ident) {
            errors.at(
                rename.span,
                format!("`{first}` is renamed from `{}` already", rename.value),
            );
        }
    }
}

/// Without both directions a dual write cannot keep the sides together, unless it takes both values (`one_way`). Lossless
/// pairs have them built in, which the planner knows: a `from` of one column with neither is its to judge.
pub(super) fn both_directions(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.whole_fields() {
        let given = &field.attributes;
        let Some(from) = given.replaced() else {
            continue;
        };
        // Beside `with`, `down` is refused there.
        let is_told = given.one_way.is_some() || given.with.is_some();
        if is_told || (given.up.is_some() && is_given_back(declaration, from)) {
            continue;
        }
        let (missing, present, direction) = match (&given.up, &given.down) {
            (Some(up), None) => ("down", up.span, "old out of new"),
            (None, Some(down)) => ("up", down.span, "new out of old"),
            (None, None) if from.value.len() > 1 => ("up", from.span, "new out of the old columns"),
            _ => continue,
        };
        let instead = if missing == "down" {
            "; where nothing can, `one_way` in its place lets every write take both values"
        } else {
            ""
        };
        errors.at(
            present,
            format!(
                "`{missing}` is missing: while both sides are written, it makes {direction} \
                 (and is what a rollback goes by){instead}"
            ),
        );
    }
}

/// Of the fields that one column is split into, one says how all of them give it back.
fn is_given_back(declaration: &Declaration, from: &Given<Vec<Given<String>>>) -> bool {
    let names = |from: &Given<Vec<Given<String>>>| -> Vec<String> {
        from.value.iter().map(|old| old.value.clone()).collect()
    };
    let mut fields = declaration.whole_fields();
    fields.any(|field| {
        let given = &field.attributes;
        let of_same = given.from.as_ref();
        given.down.is_some() && of_same.is_some_and(|other| names(other) == names(from))
    })
}

/// `one_way` says that there is no `down`, of a pair that has an `up`.
pub(super) fn one_way_stands_for_down(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.whole_fields() {
        let given = &field.attributes;
        let Some(one_way) = &given.one_way else {
            continue;
        };
        if given.down.is_some() {
            errors.at(
                one_way.span,
                "`one_way` says that nothing computes old from new, but `down` does: give one of them",
            );
        }
        // Beside `renamed_from` it is refused there, and `with` says itself what it needs.
        if given.renamed_from.is_some() || given.with.is_some() {
            continue;
        }
        let missing = match (&given.from, &given.up) {
            (Some(_), Some(_)) => continue,
            (Some(_), None) => "`up = \"…\"`, which computes the new value from the old one",
            (None, Some(_)) => "`from(\"…\")`, which names the old columns",
            (None, None) => {
                "`from(\"…\")` and `up = \"…\"`: the old columns, and the way from them"
            }
        };
        errors.at(one_way.span, format!("`one_way` needs {missing}"));
    }
}

pub(super) fn down_covers_the_old_columns(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.whole_fields() {
        let (Some(from), Some(down)) = (&field.attributes.from, &field.attributes.down) else {
            continue;
        };
        match &down.value {
            Down::One(_) if from.value.len() > 1 => errors.at(
                down.span,
                format!(
                    "with several old columns `down` needs one expression each: `down({})`",
                    join(&from.value, |name| format!("{name} = \"…\""))
                ),
            ),
            Down::One(_) => {}
            Down::PerColumn(entries) => {
                for old in &from.value {
                    if !entries.iter().any(|(name, _)| name.value == old.value) {
                        errors.at(
                            down.span,
                            format!("`down` has no expression for `{}`", old.value),
                        );
                    }
                }
                for (name, _) in entries {
                    if !from.value.iter().any(|old| old.value == name.value) {
                        errors.at(
                            name.span,
                            format!(
                                "`{}` is neither an old column of `from({})` nor a dialect",
                                name.value,
                                join(&from.value, |name| format!("\"{name}\""))
                            ),
                        );
                    }
                }
            }
        }
    }
}

pub(super) fn down_has_an_old_column(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.whole_fields() {
        let given = &field.attributes;
        if let Some(down) = &given.down
            && given.from.is_none()
            && given.renamed_from.is_none()
        {
            errors.at(
                down.span,
                "`down` writes an old column, but none is named: add `from(\"…\")`",
            );
        }
    }
}

pub(super) fn validity_is_complete(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.whole_fields() {
        let given = &field.attributes;
        if let (Some(valid_if), None) = (&given.valid_if, &given.on_invalid) {
            errors.at(
                valid_if.span,
                "`valid_if` needs `on_invalid`, which says what becomes of the other rows: \
                 \"quarantine\", \"null\", \"reject\" or default(\"0\")",
            );
        }
        let conditional = given
            .valid_if
            .as_ref()
            .map(|given| given.span)
            .or(given.on_invalid.as_ref().map(|given| given.span));
        if let Some(span) = conditional
            && given.up.is_none()
            && given.with.is_none()
            && given.renamed_from.is_none()
        {
            errors.at(span, "`valid_if` guards `up`, but there is no `up`");
        }
    }
}

pub(super) fn invalid_rows_have_a_place(declaration: &Declaration, errors: &mut Errors) {
    for field in &declaration.fields {
        let Some(on_invalid) = &field.attributes.on_invalid else {
            continue;
        };
        // What a function cannot convert waits, and no read can do without it: nobody reads new before that is settled.
        if field.attributes.with.is_some() {
            continue;
        }
        let word = match on_invalid.value {
            OnInvalid::Quarantine => "quarantine",
            OnInvalid::Null => "null",
            OnInvalid::Default(_) | OnInvalid::Reject => continue,
        };
        if field.is_required() {
            errors.at(
                on_invalid.span,
                format!(
                    "`{word}` leaves NULL in rows that cannot be converted, so the field must be an \
                     `Option<{}>`; or choose \"reject\" or default(\"…\")",
                    field.rust.text
                ),
            );
        }
    }
}

/// `up` without an old column fills a new one: that is for NOT NULL columns which have no default.
pub(super) fn fill_is_needed(declaration: &Declaration, errors: &mut Errors) {
    for field in &declaration.fields {
        let given = &field.attributes;
        let Some(up) = &given.up else { continue };
        if given.from.is_some() || given.renamed_from.is_some() {
            continue;
        }
        if field.is_optional() {
            errors.at(
                up.span,
                "`up` without `from` fills a new column that is never NULL, but this field is an `Option`; \
                 name the old columns with `from(\"…\")`, or drop the `Option`",
            );
        }
    }
}

pub(super) fn old_columns_are_gone(declaration: &Declaration, errors: &mut Errors) {
    // Then they are another table's.
    if declaration.attributes.split_from.is_some() || declaration.attributes.merged_from.is_some() {
        return;
    }
    for field in &declaration.fields {
        let mut seen: Vec<&str> = Vec::new();
        for old in old_columns(field) {
            if seen.contains(&old.value.as_str()) {
                errors.at(old.span, format!("`{}` is given twice", old.value));
            }
            seen.push(&old.value);
            if field.interim_name().is_some() && old.value == field.name.value {
                continue;
            }
            if old.value == field.name.value {
                errors.at(
                    old.span,
                    format!(
                        "old and new stand side by side for a while, so the new column cannot be `{0}` as well: \
                         give it a name with `column = \"…\"`, or let it take this one in the end: `final_name = \"{0}\"`",
                        old.value
                    ),
                );
            } else if column_named(declaration, &old.value) {
                errors.at(
                    old.span,
                    format!(
                        "`{0}` is still a column of this struct, but this field replaces it: leave the field `{0}` out here; \
                         a new column of that name can come in a later version, once the old one is gone",
                        old.value
                    ),
                );
            }
        }
    }
}

/// The name in the end is one that becomes free, and until then the column has another.
pub(super) fn final_name_becomes_free(declaration: &Declaration, errors: &mut Errors) {
    let mut taken: Vec<String> = Vec::new();
    for field in declaration.whole_fields() {
        let given = &field.attributes;
        let (Some(last), Some(interim)) = (&given.final_name, field.interim_name()) else {
            continue;
        };
        for name in [interim.clone(), names::released(&last.value)] {
            if taken.contains(&name) {
                errors.at(
                    given.column.as_ref().map_or(last.span, |column| column.span),
                    format!("another field needs the name `{name}` meanwhile: choose another one with `column = \"…\"`, or let this one change in a version of its own"),
                );
            }
            taken.push(name);
        }
        let Some(from) = &given.from else {
            errors.at(
                last.span,
                "`final_name` is the name of an old column, which the new one takes in the end: name the old columns with \
                 `from(\"…\")`, or give the name with `column = \"…\"`",
            );
            continue;
        };
        if !from.value.iter().any(|old| old.value == last.value) {
            errors.at(
                last.span,
                format!(
                    "`{}` is none of the old columns ({}): a name that nothing has is given with `column = \"…\"`",
                    last.value,
                    join(&from.value, |name| format!("`{name}`"))
                ),
            );
        }
        let span = given
            .column
            .as_ref()
            .map_or(last.span, |column| column.span);
        if interim == last.value {
            errors.at(
                span,
                format!(
                    "old and new stand side by side for a while, so the new column cannot be `{interim}` before the end: \
                     give it another name for that time with `column = \"…\"`"
                ),
            );
        } else if column_named(declaration, &interim) {
            errors.at(
                span,
                format!(
                    "until the end the column is `{interim}`, which another field is: give it another name with `column = \"…\"`"
                ),
            );
        }
    }
}

pub(super) fn drops_are_gone(declaration: &Declaration, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for drop in &declaration.attributes.drops {
        let column = drop.value.column.as_str();
        if column_named(declaration, column) {
            errors.at(
                drop.span,
                format!("`{column}` is still a column of this struct; remove the field to drop it"),
            );
        }
        let replaced = declaration
            .fields
            .iter()
            .find(|field| old_columns(field).any(|old| old.value == column));
        if let Some(field) = replaced {
            errors.at(
                drop.span,
                format!(
                    "`{}` replaces `{column}`, which is dropped in the end anyway; remove this `drops`",
                    field.ident
                ),
            );
        }
        if seen.contains(&column) {
            errors.at(drop.span, format!("`{column}` is dropped twice"));
        }
        seen.push(column);
    }
}

fn old_columns(field: &Field) -> impl Iterator<Item = &Given<String>> {
    let from = field.attributes.replaced().into_iter();
    from.flat_map(|from| &from.value)
        .chain(&field.attributes.renamed_from)
}

fn column_named(declaration: &Declaration, name: &str) -> bool {
    declaration
        .fields
        .iter()
        .any(|field| field.name.value == name)
}

fn join(names: &[Given<String>], shown: impl Fn(&str) -> String) -> String {
    let shown: Vec<_> = names.iter().map(|name| shown(&name.value)).collect();
    shown.join(", ")
}
