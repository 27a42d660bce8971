//! Moving between stages: the whole way and every way back, the gates that hold it, the fences that move with it.

use std::time::Duration;

use zdm_runtime::database::control;
use zdm_runtime::hop::{self, HopError, Target};
use zdm_runtime::operator::{Lease, LeaseError};
use zdm_runtime::{Stage, history};

use crate::fixture::{BEFORE, Database, FINAL, MIGRATION, Operator, TRANSITION, manifest};

/// The names of the shut gates.
fn shut(error: HopError) -> Vec<&'static str> {
    match error {
        HopError::Shut { gates, .. } => gates
            .iter()
            .filter(|gate| !gate.open)
            .map(|gate| gate.name)
            .collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_whole_way_forward_moves_the_fence_at_every_hop() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = Operator::of(&database).await;
        operator.go(Stage::Complete).await;
        let fence = "SELECT epoch FROM {zdm}fence WHERE table_name = 'users'";
        assert_eq!(operator.number(fence).await, 6);
        let drained = "SELECT drained_epoch FROM {zdm}stage";
        assert_eq!(operator.number(drained).await, 6);
        let audited = "SELECT count(*) FROM {zdm}audit WHERE action = 'hop' AND outcome = 'done'";
        assert_eq!(operator.number(audited).await, 5);
    }
}

#[tokio::test]
async fn standing_there_already_moves_nothing() {
    let database = Database::sqlite().expanded().await;
    let mut operator = Operator::of(&database).await;
    operator.go(Stage::Live).await;
    let again = operator
        .advance(Target::live(10_000).unwrap())
        .await
        .unwrap();
    assert!(!again.moved);
    let fewer = operator.back(Target::live(100).unwrap()).await.unwrap();
    assert!(fewer.moved, "a smaller share is a move of its own");
    let error = operator
        .back(Target::live(5_000).unwrap())
        .await
        .unwrap_err();
    assert_eq!(shut(error), ["smaller_share"]);
}

#[tokio::test]
async fn stages_are_not_skipped() {
    let database = Database::sqlite().expanded().await;
    let mut operator = Operator::of(&database).await;
    let error = operator
        .advance(Target::stage(Stage::Shadow))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("dual_write"), "{error}");
    assert!(shut(error).contains(&"one_hop"));
    let refused = "SELECT count(*) FROM {zdm}audit WHERE outcome = 'refused'";
    assert_eq!(operator.number(refused).await, 1);
}

