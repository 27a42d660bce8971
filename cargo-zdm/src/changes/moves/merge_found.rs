//! What a merge has to fulfil, so that both tables can hold the same while old and new code run.

use zdm_model::{Column, Split, Table};

use super::source_of;
use super::terms::{Terms, constraint_of, unbound};
use crate::changes::ChangeError;
use crate::plan::{Ends, Move};

/// A merge with all that it is judged by.
pub(super) struct Found<'a> {
    pub(super) terms: Terms<'a>,
    /// The table that goes, as it was.
    pub(super) part: &'a Table,
    /// The table that stays, as it is declared now.
    pub(super) main: &'a Table,
    pub(super) merged: &'a Split,
}

impl Found<'_> {
    /// What moves, or the first thing that stands in the way.
    pub(super) fn moved(&self) -> Result<Move, ChangeError> {
        let Some(before) = self.terms.context.before(&self.main.name) else {
            return Err(self.terms.mistake(
                format!(
                    "it is not in the last version, so {} cannot be merged into it",
                    self.part.name
                ),
                "Create or rename the table in a version of its own first".to_owned(),
            ));
        };
        self.is_alone()?;
        let key = self.key(before)?;
        self.is_bound(before)?;
        self.is_bare()?;
        let mut columns = Vec::new();
        for old in moving(self.part, self.merged) {
            let new = self.target(before, old)?;
            self.terms.is_alone(self.part, old)?;
            columns.push((new.clone(), old.clone()));
        }
        if columns.iter().all(|(_, old)| old.nullable) {
            return Err(self.terms.mistake(
                format!(
                    "every column of {0} may be NULL, so that nothing in {1} tells a row of NULLs in {0} from none",
                    self.part.name, self.main.name
                ),
                format!(
                    "Let a field that every row of {} has be no `Option` there, in a version of its own, and merge it then",
                    self.part.name
                ),
            ));
        }
        Ok(Move {
            main: self.main.name.clone(),
            part: self.part.name.clone(),
            to: Ends::Main,
            part_stays: false,
            key,
            columns,
        })
    }

    /// One table takes it in, and none refers to it.
    fn is_alone(&self) -> Result<(), ChangeError> {
        let context = self.terms.context;
        let part = &self.part.name;
        let merging = context.to.tables.iter().filter(|table| {
            let merged = table.merged_from.as_ref();
            merged.is_some_and(|merged| merged.table == *part)
        });
        if merging.count() > 1 {
            return Err(self.terms.mistake(
                format!("another struct says `merged_from` {part} as well"),
                "Let one of them take its columns in".to_owned(),
            ));
        }
        let mut all = context.from.tables.iter().chain(&context.to.tables);
        let refers = all.find(|table| {
            let mut keys = table.foreign_keys.iter();
            keys.any(|key| key.references == *part)
        });
        let Some(refers) = refers else { return Ok(()) };
        Err(self.terms.mistake(
            format!(
                "a foreign key of {} refers to {part}, which goes",
                refers.name
            ),
            format!(
                "Let it refer to {}, whose key has the same values, in a version of its own first",
                self.main.name
            ),
        ))
    }

    /// Rows are found in both tables by the key of main, which those of part refer to.
    fn key(&self, before: &Table) -> Result<Vec<(Column, Column)>, ChangeError> {
        let (main, part) = (&before.name, &self.part.name);
        let key = &self.merged.columns;
        let is_known = |name: &String| {
            let column = self.part.column(name);
            column.is_some_and(|column| !column.nullable)
        };
        let is_key = before.primary_key == self.main.primary_key
            && !before.no_primary_key
            && !self.main.no_primary_key
            && key.len() == before.primary_key.len()
            && key.iter().all(is_known)
            && self.part.is_unique(key);
        if !is_key {
            return Err(self.terms.mistake(
                format!(
                    "a row is found in both tables by the primary key of {main}, which does not change, and by unique columns of \
                     {part} that are NOT NULL; ({}) are none of {part} that hold it",
                    key.join(", ")
                ),
                format!(
                    "Name the columns of {part} that refer to {main}({}), which have to be its key, or unique as in \
                     `#[zdm(unique)]`, by a version before this one",
                    before.primary_key.join(", ")
                ),
            ));
        }
        let mut own = self.part.key_columns();
        if let Some(own) = own.find(|own| !own.auto && !key.contains(&own.name)) {
            return Err(self.terms.mistake(
                format!(
                    "`{}` of {part} is a key that code gives, and nothing would give one to a row that new code brings by way of \
                     {main}",
                    own.name
                ),
                format!("Let your own code copy the rows of {part}, or give it the key ({}) first", key.join(", ")),
            ));
        }
        self.terms.keys(before, self.part, key)
    }

    /// The database itself has let no row of part outlive its row of main.
    fn is_bound(&self, main: &Table) -> Result<(), ChangeError> {
        let Some(attribute) = unbound(main, self.part, &self.merged.columns) else {
            return Ok(());
        };
        Err(self.terms.mistake(
            format!(
                "a row of {} goes when its row of {} goes, as its values will afterwards; its key has to be the one foreign key \
                 there, and say so",
                self.part.name, main.name
            ),
            format!(
                "Declare, in a version of its own first, while the struct of {} is still there,\n    {attribute}",
                self.part.name
            ),
        ))
    }

    /// What constrains part goes with it, and nothing would say so of the new columns.
    fn is_bare(&self) -> Result<(), ChangeError> {
        let Some(name) = constraint_of(self.part, &self.merged.columns) else {
            return Ok(());
        };
        Err(self.terms.mistake(
            format!(
                "`{name}` goes with {}, and nothing would keep the columns of {} to it",
                self.part.name, self.main.name
            ),
            format!(
                "Drop `{name}` in a version of its own first; add the like of it to {} once {} is gone",
                self.main.name, self.part.name
            ),
        ))
    }

    /// The column of main that a column of part becomes.
    fn target(&self, before: &Table, old: &Column) -> Result<&Column, ChangeError> {
        let (main, part, was) = (&self.main.name, &self.part.name, &old.name);
        let mut new = self
            .main
            .columns
            .iter()
            .filter(|new| before.column(&new.name).is_none() && source_of(new) == was);
        let Some(found) = new.next() else {
            return Err(self.terms.mistake(
                format!("no new field is what `{part}.{was}` was, whose values would go with {part}"),
                format!(
                    "Add it: `pub {was}: Option<…>`, or under another name with `#[zdm(from(\"{was}\"))]`; or drop it from {part} in \
                     a version of its own first"
                ),
            ));
        };
        if new.next().is_some() {
            return Err(self.terms.mistake_about(
                found,
                format!("another column of {main} was `{part}.{was}` as well"),
                "Let one of them come in a version of its own",
            ));
        }
        self.terms.comes(found, old, part)?;
        Ok(found)
    }
}

/// The columns that come into main: all but the key, and a number that the database counts for rows of part alone.
pub(super) fn moving<'t>(part: &'t Table, merged: &Split) -> impl Iterator<Item = &'t Column> {
    let columns = part.columns.iter();
    columns.filter(|column| {
        let counted = column.auto && part.primary_key.contains(&column.name);
        !counted && !merged.columns.contains(&column.name)
    })
}
