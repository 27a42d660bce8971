//! Columns that a Rust function computes: `with`, which fills a new one out of others that stay, or replaces others one way.

use crate::OnInvalid;
use crate::attributes::Errors;
use crate::attributes::column::ColumnAttributes;
use crate::declaration::{Declaration, Field};

/// `with` stands in the place of `up`, beside `from`.
pub(super) fn stands_in_place_of_up(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.whole_fields() {
        let given = &field.attributes;
        let Some(with) = &given.with else { continue };
        // Beside `renamed_from` it is refused there.
        if given.renamed_from.is_some() {
            continue;
        }
        if given.from.is_none() {
            errors.at(
                with.span,
                "`with` needs `from(\"…\")`: the columns whose values the function takes, in its order",
            );
        }
        let beside: Vec<_> = beside(given)
            .into_iter()
            .filter_map(|(word, given)| given.then_some(word))
            .collect();
        if !beside.is_empty() {
            errors.at(
                with.span,
                format!(
                    "a Rust function stands in the place of `up`, so {} cannot stand beside `with`",
                    beside.join(", ")
                ),
            );
        }
        if let Some(down) = &given.down {
            errors.at(
                down.span,
                "beside `with` nothing leads back: a write at `off` would have to call the function on what the row has, to know whether \
                 old may stay; write `one_way` in the place of `down`, or convert with SQL, by `up` and `down`",
            );
        }
        if given.replaced().is_none() && field.is_optional() {
            errors.at(
                with.span,
                "`with` fills a new column that is never NULL, but this field is an `Option`: a NULL that code writes could not \
                 be told from a row that waits to be filled; make it no `Option`",
            );
        }
    }
}

fn beside(given: &ColumnAttributes) -> [(&'static str, bool); 3] {
    [
        ("`up`", given.up.is_some()),
        ("`valid_if`", given.valid_if.is_some()),
        ("`final_name`", given.final_name.is_some()),
    ]
}

/// What the function takes is there before and after, unless `one_way` says that the new column replaces it.
pub(super) fn takes_columns_that_stay(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.whole_fields() {
        let given = &field.attributes;
        let (Some(_), Some(from), None) = (&given.with, &given.from, given.replaced()) else {
            continue;
        };
        let mut seen: Vec<&str> = Vec::new();
        for input in &from.value {
            if seen.contains(&input.value.as_str()) {
                errors.at(input.span, format!("`{}` is given twice", input.value));
            }
            seen.push(&input.value);
            match declaration.field(&input.value) {
                None => errors.at(
                    input.span,
                    format!(
                        "`{}` is no column of this struct, and a Rust function fills a column from others that stay: keep the field \
                         `{0}`; or add `one_way` where the new column replaces it, and every write takes both values",
                        input.value
                    ),
                ),
                Some(other) if other.ident == field.ident => {
                    errors.at(input.span, "a column cannot be filled from itself");
                }
                Some(other) => changes_meanwhile(other, input.span, errors),
            }
        }
    }
}

fn changes_meanwhile(input: &Field, span: proc_macro2::Span, errors: &mut Errors) {
    let given = &input.attributes;
    let word = [
        ("renamed_from", given.renamed_from.is_some()),
        ("from", given.from.is_some()),
        ("up", given.up.is_some()),
        ("moved_from", given.moved_from.is_some()),
    ];
    if let Some((word, _)) = word.iter().find(|(_, given)| *given) {
        errors.at(
            span,
            format!(
                "`{}` is in transition itself (`{word}`), and the function takes what the row has in a column: fill the new one in \
                 a version after that, when `cargo zdm finalize` has removed the word",
                input.ident
            ),
        );
    }
}

/// The function itself says which value stands for one that it cannot convert, so what is left is to wait or to stop.
pub(super) fn invalid_rows_wait_or_stop(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.whole_fields() {
        let (Some(_), Some(on_invalid)) = (&field.attributes.with, &field.attributes.on_invalid)
        else {
            continue;
        };
        if let OnInvalid::Null | OnInvalid::Default(_) = on_invalid.value {
            errors.at(
                on_invalid.span,
                "beside `with` it is \"quarantine\" or \"reject\", where the function gives an `Err`; a value that stands for the \
                 others is given by the function itself",
            );
        }
    }
}
