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
            "UPDATE addresses SET street = street;
            CREATE ROLE web LOGIN; GRANT ALL ON users, addresses TO web;
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
    // The policy shows this one, and what is written to it is in both.
    for (write, held) in [
        (
            "UPDATE addresses SET street = 'new' WHERE user_id = 1",
            "new",
        ),
        ("UPDATE users SET street = 'newer' WHERE id = 1", "newer"),
        ("DELETE FROM addresses WHERE user_id = 1", "none"),
    ] {
        sqlx::query(write).execute(&mut web).await.unwrap();
        let found = "SELECT concat(coalesce(u.street, 'none'), ' ', coalesce(a.street, 'none'))
            FROM users u LEFT JOIN addresses a ON a.user_id = u.id WHERE id = 1";
        let found: String = sqlx::query_scalar(found).fetch_one(&mut web).await.unwrap();
        assert_eq!(found, format!("{held} {held}"), "{write}");
    }
}
