//! Statements that are prepared go on while a type is widened under them, as generated code names its columns.

use cargo_zdm::dialect::Dialect;
use sqlx::{Connection as _, PgConnection};
use zdm_runtime::database::{Connection, control};
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_tests::cases::Case;
use zdm_tests::postgres::Server;
use zdm_tests::seed::seed;

/// With a cast to the type without bounds, as generated code writes its lists.
const LIST: &str = "SELECT id, phone::text AS phone, city::text AS city FROM users WHERE id = $1";
/// As somebody would write it by hand.
const BARE: &str = "SELECT id, phone, city FROM users WHERE id = $1";
const UPDATE: &str = "UPDATE users SET phone = $2::text, city = $2::text WHERE id = $1";

#[tokio::test]
async fn lists_with_a_cast_survive_a_wider_type_and_bare_ones_do_not() {
    let server = Server::start();
    let url = server.database("app");
    let dialect = Dialect::named("postgres").unwrap();
    let mut owner = Connection::open(&url).await.unwrap();
    control::install(&mut owner).await.unwrap();
    let mut cases = Case::all().into_iter();
    let case = cases.find(|case| case.name == "widen_type/text");
    let case = case.expect("the case is there");
    let foundation = case.foundation(&dialect);
    for step in foundation
        .manifest()
        .steps_of(Section::Expand, Direction::Up)
    {
        owner.run_file(foundation.sql(step)).await.unwrap();
    }
    seed(&mut owner, &case.schema("v1.rs"), &dialect).await;

    let mut application = PgConnection::connect(&url).await.unwrap();
    for statement in [LIST, BARE] {
        read(&mut application, statement).await.unwrap();
    }
    write(&mut application, "12").await.unwrap();
    let migration = case.migration(&dialect);
    for step in migration
        .manifest()
        .steps_of(Section::Expand, Direction::Up)
    {
        owner.run_file(migration.sql(step)).await.unwrap();
    }
    read(&mut application, LIST).await.unwrap();
    let error = read(&mut application, BARE).await.unwrap_err().to_string();
    assert!(
        error.contains("cached plan must not change result type"),
        "{error}"
    );
    // A value that old would have refused.
    write(&mut application, &"1".repeat(40)).await.unwrap();
}

async fn read(connection: &mut PgConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statement)
        .bind(1_i64)
        .fetch_one(connection)
        .await
        .map(drop)
}

async fn write(connection: &mut PgConnection, value: &str) -> Result<(), sqlx::Error> {
    let update = sqlx::query(UPDATE).bind(1_i64).bind(value);
    update.execute(connection).await.map(drop)
}
