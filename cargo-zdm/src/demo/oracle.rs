//! The oracle: a plain table beside the demo's own, which holds what was written last and how often.
//!
//! It is written in the transaction of the write that it records, so it is right at every moment in every snapshot: a
//! read that differs is stale, a row that differs is lost.
//! Must not know: columns that the migration changes, stages.

use zdm_runtime::database::{Connection, DatabaseError, Row, Value};

use super::error::WorkError;
use super::person::Person;

/// The table's name.
pub(super) const TABLE: &str = "cargo_zdm_demo_oracle";

const CREATE: &str = "
CREATE TABLE cargo_zdm_demo_oracle (
    id bigint PRIMARY KEY,
    present bigint NOT NULL,
    name text,
    age bigint,
    email text,
    writes bigint NOT NULL
)";

const RECORD: &str = "
INSERT INTO cargo_zdm_demo_oracle (id, present, name, age, email, writes) VALUES ($1, 1, $2, $3, $4, 1)
ON CONFLICT (id) DO UPDATE SET present = 1, name = excluded.name, age = excluded.age, email = excluded.email,
    writes = cargo_zdm_demo_oracle.writes + 1
RETURNING writes";

const RECORD_NAME: &str = "UPDATE cargo_zdm_demo_oracle SET name = $2, writes = writes + 1 WHERE id = $1 RETURNING writes";

const RECORD_AGE: &str =
    "UPDATE cargo_zdm_demo_oracle SET age = $2, writes = writes + 1 WHERE id = $1 RETURNING writes";

const RECORD_DELETE: &str = "UPDATE cargo_zdm_demo_oracle SET present = 0, writes = writes + 1 WHERE id = $1 RETURNING writes";

const RANGE: &str = "
SELECT id, name, age, email FROM cargo_zdm_demo_oracle
WHERE present = 1 AND id > $1 AND id <= $2 ORDER BY id";

const ONE: &str =
    "SELECT id, name, age, email FROM cargo_zdm_demo_oracle WHERE present = 1 AND id = $1";

/// Creates the table; fails where one of that name exists.
pub(super) async fn create(connection: &mut Connection) -> Result<(), DatabaseError> {
    connection.run_file(CREATE).await
}

/// Records that the row is now this one. Returns how often the key was written.
pub(super) async fn record(connection: &mut Connection, person: &Person) -> Result<i64, WorkError> {
    let values = [
        person.id.into(),
        person.name.as_str().into(),
        Value::Int(person.age.map(i64::from)),
        person.email.as_str().into(),
    ];
    let rows = connection.query(RECORD, &values).await?;
    count(person.id, &rows)
}

/// Records that the name is now this one.
pub(super) async fn record_name(
    connection: &mut Connection,
    id: i64,
    name: &str,
) -> Result<i64, WorkError> {
    let rows = connection
        .query(RECORD_NAME, &[id.into(), name.into()])
        .await?;
    count(id, &rows)
}

/// Records that the age is now this person's.
pub(super) async fn record_age(
    connection: &mut Connection,
    person: &Person,
) -> Result<i64, WorkError> {
    let age = Value::Int(person.age.map(i64::from));
    let rows = connection
        .query(RECORD_AGE, &[person.id.into(), age])
        .await?;
    count(person.id, &rows)
}

/// Records that the row is gone.
pub(super) async fn record_delete(connection: &mut Connection, id: i64) -> Result<i64, WorkError> {
    let rows = connection.query(RECORD_DELETE, &[id.into()]).await?;
    count(id, &rows)
}

/// What the row should be.
pub(super) async fn one(connection: &mut Connection, id: i64) -> Result<Option<Person>, WorkError> {
    let rows = connection.query(ONE, &[id.into()]).await?;
    rows.first().map(person).transpose()
}

/// What the rows after one key and up to another should be, in key order.
pub(super) async fn range(
    connection: &mut Connection,
    after: i64,
    end: i64,
) -> Result<Vec<Person>, WorkError> {
    let rows = connection.query(RANGE, &[after.into(), end.into()]).await?;
    rows.iter().map(person).collect()
}

/// Per key how often it was written, in key order.
pub(super) async fn counts(connection: &mut Connection) -> Result<Vec<(i64, i64)>, WorkError> {
    let rows = connection
        .query(
            "SELECT id, writes FROM cargo_zdm_demo_oracle ORDER BY id",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| match row.as_slice() {
            [Value::Int(Some(id)), Value::Int(Some(writes))] => Ok((*id, *writes)),
            other => Err(WorkError::Answer(format!("{TABLE} answered {other:?}"))),
        })
        .collect()
}

fn count(id: i64, rows: &[Row]) -> Result<i64, WorkError> {
    match rows {
        [row] => match row.as_slice() {
            [Value::Int(Some(writes))] => Ok(*writes),
            other => Err(WorkError::Answer(format!("{TABLE} answered {other:?}"))),
        },
        _ => Err(WorkError::Answer(format!(
            "a row with key {id} was changed that nobody ever wrote"
        ))),
    }
}

fn person(row: &Row) -> Result<Person, WorkError> {
    let strange = || WorkError::Answer(format!("{TABLE} answered {row:?}"));
    let [
        Value::Int(Some(id)),
        Value::Text(Some(name)),
        age,
        Value::Text(Some(email)),
    ] = row.as_slice()
    else {
        return Err(strange());
    };
    // SQLite tells a NULL's kind by nothing: it comes as text.
    let age = match age {
        Value::Int(Some(age)) => Some(i32::try_from(*age).map_err(|_| strange())?),
        Value::Int(None) | Value::Text(None) => None,
        Value::Text(Some(_)) => return Err(strange()),
    };
    Ok(Person {
        id: *id,
        name: name.clone(),
        age,
        email: email.clone(),
    })
}
