//! What was written behind the triggers' back: the way back from `complete` gives `addresses` what it lacks of `users`, and
//! verification names what has no place there.

use zdm_runtime::Stage;
use zdm_runtime::backfill::{self, BackfillOptions, End, Way};
use zdm_runtime::database::{Connection, Dialect, Value};
use zdm_runtime::verification::{self, Side, VerificationOptions};

use crate::columns::database::{both, sides};
use crate::database::{of_case, postgres, sqlite};
use crate::golden::fixture;
use crate::stages::enter;

const ROWS: &str = "INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Edsger'), (4, 'Alan');
    INSERT INTO addresses (user_id, street, town, postal_code) VALUES (1, 's', 'old', 'p'), (2, 's', 'old', NULL), (3, 's', 't', '3')";

/// Runs a statement while no trigger of `users` fires.
async fn behind(operator: &mut Connection, write: &str) {
    if operator.dialect() == Dialect::Postgres {
        let sql = format!(
            "ALTER TABLE users DISABLE TRIGGER USER; {write}; ALTER TABLE users ENABLE TRIGGER USER"
        );
        return operator.run_file(&sql).await.unwrap();
    }
    let triggers =
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'users'";
    let triggers = operator.query(triggers, &[]).await.unwrap();
    let texts = |at: usize| -> Vec<String> {
        let texts = triggers.iter().map(|row| match &row[at] {
            Value::Text(Some(text)) => text.clone(),
            other => panic!("{other:?}"),
        });
        texts.collect()
    };
    for name in texts(0) {
        let drop = format!("DROP TRIGGER {name}");
        operator.execute(&drop, &[]).await.unwrap();
    }
    operator.execute(write, &[]).await.unwrap();
    for create in texts(1) {
        operator.run_file(&format!("{create};")).await.unwrap();
    }
}

async fn back_from_complete(url: &str) {
    let (mut operator, migration) = of_case(&fixture("columns"), url, ROWS).await;
    let fill = async |operator: &mut Connection, way| {
        let options = BackfillOptions {
            way,
            ..BackfillOptions::of("test", "worker 1")
        };
        let done = backfill::run(operator, &migration, &options, &mut |_| {})
            .await
            .unwrap();
        assert_eq!(done.end, End::Done);
    };
    enter(&mut operator, Stage::DualWrite).await;
    fill(&mut operator, Way::Up).await;
    enter(&mut operator, Stage::Complete).await;
    let write = "UPDATE users SET town = 'new', postal = NULL WHERE id IN (1, 2)";
    behind(&mut operator, write).await;
    enter(&mut operator, Stage::RampDown).await;
    fill(&mut operator, Way::Reverse).await;
    for (id, town) in [(1, "new -"), (2, "new -"), (3, "t 3")] {
        assert_eq!(sides(&mut operator, id).await, both("s", town), "user {id}");
    }
    let write = "UPDATE users SET town = 'nowhere' WHERE id = 4";
    behind(&mut operator, write).await;
    fill(&mut operator, Way::Reverse).await;
    let options = VerificationOptions::of("test", Side::Old);
    let verified = verification::run(&mut operator, &migration, &options, &mut |_| {})
        .await
        .unwrap();
    assert_eq!((verified.rows, verified.mismatches), (4, 1));
}

#[tokio::test]
async fn sqlite_gives_back_what_it_can() {
    let (_folder, url) = sqlite();
    back_from_complete(&url).await;
}

#[tokio::test]
async fn postgres_gives_back_what_it_can() {
    let (_server, url) = postgres();
    back_from_complete(&url).await;
}
