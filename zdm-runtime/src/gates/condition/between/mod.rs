//! Whether everybody may do what two tables between which columns move ask of them, and sees and writes no more than before. Nothing is
//! granted here: what is missing is a statement for somebody who reads it first.

mod foreign_key;
mod needs;
mod one_sided;
mod rights;
mod security;
#[cfg(test)]
mod tests;
mod wider;

use super::super::Gate;
use super::super::finding::{known, shut};
use crate::between::{Between, Role};
use crate::facts::{Fact, Facts};
use crate::losses::quoted;
use crate::phase::Section;

type Judge = fn(&[Between]) -> Gate;

/// None where no columns move.
pub(in crate::gates) fn between(facts: &Facts) -> Vec<Gate> {
    if facts.between == Fact::Known(Vec::new()) {
        return Vec::new();
    }
    let judges: [(_, Judge); 3] = [
        (rights::NAME, rights::held),
        (security::NAME, security::same),
        (wider::NAME, wider::none),
    ];
    let gates = judges
        .into_iter()
        .map(|(name, judge)| known(name, &facts.between, |all: &Vec<Between>| judge(all)));
    gates.collect()
}

/// Before contract, from which on the new table's row security alone decides who sees what moved. Who has begun with it was asked.
pub(in crate::gates) fn row_security(section: Section, facts: &Facts) -> Option<Gate> {
    let begun = match &facts.sections {
        Fact::Known(sections) => sections.get(&section).map(|steps| steps.to_undo()),
        Fact::Unknown(_) => None,
    };
    if begun.is_some_and(|steps| steps > 0) || facts.between == Fact::Known(Vec::new()) {
        return None;
    }
    let judge = |all: &Vec<Between>| security::same(all);
    Some(known(security::NAME, &facts.between, judge))
}

/// What is wrong, and the statements that somebody may execute.
#[derive(Default)]
struct Proposal {
    because: String,
    statements: Vec<String>,
}

/// What is wrong line by line, and the statements, one on each line.
fn refused(name: &'static str, proposals: &[Proposal], (before, behind): (&str, &str)) -> Gate {
    let reasons: Vec<&str> = proposals
        .iter()
        .map(|proposal| proposal.because.as_str())
        .collect();
    // What helps several roles is said once.
    let mut statements: Vec<&str> = Vec::new();
    for statement in proposals.iter().flat_map(|proposal| &proposal.statements) {
        if !statements.contains(&statement.as_str()) {
            statements.push(statement);
        }
    }
    let statements = statements.join("\n        ");
    shut(
        name,
        reasons.join("\n        "),
        format!("{before}\n        {statements}\n        {behind}"),
    )
}

/// A role, and why it acts at all where it can neither log in nor be taken.
fn named(role: &Role) -> String {
    const SHOWN: usize = 3;
    let name = &role.name;
    let more = if role.functions.len() > SHOWN {
        " and others"
    } else {
        ""
    };
    let shown = role.functions.iter().take(SHOWN).map(String::as_str);
    match shown.collect::<Vec<_>>().join(", ").as_str() {
        "" => name.clone(),
        functions => format!("{name} (by functions SECURITY DEFINER: {functions}{more})"),
    }
}

/// As a statement has them.
fn listed<'a>(columns: impl IntoIterator<Item = &'a str>) -> String {
    let columns: Vec<String> = columns.into_iter().map(quoted).collect();
    columns.join(", ")
}
