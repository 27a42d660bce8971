//! The statements of a table's repository as data, with what is bound to them: for programs that execute them without a compiler.
//!
//! Comes in: the model that code is generated from. Goes out: [`Calls`], the same texts that stand in the generated code, and
//! [`Evaluation`]s of the user's expressions over parameters.
//! Must not know: who executes them, when.

use zdm_model::{Column, Table};
use zdm_runtime::Writes;

use super::merged::WithPart;
use super::moved::ThroughMain;
use super::sides::Sides;
use super::statements::Statements;
use super::templates::Templates;
use super::words::Words;
use super::{Model, RenderError};
use crate::dialect::Dialect;
use crate::plan::{Ends, Move, Pair};

/// A column, and the type that its parameter has.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) column: Column,
    pub(crate) sql_type: String,
}

/// A write by the sides that it maintains; all three are the same where it has no old side.
#[derive(Debug, Clone)]
pub(crate) struct Sided {
    old: String,
    both: String,
    new: String,
}

impl Sided {
    /// The statement for a stage.
    pub(crate) fn of(&self, writes: Writes) -> &str {
        match writes {
            Writes::Old => &self.old,
            Writes::Both => &self.both,
            Writes::New => &self.new,
        }
    }
}

/// A write of one column.
#[derive(Debug, Clone)]
pub(crate) struct Setter {
    pub(crate) bound: Bound,
    pub(crate) sql: Sided,
    /// Another table holds the column too.
    pub(crate) moves: bool,
}

/// A read, of the table alone or, where columns move between it and another one, of both; else the two are the same.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) both: String,
    pub(crate) alone: String,
}

/// A column of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) field: String,
    /// Where the row is read from old.
    pub(crate) old: String,
    /// Where it is read from new.
    pub(crate) new: String,
    /// Where the table is read alone.
    pub(crate) alone: String,
}

/// Columns that come into a table out of another one, as long as both hold them.
#[derive(Debug, Clone)]
pub(crate) struct Comes {
    /// The table is new, and a row of it is one of the other table that has values in these columns.
    pub(crate) through_main: bool,
    /// What gives a row from before what the other table has of it, ahead of a write; its parameters are the key.
    pub(crate) fill: Option<String>,
}

/// The statements of one table.
///
/// The parameters of a whole row are `columns`, or `inserted` for an insert, then the epoch, then `given`; those of a row that is
/// found are `key`, then for a setter its value, then the epoch.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    /// As the fence names it.
    pub(crate) table: String,
    pub(crate) key: Vec<Bound>,
    pub(crate) columns: Vec<Bound>,
    pub(crate) inserted: Vec<Bound>,
    /// The old columns whose values a write takes as well, because nothing computes them.
    pub(crate) given: Vec<Bound>,
    pub(crate) insert: Sided,
    /// The insert returns the key, which the database assigns.
    pub(crate) returns_key: bool,
    pub(crate) upsert: Sided,
    /// `None`: it has no column but the key.
    pub(crate) update: Option<Sided>,
    pub(crate) setters: Vec<Setter>,
    pub(crate) delete: Sided,
    pub(crate) get: Reading,
    pub(crate) list_first: Reading,
    pub(crate) list_after: Reading,
    pub(crate) reads: Vec<Read>,
    /// The migration whose stage decides which side is read, where the table has two.
    pub(crate) salt: Option<String>,
    pub(crate) comes: Option<Comes>,
}

/// The type of an epoch's and a limit's parameter.
pub(crate) const NUMBER: &str = "bigint";

/// Expressions over the columns of a table, which come as parameters.
#[derive(Debug, Clone)]
pub(crate) struct Evaluation {
    pub(crate) sql: String,
    pub(crate) inputs: Vec<Bound>,
}

