//! The statements of a table's repository as data, with what is bound to them: for programs that execute them without a compiler.
//!
//! Comes in: the model that code is generated from. Goes out: [`Calls`], the same texts that stand in the generated code, and
//! [`Evaluation`]s of the user's expressions over parameters.
//! Must not know: who executes them, when.

use zdm_model::{Column, Table};
use zdm_runtime::Writes;

use super::sides::Sides;
use super::statements::Statements;
use super::templates::Templates;
use super::words::Words;
use super::{Model, RenderError};
use crate::dialect::Dialect;
use crate::plan::Pair;

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
}

/// A column of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) field: String,
    /// Where the row is read from old.
    pub(crate) old: String,
    /// Where it is read from new.
    pub(crate) new: String,
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
    pub(crate) delete: String,
    pub(crate) get: String,
    pub(crate) list_first: String,
    pub(crate) list_after: String,
    pub(crate) reads: Vec<Read>,
    /// The migration whose stage decides which side is read, where the table has pairs.
    pub(crate) salt: Option<String>,
}

/// The type of an epoch's and a limit's parameter.
pub(crate) const NUMBER: &str = "bigint";

/// Expressions over the columns of a table, which come as parameters.
#[derive(Debug, Clone)]
pub(crate) struct Evaluation {
    pub(crate) sql: String,
    pub(crate) inputs: Vec<Bound>,
}

/// The statements of a table with a primary key, none of whose columns comes out of another table.
pub(crate) fn calls(
    templates: &Templates,
    dialect: &Dialect,
    model: &Model<'_>,
) -> Result<Calls, RenderError> {
    let words = words(dialect)?;
    let transitions: Vec<_> = model.transitions().collect();
    let transition = model.transition();
    let sides = Sides {
        words,
        table: &model.table,
        migration: transition.map(|transition| transition.id),
        transitions: &transitions,
        turns: &model.turns,
        growing: model.growing(),
        renamed: model.view.as_deref(),
    };
    let statements = Statements::of(templates, sides, None)?;
    let bound = |column: &Column| bound(words, column);
    let table = &*model.table;
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
        setters: setters(&statements, words)?,
        delete: statements.delete()?,
        get: statements.get()?,
        list_first: statements.list_first()?,
        list_after: statements.list_after()?,
        reads: table
            .columns
            .iter()
            .map(|column| read(&sides, column))
            .collect(),
        salt: transition
            .filter(|_| sides.dual().next().is_some())
            .map(|transition| transition.id.to_owned()),
    })
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
        dialect: dialect.name().to_owned(),
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
        old,
        new,
    }
}
