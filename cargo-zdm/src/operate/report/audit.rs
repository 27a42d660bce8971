//! The audit log, oldest first, and whether somebody has changed it.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use zdm_runtime::audit::{self, Chain};
use zdm_runtime::database::{Row, Value};

use crate::error::{Failure, Kind};
use crate::operate::session::Session;
use crate::terminal::Answer;

/// All entries, or those of one migration; the chain of all is verified in any case.
pub(crate) async fn answer(session: &mut Session, only: Option<usize>) -> Result<Answer, Failure> {
    if !session.is_installed() {
        let object = serde_json::json!({ "audit": [], "chain": null });
        return Answer::done("the audit log is empty", object);
    }
    let id = only.map(|place| session.manifest(place).id.clone());
    let rows = session
        .connection
        .query(
            "SELECT recorded_at, actor, migration, action, outcome, duration_ms, detail, statement
             FROM {zdm}audit WHERE CAST($1 AS text) IS NULL OR migration = $1 ORDER BY entry",
            &[Value::Text(id)],
        )
        .await?;
    let mut text = String::new();
    let mut entries = Vec::new();
    for row in &rows {
        let entry = entry(row)?;
        text.push_str(&entry.line);
        entries.push(entry.object);
    }
    if text.is_empty() {
        text.push_str("the audit log is empty\n");
    }
    let chain = audit::verify(&mut session.connection).await?;
    let whole = chain.as_ref().is_none_or(|chain| chain.findings.is_empty());
    text.push_str(&told(chain.as_ref()));
    let object = serde_json::json!({ "audit": entries, "chain": chain.as_ref().map(object) });
    Answer::ending((!whole).then_some(Kind::Findings), text, object)
}

/// What became of the chain, for people.
fn told(chain: Option<&Chain>) -> String {
    let Some(chain) = chain else {
        return "these control tables are from before the log was a chain: whether an entry was changed is not known; the next \
                command that moves a migration brings them up to date"
            .to_owned();
    };
    let mut text = String::new();
    for finding in &chain.findings {
        let _ = writeln!(text, "not as it was written: {finding}");
    }
    let state = if chain.findings.is_empty() {
        "the chain is whole"
    } else {
        "the chain is broken"
    };
    let _ = write!(text, "{state}: {} entries", chain.entries);
    if !chain.hash.is_empty() {
        let _ = write!(text, ", the last one's hash is {}", chain.hash);
    }
    if chain.unchained > 0 {
        let _ = write!(
            text,
            "; {} entries are from before the chain, which covers their number alone",
            chain.unchained
        );
    }
    if !chain.findings.is_empty() {
        text.push_str(
            "\nsomebody has written to the control tables by hand: compare them with a backup, and find out who may write to them",
        );
    }
    text
}

fn object(chain: &Chain) -> serde_json::Value {
    let findings = chain.findings.iter();
    let findings: Vec<_> = findings
        .map(|found| serde_json::json!({ "finding": found.name(), "told": found.to_string() }))
        .collect();
    serde_json::json!({
        "whole": chain.findings.is_empty(), "entries": chain.entries, "hash": chain.hash,
        "unchained": chain.unchained, "findings": findings,
    })
}

struct Entry {
    line: String,
    object: serde_json::Value,
}

fn entry(row: &Row) -> Result<Entry, Failure> {
    let [
        Value::Int(Some(at)),
        Value::Text(Some(actor)),
        Value::Text(Some(migration)),
        Value::Text(Some(action)),
        Value::Text(Some(outcome)),
        Value::Int(Some(took)),
        Value::Text(Some(detail)),
        Value::Text(statement),
    ] = row.as_slice()
    else {
        return Err(Failure::environment(
            format!("an entry of the audit log is not understood: {row:?}"),
            "use the version of zdm that wrote it",
        ));
    };
    let when = UNIX_EPOCH + Duration::from_millis(u64::try_from(*at).unwrap_or_default());
    let when = humantime::format_rfc3339_millis(when);
    Ok(Entry {
        line: format!("{when}  {actor}  {migration}  {action}: {outcome} ({took} ms)  {detail}\n"),
        object: serde_json::json!({
            "at": when.to_string(), "actor": actor, "migration": migration, "action": action,
            "outcome": outcome, "duration_ms": took, "detail": detail, "statement": statement,
        }),
    })
}
