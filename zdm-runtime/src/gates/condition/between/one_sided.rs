//! Row security that does not say of both tables the same any more: rights and policies change while a migration is under way.

use super::security::policy_of_rows;
use super::{Proposal, named};
use crate::between::{self, Between, Role};
use crate::database::catalogue::relation;
use crate::losses::quoted;
use crate::manifest::OneOfTwo::{Main, Part};
use crate::manifest::{MoveWay, OneOfTwo};

/// Triggers compare the two tables in the name of who made them, and row security hides rows from him since: each write would fail.
pub(super) fn hidden_from_triggers(between: &Between) -> Vec<Proposal> {
    let both = [Main, Part].into_iter();
    both.flat_map(|which| hidden_in(between, which)).collect()
}

fn hidden_in(between: &Between, which: OneOfTwo) -> Vec<Proposal> {
    let table = between.moved.table(which);
    let protection = between.protection(which);
    let proposal = |role: &String| Proposal {
        because: format!(
            "triggers compare {} and {} in the name of {role}, from whom row security hides rows of {table}: it refuses each write of \
             those to whom it applies",
            between.moved.main, between.moved.part
        ),
        statements: if protection.forced && protection.owner == *role {
            let table = relation(table);
            vec![
                format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;"),
                format!("-- or, as a superuser: ALTER ROLE {role} BYPASSRLS"),
            ]
        } else {
            vec![format!("ALTER ROLE {role} BYPASSRLS;")]
        },
    };
    protection.hidden_from.iter().map(proposal).collect()
}

/// Another owner of one of the tables will have row security apply to the role on both, or on neither.
pub(super) fn is_for_an_owner(between: &Between, role: &Role) -> bool {
    between.main.owner != between.part.owner && applies_once(between, role).is_some()
}

/// Of two protected tables one lets somebody do everything as its owner, whom the other's policies tell apart.
pub(super) fn applies_once(between: &Between, role: &Role) -> Option<Proposal> {
    let (main, part) = (&between.main, &between.part);
    let applies = |which| role.held(which).secured.is_some();
    if !main.enabled || !part.enabled || applies(Main) == applies(Part) {
        return None;
    }
    let (on, off) = if applies(Main) {
        (Main, Part)
    } else {
        (Part, Main)
    };
    let (bound, free) = (between.moved.table(on), between.moved.table(off));
    let (on_free, on_bound) = (relation(free), relation(bound));
    let statements = if main.owner == part.owner {
        vec![
            format!("ALTER TABLE {on_free} FORCE ROW LEVEL SECURITY;"),
            format!("-- or ALTER TABLE {on_bound} NO FORCE ROW LEVEL SECURITY"),
        ]
    } else {
        let source = between.moved.source();
        let table = relation(between.moved.table(source.other()));
        let owner = &between.protection(source).owner;
        let there = between.protection(source.other());
        // Who is no superuser may give a table to those alone who might make one there; and its rows go with main's in its owner's name.
        let rights = there.other_owner_lacks.join(", ");
        let given = (!rights.is_empty())
            .then(|| format!("GRANT {rights} ON SCHEMA {} TO {owner};", there.schema));
        let handed = format!("ALTER TABLE {table} OWNER TO {owner};");
        given.into_iter().chain([handed]).collect()
    };
    Some(Proposal {
        because: format!(
            "row security of {bound} applies to {}, and that of {free} does not: it has the rights of its owner",
            named(role)
        ),
        statements,
    })
}

/// Part's policy asks who sees main's row, and main's policies let people see what they may not change since.
pub(super) fn followed_no_longer(between: &Between) -> Option<Proposal> {
    let moved = &between.moved;
    if moved.way != MoveWay::Split || !between.part.follows || between.main.alike {
        return None;
    }
    let (main, part) = (&moved.main, relation(&moved.part));
    let name = quoted(&between::name_of_row_policy(main));
    let there = between.main.policies.iter();
    let mut statements: Vec<String> = there
        .map(|policy| format!("-- on {main}: {policy}"))
        .collect();
    statements.extend([
        format!("DROP POLICY {name} ON {part};"),
        policy_of_rows(between),
        format!(
            "-- and policies for INSERT, UPDATE and DELETE; or, where others beside it say the same of writing: ALTER POLICY {name} ON {part} RENAME TO …"
        ),
    ]);
    Some(Proposal {
        because: format!(
            "the policy {name} lets everybody write the rows of {} whose row of {main} he sees, and policies of {main} say another thing \
             of reading than of writing",
            moved.part
        ),
        statements,
    })
}
