//! The direct way: a table that is empty or tiny is written anew at once, in one step of expand.
//!
//! Comes in: what a database told about the tables that the user has named. Goes out: why one of them cannot go that way, and
//! which columns are computed on it.
//! Must not know: how tables are measured, which changes go that way.

use zdm_runtime::manifest::SmallTable;

use super::{Plan, Request, Statement};
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
                    "the table holds {}, and nobody could use it while all of it is gone through: that is for {}",
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
        .filter(|statement| statement.takes_all_rows(dialect))
        .map(Statement::table)
        .collect();
    let unused = plan.direct.iter();
    unused
        .filter(|small| !rewritten.contains(&small.table.as_str()))
        .map(|small| {
            let problem = "nothing that changes would write this table anew, or compare all its rows under a lock".to_owned();
            refused(small, problem, "Leave `--direct` out for it".to_owned())
        })
        .collect()
}

/// A column that the database computes out of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Computed {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) expression: String,
    pub(crate) nullable: bool,
    /// The declaration, `src/models.rs:12`.
    pub(crate) source: String,
}

impl Plan {
    /// The columns that the database will compute at once for the rows that are there, out of columns that are there.
    pub(crate) fn computed(&self, dialect: &Dialect) -> Vec<Computed> {
        let steps = self.steps.iter();
        let computed = steps.filter_map(|step| {
            let (Statement::AddColumn { table, column, .. }
            | Statement::ReplaceGenerated { table, column }) = &step.action.statement
            else {
                return None;
            };
            Some(Computed {
                table: table.clone(),
                column: column.name.clone(),
                expression: column.generated.clone().filter(|_| !column.is_virtual)?,
                nullable: column.nullable,
                source: step.source.clone(),
            })
        });
        let is_new = |table: &str, name: &String| {
            let new = self.creates.get(table);
            new.is_some_and(|names| names.columns.contains(name))
        };
        computed
            .filter(|computed| {
                let named = dialect.columns_in(&computed.expression);
                let mut named = named.into_iter().flatten();
                !named.any(|name| is_new(&computed.table, &name))
            })
            .collect()
    }
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
