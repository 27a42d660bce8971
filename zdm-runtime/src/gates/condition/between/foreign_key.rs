//! Whether the foreign key between the two tables can be kept: the server looks for rows, and takes them along, in the name of the owner of
//! the table that it does so in, who may have less than those who write.

use super::Proposal;
use crate::between::{Between, Protection};
use crate::database::catalogue::relation;
use crate::manifest::OneOfTwo::{Main, Part};
use crate::manifest::{MoveWay, OneOfTwo};

/// What owners lack. Where part stays triggers bring none of its rows, and a part that was there before had its foreign key before.
pub(super) fn kept(between: &Between) -> Vec<Proposal> {
    let (main, part) = (&between.moved.main, &between.moved.part);
    let looked_for = format!("a row that comes to {part} has its key looked for in {main}");
    let taken_along = format!("a row of {main} that goes takes that of {part} along");
    let asked: &[_] = match between.moved.way {
        MoveWay::Split => &[
            (Main, looked_for, ["SELECT", "UPDATE"]),
            (Part, taken_along, ["SELECT", "DELETE"]),
        ],
        MoveWay::Merge => &[(Main, looked_for, ["SELECT", "UPDATE"])],
        MoveWay::Move => &[],
    };
    let asked = asked.iter();
    asked
        .filter_map(|(which, what, rights)| lacking(between, *which, what, rights))
        .chain(follows(between))
        .collect()
}

fn lacking(between: &Between, which: OneOfTwo, what: &str, rights: &[&str]) -> Option<Proposal> {
    let protection = between.protection(which);
    let owner = &protection.owner;
    let statements = grants(between, which, owner, &protection.owner_lacks, rights);
    (!statements.is_empty()).then(|| Proposal {
        because: format!(
            "{what} in the name of {owner}, its owner, who lacks the right to: each such write is refused"
        ),
        statements,
    })
}

/// Triggers on part that follow its foreign key.
fn follows(between: &Between) -> Option<Proposal> {
    let Protection {
        owner,
        owner_lacks_on_other: lacks,
        ..
    } = &between.part;
    let statements = grants(between, Main, owner, lacks, &["SELECT", "UPDATE"]);
    let (main, part) = (&between.moved.main, &between.moved.part);
    (!statements.is_empty()).then(|| Proposal {
        because: format!(
            "what happens to a row of {part} by its foreign key to {main} happens in the name of {owner}, its owner, and so do, from PostgreSQL 18 \
             on, the triggers that follow, which read and write {main}: he lacks the right to, and each such write is refused"
        ),
        statements,
    })
}

/// Of the rights, those that are lacking on one of the tables, and to name it.
fn grants(
    between: &Between,
    on: OneOfTwo,
    owner: &str,
    lacks: &[String],
    rights: &[&str],
) -> Vec<String> {
    let lacks = |right: &&str| lacks.iter().any(|lacking| lacking == right);
    let rights: Vec<&str> = rights.iter().copied().filter(lacks).collect();
    let mut statements = Vec::new();
    if !rights.is_empty() {
        let (rights, on) = (rights.join(", "), relation(between.moved.table(on)));
        statements.push(format!("GRANT {rights} ON {on} TO {owner};"));
    }
    if lacks(&"USAGE") {
        let schema = &between.protection(on).schema;
        statements.push(format!("GRANT USAGE ON SCHEMA {schema} TO {owner};"));
    }
    statements
}
