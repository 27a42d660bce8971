//! What the steps of a plan ask a dialect for: one variant per template in `templates/<dialect>/`.
//!
//! Must not know: any database's SQL.

use serde::Serialize;

use super::shape::{
    CheckShape, ColumnShape, ExclusionShape, ForeignKeyShape, IndexShape, TableShape, UniqueShape,
};

/// A statement with everything that its template needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Statement {
    /// A table with its key, checks and foreign keys; its indexes are steps of their own.
    CreateTable {
        /// The table.
        table: TableShape,
    },
    /// The table goes, with every row.
    DropTable {
        /// The table.
        table: String,
        /// It has foreign keys, so the referenced tables are locked too.
        references: bool,
    },
    /// A column at the end.
    AddColumn {
        /// The table.
        table: String,
        /// The column.
        column: ColumnShape,
    },
    /// The column goes, with every value.
    DropColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Other names for the same columns, in one transaction.
    RenameColumns {
        /// The table.
        table: String,
        /// From, to; in the order of execution.
        renames: Vec<(String, String)>,
    },
    /// A view that all roles of the table may use as the table itself.
    CreateView {
        /// The table.
        table: String,
        /// Name without its schema, unquoted.
        view: String,
        /// The table's columns, unquoted.
        columns: Vec<String>,
    },
    /// The view goes.
    DropView {
        /// The table.
        table: String,
        /// Name without its schema, unquoted.
        view: String,
    },
    /// An index, built beside running writes where the database can.
    CreateIndex {
        /// The table.
        table: String,
        /// The index.
        index: IndexShape,
    },
    /// An index on a table that was created in the same section and holds no rows.
    CreateIndexOnEmpty {
        /// The table.
        table: String,
        /// The index.
        index: IndexShape,
    },
    /// The index goes.
    DropIndex {
        /// The table.
        table: String,
        /// The index.
        index: String,
    },
    /// A type that takes every value of the column's, as it is stored.
    SetType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// In the dialect's words.
        sql_type: String,
    },
    /// What inserts that do not name the column give it.
    SetDefault {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// An SQL expression.
        default: String,
    },
    /// No default any more.
    DropDefault {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Another comment on the table, or on a column of it.
    SetComment {
        /// The table.
        table: String,
        /// The column.
        column: Option<String>,
        /// The text; `None` for none.
        comment: Option<String>,
    },
    /// NULL is refused from now on; quick where a validated check proves it.
    SetNotNull {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// NULL is accepted from now on.
    DropNotNull {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A unique index becomes the primary key's, and takes its name.
    SetPrimaryKey {
        /// The table.
        table: String,
        /// The key's name.
        constraint: String,
        /// The index.
        index: String,
        /// The name of the key that goes in the same statement.
        replaced: Option<String>,
    },
    /// A unique constraint on the index of its name.
    AddUnique {
        /// The table.
        table: String,
        /// The constraint.
        unique: UniqueShape,
    },
    /// A check for new rows; existing ones are validated by a step of their own.
    AddCheck {
        /// The table.
        table: String,
        /// The check.
        check: CheckShape,
    },
    /// An exclusion constraint, with its index.
    AddExclusion {
        /// The table.
        table: String,
        /// The constraint.
        exclusion: ExclusionShape,
    },
    /// A foreign key for new rows; existing ones are validated by a step of their own.
    AddForeignKey {
        /// The table.
        table: String,
        /// The key.
        foreign_key: ForeignKeyShape,
    },
    /// Compares existing rows with a constraint.
    ValidateConstraint {
        /// The table.
        table: String,
        /// The constraint.
        constraint: String,
    },
    /// The foreign key goes; the referenced table is locked too.
    DropForeignKey {
        /// The table.
        table: String,
        /// The constraint.
        constraint: String,
    },
    /// The constraint goes.
    DropConstraint {
        /// The table.
        table: String,
        /// The constraint.
        constraint: String,
    },
    /// An index under another name.
    RenameIndex {
        /// The table.
        table: String,
        /// Its name.
        from: String,
        /// Its new name.
        to: String,
    },
    /// A constraint under another name, with the index that it stands on.
    RenameConstraint {
        /// The table.
        table: String,
        /// Its name.
        from: String,
        /// Its new name.
        to: String,
    },
    /// An index in the place of another, where the database renames none.
    ReplaceIndex {
        /// The table.
        table: String,
        /// What goes.
        before: IndexShape,
        /// What comes.
        after: IndexShape,
    },
    /// `f` as a function that never fails.
    CreateFunction {
        /// The table whose migration needs it.
        table: String,
        /// Name without its schema, unquoted.
        function: String,
        /// `(name, type)` of the parameters.
        parameters: Vec<(String, String)>,
        /// The type of the result.
        returns: String,
        /// The expression over the parameters.
        expression: String,
        /// The condition that makes an input convertible.
        valid_if: Option<String>,
        /// The result for an input that cannot be converted.
        invalid: String,
    },
    /// The function goes.
    DropFunction {
        /// The table whose migration needed it.
        table: String,
        /// Name without its schema, unquoted.
        function: String,
        /// Types of the parameters.
        parameters: Vec<String>,
    },
    /// An enum.
    CreateEnum {
        /// The first table that has it.
        table: String,
        /// Its name, unquoted.
        name: String,
        /// Its values in their order.
        values: Vec<String>,
    },
    /// The enum goes.
    DropEnum {
        /// The first table that had it.
        table: String,
        /// Its name, unquoted.
        name: String,
    },
    /// A value more.
    AddEnumValue {
        /// The first table that has the enum.
        table: String,
        /// The enum, unquoted.
        name: String,
        /// The value.
        value: String,
        /// The value that it comes after, where others follow.
        after: Option<String>,
        /// The value that it comes before, where it is the first.
        before: Option<String>,
    },
    /// Nothing: the value stays.
    LeaveEnumValue {
        /// The first table that has the enum.
        table: String,
        /// The enum, unquoted.
        name: String,
        /// The value.
        value: String,
    },
    /// The whole table written anew, where the database cannot alter it.
    RebuildTable {
        /// What stands there.
        before: TableShape,
        /// What shall stand there.
        after: TableShape,
    },
}

impl Statement {
    /// Every statement that a dialect gives, inherits or declares as unsupported.
    pub const NAMES: [&'static str; 36] = [
        "create_table",
        "create_referencing_table",
        "drop_table",
        "drop_referencing_table",
        "add_column",
        "drop_column",
        "rename_columns",
        "create_view",
        "drop_view",
        "create_index",
        "create_index_on_empty",
        "drop_index",
        "set_type",
        "set_default",
        "drop_default",
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
        "rename_index",
        "rename_constraint",
        "replace_index",
        "create_function",
        "drop_function",
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
            Self::AddColumn { .. } => "add_column",
            Self::DropColumn { .. } => "drop_column",
            Self::RenameColumns { .. } => "rename_columns",
            Self::CreateView { .. } => "create_view",
            Self::DropView { .. } => "drop_view",
            Self::CreateIndex { .. } => "create_index",
            Self::CreateIndexOnEmpty { .. } => "create_index_on_empty",
            Self::DropIndex { .. } => "drop_index",
            Self::SetType { .. } => "set_type",
            Self::SetDefault { .. } => "set_default",
            Self::DropDefault { .. } => "drop_default",
            Self::SetComment { .. } => "set_comment",
            Self::SetNotNull { .. } => "set_not_null",
            Self::DropNotNull { .. } => "drop_not_null",
            Self::SetPrimaryKey { .. } => "set_primary_key",
            Self::AddUnique { .. } => "add_unique",
            Self::AddCheck { .. } => "add_check",
            Self::AddExclusion { .. } => "add_exclusion",
            Self::AddForeignKey { .. } => "add_foreign_key",
            Self::ValidateConstraint { .. } => "validate_constraint",
            Self::DropForeignKey { .. } => "drop_foreign_key",
            Self::DropConstraint { .. } => "drop_constraint",
            Self::RenameIndex { .. } => "rename_index",
            Self::RenameConstraint { .. } => "rename_constraint",
            Self::ReplaceIndex { .. } => "replace_index",
            Self::CreateFunction { .. } => "create_function",
            Self::DropFunction { .. } => "drop_function",
            Self::CreateEnum { .. } => "create_enum",
            Self::DropEnum { .. } => "drop_enum",
            Self::AddEnumValue { .. } => "add_enum_value",
            Self::LeaveEnumValue { .. } => "leave_enum_value",
            Self::RebuildTable { .. } => "rebuild_table",
        }
    }

    /// The table whose lock is meant, unquoted.
    pub fn table(&self) -> &str {
        match self {
            Self::CreateTable { table } => &table.name,
            Self::RebuildTable { after, .. } => &after.name,
            Self::DropTable { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::RenameColumns { table, .. }
            | Self::CreateView { table, .. }
            | Self::DropView { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::CreateIndexOnEmpty { table, .. }
            | Self::DropIndex { table, .. }
            | Self::SetType { table, .. }
            | Self::SetDefault { table, .. }
            | Self::DropDefault { table, .. }
            | Self::SetComment { table, .. }
            | Self::SetNotNull { table, .. }
            | Self::DropNotNull { table, .. }
            | Self::SetPrimaryKey { table, .. }
            | Self::AddUnique { table, .. }
            | Self::AddCheck { table, .. }
            | Self::AddExclusion { table, .. }
            | Self::AddForeignKey { table, .. }
            | Self::ValidateConstraint { table, .. }
            | Self::DropForeignKey { table, .. }
            | Self::DropConstraint { table, .. }
            | Self::RenameIndex { table, .. }
            | Self::RenameConstraint { table, .. }
            | Self::ReplaceIndex { table, .. }
            | Self::CreateFunction { table, .. }
            | Self::DropFunction { table, .. }
            | Self::CreateEnum { table, .. }
            | Self::DropEnum { table, .. }
            | Self::AddEnumValue { table, .. }
            | Self::LeaveEnumValue { table, .. } => table,
        }
    }
}
