//! What every move between two tables has to fulfil, so that both can hold the same while old and new code run.

use zdm_model::{Column, ForeignKey, LogicalType, Table};

use crate::changes::{ChangeError, Context};
use crate::diff::Place;

/// A move, as its mistakes are told.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) at: &'a Place,
    /// The table whose struct declares the move.
    pub(super) subject: &'a str,
}

impl Terms<'_> {
    /// A row has the same key in both tables, one that the backfill can walk along: main's column and part's.
    pub(super) fn keys(
        self,
        main: &Table,
        part: &Table,
        key: &[String],
    ) -> Result<Vec<(Column, Column)>, ChangeError> {
        let name = &main.name;
        let pairs: Vec<_> = main
            .key_columns()
            .zip(key.iter().filter_map(|name| part.column(name)))
            .collect();
        for (of_main, of_part) in &pairs {
            if !self.same_type(of_main, of_part) || of_part.auto || of_part.generated.is_some() {
                return Err(self.mistake(
                    format!(
                        "the key `{}` is a {}, and `{}` of {name} a {}: rows keep their keys, and the database counts none for \
                         {}",
                        of_part.name,
                        self.context.dialect.type_of(of_part),
                        of_main.name,
                        self.context.dialect.type_of(of_main),
                        part.name
                    ),
                    format!("Give both the same type, without `auto` and `generated` in {}", part.name),
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

    /// Nothing but a plain index stands on a column that goes: what constrains it would refuse or change rows behind the triggers.
    pub(super) fn is_alone(self, table: &Table, old: &Column) -> Result<(), ChangeError> {
        let names = |columns: &[String]| columns.contains(&old.name);
        let context = self.context;
        let indexes = table.indexes.iter().filter(|index| index.unique);
        let mut constraints: Vec<(&String, bool)> = indexes
            .map(|index| (&index.name, names(&context.indexed(index))))
            .collect();
        constraints.extend(table.uniques.iter().map(|unique| {
            (
                &unique.name,
                names(&unique.columns) || names(&unique.include),
            )
        }));
        constraints.extend(table.checks.iter().map(|check| {
            (
                &check.name,
                names(&context.columns_of(&[], Some(&check.expr))),
            )
        }));
        constraints.extend(
            table
                .exclusions
                .iter()
                .map(|exclusion| (&exclusion.name, names(&context.excluded(exclusion)))),
        );
        constraints.extend(
            table
                .foreign_keys
                .iter()
                .map(|key| (&key.name, names(&key.columns))),
        );
        constraints.extend(table.columns.iter().filter_map(|column| {
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
                table.name, old.name
            ),
            format!("Drop `{name}` in a version of its own first"),
        ))
    }

    /// A column comes into the table out of `part`: it keeps its values, and NULL is none.
    pub(super) fn comes(self, new: &Column, old: &Column, part: &str) -> Result<(), ChangeError> {
        let main = self.subject;
        let given = |column: &Column| column.auto || column.generated.is_some();
        if given(old) || given(new) {
            return Err(self.mistake_about(
                new,
                "the database gives its values, so no write could keep it in both tables"
                    .to_owned(),
                "Leave it where it is, or let your own code copy the rows",
            ));
        }
        if !new.nullable || new.default.is_some() {
            return Err(self.mistake_about(
                new,
                format!(
                    "a row of {main} that has none in {part} has NULL here, so it has to be an `Option` without a default"
                ),
                &format!(
                    "Let it be one, and make it stricter in a version of its own, once {part} has it no longer"
                ),
            ));
        }
        if !self.same_type(new, old) {
            let dialect = self.context.dialect;
            return Err(self.mistake_about(
                new,
                format!(
                    "it is a {} here and a {} in {part}: what moves keeps its values",
                    dialect.type_of(new),
                    dialect.type_of(old)
                ),
                "Give it the type that it had, and convert it in a version of its own",
            ));
        }
        Ok(())
    }

    pub(super) fn same_type(self, one: &Column, other: &Column) -> bool {
        let dialect = self.context.dialect;
        one.logical_type == other.logical_type && dialect.type_of(one) == dialect.type_of(other)
    }

    pub(super) fn mistake(self, problem: String, way_on: String) -> ChangeError {
        self.mistake_of(&self.at.source, self.subject.to_owned(), problem, way_on)
    }

    /// What is wrong with a column of the table whose struct declares the move.
    pub(super) fn mistake_about(
        self,
        column: &Column,
        problem: String,
        way_on: &str,
    ) -> ChangeError {
        let subject = format!("{}.{}", self.subject, column.name);
        self.mistake_of(&column.source, subject, problem, way_on.to_owned())
    }

    pub(super) fn mistake_of(
        self,
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

/// A constraint of a table beyond NOT NULL and the key that its rows are found by.
pub(super) fn constraint_of<'t>(table: &'t Table, key: &[String]) -> Option<&'t String> {
    let is_key = |columns: &[String]| columns == key;
    let mut indexes = table.indexes.iter();
    let mut uniques = table.uniques.iter();
    indexes
        .find(|index| index.unique && !(index.predicate.is_none() && is_key(&index.columns)))
        .map(|index| &index.name)
        .or(uniques
            .find(|unique| !is_key(&unique.columns))
            .map(|unique| &unique.name))
        .or(table.checks.first().map(|check| &check.name))
        .or(table.exclusions.first().map(|exclusion| &exclusion.name))
}

/// The database itself lets no row of part outlive its row of main; else what part has to declare.
pub(super) fn unbound(main: &Table, part: &Table, own: &[String]) -> Option<String> {
    let binds = |key: &ForeignKey| {
        key.columns == own
            && key.references == main.name
            && key.referenced_columns == main.primary_key
            && key.on_delete.as_deref() == Some("cascade")
            && !key.not_valid
            && !key.deferrable
    };
    if let [key] = &part.foreign_keys[..]
        && binds(key)
    {
        return None;
    }
    let target = format!("{}({})", main.name, main.primary_key.join(", "));
    Some(if own.len() == 1 {
        format!(
            "#[zdm(references = \"{target}\", on_delete = \"cascade\")]  on `{}`",
            own.join("")
        )
    } else {
        format!(
            "#[zdm(foreign_key(columns({}), references = \"{target}\", on_delete = \"cascade\"))]",
            own.join(", ")
        )
    })
}
