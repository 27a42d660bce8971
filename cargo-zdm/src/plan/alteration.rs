//! What a change asks for, in words that no database owns. [`super::lower`] finds the statements of a dialect for it;
//! the undo follows from the shape of the table before.

mod naming;
mod summary;

use zdm_model::Enumeration;

use super::moved::Triggers;
use super::shape::{
    CheckShape, ColumnShape, ExclusionShape, ForeignKeyShape, IndexShape, KeyShape, TableShape,
    UniqueShape,
};
use super::shapes::Shapes;
use crate::diff::Part;

pub use naming::{Naming, View};

/// One alteration of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alteration {
    /// A table without its indexes.
    CreateTable(TableShape),
    /// The table goes; whether it has foreign keys.
    DropTable(bool),
    /// A name goes over to something else.
    Name(Naming),
    /// A column at the end.
    AddColumn(ColumnShape),
    /// The column goes, with the indexes and constraints that name it.
    DropColumn(String),
    /// An index.
    CreateIndex(IndexShape),
    /// The index goes.
    DropIndex(String),
    /// Another type, in the dialect's words.
    SetType(String, String),
    /// A unique constraint.
    AddUnique(UniqueShape),
    /// The unique constraint goes.
    DropUnique(String),
    /// Another default; `None` for none.
    SetDefault(String, Option<String>),
    /// Another comment on the table, or on that column; `None` for none.
    SetComment(Option<String>, Option<String>),
    /// The column refuses NULL.
    SetNotNull(String),
    /// The column accepts NULL.
    DropNotNull(String),
    /// The primary key of a table that has none.
    SetPrimaryKey(KeyShape),
    /// The same of a table that has another one.
    ReplacePrimaryKey(KeyShape),
    /// There is no primary key any more.
    DropPrimaryKey,
    /// A check, validated unless it says otherwise.
    AddCheck(CheckShape),
    /// The check goes.
    DropCheck(String),
    /// An exclusion constraint.
    AddExclusion(ExclusionShape),
    /// The exclusion constraint goes.
    DropExclusion(String),
    /// The rows from before are compared with a check or a foreign key.
    Validate(String),
    /// A foreign key, validated unless it says otherwise.
    AddForeignKey(ForeignKeyShape),
    /// The foreign key goes.
    DropForeignKey(String),
    /// Another name for the same: which kind, from, to.
    Rename(Part, String, String),
    /// A function that makes `up` total.
    CreateFunction(Function),
    /// The function goes.
    DropFunction(Function),
    /// Triggers that keep two tables together.
    CreateTriggers(Triggers),
    /// The triggers go.
    DropTriggers(Triggers),
    /// An enum.
    CreateEnum(Enumeration),
    /// The enum goes.
    DropEnum(Enumeration),
    /// A value more.
    AddEnumValue(EnumValue),
    /// The value stays, because no database takes one out.
    LeaveEnumValue(EnumValue),
}

/// A value of an enum, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumValue {
    /// The enum, unquoted.
    pub name: String,
    /// The value.
    pub value: String,
    /// The value that it comes after, where others follow.
    pub after: Option<String>,
    /// The value that it comes before, where it is the first.
    pub before: Option<String>,
}

/// `up` as a function that never fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Name without its schema, unquoted.
    pub name: String,
    /// `(name, type)` of the parameters.
    pub parameters: Vec<(String, String)>,
    /// The type of the result.
    pub returns: String,
    /// The expression over the parameters.
    pub expression: String,
    /// The condition that makes an input convertible.
    pub valid_if: Option<String>,
    /// The result for an input that cannot be converted.
    pub invalid: String,
}

impl Function {
    /// The name of the parameter for a column. Not the column's own: a language of the database may have a variable of that
    /// name, as PL/pgSQL has `found`, which would be read instead.
    pub fn parameter(column: &str) -> String {
        format!("of_{column}")
    }
}

impl Alteration {
    /// Where it stands among the alterations of its section: what goes before what comes, columns before what names
    /// them, unique indexes before the foreign keys that need them. A new table brings its own along.
    pub(super) const fn rank(&self, of_new_table: bool) -> u8 {
        match self {
            Self::DropForeignKey(_) | Self::DropTriggers(_) => 0,
            Self::DropCheck(_) | Self::DropExclusion(_) => 1,
            Self::ReplacePrimaryKey(..)
            | Self::DropPrimaryKey
            | Self::Name(Naming::DropView(_))
            | Self::DropIndex(_)
            | Self::DropUnique(_) => 2,
            Self::DropColumn(_) => 3,
            Self::DropTable(_) => 4,
            Self::DropFunction(_) => 5,
            Self::CreateEnum(_) | Self::AddEnumValue(_) | Self::LeaveEnumValue(_) => 6,
            Self::AddColumn(_) => 7,
            Self::CreateFunction(_) => 8,
            Self::SetType(..) | Self::SetDefault(..) => 9,
            Self::SetNotNull(_) | Self::DropNotNull(_) => 10,
            Self::AddCheck(_) if of_new_table => 14,
            Self::AddCheck(_) | Self::AddExclusion(_) | Self::Validate(_) => 11,
            Self::AddUnique(_) => 12,
            Self::CreateIndex(index) if index.unique && !of_new_table => 12,
            Self::CreateTable(_) => 13,
            Self::CreateIndex(_) if of_new_table => 13,
            Self::AddForeignKey(_) | Self::CreateTriggers(_) => 14,
            Self::CreateIndex(_) => 15,
            Self::SetPrimaryKey(..)
            | Self::Rename(..)
            | Self::Name(Naming::Columns(_) | Naming::CreateView(_))
            | Self::SetComment(..) => 16,
            Self::DropEnum(_) => 17,
            Self::Name(Naming::Table(_) | Naming::RestoreTable(..)) => 18,
        }
    }

