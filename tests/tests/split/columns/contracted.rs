//! Contract that stops between two of its steps: whatever is written then to the table that gets the columns is still there
//! afterwards, and nothing of the move is left in the end.

use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;

use crate::database::{of_case, postgres, sqlite, texts};
use crate::golden::fixture;

const ROWS: &str = "INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace');
    INSERT INTO addresses (user_id, street, town) VALUES (1, 'street', 'old'), (2, 'street', 'old')";

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
    let (mut operator, migration) = of_case(&fixture("columns"), url, ROWS).await;
    operator
        .execute("UPDATE addresses SET street = street, town = town", &[])
        .await
        .unwrap();
    let steps = migration.manifest().steps_of(Section::Drop, Direction::Up);
    for (at, step) in steps.enumerate() {
        operator.run_file(migration.sql(step)).await.unwrap();
        // A key that changes touches the row of the other table.
        for write in [
            format!("UPDATE users SET town = 'new {at}' WHERE id = 1"),
            "UPDATE users SET id = 10 WHERE id = 1".to_owned(),
            "UPDATE users SET id = 1 WHERE id = 10".to_owned(),
            "UPDATE addresses SET street = 'other' WHERE user_id = 1".to_owned(),
        ] {
            operator.execute(&write, &[]).await.unwrap();
        }
        let found = texts(&mut operator, "SELECT town, name FROM users WHERE id = 1").await;
        let expected = (Some(format!("new {at}")), Some("Ada".to_owned()));
        assert_eq!(found, [expected], "{}", step.summary);
    }
    // Now the town is the user's, with an address or without.
    for write in [
        "DELETE FROM addresses",
        "INSERT INTO users (id, name, town) VALUES (3, 'Edsger', 'here')",
    ] {
        operator.execute(write, &[]).await.unwrap();
    }
    let towns = "SELECT town, name FROM users WHERE id <> 1 ORDER BY id";
    let town = |town: &str, name: &str| (Some(town.to_owned()), Some(name.to_owned()));
    assert_eq!(
        texts(&mut operator, towns).await,
        [town("old", "Grace"), town("here", "Edsger")]
    );
}
