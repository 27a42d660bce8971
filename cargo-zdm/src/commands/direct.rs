//! `--direct`: whether tables are small enough to be written anew at once, and the offer where one is.
//!
//! Comes in: names of tables, or why there is no plan. Goes out: what the database on the command line tells of them, or lines
//! to tell.
//! Must not know: which changes go that way.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use zdm_runtime::manifest::SmallTable;

use super::measured;
use crate::config::Policy;
use crate::context::Context;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::pipeline::{Draft, PipelineError};
use crate::plan::{self, BuildError};

/// What is asked with: which database, how large a table may be, how long an answer may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) context: &'a Context,
    pub(super) policy: &'a Policy,
    pub(super) dialect: &'a str,
    pub(super) deadline: Duration,
}

impl Asking<'_> {
    /// What the named tables hold. Unknown is not small.
    pub(super) fn named(self, tables: &[String]) -> Result<Vec<SmallTable>, Failure> {
        let Some(first) = tables.first() else {
            return Ok(Vec::new());
        };
        let dialect = Dialect::named(self.dialect).map_err(PipelineError::from)?;
        if let Some(reason) = plan::pointless(&dialect) {
            return Err(Failure::usage(
                format!("--direct {first}: {reason}"),
                "leave --direct out",
            )
            .safe("nothing has been written"));
        }
        let Some(url) = self.context.named_database_url() else {
            return Err(Failure::usage(
                format!("--direct {first}: only a database can tell whether the table is small enough to be gone through at once"),
                "name one with --database-url: the one where the table is largest",
            )
            .safe("nothing has been written"));
        };
        let sizes = measured::sizes(url, &self.limits(tables), &dialect, self.deadline)?;
        let mut small = Vec::new();
        for (table, size) in tables.iter().zip(sizes) {
            small.push(size.map_err(|reason| {
                Failure::environment(
                    format!("--direct {table}: how large the table is could not be told: {reason}"),
                    "mend the cause, or leave --direct out",
                )
                .safe("nothing has been written")
            })?);
        }
        Ok(small)
    }

    /// Refuses where the database cannot compute a column for the rows that are there, as the step would have to.
    pub(super) fn compute(self, draft: &Draft) -> Result<(), Failure> {
        let computed = draft.computed();
        let (Some(url), false) = (self.context.named_database_url(), computed.is_empty()) else {
            return Ok(());
        };
        let found = measured::incomputable(url, &computed, draft.dialect(), self.deadline)?;
        if found.is_empty() {
            return Ok(());
        }
        Err(Failure::findings(
            format!(
                "this database cannot compute a column for the rows that are there\n  {}",
                found.join("\n  ")
            ),
            "mend the rows or the expression; a field that is an `Option` may be NULL",
        )
        .safe("nothing has been written; the database was only read"))
    }

    /// Lines about the tables that stand in the way of a plan by their size alone, where a database is named.
    pub(super) fn offers(self, refused: &BuildError) -> String {
        let BuildError::Changes(errors) = refused else {
            return String::new();
        };
        let tables: BTreeSet<&str> = errors
            .iter()
            .filter_map(|error| error.rewritten())
            .collect();
        let tables: Vec<String> = tables.into_iter().map(str::to_owned).collect();
        let (Some(url), false) = (self.context.named_database_url(), tables.is_empty()) else {
            return String::new();
        };
        let mut lines = String::new();
        let sizes = Dialect::named(self.dialect)
            .map_err(|error| PipelineError::from(error).into())
            .and_then(|dialect| {
                measured::sizes(url, &self.limits(&tables), &dialect, self.deadline)
            });
        let sizes = match sizes {
            Ok(sizes) => sizes,
            Err(failure) => {
                let _ = write!(
                    lines,
                    "\nhow large they are could not be told: {}",
                    failure.message
                );
                return lines;
            }
        };
        for (table, size) in tables.iter().zip(sizes) {
            let _ = match size {
                Err(reason) => write!(lines, "\nhow large {table} is could not be told: {reason}"),
                Ok(size) if size.is_small() => write!(
                    lines,
                    "\n{table} is small, it holds {}: with `--direct {table}` that is done at once, in one step of expand",
                    size.held()
                ),
                Ok(size) => write!(
                    lines,
                    "\n{table} holds {}, too much to be gone through at once: that is for {}",
                    size.held(),
                    size.limit()
                ),
            };
        }
        lines
    }

    fn limits(self, tables: &[String]) -> Vec<SmallTable> {
        let tables = tables.iter();
        tables
            .map(|table| SmallTable {
                table: table.clone(),
                rows: 0,
                bytes: 0,
                most_rows: self.policy.direct_rows,
                most_bytes: self.policy.direct_bytes,
            })
            .collect()
    }
}
