//! Whether the foreign key between the two tables can be kept: the server looks for rows, and takes them along, in the name of the owner of
//! the table that it does so in, who may have less than those who write.

use super::Proposal;
use crate::between::Between;
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
        .collect()
}

fn lacking(between: &Between, which: OneOfTwo, what: &str, rights: &[&str]) -> Option<Proposal> {
    let protection = between.protection(which);
    let (owner, table) = (&protection.owner, between.moved.table(which));
    let lacks = |right: &&str| {
        protection
            .owner_lacks
            .iter()
            .any(|lacking| lacking == right)
    };
    let rights: Vec<&str> = rights
        .iter()
        .copied()
        .filter(|right| lacks(right))
        .collect();
    let mut statements = Vec::new();
    if !rights.is_empty() {
        let (rights, on) = (rights.join(", "), relation(table));
        statements.push(format!("GRANT {rights} ON {on} TO {owner};"));
    }
    if lacks(&"USAGE") {
        let schema = &protection.schema;
        statements.push(format!("GRANT USAGE ON SCHEMA {schema} TO {owner};"));
    }
    (!statements.is_empty()).then(|| Proposal {
        because: format!(
            "{what} in the name of {owner}, its owner, who lacks the right to: each such write is refused"
        ),
        statements,
    })
}
