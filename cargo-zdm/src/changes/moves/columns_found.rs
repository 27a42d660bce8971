//! What columns that move between two tables which both stay have to fulfil, so that both can hold the same while old and new code
//! run.

use zdm_model::{Column, ForeignKey, MovedFrom, Table};

use super::terms::Terms;
use crate::changes::ChangeError;
use crate::plan::{Ends, Move};

/// A move with all that it is judged by.
pub(super) struct Found<'a> {
    pub(super) terms: Terms<'a>,
    /// The table that gets the columns, as it was.
    pub(super) before: &'a Table,
    /// As it is declared now.
    pub(super) main: &'a Table,
    /// The table that they come out of, by its name.
    pub(super) source: &'a str,
    /// The first column that says so.
    pub(super) column: &'a Column,
}

impl Found<'_> {
    /// What moves, or the first thing that stands in the way.
    pub(super) fn moved(&self) -> Result<Move, ChangeError> {
        let context = self.terms.context;
        let (Some(part), Some(after)) =
            (context.before(self.source), context.to.table(self.source))
        else {
            return Err(self.mistake(
                format!("the last version has no table `{}` that stays, so nothing can come out of it", self.source),
                "Name a table that is there and stays; where it goes, say `merged_from` on this struct",
            ));
        };
        let key = self.key(part, after)?;
        let mut columns = Vec::new();
        for new in &self.main.columns {
            let is_meant = |named: &&MovedFrom| named.table == part.name;
            let Some(named) = new.moved_from.as_deref().filter(is_meant) else {
                continue;
            };
            if self.before.column(&new.name).is_some() {
                continue;
            }
            let old = self.old(part, after, new, &named.column)?;
            columns.push((new.clone(), old.clone()));
        }
        Ok(Move {
            main: self.main.name.clone(),
            part: part.name.clone(),
            to: Ends::Main,
            part_stays: true,
            key,
            columns,
        })
    }

    /// Rows are found in both tables by the key of main, which those of part refer to, at most one to each.
    fn key(&self, part: &Table, after: &Table) -> Result<Vec<(Column, Column)>, ChangeError> {
        let main = self.before;
        let (name, source) = (&main.name, &part.name);
        if main.primary_key != self.main.primary_key
            || main.no_primary_key
            || self.main.no_primary_key
        {
            return Err(self.mistake(
                format!("a row is found in both tables by the primary key of {name}, which neither changes nor is left out"),
                "Give the table its key in a version of its own first",
            ));
        }
        // What else becomes of these keys in this version is refused as a change beside the move.
        let keys = part.foreign_keys.iter();
        let mut binding =
            keys.filter(|key| finds_one(part, main, key) && finds_one(after, main, key));
        let Some(key) = binding.next() else {
            return Err(self.unbound(part));
        };
        if binding.next().is_some() {
            return Err(self.mistake(
                format!("two foreign keys of {source} refer to {name}, and which of them finds the row is not said"),
                "Let your own code copy the values, in versions of their own",
            ));
        }
        let kept = [&key.on_delete, &key.on_update];
        let moves_on = |action: &&Option<String>| {
            matches!(action.as_deref(), Some("set null" | "set default"))
        };
        if key.deferrable || key.not_valid || kept.iter().any(moves_on) {
            return Err(self.mistake(
                format!(
                    "`{}` of {source} lets its rows be without one of {name}, if only for a while",
                    key.name
                ),
                "Let it be checked at once and for all rows, and neither set its columns to NULL nor to a default, in a version of its \
                 own first",
            ));
        }
        self.terms.keys(main, part, &key.columns)
    }

    /// Nothing says which row of part belongs to a row of main.
    fn unbound(&self, part: &Table) -> ChangeError {
        let main = self.before;
        let (name, source) = (&main.name, &part.name);
        let turned = main
            .foreign_keys
            .iter()
            .any(|key| finds_one(main, part, key));
        if turned {
            return self.mistake(
                super::no_way_out(source, name),
                &super::way_around(source, name),
            );
        }
        self.mistake(
            format!("no foreign key of {source} says which of its rows belongs to one of {name}, and that there is at most one"),
            &format!(
                "Let {source} refer to {name}({}) by its primary key or by unique columns that are NOT NULL, in a version of its own first",
                main.primary_key.join(", ")
            ),
        )
    }

    /// The column of part that a column of main was.
    fn old<'t>(
        &self,
        part: &'t Table,
        after: &Table,
        new: &Column,
        was: &str,
    ) -> Result<&'t Column, ChangeError> {
        let source = &part.name;
        let problem =
            |problem: String, way_on: &str| Err(self.terms.mistake_about(new, problem, way_on));
        let Some(old) = part.column(was) else {
            return problem(
                format!("{source} has no column `{was}` that it could be"),
                "Name the column that it was, `moved_from = \"table.column\"`",
            );
        };
        if after.column(was).is_some() {
            return problem(
                format!("`{was}` is still a field of the struct of {source}"),
                "Remove that field: its column stays until contract",
            );
        }
        self.terms.comes(new, old, source)?;
        if !old.nullable || old.default.is_some() {
            let as_yet = if old.nullable {
                "given a default"
            } else {
                "NOT NULL"
            };
            return problem(
                format!(
                    "new code inserts rows of {source} without `{was}`, which has to be NULL then: as yet it is {as_yet}"
                ),
                "Let it be an `Option` without a default in the struct where it is, in a version of its own, and move it then",
            );
        }
        self.terms.is_alone(part, old)?;
        Ok(old)
    }

    fn mistake(&self, problem: String, way_on: &str) -> ChangeError {
        self.terms.mistake_about(self.column, problem, way_on)
    }
}

/// The key finds for each row of a table the one row of the other, if there is one, that it belongs to.
fn finds_one(of: &Table, other: &Table, key: &ForeignKey) -> bool {
    let is_known = |name: &String| of.column(name).is_some_and(|column| !column.nullable);
    key.references == other.name
        && key.referenced_columns == other.primary_key
        && of.is_unique(&key.columns)
        && key.columns.iter().all(is_known)
}
