//! A version's name where the user gives none.

use heck::ToSnakeCase;

use crate::diff::Delta;

/// Longer names make paths that are hard to read.
const LONGEST: usize = 48;

/// A name from what changes: `users_full_name`, `create_users_and_2_more`.
pub fn automatic(deltas: &[Delta]) -> String {
    let mut names: Vec<String> = deltas.iter().map(of_delta).collect();
    names.dedup();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [only] => legal(only),
        [first, rest @ ..] => format!("{}_and_{}_more", legal(first), rest.len()),
    }
}

/// A name as it may stand in a folder and in a Rust module.
pub fn legal(name: &str) -> String {
    let snake = name.to_snake_case();
    let plain: String = snake
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(LONGEST)
        .collect();
    let trimmed = plain.trim_matches('_');
    if trimmed.is_empty() {
        "version".to_owned()
    } else {
        trimmed.to_owned()
    }
}

fn of_delta(delta: &Delta) -> String {
    match delta {
        Delta::EnumAdded(found) => format!("create_{}", found.name),
        Delta::EnumRemoved(found) => format!("drop_{}", found.name),
        Delta::EnumChanged(_, found) => found.name.clone(),
        Delta::TableAdded(table) => format!("create_{}", table.name),
        Delta::TableRemoved(table) => format!("drop_{}", table.name),
        Delta::ColumnAdded(at, column)
        | Delta::ColumnReplaced {
            at, new: column, ..
        }
        | Delta::TypeChanged(at, _, column)
        | Delta::NullabilityChanged(at, _, column)
        | Delta::DefaultChanged(at, _, column)
        | Delta::GeneratedChanged(at, _, column)
        | Delta::AutoChanged(at, _, column) => format!("{}_{}", at.table, column.name),
        Delta::KeyRenamed(at, columns) => {
            let new = columns.first().map_or("key", |(_, new)| new);
            format!("{}_{new}", at.table)
        }
        Delta::ColumnRemoved(at, column, _) => format!("drop_{}_{}", at.table, column.name),
        Delta::CommentChanged(at, None, _) => format!("{}_comment", at.table),
        Delta::CommentChanged(at, Some(column), _) => format!("{}_{column}_comment", at.table),
        Delta::PrimaryKeyChanged(at, ..) => format!("{}_primary_key", at.table),
        Delta::IndexAdded(_, index) | Delta::IndexChanged(_, _, index) => index.name.clone(),
        Delta::IndexRemoved(_, index) => format!("drop_{}", index.name),
        Delta::TableRenamed(_, to) | Delta::Renamed(_, _, _, to) => format!("rename_to_{to}"),
        Delta::UniqueAdded(_, unique) | Delta::UniqueChanged(_, _, unique) => unique.name.clone(),
        Delta::UniqueRemoved(_, unique) => format!("drop_{}", unique.name),
        Delta::CheckAdded(_, check) | Delta::CheckChanged(_, _, check) => check.name.clone(),
        Delta::CheckRemoved(_, check) => format!("drop_{}", check.name),
        Delta::ExclusionAdded(_, exclusion) | Delta::ExclusionChanged(_, _, exclusion) => {
            exclusion.name.clone()
        }
        Delta::ExclusionRemoved(_, exclusion) => format!("drop_{}", exclusion.name),
        Delta::ForeignKeyAdded(_, key) | Delta::ForeignKeyChanged(_, _, key) => key.name.clone(),
        Delta::ForeignKeyRemoved(_, key) => format!("drop_{}", key.name),
    }
}
