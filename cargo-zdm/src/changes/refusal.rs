//! Deltas that no kind of change stands for: why, and what to declare instead.

use zdm_model::{Column, Enumeration, ForeignKey, LogicalType};

use super::{ChangeError, Context, grow_key};
use crate::diff::{Delta, Place};

pub(super) fn of(context: &Context<'_>, delta: &Delta) -> ChangeError {
    let (at, what, reason, way_on) = match delta {
        Delta::EnumChanged(old, new) => enum_changed(context, delta.place(), old, new),
        Delta::TypeChanged(at, old, new) => type_changed(context, at, old, new),
        Delta::GeneratedChanged(at, old, new) => generated_changed(context, at, old, new),
        Delta::AutoChanged(at, old, new) => auto_changed(context, at, old, new),
        claimed => unclaimed(claimed),
    };
    ChangeError::Unclaimed {
        at: Box::new(at),
        what,
        reason,
        way_on,
    }
}

fn auto_changed(context: &Context<'_>, at: &Place, old: &Column, new: &Column) -> Refusal {
    let what = format!("`auto` of {}.{}", at.table, new.name);
    if !context.dialect.capabilities().alter_in_place {
        let vendor = context.dialect.vendor();
        let reason = format!("{vendor} counts rows by the key's type alone");
        let way_on = "Keep it as it is, or let a new table take the rows over".to_owned();
        return (at.clone(), what, reason, way_on);
    }
    let reason = if old.auto {
        format!(
            "old code lets the database count while new code gives numbers of its own, and no two rows may have the same {}",
            new.name
        )
    } else {
        "old code gives numbers of its own while the database would count for new code, from where it does not know".to_owned()
    };
    let way_on = "Keep it as it is, or let a new table take the rows over".to_owned();
    (at.clone(), what, reason, way_on)
}

/// A foreign key by which tables that go reference each other in a circle.
pub(crate) fn reference_cycle(at: &Place, key: &ForeignKey) -> ChangeError {
    ChangeError::Unclaimed {
        what: format!(
            "dropping {} and {}, which the foreign key `{}` holds in a circle,",
            at.table, key.references, key.name
        ),
        reason: "none of the tables can be dropped first".to_owned(),
        way_on: format!("Drop `{}` in a version before", key.name),
        at: Box::new(at.clone()),
    }
}

type Refusal = (Place, String, String, String);

/// Where there are no enums: values that go, for all others are no change there.
fn enum_changed(context: &Context<'_>, at: Place, old: &Enumeration, new: &Enumeration) -> Refusal {
    let shown = |values: Vec<&String>| -> String {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        values.join(", ")
    };
    let without = |values: &[String], others: &[String]| -> String {
        shown(
            values
                .iter()
                .filter(|value| !others.contains(value))
                .collect(),
        )
    };
    let (gone, come) = (
        without(&old.values, &new.values),
        without(&new.values, &old.values),
    );
    let name = &old.name;
    let what = if come.is_empty() {
        format!("that {gone} goes from the enum `{name}`")
    } else {
        format!("{come} in the place of {gone} in the enum `{name}`")
    };
    let mut tables = context.from.tables_with(old);
    let column = tables.find_map(|table| {
        let mut columns = table.columns.iter();
        columns.find(|column| old.is_type_of(column))
    });
    let column = column.map_or("…", |column| &column.name);
    let quoted = |name: &str| context.dialect.ident(name).replace('"', "\\\"");
    let (was, now) = match column {
        "…" => (column.to_owned(), "…_2".to_owned()),
        column => (quoted(column), quoted(&format!("{column}_2"))),
    };
    let value = new.values.first().map_or("…", String::as_str);
    let renamed = if come.is_empty() {
        String::new()
    } else {
        format!(
            "Where a variant has only another name in Rust, keep its value: `#[zdm(rename = {:?})]`. Else let ",
            old.values
                .iter()
                .find(|value| !new.values.contains(value))
                .map_or("…", String::as_str)
        )
    };
    let let_ = if renamed.is_empty() { "Let " } else { "" };
    (
        at,
        what,
        "old code, still running, reads and writes the values as they were, and no database takes one out or moves it"
            .to_owned(),
        format!(
            "{renamed}{let_}a new enum and a new column replace the old ones:\n    \
             #[zdm(name = \"{name}_2\")]  on the new enum\n    \
             #[zdm(column = \"{column}_2\", from(\"{column}\"), \
             up = \"CASE {was} WHEN '…' THEN '{value}' … END\", down = \"CASE {now} WHEN '{value}' THEN '…' … END\")]"
        ),
    )
}

