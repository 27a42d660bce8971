//! Columns of a key under other names.

use zdm_model::{Column, Exclusion, Table};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::conversion::own_name;
use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, Naming, RenamedKey};

pub(super) const KIND: Kind = Kind {
    name: "rename_key",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::KeyRenamed(at, columns) = delta else {
        return Ok(None);
    };
    let (Some(before), Some(after)) = (context.before(&at.table), context.to.table(&at.table))
    else {
        return Ok(None);
    };
    let key = Key {
        context,
        at,
        before,
        after,
        columns,
    };
    key.refuse()?;
    Ok(Some(key.change()))
}

/// The key of a table, and the columns of it that get other names. Both tables have the old ones.
struct Key<'a> {
    context: &'a Context<'a>,
    at: &'a Place,
    before: &'a Table,
    after: &'a Table,
    columns: &'a [(String, String)],
}

impl Key<'_> {
    fn change(&self) -> Change {
        let (at, table) = (self.at, &self.at.table);
        let listed = |shown: &dyn Fn(&(String, String)) -> String| {
            let columns: Vec<String> = self.columns.iter().map(shown).collect();
            columns.join(", ")
        };
        let (old, new) = (
            listed(&|names| names.0.clone()),
            listed(&|names| names.1.clone()),
        );
        let renames = listed(&|(old, new)| format!("`{table}.{old}` to `{new}`"));
        let renaming = Alteration::Name(Naming::Columns(self.columns.to_vec().into()));
        let mut change = Change::new(at, Route::Rename, format!("rename the key's {renames}"))
            .because(
                Phase::Expand,
                format!("new code names {new} while old code names {old}: a view of {table} has the new names"),
            )
            .because(
                Phase::Contract,
                format!(
                    "{table} takes the new names when no instance names {old}; nothing is written twice, filled or compared, because \
                     there is one column"
                ),
            )
            .alter(Section::Release, at, renaming)
            .late();
        change.renamed_key = Some(RenamedKey {
            table: table.clone(),
            view: own_name(self.context.id, table, ""),
            columns: self.columns.to_vec(),
        });
        change
    }

    fn refuse(&self) -> Result<(), ChangeError> {
        let capabilities = self.context.dialect.capabilities();
        if !capabilities.renaming_views {
            return Err(self.refused(
                format!(
                    "old code names {}, new code {}, and {} has no view that takes writes",
                    self.old_name(),
                    self.new_name(),
                    self.context.dialect.vendor()
                ),
                self.keep(),
            ));
        }
        if self.after.written_columns().all(|column| column.auto) {
            return Err(self.refused(
                "its rows are nothing but the number that the table counts, which a view does not know".to_owned(),
                self.keep(),
            ));
        }
        let Some(beside) = self.beside() else {
            return Ok(());
        };
        Err(self.refused(
            format!("the key is renamed, and in the same version {beside}"),
            "Rename the key in a version of its own, before or after".to_owned(),
        ))
    }

    fn old_name(&self) -> &str {
        self.columns.first().map_or("", |(old, _)| old)
    }

    fn new_name(&self) -> &str {
        self.columns.first().map_or("", |(_, new)| new)
    }

    fn keep(&self) -> String {
        format!(
            "Keep the column's name under the field's new one: `column = \"{}\"`",
            self.old_name()
        )
    }

    /// What changes at the same time and would have to know both names.
    fn beside(&self) -> Option<String> {
        let (before, after) = (self.before, self.after);
        let arrives = |column: &&Column| {
            self.context.arrives_in_phases(&self.at.table, &column.name)
                || column.moved_from.is_some() && before.column(&column.name).is_none()
        };
        let key = |table: &Table| (table.primary_key.clone(), table.no_primary_key);
        if let Some(column) = after.columns.iter().find(arrives) {
            return Some(format!("its {} arrives in five phases", column.name));
        }
        if key(before) != key(after) {
            return Some("its columns change otherwise".to_owned());
        }
        if let Some(name) = self.retyped() {
            return Some(format!("the type of {name} changes"));
        }
        if after.renamed_from.as_ref() == Some(&self.at.table) {
            return Some("the table gets another name".to_owned());
        }
        let standing = self.standing_on_it(before);
        let stays = self.standing_on_it(after);
        let mut standing = standing.into_iter();
        let gone = standing.find(|part| !stays.contains(part))?;
        Some(format!(
            "{}, whose expression names it, changes or goes",
            gone.0
        ))
    }

    fn retyped(&self) -> Option<&str> {
        let mut names = self.columns.iter().map(|(old, _)| old.as_str());
        names.find(|name| {
            let sides = self.before.column(name).zip(self.after.column(name));
            sides.is_some_and(|(old, new)| {
                let kind = |column: &Column| (column.logical_type, column.sql_type.clone());
                kind(old) != kind(new)
            })
        })
    }

    /// What names one of the columns in an expression, which no statement that brings it back later would find by that name.
    fn standing_on_it(&self, table: &Table) -> Vec<(String, String)> {
        let own = |name: &String| self.columns.iter().any(|(old, _)| old == name);
        let reads = |text: &str| self.context.columns_of(&[], Some(text)).iter().any(own);
        let checks = table.checks.iter().filter(|check| reads(&check.expr));
        let checks = checks.map(|check| (format!("the check {}", check.name), check.expr.clone()));
        let indexes = table.indexes.iter();
        let indexes = indexes.filter(|index| self.context.expressed(index).iter().any(own));
        let indexes = indexes.map(|index| {
            let over = format!(
                "{:?} {:?} {:?}",
                index.columns, index.elements, index.predicate
            );
            (format!("the index {}", index.name), over)
        });
        let exclusions = table.exclusions.iter().filter(|exclusion| {
            let operands = exclusion.elements.iter();
            let mut operands = operands.filter_map(|text| Some(Exclusion::operand(text)?.0));
            operands.any(reads) || exclusion.predicate.as_deref().is_some_and(reads)
        });
        let exclusions = exclusions.map(|exclusion| {
            let over = format!("{:?} {:?}", exclusion.elements, exclusion.predicate);
            (format!("the exclusion constraint {}", exclusion.name), over)
        });
        checks.chain(indexes).chain(exclusions).collect()
    }

    fn refused(&self, problem: String, way_on: String) -> ChangeError {
        ChangeError::Declaration {
            at: Box::new(self.at.clone()),
            subject: format!("{}.{}", self.at.table, self.old_name()),
            problem,
            way_on,
        }
    }
}
