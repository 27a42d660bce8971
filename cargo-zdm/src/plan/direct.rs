//! The direct way: a table that is empty or tiny is written anew at once, in one step of expand.
//!
//! Comes in: what a database told about the tables that the user has named. Goes out: why one of them cannot go that way.
//! Must not know: how tables are measured, which changes go that way.

use zdm_runtime::manifest::SmallTable;

use super::{Plan, Request};
use crate::changes::ChangeError;
use crate::dialect::Dialect;
use crate::diff::Place;

/// Why the way makes no sense on a database at all.
pub(crate) fn pointless(dialect: &Dialect) -> Option<String> {
    (!dialect.capabilities().alter_in_place).then(|| {
        format!(
            "{} has no queue of locks: what it cannot alter it builds anew in any case, whatever the table holds",
            dialect.vendor()
        )
    })
}

/// What keeps named tables from being written anew at once.
pub(super) fn mistakes(request: &Request<'_>) -> Vec<ChangeError> {
    let pointless = pointless(request.dialect);
    let tables = request.direct.iter();
    tables
        .filter_map(|small| {
            if let Some(problem) = &pointless {
                let way_on = "Leave `--direct` out".to_owned();
                return Some(refused(small, problem.clone(), way_on));
            }
            if request.from.table(&small.table).is_none() {
                let problem = "the last version has no table of that name".to_owned();
                let way_on = "Correct the name, or leave `--direct` out".to_owned();
                return Some(refused(small, problem, way_on));
            }
            (!small.is_small()).then(|| {
                let problem = format!(
                    "the table holds {}, and nobody could use it while it is written anew: that is for {}",
                    small.held(),
                    small.limit()
                );
                let way_on = "Leave `--direct` out; the limits are `direct_rows` and `direct_bytes` below [policy] in zdm.toml"
                    .to_owned();
                refused(small, problem, way_on)
            })
        })
        .collect()
}

/// Tables that were named and that no step writes anew.
pub(super) fn unused(plan: &Plan, dialect: &Dialect) -> Vec<ChangeError> {
    let rewritten: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| &step.action.statement)
        .filter(|statement| statement.rewrites(dialect))
        .map(super::Statement::table)
        .collect();
    let unused = plan.direct.iter();
    unused
        .filter(|small| !rewritten.contains(&small.table.as_str()))
        .map(|small| {
            let problem = "nothing that changes would write this table anew".to_owned();
            refused(small, problem, "Leave `--direct` out for it".to_owned())
        })
        .collect()
}

fn refused(small: &SmallTable, problem: String, way_on: String) -> ChangeError {
    ChangeError::Declaration {
        at: Box::new(Place {
            table: small.table.clone(),
            source: "--direct".to_owned(),
        }),
        subject: small.table.clone(),
        problem,
        way_on,
    }
}