#[tokio::test]
async fn reads_fall_back_to_dual_write_from_wherever_they_are() {
    for from in [Stage::Shadow, Stage::Live, Stage::RampDown] {
        let database = Database::sqlite().expanded().await;
        let mut operator = Operator::of(&database).await;
        operator.go(from).await;
        operator
            .back(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        // New was maintained all along, so its verification still counts.
        operator
            .advance(Target::stage(Stage::Shadow))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn below_dual_write_everything_begins_anew() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = Operator::of(&database).await;
        operator.go(Stage::Live).await;
        let error = operator.back(Target::stage(Stage::Off)).await.unwrap_err();
        assert!(shut(error).contains(&"way_back"));
        operator
            .back(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        operator.back(Target::stage(Stage::Off)).await.unwrap();
        operator
            .advance(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        let error = operator
            .advance(Target::stage(Stage::Shadow))
            .await
            .unwrap_err();
        assert_eq!(shut(error), ["backfilled", "verified"]);
        operator.backfill("up").await;
        operator.verify("new").await;
        operator
            .advance(Target::stage(Stage::Shadow))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn after_complete_old_is_filled_and_verified_before_it_is_read() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = Operator::of(&database).await;
        operator.go(Stage::Complete).await;
        history::contracting(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        let starts = database.zdm(&TRANSITION).await;
        assert!(starts.ready().is_err(), "contract has begun");
        operator.back(Target::stage(Stage::RampDown)).await.unwrap();
        starts.beat().await.unwrap();
        starts.ready().unwrap();
        let error = operator
            .back(Target::stage(Stage::DualWrite))
            .await
            .unwrap_err();
        assert_eq!(shut(error), ["verified"]);
        operator.verify("old").await;
        operator
            .back(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        starts.beat().await.unwrap();
        operator.back(Target::stage(Stage::Off)).await.unwrap();
    }
}

#[tokio::test]
async fn an_instance_that_does_not_know_the_migration_holds_it_at_off() {
    let database = Database::sqlite().expanded().await;
    let mut operator = Operator::of(&database).await;
    let before = database.zdm(&BEFORE).await;
    let error = operator
        .advance(Target::stage(Stage::DualWrite))
        .await
        .unwrap_err();
    assert_eq!(shut(error), ["known_everywhere"]);
    before.close().await.unwrap();
    operator
        .advance(Target::stage(Stage::DualWrite))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_instance_that_has_not_acknowledged_holds_the_next_hop() {
    let database = Database::sqlite().expanded().await;
    let mut operator = Operator::of(&database).await;
    operator.go(Stage::DualWrite).await;
    operator.backfill("up").await;
    operator.verify("new").await;
    let zdm = database.zdm(&TRANSITION).await;
    operator
        .connection
        .execute("UPDATE {zdm}instance_fence SET epoch = 1", &[])
        .await
        .unwrap();
    let error = operator
        .advance(Target::stage(Stage::Shadow))
        .await
        .unwrap_err();
    assert_eq!(shut(error), ["acknowledged"]);
    zdm.close().await.unwrap();
    operator
        .advance(Target::stage(Stage::Shadow))
        .await
        .unwrap();
}

#[tokio::test]
async fn final_code_bars_the_way_back_from_complete() {
    let database = Database::sqlite().expanded().await;
    let mut operator = Operator::of(&database).await;
    operator.go(Stage::Complete).await;
    let zdm = database.zdm(&FINAL).await;
    zdm.ready().unwrap();
    let error = operator
        .back(Target::stage(Stage::RampDown))
        .await
        .unwrap_err();
    assert_eq!(shut(error), ["nobody_final"]);
}

#[tokio::test]
async fn a_migration_is_moved_by_one_command_at_a_time() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut first = Operator::of(&database).await;
        let mut connection = database.connection().await;
        let error = Lease::acquire(&mut connection, MIGRATION, "other")
            .await
            .unwrap_err();
        assert!(matches!(&error, LeaseError::Held { owner, .. } if owner.starts_with("test")));

        // The first one sleeps through its claim, the second takes over, the first wakes up.
        connection
            .execute("UPDATE {zdm}operator SET lease_until = 0", &[])
            .await
            .unwrap();
        let second = Lease::acquire(&mut connection, MIGRATION, "other")
            .await
            .unwrap();
        let error = first
            .advance(Target::stage(Stage::DualWrite))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HopError::Lease(LeaseError::Lost { .. })),
            "{error}"
        );
        let still = "SELECT count(*) FROM {zdm}stage WHERE stage = 'off' AND epoch = 1";
        assert_eq!(first.number(still).await, 1);
        second.release(&mut connection).await.unwrap();
        Lease::acquire(&mut connection, MIGRATION, "third")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn of_two_commands_at_once_one_gets_the_claim() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let (mut one, mut other) = (database.connection().await, database.connection().await);
        let (one, other) = tokio::join!(
            Lease::acquire(&mut one, MIGRATION, "one"),
            Lease::acquire(&mut other, MIGRATION, "other")
        );
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    }
}

#[tokio::test]
async fn a_hop_that_was_killed_before_it_drained_goes_on_when_it_is_called_again() {
    let database = Database::postgres().expanded().await;
    let mut writer = database.connection().await;
    writer.begin().await.unwrap();
    writer
        .run_file("INSERT INTO users (id, name) VALUES (1, 'old alone')")
        .await
        .unwrap();
    let mut operator = Operator::of(&database).await;
    let to = Target::stage(Stage::DualWrite);
    let error = operator.advance_with(to, Duration::ZERO).await.unwrap_err();
    let HopError::NotDrained { older, .. } = &error else {
        panic!("{error}");
    };
    let pid = writer
        .query("SELECT pg_backend_pid()::bigint", &[])
        .await
        .unwrap();
    assert_eq!(pid, vec![vec![older[0].pid.unwrap().into()]]);

    // Whoever comes next finds the stage moved and the gate shut.
    operator
        .lease
        .clone()
        .release(&mut operator.connection)
        .await
        .unwrap();
    let mut next = Operator::of(&database).await;
    let error = next.back(Target::stage(Stage::Off)).await.unwrap_err();
    assert_eq!(shut(error), ["drained"]);
    writer.commit().await.unwrap();
    let finished = next.advance(to).await.unwrap();
    assert!(!finished.moved);
    next.back(Target::stage(Stage::Off)).await.unwrap();
}

/// The command dies while it waits: nobody gives its claim back, and it says nothing more.
#[tokio::test]
async fn a_command_that_died_while_waiting_leaves_work_that_the_next_one_finishes() {
    let database = Database::postgres().expanded().await;
    let mut writer = database.connection().await;
    writer.begin().await.unwrap();
    let mut dying = Operator::of(&database).await;
    let to = Target::stage(Stage::DualWrite);
    let hop = tokio::spawn(async move { dying.advance(to).await.map(drop) });
    let mut watcher = database.connection().await;
    let moved = "SELECT 1 FROM {zdm}stage WHERE stage = 'dual_write' AND drained_epoch < epoch";
    while watcher.query(moved, &[]).await.unwrap().is_empty() {
        assert!(!hop.is_finished(), "it has to wait for the writer");
        tokio::task::yield_now().await;
    }
    hop.abort();
    assert!(hop.await.unwrap_err().is_cancelled());

    watcher
        .execute("UPDATE {zdm}operator SET lease_until = 0", &[])
        .await
        .unwrap();
    writer.commit().await.unwrap();
    let mut next = Operator::of(&database).await;
    assert!(!next.advance(to).await.unwrap().moved);
    assert!(watcher.query(moved, &[]).await.unwrap().is_empty());
    next.back(Target::stage(Stage::Off)).await.unwrap();
}

#[tokio::test]
async fn a_prepared_transaction_is_waited_for() {
    let database = Database::postgres().expanded().await;
    let mut writer = database.connection().await;
    writer
        .run_file("BEGIN; INSERT INTO users (id) VALUES (1); PREPARE TRANSACTION 'forgotten'")
        .await
        .unwrap();
    let mut operator = Operator::of(&database).await;
    let to = Target::stage(Stage::DualWrite);
    let error = operator.advance_with(to, Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("`forgotten`"), "{error}");
    writer
        .run_file("COMMIT PREPARED 'forgotten'")
        .await
        .unwrap();
    operator.advance(to).await.unwrap();
}

#[tokio::test]
async fn transactions_of_other_databases_are_not_waited_for() {
    let database = Database::postgres().expanded().await;
    let Database::Postgres(server) = &database else {
        unreachable!("it was started as PostgreSQL");
    };
    let url = server.database("elsewhere");
    let mut stranger = zdm_runtime::database::Connection::open(&url).await.unwrap();
    stranger
        .run_file("BEGIN; SELECT pg_backend_pid()")
        .await
        .unwrap();
    let mut operator = Operator::of(&database).await;
    let to = Target::stage(Stage::DualWrite);
    operator.advance(to).await.unwrap();
}

/// A role that owns the control tables, but may not see who the other backends are.
#[tokio::test]
async fn a_plain_role_sees_the_transactions_of_others() {
    let database = Database::postgres().expanded().await;
    let Database::Postgres(server) = &database else {
        unreachable!("it was started as PostgreSQL");
    };
    let mut owner = database.connection().await;
    owner
        .run_file(
            "CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA zdm TO plain; \
             GRANT ALL ON ALL TABLES IN SCHEMA zdm TO plain",
        )
        .await
        .unwrap();
    let url = server.url_of("postgres", "plain");
    let mut operator = Operator::of(&database).await;
    operator.connection = zdm_runtime::database::Connection::open(&url).await.unwrap();
    owner.begin().await.unwrap();
    let to = Target::stage(Stage::DualWrite);
    let error = operator.advance_with(to, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, HopError::NotDrained { .. }), "{error}");
    owner.commit().await.unwrap();
    operator.advance(to).await.unwrap();
}

#[tokio::test]
async fn undoing_expand_takes_the_stage_and_leaves_the_fence() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = Operator::of(&database).await;
        history::unexpanded(
            &mut operator.connection,
            &crate::fixture::manifest(),
            "hash",
        )
        .await
        .unwrap();
        assert_eq!(operator.number("SELECT count(*) FROM {zdm}stage").await, 0);
        assert_eq!(operator.number("SELECT count(*) FROM {zdm}fence").await, 1);
        let error = operator
            .advance(Target::stage(Stage::DualWrite))
            .await
            .unwrap_err();
        assert!(matches!(error, HopError::NoStage { .. }), "{error}");
        let zdm = database.zdm(&TRANSITION).await;
        assert!(zdm.ready().is_err());
        let zdm = database.zdm(&BEFORE).await;
        zdm.ready().unwrap();
    }
}

