//! A role from which row security hides rows cannot keep both tables together: it is told so, and nothing is lost unseen.

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;

use crate::database::of_case;
use crate::golden::fixture;

#[tokio::test]
async fn a_write_that_would_not_reach_the_other_table_is_refused() {
    let server = Server::start();
    let url = server.database("app");
    let rows = "INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Joan');
        INSERT INTO addresses (user_id, street, town) VALUES (1, 's', 'old'), (2, 's', 'old')";
    let (mut operator, _migration) = of_case(&fixture("columns"), &url, rows).await;
    operator
        .run_file(
            "CREATE ROLE web LOGIN; GRANT ALL ON users, addresses TO web;
            ALTER TABLE addresses ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON addresses FOR ALL TO web USING (user_id = 1)",
        )
        .await
        .unwrap();
    let mut web = PgConnection::connect(&server.url_of("app", "web"))
        .await
        .unwrap();
    let write = "UPDATE users SET town = 'new' WHERE id = 2";
    let refused = sqlx::query(write).execute(&mut web).await.unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("row security hides rows of addresses"),
        "{refused}"
    );
    // What it says of a row that is not there is as it was, and the one that the policy shows is written in both.
    let no_place = "UPDATE users SET town = 'new' WHERE id = 3";
    let refused = sqlx::query(no_place).execute(&mut web).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("store the row of addresses first"),
        "{refused}"
    );
    let write = "UPDATE users SET town = 'new' WHERE id = 1";
    sqlx::query(write).execute(&mut web).await.unwrap();
    let found = "SELECT string_agg(town, ' ') FROM addresses";
    let found: String = sqlx::query_scalar(found).fetch_one(&mut web).await.unwrap();
    assert_eq!(found, "new");
}
