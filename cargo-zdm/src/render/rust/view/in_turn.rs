//! The writes of a table on which several migrations are in transition: they move in turn, so that a write of n migrations is
//! one of 2n + 1 statements.

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::Writes;

use super::bulk;
use super::key;
use super::writes::{INSERTS, INSERTS_MANY, UPDATES, UPSERTS, set_of};
use crate::render::rust::names::RustType;
use crate::render::rust::sides::{Sides, Written};
use crate::render::rust::statements::Statements;
use crate::render::rust::{RenderError, Transition};

/// What the code of such a table is given.
#[derive(Debug, Serialize)]
pub(in crate::render::rust) struct InTurn {
    /// In their turn.
    migrations: Vec<Turn>,
    /// Those that have columns here: "`0002_names`, `0003_ages` are".
    in_transition: String,
    writes: Vec<Write>,
}

/// A migration in transition.
#[derive(Debug, Serialize)]
struct Turn {
    folder: String,
    number: String,
    /// Its place among those that the code follows.
    place: usize,
    salt: String,
    /// Its new columns, for people.
    columns: String,
    /// Some of them have an old side.
    dual: bool,
}

/// A write, with a statement per combination of stages.
#[derive(Debug, Serialize)]
struct Write {
    function: String,
    does: String,
    /// What decides.
    on: String,
    arms: Vec<Arm>,
}

#[derive(Debug, Serialize)]
struct Arm {
    pattern: String,
    constant: String,
    sql: String,
}

/// `None` where one migration at most is in transition.
pub(super) fn view<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Result<Option<InTurn>, RenderError> {
    let sides = &statements.sides;
    if sides.turns.is_empty() {
        return Ok(None);
    }
    let here: Vec<_> = sides
        .transitions
        .iter()
        .map(|found| format!("`{}`", found.folder))
        .collect();
    let are = if here.len() == 1 { "is" } else { "are" };
    let turns = sides.turns.iter().enumerate();
    Ok(Some(InTurn {
        migrations: turns
            .map(|(place, folder)| turn(sides, place, folder))
            .collect(),
        in_transition: format!("{} {are}", here.join(", ")),
        writes: writes(statements, rust)?,
    }))
}

fn turn(sides: &Sides<'_>, place: usize, folder: &str) -> Turn {
    let found = sides
        .transitions
        .iter()
        .find(|found| found.folder == folder);
    let pairs = found.map_or(&[][..], |found| &found.pairs);
    let columns: Vec<_> = pairs
        .iter()
        .map(|pair| format!("`{}`", pair.new.name))
        .collect();
    Turn {
        folder: folder.to_owned(),
        number: found.map_or_else(String::new, |found| found.number().to_owned()),
        place,
        salt: found.map_or_else(String::new, |found| found.id.to_owned()),
        columns: columns.join(", "),
        dual: pairs.iter().any(|pair| !pair.is_fill()),
    }
}

/// The number of the migration that a column with two sides belongs to, where several are in transition.
pub(super) fn number(sides: &Sides<'_>, column: &Column) -> Option<String> {
    let found = sides
        .transition_of(column)
        .filter(|_| !sides.turns.is_empty());
    found.map(|found| found.number().to_owned())
}

fn writes<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Result<Vec<Write>, RenderError> {
    let sides = &statements.sides;
    if sides.dual().next().is_none() {
        return Ok(Vec::new());
    }
    let mut writes = vec![whole(sides, "insert", INSERTS, |written| {
        statements.insert(written)
    })?];
    if let Some(rows) = bulk::rows(statements, rust) {
        writes.push(whole(sides, "insert_many", INSERTS_MANY, |written| {
            statements.insert_many(written, rows)
        })?);
    }
    if sides.table.primary_key.is_empty() {
        return Ok(writes);
    }
    writes.extend([
        whole(sides, "upsert", UPSERTS, |written| {
            statements.upsert(written)
        })?,
        whole(sides, "update", UPDATES, |written| {
            Ok(statements.update(written)?.unwrap_or_default())
        })?,
    ]);
    for column in &sides.table.columns {
        if let Some(found) = sides.transition_of(column) {
            writes.push(set(statements, found, column)?);
        }
    }
    Ok(writes)
}

/// A write of the whole row: before the first migration moves, then each with both sides and with new alone.
fn whole(
    sides: &Sides<'_>,
    function: &str,
    does: &str,
    statement: impl Fn(Written) -> Result<String, RenderError>,
) -> Result<Write, RenderError> {
    let turns: Vec<_> = sides.dual_transitions().collect();
    let constant = function.to_uppercase();
    let mut arms = Vec::new();
    for (at, (place, found)) in turns.iter().enumerate() {
        let mut arm = |writes, constant| {
            arms.push(Arm {
                pattern: pattern(turns.len(), at, writes),
                constant,
                sql: statement(Written::InTurn(*place, writes))?,
            });
            Ok::<_, RenderError>(())
        };
        if at == 0 {
            arm(Writes::Old, format!("{constant}_OLD"))?;
        }
        let number = found.number();
        arm(Writes::Both, format!("{constant}_{number}_BOTH"))?;
        let last = at + 1 == turns.len();
        let of = if last {
            String::new()
        } else {
            format!("_{number}")
        };
        arm(Writes::New, format!("{constant}{of}_NEW"))?;
    }
    let on = turns.iter().map(|(_, found)| writes_of(found));
    Ok(Write {
        function: function.to_owned(),
        does: does.to_owned(),
        on: key::tuple(on),
        arms,
    })
}

/// A write of one column, which concerns one migration.
fn set(
    statements: &Statements<'_>,
    found: &Transition<'_>,
    column: &Column,
) -> Result<Write, RenderError> {
    let (function, does) = set_of(column);
    let constant = function.to_uppercase();
    let arms = [
        (Writes::Old, "OLD"),
        (Writes::Both, "BOTH"),
        (Writes::New, "NEW"),
    ];
    let arms = arms.map(|(writes, side)| {
        Ok::<_, RenderError>(Arm {
            pattern: name(writes).to_owned(),
            constant: format!("{constant}_{side}"),
            sql: statements.set(writes, column)?,
        })
    });
    Ok(Write {
        function,
        does,
        on: writes_of(found),
        arms: arms.into_iter().collect::<Result<_, _>>()?,
    })
}

fn writes_of(found: &Transition<'_>) -> String {
    format!("flags.of(M{}).writes()", found.number())
}

/// Those before the one that moves are complete, those after it have not begun.
fn pattern(turns: usize, moving: usize, writes: Writes) -> String {
    let of = |at: usize| match at {
        at if at < moving => "Writes::New",
        at if at == moving => name(writes),
        at if at == moving + 1 && writes == Writes::New => "Writes::Old",
        _ => "_",
    };
    key::tuple((0..turns).map(|at| of(at).to_owned()))
}

fn name(writes: Writes) -> &'static str {
    match writes {
        Writes::Old => "Writes::Old",
        Writes::Both => "Writes::Both",
        Writes::New => "Writes::New",
    }
}
