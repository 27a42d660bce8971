//! Long transactions are waited for before a statement that blocks writers is tried, so that no writer queues behind it in vain.

use std::time::Duration;

use zdm_runtime::database::{Connection, Dialect};
use zdm_runtime::executor::{self, Event, ExecutorError, ExecutorOptions, Outcome};
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;

use crate::cases::{Case, ID, RENAME};
use crate::target::number;

const REFUSED: &str = "SELECT count(*) FROM {zdm}audit WHERE outcome = 'refused'";

/// Somebody reads the table in a transaction that stays open.
async fn reader(case: &Case) -> (Connection, i64) {
    let mut reader = case.target.open().await;
    reader.begin().await.unwrap();
    let pid = number(&mut reader, "SELECT pg_backend_pid()").await;
    number(&mut reader, "SELECT count(*) FROM users").await;
    (reader, pid)
}

async fn undo(
    case: &mut Case,
    patience: Duration,
    on_event: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Outcome, ExecutorError> {
    let options = ExecutorOptions {
        long: Duration::ZERO,
        patience,
        drop_rows: true,
        ..ExecutorOptions::of("test")
    };
    let migration = case.migration.clone();
    let (section, down) = (Section::Expand, Direction::Down);
    executor::run(
        &mut case.connection,
        &migration,
        section,
        down,
        &options,
        on_event,
    )
    .await
}

#[tokio::test]
async fn a_statement_is_tried_when_the_long_transaction_has_ended() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 3).await;
    let (mut held, pid) = reader(&case).await;
    let (told, mut tells) = tokio::sync::mpsc::unbounded_channel();
    let ends = tokio::spawn(async move {
        let blocking: Vec<i64> = tells.recv().await.unwrap();
        held.rollback().await.unwrap();
        blocking
    });
    let done = undo(&mut case, Duration::from_mins(10), &mut |event| {
        if let Event::Waiting { blockers, .. } = event {
            let _ = told.send(blockers.iter().map(|blocker| blocker.pid).collect());
        }
    })
    .await
    .unwrap();
    assert_eq!(ends.await.unwrap(), [pid]);
    assert_eq!(done.executed, 1);
    assert_eq!(case.number(REFUSED).await, 0);
}

#[tokio::test]
async fn a_transaction_that_does_not_end_is_named_and_nothing_waits_behind_it() {
    let mut case = Case::of(Dialect::Postgres, ID, &RENAME, 3).await;
    let (_held, pid) = reader(&case).await;
    let refused = undo(&mut case, Duration::from_millis(10), &mut |_| {})
        .await
        .unwrap_err();
    let ExecutorError::LongTransactions { blockers, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(blockers[0].pid, pid, "{refused}");
    assert!(
        refused.to_string().contains("SELECT count(*) FROM users"),
        "{refused}"
    );
    assert_eq!(case.number(REFUSED).await, 0);
    case.run("INSERT INTO users (id, tenant, login, name) VALUES (4, 'a', 'b', 'c')")
        .await;
}
