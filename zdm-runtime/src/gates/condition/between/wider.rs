//! Who would read or write columns in the one table that it could not read or write in the other.

use super::super::super::Gate;
use super::super::super::finding::open;
use super::{Proposal, listed, named, refused};
use crate::between::{Between, Command, Held, PUBLIC, Role};
use crate::database::catalogue::relation;

pub(super) const NAME: &str = "wider_rights";

pub(super) fn none(all: &[Between]) -> Gate {
    let proposals: Vec<Proposal> = all.iter().flat_map(of).collect();
    if proposals.is_empty() {
        return open(
            NAME,
            "nobody may read or write a column where it goes who could not where it was",
        );
    }
    refused(
        NAME,
        &proposals,
        (
            "if that is meant, `waive = [\"wider_rights\"]` under [policy] in zdm.toml says so; else take the right away where it is \
             too wide (REVOKE), or give it where the columns were:",
            "a right on all of a table is a right on columns that come later",
        ),
    )
}

fn of(between: &Between) -> Vec<Proposal> {
    let everybody = between.roles.iter().find(|role| role.name == PUBLIC);
    let mut proposals = Vec::new();
    for role in &between.roles {
        for reads in [true, false] {
            let columns = gained(between, role, reads);
            let of_all = everybody.filter(|_| role.name != PUBLIC);
            let of_all = of_all.map_or_else(Vec::new, |role| gained(between, role, reads));
            if columns.iter().any(|column| !of_all.contains(column)) {
                proposals.push(told(between, role, &columns, reads));
            }
        }
    }
    proposals
}

/// The columns, as the table has them that they leave and as the other does.
fn gained<'b>(between: &'b Between, role: &Role, reads: bool) -> Vec<(&'b str, &'b str)> {
    let moved = &between.moved;
    let source = moved.source();
    let (from, to) = (role.held(source), role.held(source.other()));
    let columns = moved.columns_of(source).into_iter();
    let columns = columns.zip(moved.columns_of(source.other()));
    let may = |held: &Held, column: &str| {
        if reads {
            return held.may(Command::Select, column);
        }
        held.may(Command::Insert, column) || held.may(Command::Update, column)
    };
    columns
        .filter(|(here, there)| may(to, there) && !may(from, here))
        .collect()
}

fn told(between: &Between, role: &Role, columns: &[(&str, &str)], reads: bool) -> Proposal {
    let moved = &between.moved;
    let (source, target) = (
        moved.table(moved.source()),
        moved.table(moved.source().other()),
    );
    let does = if reads { "read" } else { "write" };
    let there: Vec<&str> = columns.iter().map(|(_, there)| *there).collect();
    let command = if reads { "SELECT" } else { "UPDATE" };
    Proposal {
        because: format!(
            "{} may {does} {} in {target} and could not in {source}",
            named(role),
            there.join(", ")
        ),
        statements: vec![format!(
            "GRANT {command} ({}) ON {} TO {};",
            listed(columns.iter().map(|(here, _)| *here)),
            relation(source),
            role.name
        )],
    }
}
