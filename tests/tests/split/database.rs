//! A database with the version of the split expanded, and its reviewed sections.

use zdm_runtime::database::{Connection, Value};
use zdm_runtime::migration::Migration;
pub(crate) use zdm_tests::operator::{of_case, run};

use crate::golden::case;

/// The tables before the split, with what old code has written; then the split's expand.
pub(crate) async fn expanded(url: &str, rows: &str) -> (Connection, Migration) {
    of_case(&case(), url, rows).await
}

/// An address, as text.
pub(crate) type Text = (Option<String>, Option<String>);

/// What a query gives: two texts in a row.
pub(crate) async fn texts(connection: &mut Connection, query: &str) -> Vec<Text> {
    let rows = connection.query(query, &[]).await.unwrap();
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [Value::Text(street), Value::Text(postal)] => (street.clone(), postal.clone()),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// What both tables hold of a user's address; `None` where the table has no such row.
pub(crate) async fn sides(connection: &mut Connection, id: i64) -> (Option<Text>, Option<Text>) {
    let old = format!("SELECT street, postal FROM users WHERE id = {id}");
    let new = format!("SELECT street, postal_code FROM addresses WHERE user_id = {id}");
    (
        texts(connection, &old).await.pop(),
        texts(connection, &new).await.pop(),
    )
}

pub(crate) fn sqlite() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/split.db?mode=rwc", folder.path().display());
    (folder, url)
}

pub(crate) fn postgres() -> (zdm_tests::postgres::Server, String) {
    let server = zdm_tests::postgres::Server::start();
    let url = server.database("split");
    (server, url)
}
