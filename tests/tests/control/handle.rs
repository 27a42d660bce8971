//! The application's handle: what it refuses at the start, what it knows, what the others see of it.

use sqlx::Connection as _;
use zdm_runtime::database::control;
use zdm_runtime::hop::Target;
use zdm_runtime::{Error, Stage, TableFlags, Zdm, fleet, history};
use zdm_tests::postgres::Server;

use crate::fixture::{BEFORE, Database, FINAL, MIGRATION, Operator, TRANSITION};

#[tokio::test]
async fn without_control_tables_it_does_not_start() {
    for database in [Database::postgres(), Database::sqlite()] {
        drop(database.connection().await);
        let error = Zdm::connect(database.pool().await, &TRANSITION)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NoControlTables), "{error}");
        assert!(error.to_string().contains("cargo zdm expand"), "{error}");
    }
}

#[tokio::test]
async fn without_a_fence_it_does_not_start_and_leaves_no_registration() {
    for database in [Database::postgres(), Database::sqlite()] {
        let mut connection = database.connection().await;
        control::install(&mut connection).await.unwrap();
        let error = Zdm::connect(database.pool().await, &TRANSITION)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotExpanded { .. }), "{error}");
        let left = connection
            .query("SELECT instance FROM {zdm}instance", &[])
            .await
            .unwrap();
        assert_eq!(left, Vec::<Vec<_>>::new());
    }
}

#[tokio::test]
async fn it_registers_follows_hops_and_leaves() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let zdm = database.zdm(&TRANSITION).await;
        zdm.ready().unwrap();
        let flags = TableFlags::of(&zdm, "users").unwrap();
        assert_eq!(
            (flags.current().epoch(), flags.current().stage()),
            (1, Stage::Off)
        );

        let mut operator = Operator::of(&database).await;
        let members = fleet::members(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        assert_eq!(members.len(), 1);
        assert_eq!(members[0].instance, zdm.instance());
        assert!(members[0].living && members[0].behind == 0, "{members:?}");

        operator
            .advance(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        zdm.beat().await.unwrap();
        assert_eq!(
            (flags.current().epoch(), flags.current().stage()),
            (2, Stage::DualWrite)
        );
        let members = fleet::members(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        assert_eq!(members[0].behind, 0);

        zdm.close().await.unwrap();
        let members = fleet::members(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        assert_eq!(members, []);
    }
}

#[tokio::test]
async fn code_that_cannot_serve_the_stage_is_not_ready_and_its_statements_touch_nothing() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let before = database.zdm(&BEFORE).await;
        before.ready().unwrap();
        let early = database.zdm(&FINAL).await;
        assert!(matches!(early.ready(), Err(Error::CodeTooNew { .. })));
        let flags = TableFlags::of(&early, "users").unwrap();
        assert_eq!(flags.current().epoch(), 0, "an epoch that no fence has");
        before.close().await.unwrap();

        let mut operator = Operator::of(&database).await;
        operator
            .advance(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        let late = database.zdm(&BEFORE).await;
        let error = late.ready().unwrap_err();
        assert!(matches!(error, Error::CodeTooOld { .. }), "{error}");
        let mut connection = database.connection().await;
        let error = TableFlags::of(&late, "users")
            .unwrap()
            .refresh(&mut connection)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::CodeTooOld { .. }), "{error}");
        operator.back(Target::stage(Stage::Off)).await.unwrap_err();
        late.close().await.unwrap();
        operator.back(Target::stage(Stage::Off)).await.unwrap();
        early.beat().await.unwrap();
        assert!(matches!(
            early.ready(),
            Err(Error::CodeTooNew {
                stage: Stage::Off,
                ..
            })
        ));
    }
}

#[tokio::test]
async fn code_that_names_what_was_dropped_is_not_ready_and_final_code_waits_for_complete() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = Operator::of(&database).await;
        operator.go(Stage::RampDown).await;
        let early = database.zdm(&FINAL).await;
        let error = early.ready().unwrap_err();
        assert!(
            matches!(
                error,
                Error::CodeTooNew {
                    stage: Stage::RampDown,
                    ..
                }
            ),
            "{error}"
        );
        let sleeper = database.zdm(&TRANSITION).await;
        operator
            .advance(Target::stage(Stage::Complete))
            .await
            .unwrap();
        early.beat().await.unwrap();
        early.ready().unwrap();
        sleeper.beat().await.unwrap();
        sleeper.ready().unwrap();

        history::contracting(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        let late = database.zdm(&TRANSITION).await;
        let told = late.ready().unwrap_err();
        assert!(matches!(told, Error::Contracted { .. }), "{told}");
        sleeper.beat().await.unwrap();
        sleeper.ready().unwrap();
        let flags = TableFlags::of(&sleeper, "users").unwrap();
        assert_eq!(flags.current().stage(), Stage::Complete);
        history::not_contracting(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        late.beat().await.unwrap();
        late.ready().unwrap();

        history::contracting(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        history::contracted(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        let late = database.zdm(&TRANSITION).await;
        sleeper.beat().await.unwrap();
        early.beat().await.unwrap();
        early.ready().unwrap();
        let mut connection = database.connection().await;
        let told = [
            late.ready().unwrap_err(),
            sleeper.ready().unwrap_err(),
            flags.refresh(&mut connection).await.unwrap_err(),
        ];
        for error in told {
            assert!(matches!(error, Error::Contracted { .. }), "{error}");
            assert!(error.to_string().contains("`users_full_name`"), "{error}");
            assert!(error.to_string().contains("finalize"), "{error}");
        }
        history::contracted(&mut operator.connection, MIGRATION)
            .await
            .unwrap();
        early.beat().await.unwrap();
        assert_eq!(early.ready().map_err(|error| error.to_string()), Ok(()));
    }
}

#[tokio::test]
async fn an_instance_that_was_forgotten_registers_anew() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let zdm = database.zdm(&TRANSITION).await;
        let mut connection = database.connection().await;
        connection
            .execute("UPDATE {zdm}instance SET lease_until = 0", &[])
            .await
            .unwrap();
        fleet::forget(&mut connection, std::time::Duration::ZERO)
            .await
            .unwrap();
        zdm.beat().await.unwrap();
        let members = fleet::members(&mut connection, MIGRATION).await.unwrap();
        assert!(members[0].living && members[0].behind == 0, "{members:?}");
    }
}

