//! What the handle of an application makes of where a pool of diesel-async's leads to.

use zdm_runtime::database::{Connection, control};
use zdm_runtime::{Error, Zdm};
use zdm_tests::diesel::pool;
use zdm_tests::pgbouncer::PgBouncer;
use zdm_tests::postgres::Server;

use crate::postgres::zdm::CODE;

async fn installed(server: &Server) -> String {
    let url = server.database("app");
    let mut connection = Connection::open(&url).await.unwrap();
    control::install(&mut connection).await.unwrap();
    url
}

/// Not one of them is the version's whose schema is missing here: the handle has come as far as that.
fn asks_for_the_schema(connected: Result<Zdm, Error>) {
    let error = connected.unwrap_err();
    assert!(matches!(error, Error::NotExpanded { .. }), "{error}");
}

#[tokio::test]
async fn an_application_starts_where_its_statements_are_followed_and_nowhere_else() {
    let server = Server::start();
    let url = installed(&server).await;
    asks_for_the_schema(Zdm::connect(pool(&url), &CODE).await);

    let pooler = PgBouncer::before(&server);
    let connected = Zdm::connect(pool(&pooler.url("app")), &CODE).await;
    if pooler.follows_statements() {
        asks_for_the_schema(connected);
    } else {
        let error = connected.unwrap_err();
        assert!(matches!(error, Error::StatementsLost), "{error}");
    }
}

#[tokio::test]
async fn what_is_missing_is_told() {
    let server = Server::start();
    let url = server.database("app");
    let error = Zdm::connect(pool(&url), &CODE).await.unwrap_err();
    assert!(matches!(error, Error::NoControlTables), "{error}");

    let mut operator = Connection::open(&url).await.unwrap();
    control::install(&mut operator).await.unwrap();
    let role = "CREATE ROLE stranger LOGIN";
    operator.execute(role, &[]).await.unwrap();
    let stranger = format!("{url}&user=stranger");
    let error = Zdm::connect(pool(&stranger), &CODE).await.unwrap_err();
    assert!(matches!(error, Error::NotGranted { .. }), "{error}");
    assert!(
        error.to_string().contains("GRANT USAGE ON SCHEMA zdm"),
        "{error}"
    );
    assert!(error.diesel().is_some());

    let replica = "ALTER DATABASE app SET default_transaction_read_only = on";
    operator.execute(replica, &[]).await.unwrap();
    for table in ["users"] {
        let fence = "INSERT INTO {zdm}fence (table_name, epoch) VALUES ($1, 1)";
        operator.execute(fence, &[table.into()]).await.unwrap();
    }
    let error = Zdm::connect(pool(&url), &crate::under_load::CODE)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error}");

    let nobody = pool("postgres://nobody@127.0.0.1:1/none");
    let error = Zdm::connect(nobody, &CODE).await.unwrap_err();
    assert!(matches!(error.sqlx(), Some(sqlx::Error::Io(_))), "{error}");
}