    /// What takes it back, given the table's shape before; or why nothing does.
    pub(super) fn inverse(&self, table: &str, before: &Shapes) -> Result<Self, String> {
        let shape = before.table(table);
        let column = |name: &str| shape.and_then(|shape| shape.column(name));
        let unknown = || format!("{table} does not have it before");
        Ok(match self {
            Self::CreateTable(shape) => Self::DropTable(!shape.foreign_keys.is_empty()),
            Self::DropTable(_) => {
                return Err(format!(
                    "the rows of {table} are gone; a backup brings them back"
                ));
            }
            Self::Name(naming) => Self::Name(naming.inverse(table, shape)?),
            Self::AddColumn(column) => Self::DropColumn(column.name.clone()),
            Self::DropColumn(column) => {
                return Err(format!(
                    "the values of {table}.{column} are gone; a backup brings them back"
                ));
            }
            Self::CreateIndex(index) => Self::DropIndex(index.name.clone()),
            Self::DropIndex(name) => shape
                .and_then(|shape| shape.indexes.iter().find(|index| index.name == *name))
                .map(|index| Self::CreateIndex(index.clone()))
                .ok_or_else(unknown)?,
            Self::SetType(name, _) => {
                let sql_type = column(name).ok_or_else(unknown)?.sql_type.clone();
                Self::SetType(name.clone(), sql_type)
            }
            Self::AddUnique(unique) => Self::DropUnique(unique.name.clone()),
            Self::DropUnique(name) => shape
                .and_then(|shape| shape.uniques.iter().find(|unique| unique.name == *name))
                .map(|unique| Self::AddUnique(unique.clone()))
                .ok_or_else(unknown)?,
            Self::SetDefault(name, _) => {
                let default = column(name).ok_or_else(unknown)?.default.clone();
                Self::SetDefault(name.clone(), default)
            }
            Self::SetComment(None, _) => {
                Self::SetComment(None, shape.ok_or_else(unknown)?.comment.clone())
            }
            Self::SetComment(Some(name), _) => {
                let comment = column(name).ok_or_else(unknown)?.comment.clone();
                Self::SetComment(Some(name.clone()), comment)
            }
            Self::SetNotNull(name) => Self::DropNotNull(name.clone()),
            Self::DropNotNull(name) => Self::SetNotNull(name.clone()),
            Self::SetPrimaryKey(..) => Self::DropPrimaryKey,
            Self::ReplacePrimaryKey(..) => {
                return Err(format!("rows of {table} may share the old key by then"));
            }
            Self::DropPrimaryKey => {
                return Err(format!(
                    "a version that gives {table} a primary key builds it beside running writes"
                ));
            }
            Self::AddCheck(check) => Self::DropCheck(check.name.clone()),
            Self::DropCheck(name) => shape
                .and_then(|shape| shape.checks.iter().find(|check| check.name == *name))
                .map(|check| Self::AddCheck(check.clone()))
                .ok_or_else(unknown)?,
            Self::AddExclusion(exclusion) => Self::DropExclusion(exclusion.name.clone()),
            Self::DropExclusion(name) => shape
                .and_then(|shape| shape.exclusions.iter().find(|found| found.name == *name))
                .map(|exclusion| Self::AddExclusion(exclusion.clone()))
                .ok_or_else(unknown)?,
            Self::Validate(name) => {
                let shape = shape.ok_or_else(unknown)?;
                let check = shape.checks.iter().find(|check| check.name == *name);
                let key = shape.foreign_keys.iter().find(|key| key.name == *name);
                let check = check.map(|check| Self::AddCheck(check.clone()));
                check
                    .or(key.map(|key| Self::AddForeignKey(key.clone())))
                    .ok_or_else(unknown)?
            }
            Self::AddForeignKey(key) => Self::DropForeignKey(key.name.clone()),
            Self::DropForeignKey(name) => shape
                .and_then(|shape| shape.foreign_keys.iter().find(|key| key.name == *name))
                .map(|key| Self::AddForeignKey(key.clone()))
                .ok_or_else(unknown)?,
            Self::Rename(part, from, to) => Self::Rename(*part, to.clone(), from.clone()),
            Self::CreateFunction(function) => Self::DropFunction(function.clone()),
            Self::DropFunction(function) => Self::CreateFunction(function.clone()),
            Self::CreateTriggers(triggers) => Self::DropTriggers(triggers.clone()),
            Self::DropTriggers(triggers) => Self::CreateTriggers(triggers.clone()),
            Self::CreateEnum(found) => Self::DropEnum(found.clone()),
            Self::DropEnum(found) => Self::CreateEnum(found.clone()),
            Self::AddEnumValue(value) | Self::LeaveEnumValue(value) => {
                Self::LeaveEnumValue(value.clone())
            }
        })
    }

    /// It is about an enum, not about a table.
    pub(super) fn is_of_enum(&self) -> bool {
        matches!(
            self,
            Self::CreateEnum(_)
                | Self::DropEnum(_)
                | Self::AddEnumValue(_)
                | Self::LeaveEnumValue(_)
        )
    }

    /// What its undo loses for good.
    pub(super) fn loses(&self, table: &str) -> Option<String> {
        match self {
            Self::CreateTable(_) => Some(format!("every row of {table}")),
            Self::AddColumn(column) if column.generated.is_none() => {
                Some(format!("every value of {table}.{}", column.name))
            }
            _ => None,
        }
    }
}
