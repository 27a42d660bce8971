//! What a split has to fulfil, so that both tables can hold the same while old and new code run.

use zdm_model::{Column, Split, Table};

use super::terms::{Terms, constraint_of, unbound};
use super::{beside_key, source_of};
use crate::changes::ChangeError;
use crate::plan::{Ends, Move};

/// A split with all that it is judged by.
pub(super) struct Found<'a> {
    pub(super) terms: Terms<'a>,
    pub(super) part: &'a Table,
    pub(super) split: &'a Split,
}

impl Found<'_> {
    /// What moves, or the first thing that stands in the way.
    pub(super) fn moved(&self) -> Result<Move, ChangeError> {
        let name = &self.split.table;
        let (Some(before), Some(after)) = (
            self.terms.context.before(name),
            self.terms.context.to.table(name),
        ) else {
            return Err(self.terms.mistake(
                format!("the last version has no table `{name}` that stays, so nothing can come out of it"),
                "Name a table that is there and stays, or take `split_from` out".to_owned(),
            ));
        };
        let key = self.key(before, after)?;
        self.is_bound(after)?;
        self.is_bare()?;
        let mut columns = Vec::new();
        for column in beside_key(self.part) {
            let old = self.source(before, after, column)?;
            self.terms.is_alone(before, old)?;
            columns.push((old.clone(), column.clone()));
        }
        if columns.iter().all(|(_, new)| new.nullable) {
            return Err(self.terms.mistake(
                format!(
                    "every column may be NULL, so that nothing in {name} tells a row that holds NULLs alone from one that is \
                     not there"
                ),
                format!(
                    "Let a field that every row of `{}` has be no `Option`: a row of {name} that has it gets one",
                    self.part.name
                ),
            ));
        }
        Ok(Move {
            main: name.clone(),
            part: self.part.name.clone(),
            to: Ends::Part,
            part_stays: false,
            key,
            columns,
        })
    }

    /// Rows keep their keys.
    fn key(&self, before: &Table, after: &Table) -> Result<Vec<(Column, Column)>, ChangeError> {
        let keyed = |table: &Table| !table.no_primary_key && !table.primary_key.is_empty();
        let name = &before.name;
        let same = before.primary_key == after.primary_key
            && self.split.columns == before.primary_key
            && self.part.primary_key.len() == before.primary_key.len();
        if !same || !keyed(before) || !keyed(after) || !keyed(self.part) {
            return Err(self.terms.mistake(
                format!("a row is found in both tables by the primary key of {name}, which neither changes nor is left out"),
                format!(
                    "Give the struct a primary key of as many columns and name those of {name}: `split_from = \"{name}({})\"`",
                    before.primary_key.join(", ")
                ),
            ));
        }
        self.terms.keys(before, self.part, &self.part.primary_key)
    }

    /// The database itself lets no row of part outlive its row of main.
    fn is_bound(&self, main: &Table) -> Result<(), ChangeError> {
        let Some(attribute) = unbound(main, self.part, &self.part.primary_key) else {
            return Ok(());
        };
        Err(self.terms.mistake(
            format!(
                "a row goes when its row of {} goes, as its values did before; its key has to be the one foreign key, \
                 and say so",
                main.name
            ),
            format!("Declare\n    {attribute}\nand any other foreign key in a later version"),
        ))
    }

    /// What the old columns never obeyed would refuse writes of code that knows them alone.
    fn is_bare(&self) -> Result<(), ChangeError> {
        let Some(name) = constraint_of(self.part, &[]) else {
            return Ok(());
        };
        Err(self.terms.mistake(
            format!(
                "`{name}` would refuse what code writes that still runs and knows only the columns of {}",
                self.split.table
            ),
            "Add it in a version of its own, once the old columns are gone".to_owned(),
        ))
    }

    /// The column of main that a column was.
    fn source<'t>(
        &self,
        before: &'t Table,
        after: &Table,
        column: &Column,
    ) -> Result<&'t Column, ChangeError> {
        let (name, was) = (&column.name, source_of(column));
        let problem = |problem: String, way_on: &str| {
            let subject = format!("{}.{name}", self.part.name);
            self.terms
                .mistake_of(&column.source, subject, problem, way_on.to_owned())
        };
        let Some(old) = before.column(was) else {
            return Err(problem(
                format!(
                    "{} has no column `{was}` that it could be, and no write of old code would fill it",
                    before.name
                ),
                "Name the column that it was, `from(\"…\")`; add a column that is really new in a version of its own",
            ));
        };
        if after.column(was).is_some() {
            return Err(problem(
                format!("`{was}` is still a field of the struct of {}", before.name),
                "Remove that field: its column stays until contract",
            ));
        }
        let taken = beside_key(self.part).filter(|other| source_of(other) == was);
        if taken.count() > 1 {
            return Err(problem(
                format!("another column of {} was `{was}` as well", self.part.name),
                "Let one of them come in a version of its own",
            ));
        }
        if old.auto || old.generated.is_some() || column.auto || column.generated.is_some() {
            return Err(problem(
                "the database gives its values, so no write could keep it in both tables"
                    .to_owned(),
                "Leave it where it is",
            ));
        }
        if !old.nullable || old.default.is_some() {
            return Err(problem(
                format!(
                    "new code inserts rows of {0} without `{was}`, which has to be NULL then: as yet it is {1}",
                    before.name,
                    if old.nullable {
                        "given a default"
                    } else {
                        "NOT NULL"
                    }
                ),
                "Let it be an `Option` without a default in the struct where it is, in a version of its own, and move it then",
            ));
        }
        if !self.terms.same_type(old, column) {
            return Err(problem(
                format!(
                    "it is a {} here and a {} in {}: what moves keeps its values",
                    self.terms.context.dialect.type_of(column),
                    self.terms.context.dialect.type_of(old),
                    before.name
                ),
                "Give it the type that it had, and convert it in a version of its own",
            ));
        }
        Ok(old)
    }
}
