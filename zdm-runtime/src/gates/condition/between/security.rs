//! Whether row security says of the one table what it says of the other, as far as the catalogue tells.

use std::collections::BTreeSet;

use super::super::super::Gate;
use super::super::super::finding::open;
use super::needs::Needs;
use super::{Proposal, named, one_sided, refused};
use crate::between::{self, Between, Command, Role};
use crate::database::catalogue::relation;
use crate::losses::quoted;
use crate::manifest::{MoveWay, Moved, OneOfTwo};

pub(super) const NAME: &str = "row_security_on_both_tables";

pub(super) fn same(all: &[Between]) -> Gate {
    let mut proposals = Vec::new();
    for between in all {
        // What follows would say the opposite of a way on.
        let hidden = one_sided::hidden_from_triggers(between);
        if !hidden.is_empty() {
            proposals.extend(hidden);
            continue;
        }
        let unprotected = unprotected(between);
        if unprotected.is_none() {
            let roles = between.roles.iter();
            proposals.extend(roles.filter_map(|role| one_sided::applies_once(between, role)));
        }
        proposals.extend(unprotected);
        proposals.extend(one_sided::followed_no_longer(between));
        for which in [OneOfTwo::Main, OneOfTwo::Part] {
            let roles = between.roles.iter();
            let roles = roles.filter(|role| !one_sided::is_for_an_owner(between, role));
            let lacking = roles.filter_map(|role| not_let_through(between, role, which));
            proposals.extend(told_apart(between, which, lacking.collect()));
        }
    }
    if proposals.is_empty() {
        return open(NAME, found(all));
    }
    refused(
        NAME,
        &proposals,
        (
            "a proposal to be read, for a policy that says something else shows rows to the wrong people:",
            "let the table's owner run it, or what you make of it, and run the command again",
        ),
    )
}

fn found(all: &[Between]) -> String {
    let protected = |which| {
        let tables = all.iter();
        let tables = tables.filter(move |between| between.protection(which).enabled);
        tables.map(move |between| between.moved.table(which).to_owned())
    };
    let tables: Vec<String> = protected(OneOfTwo::Main)
        .chain(protected(OneOfTwo::Part))
        .collect();
    if tables.is_empty() {
        return "neither table has row security".to_owned();
    }
    format!(
        "the policies of {} hold for what triggers write as well: a write of which they hide a row is refused; that they show the \
         same rows of both tables is yours to read",
        tables.join(" and ")
    )
}

