//! Who is out there: the instances that write a migration's tables, what their code knows and what they have seen.

use std::time::Duration;

use crate::Error;
use crate::code::CodeState;
use crate::control_value::{integer, optional_text, text};
use crate::database::{Connection, control};

/// An instance with a repository of one of the migration's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name in the control tables.
    pub instance: String,
    /// For people: its name and its process.
    pub label: String,
    /// What it calls itself, by which it is in a share of instances or not; `None`: its runtime is from before there were such shares,
    /// and takes part in none.
    pub name: Option<String>,
    /// Its lease has not ended.
    pub living: bool,
    /// Milliseconds until its lease ends; negative: since it ended.
    pub lease_left_ms: i64,
    /// What its code can do about the migration; `None`: it was generated before.
    pub code: Option<CodeState>,
    /// How many of the migration's tables are at another epoch than it acknowledged: an older one, or, after a restore of the
    /// database, a later one.
    pub behind: i64,
    /// What holds its readers back at `live`, in words.
    pub held: Option<String>,
}

/// Every instance that matters to a migration.
pub async fn members(connection: &mut Connection, migration: &str) -> Result<Vec<Member>, Error> {
    let (_, name) = control::by_instance(connection).await?;
    let held = control::held(connection).await?;
    let sql = format!(
        "SELECT i.instance, i.label, i.lease_until - {{now}}, c.code_state, \
         count(CASE WHEN a.epoch <> f.epoch THEN 1 END), max({name}), max({held}) \
         FROM {{zdm}}stage_table t \
         JOIN {{zdm}}fence f ON f.table_name = t.table_name \
         JOIN {{zdm}}instance_fence a ON a.table_name = t.table_name \
         JOIN {{zdm}}instance i ON i.instance = a.instance \
         LEFT JOIN {{zdm}}instance_code c ON c.instance = i.instance AND c.migration = t.migration \
         WHERE t.migration = $1 \
         GROUP BY i.instance, i.label, i.lease_until, c.code_state ORDER BY i.label, i.instance"
    );
    let rows = connection.query(&sql, &[migration.into()]).await?;
    rows.iter()
        .map(|row| {
            let left = integer(row, 2)?;
            Ok(Member {
                instance: text(row, 0)?,
                label: text(row, 1)?,
                name: optional_text(row, 5)?,
                living: left > 0,
                lease_left_ms: left,
                code: optional_text(row, 3)?
                    .map(|name| code_state(&name))
                    .transpose()?,
                behind: integer(row, 4)?,
                held: optional_text(row, 6)?,
            })
        })
        .collect()
}

/// Forgets instances whose lease ended longer ago than `silence`; their processes, should one still sleep, register anew.
/// All of an instance goes or nothing: without its fences the gates would not see it.
pub async fn forget(connection: &mut Connection, silence: Duration) -> Result<u64, Error> {
    connection.begin().await?;
    let forgotten = forget_within(connection, silence).await;
    connection.end(forgotten).await
}

/// The instances first: one that wakes now waits for their rows, finds its own gone and registers anew.
async fn forget_within(connection: &mut Connection, silence: Duration) -> Result<u64, Error> {
    let silence = i64::try_from(silence.as_millis()).unwrap_or(i64::MAX);
    let forgotten = connection
        .query(
            "DELETE FROM {zdm}instance WHERE {now} - lease_until > $1 RETURNING instance",
            &[silence.into()],
        )
        .await?;
    for instance in &forgotten {
        for table in ["instance_fence", "instance_code"] {
            let sql = format!("DELETE FROM {{zdm}}{table} WHERE instance = $1");
            connection.execute(&sql, instance).await?;
        }
    }
    Ok(forgotten.len() as u64)
}

fn code_state(name: &str) -> Result<CodeState, Error> {
    CodeState::of_name(name).ok_or_else(|| Error::Unreadable {
        what: format!("the code state `{name}`"),
    })
}