/// The statements of a table with a primary key.
pub(crate) fn calls(
    templates: &Templates,
    dialect: &Dialect,
    model: &Model<'_>,
) -> Result<Calls, RenderError> {
    let words = words(dialect)?;
    let transitions: Vec<_> = model.transitions().collect();
    let transition = model.transition();
    let sides = Sides::of(words, model, &transitions);
    let moved = transition.and_then(|transition| transition.moved.as_ref());
    let statements = Statements::of(templates, sides, moved)?;
    let calls = of_table(&statements, words)?;
    match moved.map(|moved| moved.to) {
        None => Ok(calls),
        Some(Ends::Part) => through_main(calls, &statements),
        Some(Ends::Main) => with_part(calls, &statements, moved),
    }
}

/// The statements of the table alone.
fn of_table(statements: &Statements<'_>, words: Words<'_>) -> Result<Calls, RenderError> {
    let sides = &statements.sides;
    let bound = |column: &Column| bound(words, column);
    let table = sides.table;
    let reading = |sql: String| Reading {
        both: sql.clone(),
        alone: sql,
    };
    Ok(Calls {
        table: table.name.clone(),
        key: table.key_columns().map(bound).collect(),
        columns: table.written_columns().map(bound).collect(),
        inserted: statements.inserted_columns().map(bound).collect(),
        given: sides.given().map(bound).collect(),
        insert: sided(|writes| statements.insert(writes))?,
        returns_key: statements.returned_key().is_some(),
        upsert: sided(|writes| statements.upsert(writes))?,
        update: match statements.update(Writes::New)? {
            Some(_) => Some(sided(|writes| {
                Ok(statements.update(writes)?.unwrap_or_default())
            })?),
            None => None,
        },
        setters: setters(statements, words)?,
        delete: sided(|_| statements.delete())?,
        get: reading(statements.get()?),
        list_first: reading(statements.list_first()?),
        list_after: reading(statements.list_after()?),
        reads: { table.columns.iter() }
            .map(|column| read(sides, column))
            .collect(),
        salt: sides
            .migration
            .filter(|_| sides.dual().next().is_some())
            .map(str::to_owned),
        comes: None,
    })
}

/// The same of a table that is new: writes and reads go by way of the one that its columns come out of.
fn through_main(calls: Calls, statements: &Statements<'_>) -> Result<Calls, RenderError> {
    let Some(moved) = statements.comes_out() else {
        return Ok(calls);
    };
    let through = ThroughMain::of(moved, statements);
    let columns = statements.sides.table.written_columns();
    let columns: Vec<&Column> = columns.collect();
    let setters = calls.setters.into_iter().map(|setter| {
        let mut columns = columns.iter();
        let column = columns.find(|column| column.name == setter.bound.column.name);
        Ok(Setter {
            sql: match column {
                Some(column) => sided(|writes| through.set(writes, column))?,
                None => setter.sql,
            },
            moves: true,
            bound: setter.bound,
        })
    });
    Ok(Calls {
        insert: sided(|writes| through.insert(writes))?,
        upsert: sided(|writes| through.upsert(writes))?,
        update: Some(sided(|writes| through.update(writes))?),
        setters: setters.collect::<Result<_, RenderError>>()?,
        delete: sided(|writes| through.delete(writes))?,
        get: beside(through.get()?, calls.get),
        list_first: beside(through.list_first()?, calls.list_first),
        list_after: beside(through.list_after()?, calls.list_after),
        reads: moved_reads(&statements.sides, moved, calls.reads),
        salt: statements.sides.migration.map(str::to_owned),
        comes: Some(Comes {
            through_main: true,
            fill: None,
        }),
        ..calls
    })
}

