//! Row security hides rows of the other table from a role that writes the one: triggers act in the name of the tables' owner and reach
//! them; where it applies to the owner as well, the write is refused, and nothing is lost unseen.

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;

use crate::database::of_case;
use crate::golden::fixture;

const ROWS: &str = "INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace');
    INSERT INTO addresses (user_id, street, town) VALUES (1, 's', 'old'), (2, 's', 'old');
    CREATE ROLE somebody; ALTER TABLE users OWNER TO somebody; ALTER TABLE addresses OWNER TO somebody";

#[tokio::test]
async fn a_write_reaches_the_rows_of_the_other_table_or_is_refused() {
    let server = Server::start();
    let url = server.database("app");
    let (mut operator, _migration) = of_case(&fixture("columns"), &url, ROWS).await;
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
    sqlx::query(write).execute(&mut web).await.unwrap();
    let both = "SELECT concat_ws(' ', u.town, a.town) FROM users u JOIN addresses a ON a.user_id = u.id WHERE id = 2";
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let found: String = sqlx::query_scalar(both)
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(found, "new new");

    operator
        .run_file("ALTER TABLE addresses FORCE ROW LEVEL SECURITY")
        .await
        .unwrap();
    let write = "UPDATE users SET town = 'newer' WHERE id = 2";
    let refused = sqlx::query(write).execute(&mut web).await.unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("row security hides rows of addresses from somebody"),
        "{refused}"
    );
}
