//! The audit log, oldest first.

use std::time::{Duration, UNIX_EPOCH};

use zdm_runtime::database::{Row, Value};

use crate::error::Failure;
use crate::operate::session::Session;
use crate::terminal::Answer;

/// All entries, or those of one migration.
pub(crate) async fn answer(session: &mut Session, only: Option<usize>) -> Result<Answer, Failure> {
    let id = only.map(|place| session.manifest(place).id.clone());
    let rows = if session.is_installed() {
        session
            .connection
            .query(
                "SELECT recorded_at, actor, migration, action, outcome, duration_ms, detail, statement
                 FROM {zdm}audit WHERE CAST($1 AS text) IS NULL OR migration = $1 ORDER BY entry",
                &[Value::Text(id)],
            )
            .await?
    } else {
        Vec::new()
    };
    let mut text = String::new();
    let mut entries = Vec::new();
    for row in &rows {
        let entry = entry(row)?;
        text.push_str(&entry.line);
        entries.push(entry.object);
    }
    if text.is_empty() {
        text.push_str("the audit log is empty");
    }
    Answer::done(text, serde_json::json!({ "audit": entries }))
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
