//! Alterations in plain English.

use super::Alteration;

impl Alteration {
    /// In plain English: "add the column users.full_name".
    pub(in crate::plan) fn summary(&self, table: &str) -> String {
        match self {
            Self::CreateTable(_) => format!("create the table {table}"),
            Self::DropTable(_) => format!("drop the table {table}"),
            Self::Name(naming) => naming.summary(table),
            Self::Grow(growing) => growing.summary(table),
            Self::Net(netting) => netting.summary(table),
            Self::Keep(keeping) => keeping.summary(table),
            Self::AddColumn(column) => format!("add the column {table}.{}", column.name),
            Self::ReplaceGenerated(column) => {
                let expression = column.generated.as_deref().unwrap_or_default();
                format!("compute the column {table}.{} by {expression}", column.name)
            }
            Self::DropColumn(column) => format!("drop the column {table}.{column}"),
            Self::CreateIndex(index) => {
                let kind = if index.unique {
                    "unique index"
                } else {
                    "index"
                };
                let columns = index.over().join(", ");
                format!("build the {kind} {} on {table} ({columns})", index.name)
            }
            Self::DropIndex(index) => format!("drop the index {index} of {table}"),
            Self::SetType(column, sql_type, _) => {
                format!("make {table}.{column} a {sql_type}")
            }
            Self::AddUnique(unique) => {
                let columns = unique.columns.join(", ");
                format!(
                    "add the unique constraint {} to {table} ({columns})",
                    unique.name
                )
            }
            Self::DropUnique(unique) => {
                format!("drop the unique constraint {unique} of {table}")
            }
            Self::SetDefault(column, Some(default)) => {
                format!("give {table}.{column} the default {default}")
            }
            Self::SetDefault(column, None) => format!("take the default of {table}.{column} away"),
            Self::SetCounting(column, _, Some(counting)) => {
                format!("count {table}.{column} by {}", counting.words())
            }
            Self::SetCounting(column, _, None) => format!("count {table}.{column} no longer"),
            Self::SetComment(column, comment) => {
                let column = column.iter().map(|column| format!(".{column}"));
                let subject = format!("{table}{}", column.collect::<String>());
                match comment {
                    Some(_) => format!("comment on {subject}"),
                    None => format!("take the comment on {subject} away"),
                }
            }
            Self::SetNotNull(column) => format!("make {table}.{column} NOT NULL"),
            Self::DropNotNull(column) => format!("let {table}.{column} be NULL"),
            Self::SetPrimaryKey(key) | Self::ReplacePrimaryKey(key) => {
                format!(
                    "make ({}) the primary key of {table}",
                    key.columns.join(", ")
                )
            }
            Self::DropPrimaryKey => format!("drop the primary key of {table}"),
            Self::AddCheck(check) => format!("add the check {} to {table}", check.name),
            Self::DropCheck(check) => format!("drop the check {check} of {table}"),
            Self::AddExclusion(exclusion) => {
                let elements = exclusion.elements.join(", ");
                format!(
                    "add the exclusion constraint {} to {table} ({elements})",
                    exclusion.name
                )
            }
            Self::DropExclusion(exclusion) => {
                format!("drop the exclusion constraint {exclusion} of {table}")
            }
            Self::Validate(name) => format!("compare the rows of {table} with {name}"),
            Self::AddForeignKey(key) => format!(
                "add the foreign key {} from {table} to {}",
                key.name, key.references
            ),
            Self::DropForeignKey(key) => format!("drop the foreign key {key} of {table}"),
            Self::Rename(part, from, to) => {
                format!("rename the {} {from} of {table} to {to}", part.name())
            }
            Self::CreateFunction(function) => {
                format!(
                    "create the function zdm.{}, which never fails",
                    function.name
                )
            }
            Self::DropFunction(function) => format!("drop the function zdm.{}", function.name),
            Self::CreateTriggers(triggers) => {
                format!("let triggers on {table} keep {}", triggers.other)
            }
            Self::DropTriggers(triggers) => {
                format!("drop the triggers on {table} that keep {}", triggers.other)
            }
            Self::CreateEnum(_)
            | Self::DropEnum(_)
            | Self::AddEnumValue(_)
            | Self::LeaveEnumValue(_) => self.summary_of_enum(),
        }
    }

    fn summary_of_enum(&self) -> String {
        match self {
            Self::CreateEnum(found) => {
                format!(
                    "create the enum {} ({})",
                    found.name,
                    found.values.join(", ")
                )
            }
            Self::DropEnum(found) => format!("drop the enum {}", found.name),
            Self::AddEnumValue(value) => format!("add {} to the enum {}", value.value, value.name),
            Self::LeaveEnumValue(value) => format!(
                "leave {} in the enum {}, out of which no statement takes it",
                value.value, value.name
            ),
            _ => String::new(),
        }
    }
}