/// The table that the columns leave hides rows which the other would show.
fn unprotected(between: &Between) -> Option<Proposal> {
    let moved = &between.moved;
    let (source, target) = (moved.source(), moved.source().other());
    let (from, to) = (between.protection(source), between.protection(target));
    let name = moved.table(target);
    let table = relation(name);
    let force = format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY;");
    if !from.enabled || to.enabled && (to.forced || !from.forced) {
        return None;
    }
    if to.enabled {
        return Some(Proposal {
            because: format!(
                "row security of {} is forced on its owner, and that of {name} is not",
                moved.table(source)
            ),
            statements: vec![force],
        });
    }
    let mut statements = vec![format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;")];
    if from.forced {
        statements.push(force);
    }
    statements.extend(policies(between));
    Some(Proposal {
        because: format!(
            "row security decides who sees which rows of {}, and {name} has none",
            moved.table(source)
        ),
        statements,
    })
}

/// Of a part, which has a row only for one of main: who sees main's row sees the part's. Of main, which has rows without a part as
/// well, no tool can tell.
fn policies(between: &Between) -> Vec<String> {
    let moved = &between.moved;
    let source = moved.source();
    let (from, to) = (moved.table(source), moved.table(source.other()));
    let there = between.protection(source).policies.iter();
    let mut lines: Vec<String> = there
        .map(|policy| format!("-- on {from}: {policy}"))
        .collect();
    if moved.way == MoveWay::Split {
        lines.extend(writes_apart(between));
        lines.push(policy_of_rows(between));
    } else {
        lines.push(format!(
            "-- CREATE POLICY … ON {} …: {to} has rows that have none in {from}, so say who sees which; until contract a policy may not ask {from}",
            relation(to)
        ));
    }
    lines
}

/// What a person has to know who says who writes which rows of a part.
fn writes_apart(between: &Between) -> Option<String> {
    let (main, part) = (&between.moved.main, relation(&between.moved.part));
    (!between.main.alike).then(|| {
        format!(
            "-- a write of {part} means UPDATE of {main}, of which policies say another thing than of reading: say for which rows INSERT, UPDATE and DELETE are allowed"
        )
    })
}

/// Seeing is the same question always; writing is where main's policies say so.
pub(super) fn policy_of_rows(between: &Between) -> String {
    let moved = &between.moved;
    let name = quoted(&between::name_of_row_policy(&moved.main));
    let reads = if between.main.alike {
        ""
    } else {
        "FOR SELECT "
    };
    let (part, asked) = (relation(&moved.part), row_of_main(moved));
    format!("CREATE POLICY {name} ON {part} {reads}USING ({asked});")
}

/// Main's policies beside what is lacking on part, where they say different things of it.
fn told_apart(between: &Between, which: OneOfTwo, mut lacking: Vec<Proposal>) -> Vec<Proposal> {
    let is_apart = which == OneOfTwo::Part && between.moved.way == MoveWay::Split;
    if let Some(first) = lacking.first_mut()
        && is_apart
        && let Some(hint) = writes_apart(between)
    {
        let main = &between.moved.main;
        let policies = between.main.policies.iter();
        let mut lines: Vec<String> = policies
            .map(|policy| format!("-- on {main}: {policy}"))
            .collect();
        lines.push(hint);
        lines.append(&mut first.statements);
        first.statements = lines;
    }
    lacking
}

fn row_of_main(moved: &Moved) -> String {
    let (main, part) = (relation(&moved.main), relation(&moved.part));
    let key: Vec<String> = moved
        .key
        .iter()
        .map(|(of_main, of_part)| {
            format!("{main}.{} = {part}.{}", quoted(of_main), quoted(of_part))
        })
        .collect();
    format!("EXISTS (SELECT FROM {main} WHERE {})", key.join(" AND "))
}

/// Row security applies to somebody, and no policy lets it do what its writes and reads of the other table lead to.
fn not_let_through(between: &Between, role: &Role, which: OneOfTwo) -> Option<Proposal> {
    let lets = role.held(which).secured.as_ref()?;
    let needs = Needs::of(between, role);
    let reached = needs.reached.iter().filter(|(of, _)| *of == which);
    let needed: BTreeSet<Command> = reached.map(|(_, command)| *command).collect();
    let lacking: Vec<Command> = needed.difference(lets).copied().collect();
    if lacking.is_empty() {
        return None;
    }
    let moved = &between.moved;
    let (table, other) = (moved.table(which), moved.table(which.other()));
    let names: Vec<&str> = lacking.iter().map(|command| command.name()).collect();
    Some(Proposal {
        because: format!(
            "row security of {table} applies to {}, and no policy lets it {} there, which its reads and writes of {other} lead to",
            named(role),
            names.join(", ")
        ),
        statements: lacking
            .iter()
            .map(|command| let_through(between, role, which, *command))
            .collect(),
    })
}

fn let_through(between: &Between, role: &Role, which: OneOfTwo, command: Command) -> String {
    let moved = &between.moved;
    let table = relation(moved.table(which));
    let role = &role.name;
    let verb = command.name();
    let is_said = command == Command::Select || between.main.alike;
    if which == OneOfTwo::Main || moved.way != MoveWay::Split || !is_said {
        return format!("-- CREATE POLICY … ON {table} FOR {verb} TO {role} …: say for which rows");
    }
    let clause = match command {
        Command::Insert => "WITH CHECK",
        _ => "USING",
    };
    let name = quoted(&format!(
        "{}_{}",
        role.trim_matches('"'),
        verb.to_lowercase()
    ));
    let asked = row_of_main(moved);
    format!("CREATE POLICY {name} ON {table} FOR {verb} TO {role} {clause} ({asked});")
}
