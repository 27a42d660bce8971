//! What cannot grow, and what has to wait for a version of its own.

use zdm_model::{Column, Counted, LogicalType, Table, Transition};

use super::Key;
use crate::changes::ChangeError;

impl Key<'_> {
    pub(super) fn refuse(&self) -> Result<(), ChangeError> {
        self.refuse_the_database()?;
        self.refuse_what_does_not_grow()?;
        self.refuse_what_comes_beside()?;
        self.refuse_what_stands_on_it()
    }

    fn refuse_the_database(&self) -> Result<(), ChangeError> {
        if self.context.dialect.capabilities().renaming_views {
            return Ok(());
        }
        Err(self.refused(
            format!(
                "{} has integers of one size alone, so nothing can be done about the column, and old code cannot read a number that \
                 only new code has room for",
                self.context.dialect.vendor()
            ),
            super::instead(&self.old.name),
        ))
    }

    fn refuse_what_does_not_grow(&self) -> Result<(), ChangeError> {
        let (old, new) = (self.old, self.new);
        if !grows(old, new) || self.before.no_primary_key {
            return Err(self.refused(
                "it is part of the key, by which the backfill walks through the table, and only an integer can become a wider \
                 one there",
                super::instead(&old.name),
            ));
        }
        if old.counted == Some(Counted::Always) {
            return Err(self.refused(
                "the database alone gives it numbers (`auto = \"always\"`), so that the way back could write none before the exchange",
                "Let it be `auto` in a version before, and `auto = \"always\"` again in one after".to_owned(),
            ));
        }
        let built_in = Transition {
            from: vec![old.name.clone()],
            final_name: Some(self.names.clone()),
            ..Transition::default()
        };
        if new.transition.as_ref() != Some(&built_in) {
            return Err(self.refused(
                "a trigger keeps both columns of a key that grows, as equal numbers",
                format!(
                    "Declare nothing but `from(\"{0}\"), final_name = \"{0}\"`, and another name for the time until then where it \
                     has to be (`column = \"…\"`)",
                    old.name
                ),
            ));
        }
        Ok(())
    }

    /// What would change the table or its key at the same time.
    fn refuse_what_comes_beside(&self) -> Result<(), ChangeError> {
        let (before, after) = (self.before, self.after);
        let key = |table: &Table| {
            (
                table.primary_key.clone(),
                table.no_primary_key,
                table.primary_key_name.clone(),
            )
        };
        let column = |column: &Column| {
            (
                column.default.clone(),
                column.auto,
                column.counted,
                column.comment.clone(),
            )
        };
        let other = after.columns.iter().find(|other| {
            other.name != self.old.name
                && self.context.arrives_in_phases(&self.at.table, &other.name)
        });
        // The table has its old name back here, and a name of the key with it.
        let beside = if after.renamed_from.as_ref() == Some(&self.at.table) {
            "the table gets another name".to_owned()
        } else if let Some(other) = other {
            format!("its {} comes in five phases", other.name)
        } else if key(before) != key(after) {
            "its key changes otherwise".to_owned()
        } else if column(self.old) != column(self.new) {
            "its default, counting or comment changes".to_owned()
        } else if let Some(name) = parts(before, &self.old.name)
            .into_iter()
            .find(|name| !parts(after, &self.old.name).contains(name))
        {
            format!("{name}, which stands on it, changes or goes")
        } else if let Some(name) = parts(after, &self.old.name)
            .into_iter()
            .find(|name| !parts(before, &self.old.name).contains(name))
        {
            format!("{name}, which stands on it, comes or changes")
        } else {
            return Ok(());
        };
        Err(self.refused(
            format!("the key grows, and in the same version {beside}"),
            "Let the key grow in a version of its own, before or after".to_owned(),
        ))
    }

    /// The exchange makes the key, foreign keys and indexes of plain columns anew, nothing else.
    fn refuse_what_stands_on_it(&self) -> Result<(), ChangeError> {
        let table = self.before;
        let own = |name: &String| *name == self.old.name;
        let reads = |text: &str| self.context.columns_of(&[], Some(text)).iter().any(own);
        let check = table.checks.iter().find(|check| reads(&check.expr));
        let unique = table
            .uniques
            .iter()
            .find(|unique| unique.columns.iter().chain(&unique.include).any(own));
        let exclusion = table.exclusions.iter().find(|exclusion| {
            let predicate = exclusion.predicate.as_deref();
            // What an element names is not read.
            exclusion
                .elements
                .iter()
                .any(|text| text.contains(&self.old.name))
                || predicate.is_some_and(reads)
        });
        let index = table
            .indexes
            .iter()
            .find(|index| self.context.expressed(index).iter().any(own));
        let computed = table
            .columns
            .iter()
            .find(|column| column.generated.as_deref().is_some_and(reads));
        let obstacle = check
            .map(|check| format!("the check {}", check.name))
            .or(unique.map(|unique| format!("the unique constraint {}", unique.name)))
            .or(exclusion.map(|found| format!("the exclusion constraint {}", found.name)))
            .or(index.map(|index| format!("the expression of the index {}", index.name)))
            .or(computed.map(|column| format!("the generated column {}", column.name)));
        let obstacle = obstacle.or(self.old.default.is_some().then(|| "its default".to_owned()));
        match obstacle {
            None => Ok(()),
            Some(obstacle) => Err(self.refused(
                format!("{obstacle} stands on it, and does not go over to the wide column"),
                "Drop it in a version before, and add it again in one after".to_owned(),
            )),
        }
    }
}

/// An integer becomes a wider one.
pub(super) fn grows(old: &Column, new: &Column) -> bool {
    let widths = width(old).zip(width(new));
    widths.is_some_and(|(from, to)| from < to) && !old.nullable && !new.nullable
}

/// How wide an integer is whose type is the field's own.
fn width(column: &Column) -> Option<u8> {
    let width = match column.logical_type {
        LogicalType::Int2 => 2,
        LogicalType::Int4 => 4,
        LogicalType::Int8 => 8,
        _ => return None,
    };
    column.sql_type.is_none().then_some(width)
}

/// The indexes and foreign keys of a table that name the column, as they are.
fn parts(table: &Table, column: &str) -> Vec<String> {
    let names = |columns: &[String]| columns.iter().any(|name| name == column);
    let indexes = table
        .indexes
        .iter()
        .filter(|index| names(&index.columns) || names(&index.include))
        .map(|index| format!("the index {} {:?}", index.name, index.columns));
    let keys = table
        .foreign_keys
        .iter()
        .filter(|key| {
            names(&key.columns) || (key.references == table.name && names(&key.referenced_columns))
        })
        .map(|key| format!("the foreign key {}", key.name));
    indexes.chain(keys).collect()
}