/// Its row without its fences would hide it from the gates.
#[tokio::test]
async fn an_instance_is_forgotten_whole_or_not_at_all() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let zdm = database.zdm(&TRANSITION).await;
        let mut connection = database.connection().await;
        for sql in [
            "UPDATE {zdm}instance SET lease_until = 0",
            // What comes to forget this fails in the middle.
            "DROP TABLE {zdm}instance_code",
        ] {
            connection.execute(sql, &[]).await.unwrap();
        }
        fleet::forget(&mut connection, std::time::Duration::ZERO)
            .await
            .unwrap_err();
        for table in ["instance", "instance_fence"] {
            let sql = format!("SELECT instance FROM {{zdm}}{table}");
            let left = connection.query(&sql, &[]).await.unwrap();
            assert_eq!(left.len(), 1, "{table}");
        }
        drop(zdm);
    }
}

#[tokio::test]
async fn mismatches_are_counted_here_and_in_the_control_tables() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let zdm = database.zdm(&TRANSITION).await;
        let flags = TableFlags::of(&zdm, "users").unwrap();
        let mut operator = Operator::of(&database).await;
        for expected in [2, 4] {
            flags.mismatch(&7);
            flags.mismatch(&"eight");
            zdm.beat().await.unwrap();
            zdm.beat().await.unwrap();
            let counted = operator
                .number("SELECT mismatches FROM {zdm}mismatch")
                .await;
            assert_eq!(counted, expected);
        }
        assert_eq!(zdm.mismatches(), [("users", 4)]);
    }
}

#[tokio::test]
async fn a_transaction_with_an_old_snapshot_gets_its_old_answer_and_nobody_else_does() {
    let database = Database::postgres().expanded().await;
    let zdm = database.zdm(&TRANSITION).await;
    let flags = TableFlags::of(&zdm, "users").unwrap();
    let mut reader = sqlx::PgConnection::connect(&database.url()).await.unwrap();
    let mut transaction = reader.begin().await.unwrap();
    for sql in [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SELECT FROM users",
    ] {
        sqlx::query(sql).execute(&mut *transaction).await.unwrap();
    }

    let mut operator = Operator::of(&database).await;
    let hop = operator.advance_with(Target::stage(Stage::DualWrite), std::time::Duration::ZERO);
    hop.await.unwrap_err();
    zdm.beat().await.unwrap();
    let old = flags.refresh(&mut *transaction).await.unwrap();
    assert_eq!((old.epoch(), old.stage()), (1, Stage::Off));
    assert_eq!(
        (flags.current().epoch(), flags.current().stage()),
        (2, Stage::DualWrite)
    );
    transaction.commit().await.unwrap();
    let new = flags.refresh(&mut reader).await.unwrap();
    assert_eq!(new, flags.current());
}

#[tokio::test]
async fn a_refusal_leaves_the_callers_transaction_usable() {
    let database = Database::postgres().expanded().await;
    let zdm = database.zdm(&BEFORE).await;
    let flags = TableFlags::of(&zdm, "users").unwrap();
    let mut operator = Operator::of(&database).await;
    operator
        .connection
        .execute("UPDATE {zdm}stage SET stage = 'dual_write'", &[])
        .await
        .unwrap();
    let mut caller = sqlx::PgConnection::connect(&database.url()).await.unwrap();
    let mut transaction = caller.begin().await.unwrap();
    flags.refresh(&mut *transaction).await.unwrap_err();
    sqlx::query("INSERT INTO users VALUES (1, 'a', 'a')")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_role_without_rights_is_told_which_ones_and_they_suffice() {
    let database = Database::postgres().expanded().await;
    let Database::Postgres(server) = &database else {
        unreachable!("it was started as PostgreSQL");
    };
    let mut owner = database.connection().await;
    owner
        .run_file("CREATE ROLE app LOGIN; CREATE ROLE \"the application's role\"")
        .await
        .unwrap();
    let connect = async |server: &Server| {
        let pool = sqlx::PgPool::connect(&server.url_of("postgres", "app"))
            .await
            .unwrap();
        Zdm::connect(pool, &TRANSITION).await
    };
    let error = connect(server).await.unwrap_err();
    assert!(
        error.to_string().contains("GRANT USAGE ON SCHEMA zdm"),
        "{error}"
    );
    owner.run_file(&control::grants("app")).await.unwrap();
    connect(server).await.unwrap().ready().unwrap();
}

#[tokio::test]
async fn its_task_ends_with_the_last_handle() {
    let database = Database::sqlite().expanded().await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let pool = database.pool().await;
    let before = tasks();
    let zdm = Zdm::connect(pool, &TRANSITION).await.unwrap();
    let flags = TableFlags::of(&zdm, "users").unwrap();
    drop(zdm);
    assert!(tasks() > before, "a repository keeps it alive");
    drop(flags);
    for _ in 0..600 {
        if tasks() <= before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the task is still there");
}