fn type_changed(context: &Context<'_>, at: &Place, old: &Column, new: &Column) -> Refusal {
    let (dialect, name) = (context.dialect, &old.name);
    let (old_type, new_type) = (dialect.type_of(old), dialect.type_of(new));
    let of_key = context
        .before(&at.table)
        .filter(|table| !table.no_primary_key && table.primary_key.contains(name));
    let bare = |column| dialect.uncollated_type_of(column);
    let (old_bare, new_bare) = (bare(old), bare(new));
    let collation_only =
        old.logical_type == new.logical_type && old_bare == new_bare && old_type != new_type;
    let from_to = if old_type == new_type {
        format!(
            "from `{}` to `{}`, both {new_type} in the database",
            old.rust_type, new.rust_type
        )
    } else {
        format!("from {old_type} to {new_type}")
    };
    let fresh = match &new.collation {
        Some(collation) if collation_only => format!("{name}_{}", words_of(collation)),
        _ => format!("{name}_{}", suffix(new)),
    };
    let built_in = old.sql_type.is_none()
        && new.sql_type.is_none()
        && old.nullable == new.nullable
        && dialect
            .lossless(old.logical_type, new.logical_type)
            .is_some();
    let mut attributes = vec![format!("column = \"{fresh}\", from(\"{name}\")")];
    if !built_in {
        let (was, now) = (dialect.ident(name), dialect.ident(&fresh));
        let (mut up, mut down) = if collation_only {
            (was, now)
        } else {
            (
                format!("CAST({was} AS {new_bare})"),
                format!("CAST({now} AS {old_bare})"),
            )
        };
        if old.nullable && !new.nullable {
            up = format!("coalesce({up}, …)");
        }
        if new.nullable && !old.nullable {
            down = format!("coalesce({down}, …)");
        }
        attributes.push(format!("up = {up:?}"));
        attributes.push(format!("down = {down:?}"));
    }
    if !built_in && old.logical_type == LogicalType::Text && new.logical_type != LogicalType::Text {
        let rule = if new.nullable { "quarantine" } else { "reject" };
        attributes.push(format!("valid_if = \"…\", on_invalid = \"{rule}\""));
    }
    let what = format!("the type of {}.{name}, {from_to},", at.table);
    if of_key.is_some() {
        let way_on = grow_key::way_on(context, old, new);
        return (at.clone(), what, two_types(context, at), way_on);
    }
    (
        at.clone(),
        what,
        two_types(context, at),
        format!(
            "Let a new column replace it; the field keeps its name:\n    #[zdm({})]",
            attributes.join(",\n          ")
        ),
    )
}

/// Compared by tests/tests/columns/direct.rs with what old code does.
fn two_types(context: &Context<'_>, at: &Place) -> String {
    let both = "old and new code would read and write one column as two types";
    match context.small(&at.table) {
        None => format!("{both}, and most changes of a type write the whole table anew"),
        Some(_) => format!(
            "{both}, which `--direct` does not help: PostgreSQL fails the prepared statements of old code that list the column \
             (\"cached plan must not change result type\"), and sqlx reads no other type than the field's from new ones"
        ),
    }
}

fn generated_changed(context: &Context<'_>, at: &Place, old: &Column, new: &Column) -> Refusal {
    let name = &old.name;
    let shown = |column: &Column| match &column.generated {
        Some(expression) => format!("`{expression}`"),
        None => "what code writes".to_owned(),
    };
    let expression = new.generated.as_deref().unwrap_or("…");
    let way_on = if new.generated.is_some() {
        format!(
            "Let a column that code writes replace it, under another name: `#[zdm(column = \"{name}_2\", up = {expression:?})]` \
             fills the rows that are there, and `#[zdm(drops(\"{name}\"))]` on the struct drops the old one"
        )
    } else {
        format!(
            "Let a column that code writes come beside it, under another name: `#[zdm(column = \"{name}_2\", up = {:?})]` \
             fills the rows that are there; drop `{name}` in a later version",
            context.dialect.ident(name)
        )
    };
    (
        at.clone(),
        format!("{} in the place of {} as the value of {}.{name}", shown(new), shown(old), at.table),
        "old and new code would read different values under one name, and another expression writes the whole table anew"
            .to_owned(),
        way_on,
    )
}

fn suffix(column: &Column) -> String {
    let name = column
        .sql_type
        .as_deref()
        .unwrap_or(column.logical_type.name());
    words_of(name)
}

fn words_of(name: &str) -> String {
    let words: Vec<&str> = name
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    words.join("_").to_lowercase()
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