/// The same of a table that was there before: its reads ask the other one as well.
fn with_part(
    calls: Calls,
    statements: &Statements<'_>,
    moved: Option<&Move>,
) -> Result<Calls, RenderError> {
    let Some(moved) = moved else {
        return Ok(calls);
    };
    let with = WithPart::of(moved, statements);
    let setters = calls.setters.into_iter().map(|setter| Setter {
        moves: statements.merges(&setter.bound.column),
        ..setter
    });
    Ok(Calls {
        setters: setters.collect(),
        get: beside(with.get()?, calls.get),
        list_first: beside(with.list_first()?, calls.list_first),
        list_after: beside(with.list_after()?, calls.list_after),
        reads: moved_reads(&statements.sides, moved, calls.reads),
        salt: statements.sides.migration.map(str::to_owned),
        comes: Some(Comes {
            through_main: false,
            fill: Some(with.fill()),
        }),
        ..calls
    })
}

fn beside(both: String, alone: Reading) -> Reading {
    Reading {
        both,
        alone: alone.alone,
    }
}

/// Of the columns that move, where both tables are read.
fn moved_reads(sides: &Sides<'_>, moved: &Move, reads: Vec<Read>) -> Vec<Read> {
    let columns = sides.table.columns.iter().zip(reads);
    columns
        .map(|(column, read)| {
            let mut kept = moved.columns.iter().map(|pair| moved.kept(pair));
            if !kept.any(|kept| kept.name == column.name) {
                return read;
            }
            let (old, new) = sides.aliases(column);
            Read { old, new, ..read }
        })
        .collect()
}

/// A query that answers with the values of expressions over a row that is not stored anywhere.
pub(crate) fn evaluation(
    dialect: &Dialect,
    table: &Table,
    inputs: &[&Column],
    expressions: &[String],
) -> Result<Evaluation, RenderError> {
    let words = words(dialect)?;
    let values: Vec<_> = inputs
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let value = words.stored_parameter(column, &format!("${}", at + 1));
            format!("{value} AS {}", words.ident(&column.name))
        })
        .collect();
    let row = if values.is_empty() {
        "1 AS nothing".to_owned()
    } else {
        values.join(", ")
    };
    Ok(Evaluation {
        sql: format!(
            "SELECT {} FROM (SELECT {row}) AS {}",
            expressions.join(", "),
            words.within(&table.name)
        ),
        inputs: inputs.iter().map(|column| bound(words, column)).collect(),
    })
}

fn words(dialect: &Dialect) -> Result<Words<'_>, RenderError> {
    Words::of(dialect).ok_or_else(|| RenderError::NoDriver {
        client: "sqlx",
        dialect: dialect.name().to_owned(),
        reason: "sqlx reads and writes postgres and sqlite here".to_owned(),
    })
}

fn bound(words: Words<'_>, column: &Column) -> Bound {
    Bound {
        column: column.clone(),
        sql_type: words.bound_type(column),
    }
}

fn sided(statement: impl Fn(Writes) -> Result<String, RenderError>) -> Result<Sided, RenderError> {
    Ok(Sided {
        old: statement(Writes::Old)?,
        both: statement(Writes::Both)?,
        new: statement(Writes::New)?,
    })
}

/// One-way pairs are left out: a setter of theirs takes both values, as the writes of the whole row do.
fn setters(statements: &Statements<'_>, words: Words<'_>) -> Result<Vec<Setter>, RenderError> {
    let table = statements.sides.table;
    let is_set = |column: &&Column| {
        let pair = statements.sides.pair(column);
        !table.primary_key.contains(&column.name) && !pair.is_some_and(Pair::is_one_way)
    };
    let columns = table.written_columns().filter(is_set);
    columns
        .map(|column| {
            Ok(Setter {
                bound: bound(words, column),
                sql: sided(|writes| statements.set(writes, column))?,
                moves: false,
            })
        })
        .collect()
}

fn read(sides: &Sides<'_>, column: &Column) -> Read {
    let (old, new) = match sides.pair(column) {
        Some(_) => sides.aliases(column),
        None => (column.name.clone(), column.name.clone()),
    };
    Read {
        field: column.field.clone(),
        alone: if old == new {
            column.name.clone()
        } else {
            new.clone()
        },
        old,
        new,
    }
}
