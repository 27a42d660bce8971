//! What somebody lacks who writes or reads one of the tables.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::Gate;
use super::super::super::finding::open;
use super::needs::Needs;
use super::{Proposal, foreign_key, listed, named, refused};
use crate::between::{Between, Command, Held, PUBLIC, Role};
use crate::database::catalogue::relation;
use crate::manifest::OneOfTwo;

pub(super) const NAME: &str = "rights_on_both_tables";

/// The columns that a command lacks; none of them where it is the whole row's.
pub(super) type Lacking = BTreeMap<(OneOfTwo, Command), BTreeSet<String>>;

pub(super) fn held(all: &[Between]) -> Gate {
    let mut proposals = Vec::new();
    for between in all {
        proposals.extend(foreign_key::kept(between));
        let everybody = between.roles.iter().find(|role| role.name == PUBLIC);
        let of_all = everybody.map(|role| lacking(between, role));
        for role in &between.roles {
            let mut lacks = lacking(between, role);
            // What everybody is to get need not be given to each.
            if let Some(given) = of_all.as_ref().filter(|_| role.name != PUBLIC) {
                lacks = without(lacks, given);
            }
            let everybody = everybody.filter(|_| role.name != PUBLIC);
            let schemas = unnamed(between, role, everybody);
            proposals.extend(proposal(between, role, &lacks, &schemas));
        }
    }
    if proposals.is_empty() {
        return open(
            NAME,
            "whoever writes or reads one of the tables may do on the other what triggers and code do there",
        );
    }
    refused(
        NAME,
        &proposals,
        (
            "read each line, then let the tables' owner run it:",
            "or take from the role what it may do there (REVOKE); rights of roles in roles.sql come with that file as well",
        ),
    )
}

pub(super) fn lacking(between: &Between, role: &Role) -> Lacking {
    let mut lacking = Lacking::new();
    for ((which, command), columns) in Needs::of(between, role).columns {
        let held = role.held(which);
        if command == Command::Delete {
            if !held.deletes {
                lacking.insert((which, command), BTreeSet::new());
            }
            continue;
        }
        let columns = columns.into_iter();
        let missing: BTreeSet<String> = columns
            .filter(|column| !held.may(command, column))
            .collect();
        if !missing.is_empty() {
            lacking.insert((which, command), missing);
        }
    }
    lacking
}

fn without(mut lacking: Lacking, given: &Lacking) -> Lacking {
    lacking.retain(|needed, columns| match given.get(needed) {
        Some(given) => {
            columns.retain(|column| !given.contains(column));
            !columns.is_empty()
        }
        None => true,
    });
    lacking
}

/// The schemas in which a role may name nothing, and has to: what everybody is to get it gets with everybody.
fn unnamed<'b>(between: &'b Between, role: &Role, everybody: Option<&Role>) -> Vec<&'b str> {
    let lacks = |role: &Role, which: OneOfTwo| {
        let needs = Needs::of(between, role);
        let is_named = needs.columns.keys().any(|(of, _)| *of == which);
        is_named && !role.held(which).reaches
    };
    let all = [OneOfTwo::Main, OneOfTwo::Part].into_iter();
    let lacking = all
        .filter(|which| lacks(role, *which) && !everybody.is_some_and(|role| lacks(role, *which)));
    let mut schemas: Vec<&str> = lacking
        .map(|which| between.protection(which).schema.as_str())
        .collect();
    schemas.dedup();
    schemas
}

fn proposal(
    between: &Between,
    role: &Role,
    lacking: &Lacking,
    schemas: &[&str],
) -> Option<Proposal> {
    let needs = Needs::of(between, role);
    let mut statements = Vec::new();
    for which in [OneOfTwo::Main, OneOfTwo::Part] {
        let table = between.moved.table(which);
        let of_table = lacking.iter().filter(|((of, _), _)| *of == which);
        let rights: Vec<String> = of_table
            .map(|((_, command), columns)| {
                let name = command.name();
                if *command == Command::Delete {
                    return name.to_owned();
                }
                format!("{name} ({})", listed(columns.iter().map(String::as_str)))
            })
            .collect();
        if !rights.is_empty() {
            let (rights, on) = (rights.join(", "), relation(table));
            statements.push(format!("GRANT {rights} ON {on} TO {};", role.name));
        }
    }
    let usage = schemas.iter();
    statements
        .extend(usage.map(|schema| format!("GRANT USAGE ON SCHEMA {schema} TO {};", role.name)));
    (!statements.is_empty()).then(|| Proposal {
        because: because(between, role, &needs),
        statements,
    })
}

/// `app may INSERT, UPDATE users, and triggers …`
fn because(between: &Between, role: &Role, needs: &Needs<'_>) -> String {
    let moved = &between.moved;
    let names = |commands: &BTreeSet<Command>| {
        let names: Vec<&str> = commands.iter().map(|command| command.name()).collect();
        names.join(", ")
    };
    let direct = needs.because.iter();
    let mut done: Vec<String> = direct
        .map(|(on, commands)| format!("{} {}", names(commands), moved.table(*on)))
        .collect();
    done.extend(needs.through.iter().map(|(view, commands)| {
        format!(
            "{} {} through the view {} by the rights of {}",
            names(commands),
            moved.table(view.table),
            view.name,
            view.owner
        )
    }));
    let both = [OneOfTwo::Main, OneOfTwo::Part];
    let writes = both.iter().any(|which| writes(role.held(*which)));
    let why = if writes || !needs.through.is_empty() {
        format!(
            "triggers write {} and {} in the name of whoever writes one of them, and code reads both",
            moved.main, moved.part
        )
    } else {
        let target = moved.table(moved.source().other());
        format!("what it reads there is read in {target}")
    };
    format!("{} may {}, and {why}", named(role), done.join(" and "))
}

fn writes(held: &Held) -> bool {
    held.inserts || held.updates || held.deletes
}
