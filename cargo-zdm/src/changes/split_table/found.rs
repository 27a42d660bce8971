//! What a split has to fulfil, so that both tables can hold the same while old and new code run.

use zdm_model::{Column, ForeignKey, LogicalType, Split, Table};

use super::source_of;
use crate::changes::{ChangeError, Context};
use crate::diff::Place;
use crate::plan::Move;

/// A split with all that it is judged by.
pub(super) struct Found<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) at: &'a Place,
    pub(super) part: &'a Table,
    pub(super) split: &'a Split,
}

impl Found<'_> {
    /// What moves, or the first thing that stands in the way.
    pub(super) fn moved(&self) -> Result<Move, ChangeError> {
        let name = &self.split.table;
        let (Some(before), Some(after)) = (self.context.before(name), self.context.to.table(name))
        else {
            return Err(self.mistake(
                format!("the last version has no table `{name}` that stays, so nothing can come out of it"),
                "Name a table that is there and stays, or take `split_from` out".to_owned(),
            ));
        };
        let key = self.key(before, after)?;
        self.is_bound(after)?;
        self.is_bare()?;
        let mut columns = Vec::new();
        for column in &self.part.columns {
            if !self.part.primary_key.contains(&column.name) {
                let old = self.source(before, after, column)?;
                self.is_alone(before, old)?;
                columns.push((old.clone(), column.clone()));
            }
        }
        if columns.iter().all(|(_, new)| new.nullable) {
            return Err(self.mistake(
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
            return Err(self.mistake(
                format!("a row is found in both tables by the primary key of {name}, which neither changes nor is left out"),
                format!(
                    "Give the struct a primary key of as many columns and name those of {name}: `split_from = \"{name}({})\"`",
                    before.primary_key.join(", ")
                ),
            ));
        }
        let pairs: Vec<_> = before.key_columns().zip(self.part.key_columns()).collect();
        for (main, part) in &pairs {
            if !self.same_type(main, part) || part.auto || part.generated.is_some() {
                return Err(self.mistake(
                    format!(
                        "the key `{}` is a {}, and `{}` of {name} a {}: rows keep their keys, and the database counts none for \
                         the new table",
                        part.name,
                        self.context.dialect.type_of(part),
                        main.name,
                        self.context.dialect.type_of(main)
                    ),
                    "Give both the same type, without `auto` and `generated` here".to_owned(),
                ));
            }
        }
        let inexact = |key: &LogicalType| {
            use LogicalType::{Custom, Enum, Float4, Float8};
            matches!(key, Float4 | Float8 | Enum | Custom)
        };
        if let Some((main, _)) = pairs.iter().find(|(main, _)| inexact(&main.logical_type)) {
            return Err(self.mistake(
                format!(
                    "the backfill walks along the key of {name}, and its `{}` is a {}, which not every text gives back exactly: \
                     rows would be skipped",
                    main.name,
                    self.context.dialect.type_of(main)
                ),
                "Let the application copy these rows, in versions of their own".to_owned(),
            ));
        }
        let cloned = pairs.into_iter();
        Ok(cloned
            .map(|(main, part)| (main.clone(), part.clone()))
            .collect())
    }

    /// The database itself lets no row of part outlive its row of main.
    fn is_bound(&self, main: &Table) -> Result<(), ChangeError> {
        let binds = |key: &ForeignKey| {
            key.columns == self.part.primary_key
                && key.references == main.name
                && key.referenced_columns == main.primary_key
                && key.on_delete.as_deref() == Some("cascade")
                && !key.not_valid
                && !key.deferrable
        };
        if let [key] = &self.part.foreign_keys[..]
            && binds(key)
        {
            return Ok(());
        }
        let target = format!("{}({})", main.name, main.primary_key.join(", "));
        let attribute = if self.part.primary_key.len() == 1 {
            format!(
                "#[zdm(references = \"{target}\", on_delete = \"cascade\")]  on `{}`",
                self.part.primary_key.join("")
            )
        } else {
            format!(
                "#[zdm(foreign_key(columns({}), references = \"{target}\", on_delete = \"cascade\"))]",
                self.part.primary_key.join(", ")
            )
        };
        Err(self.mistake(
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
        let part = self.part;
        let unique = part.indexes.iter().find(|index| index.unique);
        let names = unique.map(|index| &index.name);
        let names = names
            .or(part.uniques.first().map(|unique| &unique.name))
            .or(part.checks.first().map(|check| &check.name))
            .or(part.exclusions.first().map(|exclusion| &exclusion.name));
        let Some(name) = names else { return Ok(()) };
        Err(self.mistake(
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
            self.mistake_of(&column.source, subject, problem, way_on.to_owned())
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
        let key = &self.part.primary_key;
        let moving = self.part.columns.iter();
        let taken = moving.filter(|other| !key.contains(&other.name) && source_of(other) == was);
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
        if !self.same_type(old, column) {
            return Err(problem(
                format!(
                    "it is a {} here and a {} in {}: what moves keeps its values",
                    self.context.dialect.type_of(column),
                    self.context.dialect.type_of(old),
                    before.name
                ),
                "Give it the type that it had, and convert it in a version of its own",
            ));
        }
        Ok(old)
    }

    /// Nothing but a plain index stands on the old column: what constrains it would refuse or change rows behind the triggers.
    fn is_alone(&self, main: &Table, old: &Column) -> Result<(), ChangeError> {
        let names = |columns: &[String]| columns.contains(&old.name);
        let context = self.context;
        let indexes = main.indexes.iter().filter(|index| index.unique);
        let mut constraints: Vec<(&String, bool)> = indexes
            .map(|index| (&index.name, names(&context.indexed(index))))
            .collect();
        constraints.extend(main.uniques.iter().map(|unique| {
            (
                &unique.name,
                names(&unique.columns) || names(&unique.include),
            )
        }));
        constraints.extend(main.checks.iter().map(|check| {
            (
                &check.name,
                names(&context.columns_of(&[], Some(&check.expr))),
            )
        }));
        constraints.extend(
            main.exclusions
                .iter()
                .map(|exclusion| (&exclusion.name, names(&context.excluded(exclusion)))),
        );
        constraints.extend(
            main.foreign_keys
                .iter()
                .map(|key| (&key.name, names(&key.columns))),
        );
        constraints.extend(main.columns.iter().filter_map(|column| {
            let generated = column.generated.as_deref()?;
            Some((
                &column.name,
                names(&context.columns_of(&[], Some(generated))),
            ))
        }));
        let Some((name, _)) = constraints.into_iter().find(|(_, named)| *named) else {
            return Ok(());
        };
        Err(self.mistake(
            format!(
                "`{name}` of {} stands on `{}`, and cannot follow it into another table",
                main.name, old.name
            ),
            format!("Drop `{name}` in a version of its own first"),
        ))
    }

    fn same_type(&self, one: &Column, other: &Column) -> bool {
        let dialect = self.context.dialect;
        one.logical_type == other.logical_type && dialect.type_of(one) == dialect.type_of(other)
    }

    fn mistake(&self, problem: String, way_on: String) -> ChangeError {
        self.mistake_of(&self.at.source, self.part.name.clone(), problem, way_on)
    }

    fn mistake_of(
        &self,
        source: &str,
        subject: String,
        problem: String,
        way_on: String,
    ) -> ChangeError {
        let source = if source.is_empty() {
            &self.at.source
        } else {
            source
        };
        ChangeError::Declaration {
            at: Box::new(Place {
                table: self.at.table.clone(),
                source: source.to_owned(),
            }),
            subject,
            problem,
            way_on,
        }
    }
}
