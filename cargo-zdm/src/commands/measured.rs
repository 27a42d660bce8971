//! What `generate` asks of a database before it writes anything: rows that cannot be converted, and what is lost.
//!
//! Comes in: the draft. Goes out: facts recorded in it, and what to tell; or the refusal to go on.
//! Must not know: the questions.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use zdm_runtime::manifest::SmallTable;

use super::generate::Told;
use crate::context::{Context, shown_url};
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::measure::{self, Finding};
use crate::operate::{self, session};
use crate::pipeline::{Draft, PipelineError};
use crate::plan::Computed;

/// Asks the database that the command line names, if it names one. The environment does not count: `generate` gives the same
/// wherever it runs, unless somebody asks for more.
pub(super) fn record(
    context: &Context,
    draft: &mut Draft,
    deadline: Duration,
) -> Result<Told, Failure> {
    let Some(url) = context.named_database_url() else {
        return Ok(Told::default());
    };
    let findings = if draft.pairs().iter().any(measure::is_open) {
        let dialect = draft.dialect();
        operate::block_on(async {
            let mut connection = session::connect_to_read(url, dialect.name()).await?;
            let findings = measure::ask(&mut connection, draft.pairs(), dialect, deadline).await;
            Ok(findings.map_err(PipelineError::from)?)
        })
        .map_err(|failure| failure.safe("nothing has been written"))?
    } else {
        Vec::new()
    };
    let computed = draft.pairs().iter().any(|pair| pair.with.is_some());
    let mut lines = if findings.is_empty() && computed {
        String::new()
    } else {
        told(&shown_url(url), &findings)
    };
    for pair in draft.pairs() {
        if let Some(function) = &pair.with {
            let _ = writeln!(
                lines,
                "    {}.{}: not counted, because no database can call {}",
                pair.table, pair.new.name, function.path
            );
        }
    }
    let told = Told {
        lines,
        object: findings.iter().map(object).collect(),
    };
    if findings.iter().any(Finding::is_refuted) {
        return Err(refuted(&findings, told.object));
    }
    for finding in &findings {
        draft.record(&finding.table, &finding.column, &finding.measured);
    }
    Ok(told)
}

/// Asks a database how large tables are.
pub(super) fn sizes(
    url: &str,
    tables: &[SmallTable],
    dialect: &Dialect,
    deadline: Duration,
) -> Result<Vec<Result<SmallTable, String>>, Failure> {
    operate::block_on(async {
        let mut connection = session::connect_to_read(url, dialect.name()).await?;
        let sizes = measure::sizes(&mut connection, tables, dialect, deadline).await;
        Ok(sizes.map_err(PipelineError::from)?)
    })
    .map_err(|failure| failure.safe("nothing has been written"))
}

/// Has a database compute columns for the rows that are there; what stands in the way.
pub(super) fn incomputable(
    url: &str,
    columns: &[Computed],
    dialect: &Dialect,
    deadline: Duration,
) -> Result<Vec<String>, Failure> {
    operate::block_on(async {
        let mut connection = session::connect_to_read(url, dialect.name()).await?;
        let found = measure::incomputable(&mut connection, columns, dialect, deadline).await;
        Ok(found.map_err(PipelineError::from)?)
    })
    .map_err(|failure| failure.safe("nothing has been written"))
}

fn told(url: &str, findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "  nothing to count: every conversion is built in\n".to_owned();
    }
    let mut lines = format!("  counted on {url}\n");
    for finding in findings {
        for line in finding.lines() {
            let _ = writeln!(lines, "    {}: {line}", finding.name());
        }
    }
    lines
}

fn object(finding: &Finding) -> Value {
    json!({
        "table": finding.table, "column": finding.column, "on_invalid": finding.rule,
        "rows": finding.measured.rows, "edges": finding.measured.edges, "examples": finding.examples,
    })
}

fn refuted(findings: &[Finding], object: Value) -> Failure {
    let at = |finding: &Finding| format!("{}: {}", finding.source, finding.name());
    let misunderstood = findings.iter().flat_map(|finding| {
        let told = finding.misunderstood.iter();
        told.map(move |told| format!("{}: {told}", at(finding)))
    });
    let misunderstood: Vec<String> = misunderstood.collect();
    let rows = findings.iter().filter_map(|finding| {
        let facts = finding.refuting_rows()?;
        Some(format!("{}: {}", at(finding), finding.unconvertible(facts)))
    });
    let rows: Vec<String> = rows.collect();
    let (mut problems, mut ways_on) = (Vec::new(), Vec::new());
    if !misunderstood.is_empty() {
        problems.push(format!(
            "this database does not understand what is declared\n  {}",
            misunderstood.join("\n  ")
        ));
        ways_on.push("mend the SQL in the struct, or create in the database what it names");
    }
    if !rows.is_empty() {
        problems.push(format!(
            "`up` is declared to convert every row, and this database holds others\n  {}",
            rows.join("\n  ")
        ));
        ways_on.push(
            "mend the rows, or say in the struct what becomes of them: `on_invalid = \"quarantine\"`, `\"null\"`, \
             `default(\"…\")` or `\"reject\"`, and `valid_if = \"…\"` where the database converts without an error",
        );
    }
    Failure::findings(problems.join("\n"), ways_on.join("; "))
        .safe("nothing has been written; the database was only read")
        .with_measured(object)
}
