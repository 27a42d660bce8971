//! A role from which row security hides rows cannot keep both tables together: it is told so, and nothing is lost unseen.

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;

use crate::database::of_case;
use crate::golden::fixture;

#[tokio::test]
async fn a_write_that_would_not_reach_the_other_table_is_refused() {
    let server = Server::start();
    let url = server.database("app");
    let rows = "INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace');
        INSERT INTO addresses (user_id, street, house) VALUES (1, 'old', 1), (2, 'old', 2)";
    let (mut operator, _migration) = of_case(&fixture("merged"), &url, rows).await;
    operator
        .run_file(
            "CREATE ROLE web LOGIN; GRANT ALL ON users, addresses TO web;
            ALTER TABLE users ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON users FOR ALL TO web USING (id = 1)",
        )
        .await
        .unwrap();
    let mut web = PgConnection::connect(&server.url_of("app", "web"))
        .await
        .unwrap();
    for write in [
        "UPDATE addresses SET street = 'new' WHERE user_id = 2",
        "DELETE FROM addresses WHERE user_id = 2",
    ] {
        let refused = sqlx::query(write).execute(&mut web).await.unwrap_err();
        let refused = refused.to_string();
        assert!(
            refused.contains("row security hides rows of users"),
            "{write}: {refused}"
        );
    }
}
