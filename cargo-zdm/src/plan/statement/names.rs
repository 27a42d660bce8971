//! What statements are called in `dialect.toml`, and which table they lock.

use super::Statement;
use crate::dialect::{Dialect, StatementFacts};
use crate::plan::Ends;

impl Statement {
    /// Every statement that a dialect gives, inherits or declares as unsupported.
    pub const NAMES: [&'static str; 58] = [
        "create_table",
        "create_referencing_table",
        "drop_table",
        "drop_referencing_table",
        "rename_table",
        "restore_table",
        "add_column",
        "add_column_to_rows",
        "replace_generated",
        "drop_column",
        "rename_columns",
        "rename_types",
        "create_view",
        "drop_view",
        "create_index",
        "create_index_on_empty",
        "drop_index",
        "set_type",
        "set_type_compared",
        "set_default",
        "drop_default",
        "set_counting",
        "set_comment",
        "set_not_null",
        "drop_not_null",
        "set_primary_key",
        "add_unique",
        "add_check",
        "add_exclusion",
        "add_foreign_key",
        "validate_constraint",
        "drop_foreign_key",
        "drop_constraint",
        "drop_referenced",
        "rename_index",
        "rename_constraint",
        "replace_index",
        "create_function",
        "create_cast",
        "drop_function",
        "create_main_triggers",
        "create_part_triggers",
        "drop_main_triggers",
        "drop_part_triggers",
        "create_net",
        "drop_net",
        "keep_columns",
        "bring_back_columns",
        "leave_columns",
        "keep_table",
        "keep_key",
        "leave_key",
        "exchange_key",
        "create_enum",
        "drop_enum",
        "add_enum_value",
        "leave_enum_value",
        "rebuild_table",
    ];