#[tokio::test]
async fn a_pause_holds_hops_forward_and_lets_a_rollback_through() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = Operator::of(&database).await;
        operator.go(Stage::DualWrite).await;
        let mut anybody = database.connection().await;
        hop::pause(&mut anybody, MIGRATION, "test", "a holiday")
            .await
            .unwrap();
        operator.backfill("up").await;
        operator.verify("new").await;
        let error = operator
            .advance(Target::stage(Stage::Shadow))
            .await
            .unwrap_err();
        assert_eq!(shut(error), ["not_paused"]);
        operator.back(Target::stage(Stage::Off)).await.unwrap();
        hop::resume(&mut anybody, MIGRATION, "test", "back")
            .await
            .unwrap();
        operator
            .advance(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        hop::pause(&mut anybody, "nothing", "test", "")
            .await
            .unwrap_err();
    }
}

/// A fresh database is created at the last finalized schema: its past versions stand at `complete`.
#[tokio::test]
async fn an_adopted_version_is_past() {
    for database in [Database::postgres(), Database::sqlite()] {
        let mut connection = database.connection().await;
        control::install(&mut connection).await.unwrap();
        for _ in 0..2 {
            history::adopted(&mut connection, &manifest(), "hash", "test")
                .await
                .unwrap();
        }
        database.zdm(&FINAL).await.ready().unwrap();
        database.zdm(&TRANSITION).await.ready().unwrap_err();
        let recorded = history::list(&mut connection).await.unwrap();
        assert!(recorded.len() == 1 && recorded[0].expanded && recorded[0].contracted);
    }
}
