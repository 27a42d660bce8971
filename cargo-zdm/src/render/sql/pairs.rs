//! What the manifest keeps of the plan's pairs, for people who review them.

use zdm_model::{Column, OnInvalid, names};
use zdm_runtime::manifest::{Pair as Entry, Released, Side};

use crate::dialect::Dialect;
use crate::plan::{Pair, Plan};

pub(super) fn entries(plan: &Plan, dialect: &Dialect) -> Vec<Entry> {
    let pairs = plan.pairs.iter();
    pairs.map(|pair| entry(pair, dialect)).collect()
}

fn entry(pair: &Pair, dialect: &Dialect) -> Entry {
    let side = |column: &Column| Side {
        column: column.name.clone(),
        sql_type: dialect.type_of(column),
        nullable: column.nullable,
    };
    Entry {
        table: pair.table.clone(),
        up: match &pair.with {
            Some(function) => function.call(),
            None => pair.declared_up.clone(),
        },
        with: pair.with.as_ref().map(|function| function.path.clone()),
        seal: pair.seal.clone(),
        runs: (pair.up != pair.declared_up).then(|| pair.up.clone()),
        down: (!pair.is_one_way()).then(|| pair.down.clone()),
        one_way: pair.is_one_way(),
        valid_if: pair.valid_if.clone(),
        on_invalid: pair.rule().to_owned(),
        default: match &pair.on_invalid {
            Some(OnInvalid::Default(value)) => Some(value.clone()),
            _ => None,
        },
        old: pair
            .old
            .iter()
            .map(|old| replaced(pair, side(old)))
            .collect(),
        new: side(&pair.new),
        released: pair.final_name().map(|names| Released {
            column: names.last.clone(),
            name: names::released(&names.last),
        }),
        built_in: pair.built_in.clone(),
        measured: pair.measured.clone(),
    }
}

/// The column by the name that the table gives it: the view of a key that grows has another for it.
fn replaced(pair: &Pair, old: Side) -> Side {
    match pair.final_name() {
        Some(names) if pair.is_of_key() => Side {
            column: names.last.clone(),
            ..old
        },
        _ => old,
    }
}
