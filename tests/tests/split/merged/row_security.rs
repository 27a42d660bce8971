//! Row security hides rows of the other table from a role that writes the one: triggers act in the name of the tables' owner and reach
//! them; where it applies to the owner as well, the write is refused, and nothing is lost unseen.

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;

use crate::database::of_case;
use crate::golden::fixture;

const ROWS: &str = "INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace');
    INSERT INTO addresses (user_id, street, house) VALUES (1, 'old', 1), (2, 'old', 2);
    CREATE ROLE somebody; ALTER TABLE users OWNER TO somebody; ALTER TABLE addresses OWNER TO somebody";

#[tokio::test]
async fn a_write_reaches_the_rows_of_the_other_table_or_is_refused() {
    let server = Server::start();
    let url = server.database("app");
    let (mut operator, _migration) = of_case(&fixture("merged"), &url, ROWS).await;
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
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let writes = [
        (
            "UPDATE addresses SET street = 'new' WHERE user_id = 2",
            "new",
        ),
        ("DELETE FROM addresses WHERE user_id = 2", "none"),
    ];
    for (write, held) in writes {
        sqlx::query(write).execute(&mut web).await.unwrap();
        let found = "SELECT coalesce(street, 'none') FROM users WHERE id = 2";
        let found: String = sqlx::query_scalar(found)
            .fetch_one(&mut owner)
            .await
            .unwrap();
        assert_eq!(found, held, "{write}");
    }

    operator
        .run_file(
            "INSERT INTO addresses (user_id, street, house) VALUES (2, 'old', 2);
            ALTER TABLE users FORCE ROW LEVEL SECURITY",
        )
        .await
        .unwrap();
    for (write, _) in writes {
        let refused = sqlx::query(write).execute(&mut web).await.unwrap_err();
        let refused = refused.to_string();
        assert!(
            refused.contains("row security hides rows of users from somebody"),
            "{write}: {refused}"
        );
    }
}
