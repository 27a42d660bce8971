//! What the handle of an application makes of a pooler.

use std::str::FromStr as _;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor as _, PgPool};
use zdm_runtime::database::{Connection, control};
use zdm_runtime::{Error, Zdm};
use zdm_tests::pgbouncer::PgBouncer;
use zdm_tests::postgres::Server;

use crate::old::zdm::CODE;

/// Not one of them is the version's whose schema is missing here: the handle has come as far as that.
fn asks_for_the_schema(connected: &Result<Zdm, Error>) {
    let error = connected.as_ref().unwrap_err();
    assert!(matches!(error, Error::NotExpanded { .. }), "{error}");
}

async fn installed(server: &Server) -> String {
    let url = server.database("app");
    let mut connection = Connection::open(&url).await.unwrap();
    control::install(&mut connection).await.unwrap();
    url
}

#[tokio::test]
async fn an_application_starts_where_its_statements_are_followed_and_nowhere_else() {
    let server = Server::start();
    let url = installed(&server).await;
    let direct = PgPool::connect(&url).await.unwrap();
    asks_for_the_schema(&Zdm::connect(direct, &CODE).await);

    let pooler = PgBouncer::before(&server);
    for cache in [100, 0] {
        let options = PgConnectOptions::from_str(&pooler.url("app")).unwrap();
        let options = options
            .extra_float_digits(None)
            .statement_cache_capacity(cache);
        let pool = PgPoolOptions::new().connect_lazy_with(options);
        let connected = Zdm::connect(pool, &CODE).await;
        if pooler.follows_statements() {
            asks_for_the_schema(&connected);
            continue;
        }
        let error = connected.unwrap_err();
        assert!(matches!(error, Error::StatementsLost), "{error}");
        assert!(
            error.to_string().contains("max_prepared_statements"),
            "{error}"
        );
    }
}

/// Why: what is prepared for one client is executed for another, without an error.
#[tokio::test]
async fn a_statement_that_is_not_followed_may_be_another_clients() {
    let server = Server::start();
    server.database("app");
    let pooler = PgBouncer::before(&server);
    if pooler.follows_statements() {
        return;
    }
    pooler.in_each_session("app", "SELECT ''").await;
    let pool = pooler.pool("app").await;
    let (mut one, mut other) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    let mut lost = 0;
    for number in 0..20 {
        one.execute("SELECT 1").await.unwrap();
        let sums = [
            (&mut one, "SELECT $1 + 1", number + 1),
            (&mut other, "SELECT $1 + 2", number + 2),
        ];
        for (connection, sql, expected) in sums {
            let found: Result<i32, _> = sqlx::query_scalar(sql)
                .bind(number)
                .fetch_one(&mut **connection)
                .await;
            lost += i32::from(found.ok() != Some(expected));
        }
    }
    assert!(
        lost > 0,
        "every statement was found, so nothing would have to be refused"
    );
}
