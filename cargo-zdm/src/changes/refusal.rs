//! Deltas that no kind of change stands for: why, and what to declare instead.

use zdm_model::{Column, LogicalType};

use super::{ChangeError, Context};
use crate::diff::{Delta, Place};

pub(super) fn of(context: &Context<'_>, delta: &Delta) -> ChangeError {
    let (at, what, reason, way_on) = match delta {
        Delta::TypeChanged(at, old, new) => type_changed(context, at, old, new),
        Delta::NullabilityChanged(at, old, new) => nullability_changed(at, old, new),
        Delta::AutoChanged(at, column) => (
            at.clone(),
            format!("`auto` of {}.{}", at.table, column.name),
            "numbering by the database cannot be switched while code inserts".to_owned(),
            "Keep it as it is, or create a new table".to_owned(),
        ),
        Delta::PrimaryKeyChanged(at, before, after) => (
            at.clone(),
            format!(
                "the key of {}, from ({}) to ({}),",
                at.table,
                before.join(", "),
                after.join(", ")
            ),
            "rows are found by their key while old and new code run together, and the backfill walks along it"
                .to_owned(),
            "Keep the key, and add a unique index on the new columns; or create a new table with the new key"
                .to_owned(),
        ),
        claimed => unclaimed(claimed),
    };
    ChangeError::Unclaimed {
        at: Box::new(at),
        what,
        reason,
        way_on,
    }
}

/// New tables that reference each other in a circle.
pub(crate) fn reference_cycle(first: &Delta, tables: &[Delta]) -> ChangeError {
    let places: Vec<Place> = tables.iter().map(Delta::place).collect();
    let names: Vec<&str> = places.iter().map(|place| place.table.as_str()).collect();
    ChangeError::Unclaimed {
        what: format!("a circle of foreign keys between {}", names.join(", ")),
        reason: "none of the tables can be created or dropped first".to_owned(),
        way_on: "Leave one of the foreign keys out, and add or drop it in a version of its own"
            .to_owned(),
        at: Box::new(first.place()),
    }
}

type Refusal = (Place, String, String, String);

fn type_changed(context: &Context<'_>, at: &Place, old: &Column, new: &Column) -> Refusal {
    let (dialect, name) = (context.dialect, &old.name);
    let (old_type, new_type) = (dialect.type_of(old), dialect.type_of(new));
    let from_to = if old_type == new_type {
        format!(
            "from `{}` to `{}`, both {new_type} in the database",
            old.rust_type, new.rust_type
        )
    } else {
        format!("from {old_type} to {new_type}")
    };
    let fresh = format!("{name}_{}", suffix(new));
    let built_in = old.sql_type.is_none()
        && new.sql_type.is_none()
        && old.nullable == new.nullable
        && dialect
            .lossless(old.logical_type, new.logical_type)
            .is_some();
    let mut attributes = vec![format!("column = \"{fresh}\", from(\"{name}\")")];
    if !built_in {
        let mut up = format!("CAST({name} AS {new_type})");
        let mut down = format!("CAST({fresh} AS {old_type})");
        if old.nullable && !new.nullable {
            up = format!("coalesce({up}, …)");
        }
        if new.nullable && !old.nullable {
            down = format!("coalesce({down}, …)");
        }
        attributes.push(format!("up = \"{up}\""));
        attributes.push(format!("down = \"{down}\""));
    }
    if !built_in && old.logical_type == LogicalType::Text && new.logical_type != LogicalType::Text {
        let rule = if new.nullable { "quarantine" } else { "reject" };
        attributes.push(format!("valid_if = \"…\", on_invalid = \"{rule}\""));
    }
    (
        at.clone(),
        format!("the type of {}.{name}, {from_to},", at.table),
        "old and new code would read and write one column as two types, and most changes of a type write the whole \
         table anew"
            .to_owned(),
        format!(
            "Let a new column replace it; the field keeps its name:\n    #[zdm({})]",
            attributes.join(",\n          ")
        ),
    )
}

fn suffix(column: &Column) -> String {
    let name = column
        .sql_type
        .as_deref()
        .unwrap_or(column.logical_type.name());
    let words: Vec<&str> = name
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    words.join("_").to_lowercase()
}

fn nullability_changed(at: &Place, old: &Column, new: &Column) -> Refusal {
    let name = &old.name;
    let (what, reason, fresh, up, down) = if new.nullable {
        (
            format!("that {}.{name} may be NULL", at.table),
            "new code would write NULLs that old code, still running, cannot read",
            format!("{name}_or_null"),
            name.clone(),
            format!("coalesce({name}_or_null, …)"),
        )
    } else {
        (
            format!("that {}.{name} may no longer be NULL", at.table),
            "old code, still running, writes NULLs, and existing rows may have them",
            format!("{name}_not_null"),
            format!("coalesce({name}, …)"),
            format!("{name}_not_null"),
        )
    };
    (
        at.clone(),
        what,
        reason.to_owned(),
        format!(
            "Let a new column replace it; the field keeps its name:\n    #[zdm(column = \"{fresh}\", from(\"{name}\"), \
             up = \"{up}\", down = \"{down}\")]"
        ),
    )
}

/// A delta that some kind should have claimed: a mistake in the kinds, said with all that helps to find it.
fn unclaimed(delta: &Delta) -> Refusal {
    (
        delta.place(),
        format!("{delta:?}"),
        "no kind of change claims it".to_owned(),
        "Please report this with the two declarations".to_owned(),
    )
}
