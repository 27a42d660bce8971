//! Search by name and age: a handwritten query that takes part in the migrations of `accounts`.
//!
//! The repository has no such query, so this one is put together from the table's generated fragments: what to select,
//! what stands for the age. Its text therefore follows the stage, and it is repeated where the stage has moved meanwhile.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::failure::Failure;
use crate::models::Account;
use crate::service::Service;
use crate::zdm::accounts::{Accounts, fragments};

/// Who is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// A part of the name, in any case.
    name: String,
    /// In years; whose age is not known is not found.
    min_age: i32,
}

/// Looking into other people's accounts leaves a trace, in the transaction that looks.
pub(crate) async fn search(
    State(service): State<Arc<Service>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Account>>, Failure> {
    let mut transaction = service.pool.begin().await?;
    let found = matching(&service.accounts, &mut transaction, &wanted).await?;
    let detail = format!("name {:?}, from {} years", wanted.name, wanted.min_age);
    service
        .record(&mut transaction, "accounts.searched", None, detail)
        .await?;
    transaction.commit().await?;
    Ok(Json(found))
}

async fn matching(
    accounts: &Accounts,
    conn: &mut PgConnection,
    wanted: &Wanted,
) -> Result<Vec<Account>, zdm_runtime::Error> {
    let mut flags = accounts.flags().current();
    loop {
        let query = format!(
            "SELECT {} FROM {} \
             WHERE strpos(lower(full_name), lower($1)) > 0 AND {} >= $2 ORDER BY id LIMIT 100",
            fragments::SELECT_LIST,
            fragments::TABLE,
            fragments::age(flags),
        );
        let rows = sqlx::query(AssertSqlSafe(query))
            .bind(&wanted.name)
            .bind(wanted.min_age)
            .fetch_all(&mut *conn)
            .await?;
        if let Some(found) = accounts.read_all(&mut *conn, &rows, flags).await? {
            return Ok(found);
        }
        flags = accounts.flags().refresh(&mut *conn).await?;
    }
}
