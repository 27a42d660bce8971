//! The rows that are there before the demo begins, as an older program would have left them.
//!
//! Must not know: the application's code, the load.

use zdm_runtime::database::{Connection, Value};

use super::error::DemoError;
use super::oracle;

/// Rows of one transaction.
const BATCH: i64 = 10_000;

/// Most ages are numbers, some with a leading zero; one in fifty is a word and one in fifty is not given.
// Written before the application starts. zdm: allow cargo_zdm_demo_users
const USERS: &str = "
WITH RECURSIVE n(id) AS (SELECT $1 UNION ALL SELECT id + 1 FROM n WHERE id < $2)
INSERT INTO cargo_zdm_demo_users (id, name, age, email)
SELECT id, 'Seed ' || id,
    CASE id % 50 WHEN 7 THEN 'unknown' WHEN 9 THEN NULL WHEN 11 THEN '0' || (id % 90) ELSE CAST(id % 90 AS text) END,
    'seed' || id || '@example.org'
FROM n";

const ORACLE: &str = "
WITH RECURSIVE n(id) AS (SELECT $1 UNION ALL SELECT id + 1 FROM n WHERE id < $2)
INSERT INTO cargo_zdm_demo_oracle (id, present, name, age, email, writes)
SELECT id, 1, 'Seed ' || id,
    CASE id % 50 WHEN 7 THEN NULL WHEN 9 THEN NULL ELSE id % 90 END,
    'seed' || id || '@example.org', 1
FROM n";

/// Fills the demo's table and the oracle with rows 1 to `rows`.
pub(super) async fn seed(
    connection: &mut Connection,
    rows: i64,
    mut progress: impl FnMut(i64),
) -> Result<(), DemoError> {
    oracle::create(connection).await?;
    let mut first = 1;
    while first <= rows {
        let last = rows.min(first + BATCH - 1);
        connection.begin().await?;
        for sql in [USERS, ORACLE] {
            connection
                .execute(sql, &[Value::from(first), Value::from(last)])
                .await?;
        }
        connection.commit().await?;
        progress(last);
        first = last + 1;
    }
    Ok(())
}