    /// The name in `dialect.toml`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateTable { table } if table.foreign_keys.is_empty() => "create_table",
            Self::CreateTable { .. } => "create_referencing_table",
            Self::DropTable {
                references: false, ..
            } => "drop_table",
            Self::DropTable { .. } => "drop_referencing_table",
            Self::RenameTable { .. } => "rename_table",
            Self::RestoreTable { .. } => "restore_table",
            Self::AddColumn {
                rewrites: false, ..
            } => "add_column",
            Self::AddColumn { .. } => "add_column_to_rows",
            Self::ReplaceGenerated { .. } => "replace_generated",
            Self::DropColumn { .. } => "drop_column",
            Self::RenameColumns(_) => "rename_columns",
            Self::RenameTypes { .. } => "rename_types",
            Self::CreateView { .. } => "create_view",
            Self::DropView { .. } => "drop_view",
            Self::CreateIndex { .. } => "create_index",
            Self::CreateIndexOnEmpty { .. } => "create_index_on_empty",
            Self::DropIndex { .. } => "drop_index",
            Self::SetType {
                compares: false, ..
            } => "set_type",
            Self::SetType { .. } => "set_type_compared",
            Self::SetDefault { .. } => "set_default",
            Self::DropDefault { .. } => "drop_default",
            Self::SetCounting { .. } => "set_counting",
            Self::SetComment { .. } => "set_comment",
            Self::SetNotNull { .. } => "set_not_null",
            Self::DropNotNull(_) => "drop_not_null",
            Self::SetPrimaryKey { .. } => "set_primary_key",
            Self::AddUnique { .. } => "add_unique",
            Self::AddCheck { .. } => "add_check",
            Self::AddExclusion { .. } => "add_exclusion",
            Self::AddForeignKey { .. } => "add_foreign_key",
            Self::ValidateConstraint { .. } => "validate_constraint",
            Self::DropForeignKey { .. } => "drop_foreign_key",
            Self::DropConstraint { .. } => "drop_constraint",
            Self::DropReferenced { .. } => "drop_referenced",
            Self::RenameIndex { .. } => "rename_index",
            Self::RenameConstraint { .. } => "rename_constraint",
            Self::ReplaceIndex { .. } => "replace_index",
            Self::CreateFunction { .. } => "create_function",
            Self::CreateCast { .. } => "create_cast",
            Self::DropFunction { .. } => "drop_function",
            Self::CreateTriggers { triggers, .. } if triggers.on == Ends::Main => {
                "create_main_triggers"
            }
            Self::CreateTriggers { .. } => "create_part_triggers",
            Self::DropTriggers { triggers, .. } if triggers.on == Ends::Main => {
                "drop_main_triggers"
            }
            Self::DropTriggers { .. } => "drop_part_triggers",
            Self::Net(step) if step.goes => "drop_net",
            Self::Net(_) => "create_net",
            Self::Keep(step) => step.name,
            Self::KeepKey { .. } => "keep_key",
            Self::LeaveKey { .. } => "leave_key",
            Self::ExchangeKey { .. } => "exchange_key",
            Self::CreateEnum { .. } => "create_enum",
            Self::DropEnum { .. } => "drop_enum",
            Self::AddEnumValue { .. } => "add_enum_value",
            Self::LeaveEnumValue { .. } => "leave_enum_value",
            Self::RebuildTable { .. } => "rebuild_table",
            Self::Together(_) => "together",
            Self::Raw(_) => "raw",
        }
    }

    /// Whether nobody can write its table for as long as it takes to go through all rows.
    pub(crate) fn takes_all_rows(&self, dialect: &Dialect) -> bool {
        match self {
            Self::Raw(_) => false,
            Self::Together(together) => together
                .parts
                .iter()
                .any(|part| part.takes_all_rows(dialect)),
            generated => dialect
                .statement(generated.name())
                .is_ok_and(StatementFacts::takes_all_rows),
        }
    }

    /// The column that it changes in place or drops.
    pub(crate) fn altered_column(&self) -> Option<&str> {
        match self {
            Self::DropColumn { column, .. }
            | Self::SetType { column, .. }
            | Self::SetDefault { column, .. }
            | Self::DropDefault { column, .. }
            | Self::SetCounting { column, .. }
            | Self::SetNotNull { column, .. } => Some(column),
            Self::DropNotNull(nullable) => Some(&nullable.column),
            Self::ReplaceGenerated { column, .. } => Some(&column.name),
            _ => None,
        }
    }

    /// Those that are executed by it: itself, or several of one transaction.
    pub(crate) fn parts(&self) -> &[Self] {
        match self {
            Self::Together(together) => &together.parts,
            one => std::slice::from_ref(one),
        }
    }

    /// The table whose lock is meant, unquoted.
    pub fn table(&self) -> &str {
        match self {
            Self::CreateTable { table } => &table.name,
            Self::RebuildTable { after, .. } => &after.name,
            Self::Raw(raw) => &raw.table,
            Self::Together(together) => together.parts.last().map_or("", Self::table),
            Self::RenameColumns(renaming) => &renaming.table,
            Self::DropNotNull(nullable) => &nullable.table,
            Self::Net(step) => &step.table,
            Self::Keep(step) => &step.table,
            Self::DropTable { table, .. }
            | Self::RenameTable { table, .. }
            | Self::RestoreTable { table, .. }
            | Self::AddColumn { table, .. }
            | Self::ReplaceGenerated { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameTypes { table, .. }
            | Self::CreateView { table, .. }
            | Self::DropView { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::CreateIndexOnEmpty { table, .. }
            | Self::DropIndex { table, .. }
            | Self::SetType { table, .. }
            | Self::SetDefault { table, .. }
            | Self::DropDefault { table, .. }
            | Self::SetCounting { table, .. }
            | Self::SetComment { table, .. }
            | Self::SetNotNull { table, .. }
            | Self::SetPrimaryKey { table, .. }
            | Self::AddUnique { table, .. }
            | Self::AddCheck { table, .. }
            | Self::AddExclusion { table, .. }
            | Self::AddForeignKey { table, .. }
            | Self::ValidateConstraint { table, .. }
            | Self::DropForeignKey { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::DropReferenced { table, .. }
            | Self::RenameIndex { table, .. }
            | Self::RenameConstraint { table, .. }
            | Self::ReplaceIndex { table, .. }
            | Self::CreateFunction { table, .. }
            | Self::CreateCast { table, .. }
            | Self::DropFunction { table, .. }
            | Self::CreateTriggers { table, .. }
            | Self::DropTriggers { table, .. }
            | Self::KeepKey { table, .. }
            | Self::LeaveKey { table, .. }
            | Self::ExchangeKey { table, .. }
            | Self::CreateEnum { table, .. }
            | Self::DropEnum { table, .. }
            | Self::AddEnumValue { table, .. }
            | Self::LeaveEnumValue { table, .. } => table,
        }
    }

    /// The constraint that goes by it, and nothing else, whether or not it is there.
    pub(crate) fn dropped_constraint(&self) -> Option<&str> {
        match self {
            Self::DropConstraint { constraint, .. } | Self::DropForeignKey { constraint, .. } => {
                Some(constraint)
            }
            _ => None,
        }
    }
}
