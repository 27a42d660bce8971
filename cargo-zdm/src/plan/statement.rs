//! What the steps of a plan ask a dialect for: one variant per template in `templates/<dialect>/`.
//!
//! Must not know: any database's SQL.

mod names;
mod nullable;
mod remade;

pub use nullable::Nullable;
pub use remade::{Referenced, Remade};
use serde::Serialize;

use super::alteration::{Counting, EnumValue, Function, Growth, Renaming, Shown};
use super::moved::Triggers;
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
    /// Another name for the same table, in the place of the view of that name.
    RenameTable {
        /// The table.
        table: String,
        /// Its new name.
        to: String,
    },
    /// The name before again, and the view.
    RestoreTable {
        /// The table by the name that it has.
        table: String,
        /// The name before.
        to: String,
        /// The view's columns.
        columns: Vec<Shown>,
    },
    /// A column at the end.
    AddColumn {
        /// The table.
        table: String,
        /// The column.
        column: ColumnShape,
        /// Every row gets a value of its own, so that all of them are written anew.
        rewrites: bool,
    },
    /// A column of the same name and type that the database computes otherwise.
    ReplaceGenerated {
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
    RenameColumns(Renaming),
    /// Other names for types, in one transaction.
    RenameTypes {
        /// The first table that has the enum.
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
        /// Its columns.
        columns: Vec<Shown>,
        /// It stands among what is the tool's own.
        is_own: bool,
    },
    /// The view goes.
    DropView {
        /// The table.
        table: String,
        /// Name without its schema, unquoted.
        view: String,
        /// It stands among what is the tool's own.
        is_own: bool,
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
        /// Rows are compared once more with what names the column.
        compares: bool,
        /// This table and those that refer to the column, in the order in which they are locked.
        locked: Vec<String>,
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
    /// Another way in which the database counts the column; the numbers go on where they stand.
    SetCounting {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The way before.
        from: Option<Counting>,
        /// The way from now on.
        to: Option<Counting>,
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
    DropNotNull(Nullable),
    /// A unique index becomes the primary key's, and takes its name.
    SetPrimaryKey {
        /// The table.
        table: String,
        /// The key's name.
        constraint: String,
        /// The index.
        index: String,
        /// The key that goes in the same statement: its name, its columns.
        replaced: Option<(String, Vec<String>)>,
        /// The foreign keys that stand on it.
        #[serde(flatten)]
        remade: Remade,
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
        /// So does an index of its name that a way back has built and not made its own.
        index: bool,
    },
    /// A unique index, or the constraint on it, goes while foreign keys stand on it: they go over to another one of these columns.
    DropReferenced {
        /// The table.
        table: String,
        /// The index.
        #[serde(flatten)]
        referenced: Referenced,
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
        /// The function.
        #[serde(flatten)]
        function: Function,
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
    /// A function that makes a value of an enum of its text. It knows the enum by itself, not by its name.
    CreateCast {
        /// The first table that has the enum.
        table: String,
        /// Name without its schema, unquoted.
        function: String,
        /// The enum, unquoted.
        returns: String,
    },
    /// Triggers that keep the other of two tables.
    CreateTriggers {
        /// The table that fires.
        table: String,
        /// What they do.
        triggers: Triggers,
    },
    /// The triggers go.
    DropTriggers {
        /// The table that fired.
        table: String,
        /// What they did.
        triggers: Triggers,
    },
    /// A trigger keeps the wide column beside one of the key that grows, and a view has both.
    KeepKey {
        /// The table.
        table: String,
        /// The column.
        growth: Growth,
    },
    /// Trigger and view go.
    LeaveKey {
        /// The table.
        table: String,
        /// The column.
        growth: Growth,
    },
    /// The wide column becomes the key's or, on the way back, the narrow one, with all that stands on it.
    ExchangeKey {
        /// The table.
        table: String,
        /// The column.
        growth: Growth,
        /// The narrow column becomes the key's again.
        back: bool,
        /// The key's name, and the unique index that it stands on from now on.
        key: (String, String),
        /// Other indexes: their names, and what takes these.
        indexes: Vec<(String, String)>,
        /// The foreign keys that stand on it.
        #[serde(flatten)]
        remade: Remade,
    },
    /// The trigger that keeps a table's pairs, or its end.
    Net(super::net::NetStep),
    /// What goes is kept under another name, or has its own again.
    Keep(super::keep::KeepStep),
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
        /// The value, with its enum and its place.
        #[serde(flatten)]
        added: EnumValue,
    },
    /// Nothing: the value stays.
    LeaveEnumValue {
        /// The first table that has the enum.
        table: String,
        /// The value, with its enum.
        #[serde(flatten)]
        left: EnumValue,
    },
    /// The whole table written anew, where the database cannot alter it.
    RebuildTable {
        /// What stands there.
        before: TableShape,
        /// What shall stand there.
        after: TableShape,
    },
    /// Several of one transaction.
    Together(super::together::Together),
    /// The user's own SQL.
    Raw(super::raw::Raw),
}
