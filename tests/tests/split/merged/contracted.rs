//! Contract that stops between two of its steps: whatever is written then to the table that stays is still there afterwards.

use zdm_runtime::database::Connection;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;

use crate::database::{of_case, postgres, sqlite};
use crate::golden::fixture;

const ROWS: &str = "INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace');
    INSERT INTO addresses (user_id, street, house, postal_code) VALUES (1, 'old', 1, NULL), (2, 'old', 2, NULL)";

#[tokio::test]
async fn nothing_is_written_back_on_sqlite() {
    let (_guard, url) = sqlite();
    contracted(&url).await;
}

#[tokio::test]
async fn nothing_is_written_back_on_postgres() {
    let (_guard, url) = postgres();
    contracted(&url).await;
}

async fn contracted(url: &str) {
    let (mut operator, migration) = of_case(&fixture("merged"), url, ROWS).await;
    operator
        .execute("UPDATE addresses SET house = house", &[])
        .await
        .unwrap();
    let steps = migration.manifest().steps_of(Section::Drop, Direction::Up);
    for (at, step) in steps.enumerate() {
        operator.run_file(migration.sql(step)).await.unwrap();
        // A key that changes touches the row of the other table, where it is there still.
        for write in [
            format!("UPDATE users SET street = 'new {at}' WHERE id = 1"),
            "UPDATE users SET id = 10 WHERE id = 1".to_owned(),
            "UPDATE users SET id = 1 WHERE id = 10".to_owned(),
        ] {
            operator.execute(&write, &[]).await.unwrap();
        }
        assert_eq!(
            street(&mut operator).await,
            format!("new {at}"),
            "{}",
            step.summary
        );
    }
}

async fn street(operator: &mut Connection) -> String {
    let rows = operator
        .query("SELECT street FROM users WHERE id = 1", &[])
        .await
        .unwrap();
    format!("{:?}", rows[0][0])
        .split('"')
        .nth(1)
        .unwrap()
        .to_owned()
}
