//! What stands for a table's columns in queries that sqlx checks when they are compiled: the rules of a macro.
//!
//! Must not know: how the macro takes a query apart; `zdm_runtime::checked` does.

use serde::Serialize;
use zdm_model::Column;
use zdm_runtime::Writes;

use super::one_way::{self, ANY_PARAMETER, Old, any_parameters};
use crate::plan::Pair;
use crate::render::rust::RenderError;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::statements::Statements;
use crate::render::rust::words;

/// The macro of a table.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    /// What gives the flags of each migration that has two sides of a column, in their turn.
    turns: Vec<String>,
    rules: Vec<Rule>,
}

/// What a fragment is in one state.
#[derive(Debug, Serialize)]
struct Rule {
    fragment: String,
    /// The states, as a pattern: `(writes reads …)` for each of those migrations.
    state: String,
    parameters: String,
    /// Texts and parameters.
    pieces: String,
}

pub(super) fn checked<'t>(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Result<Checked, RenderError> {
    let sides = &statements.sides;
    let table = &sides.table.name;
    let guard = format!("{} = ", sides.words.fence(table));
    let mut rules = vec![rule(
        "guard",
        "$state:tt",
        "$epoch:tt",
        format!("{guard:?} $epoch"),
    )];
    if let Some(next) = statements.next_version() {
        rules.push(rule("next_version", "$state:tt", "", format!("{next:?}")));
    }
    if statements.moves() {
        return Ok(Checked {
            turns: Vec::new(),
            rules,
        });
    }
    let turns: Vec<_> = sides.dual_transitions().collect();
    for (turn, (_, transition)) in turns.iter().enumerate() {
        for pair in transition.pairs.iter().filter(|pair| !pair.is_fill()) {
            rules.extend(of_pair(statements, pair, (turn, turns.len()), rust)?);
        }
    }
    let place = |folder: &String| sides.turns.iter().position(|turn| turn == folder);
    let turns = turns.iter().map(|(_, transition)| {
        place(&transition.folder).map_or_else(
            || "$flags".to_owned(),
            |place| format!("$flags.of({place})"),
        )
    });
    Ok(Checked {
        turns: turns.collect(),
        rules,
    })
}

/// `turn`: the place of its migration among how many.
fn of_pair<'t>(
    statements: &Statements<'_>,
    pair: &Pair,
    turn: (usize, usize),
    rust: &dyn Fn(&Column) -> &'t RustType,
) -> Result<Vec<Rule>, RenderError> {
    let (sides, column) = (&statements.sides, &pair.new);
    let old = one_way::olds(sides, pair, rust);
    // Two columns of two types are assigned one parameter, of which nobody but the query tells the type.
    let typed = |column: &Column, parameter: &str| match words::cast(column) {
        Some(_) => parameter.to_owned(),
        None => sides.words.typed_parameter(column, parameter),
    };
    let value = typed(column, ANY_PARAMETER);
    let given = any_parameters(pair);
    let given: Vec<_> = { given.into_iter() }
        .map(|(old, parameter)| (old, typed(old, &parameter)))
        .collect();
    // What an expression casts by itself, to the same type.
    let once = |sql: String| {
        let values = given.iter().map(|(column, value)| (*column, value));
        values
            .chain([(column, &value)])
            .fold(sql, |sql, (column, value)| {
                sql.replace(&typed(column, value), value)
            })
    };
    let field = names::bare(&column.field);
    let mut values = vec!["$value:tt".to_owned()];
    values.extend(old.iter().map(|old| format!("${}:tt", old.argument)));
    let parameters = values.join(", ");
    let mut rules = Vec::new();
    for (side, writes) in [
        ("old", Writes::Old),
        ("both", Writes::Both),
        ("new", Writes::New),
    ] {
        let sql = statements.fragment(writes, column, &value, &given)?;
        let state = state(turn, &format!("{side} $reads:tt"));
        let set = format!("set_{field}");
        rules.push(rule(&set, &state, &parameters, pieces(&once(sql), &old)));
    }
    if pair.with.is_none() {
        let fields: Vec<_> = sides.dual().map(|pair| pair.new.field.as_str()).collect();
        let compared = names::fragment(&column.field, &fields);
        let old = sides.words.compared(column, format!("({})", pair.up));
        let new = sides
            .words
            .compared(column, sides.words.ident(&column.name));
        for (side, sql) in [("old", old), ("new", new)] {
            let state = state(turn, &format!("$writes:tt {side}"));
            rules.push(rule(&compared, &state, "", format!("{sql:?}")));
        }
    }
    if pair.is_one_way() {
        let computed = if pair.seal.is_some() {
            ", $computed:tt"
        } else {
            ""
        };
        let parameters = format!("{parameters}{computed}");
        let agrees = format!("{field}_agrees");
        for (side, writes) in [("new", Writes::New), ("$writes:tt", Writes::Both)] {
            let sql = statements.demand(writes, column, &value, &given)?;
            let state = state(turn, &format!("{side} $reads:tt"));
            rules.push(rule(&agrees, &state, &parameters, pieces(&once(sql), &old)));
        }
    }
    Ok(rules)
}

fn rule(fragment: &str, state: &str, parameters: &str, pieces: String) -> Rule {
    Rule {
        fragment: fragment.to_owned(),
        state: state.to_owned(),
        parameters: parameters.to_owned(),
        pieces,
    }
}

/// `[$before_0:tt (old $reads:tt $turn:tt)]`
fn state((turn, turns): (usize, usize), sides: &str) -> String {
    let before = (0..turn).map(|at| format!("$before_{at}:tt "));
    let after = (turn + 1..turns).map(|at| format!(" $after_{at}:tt"));
    let (before, after) = (before.collect::<String>(), after.collect::<String>());
    format!("[{before}({sides} $turn:tt){after}]")
}

/// `"name = " $value ", age = " $old_age`
fn pieces(sql: &str, old: &[Old]) -> String {
    let name = |place: &str| match place.parse::<usize>().map(|at| old.get(at)) {
        Ok(Some(old)) => format!("${}", old.argument),
        Ok(None) => "$computed".to_owned(),
        Err(_) => "$value".to_owned(),
    };
    let sql = sql.replace(ANY_PARAMETER, "\u{2}value\u{2}");
    let parts = sql.split('\u{2}').enumerate();
    let pieces = parts
        .filter(|(_, part)| !part.is_empty())
        .map(|(at, part)| {
            if at % 2 == 0 {
                format!("{part:?}")
            } else {
                name(part)
            }
        });
    pieces.collect::<Vec<_>>().join(" ")
}
