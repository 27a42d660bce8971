//! A column that the database counts otherwise: while roles that may do nothing but insert go on with prepared statements, the
//! numbers go on where they stand, forward and back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cargo_zdm::dialect::Dialect;
use sqlx::{Connection as _, PgConnection};
use zdm_runtime::database::{Connection, control};
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;
use zdm_tests::cases::Case;
use zdm_tests::postgres::Server;

/// Rows that each writer has to have inserted before the next change.
const BETWEEN: usize = 20;

#[tokio::test]
async fn numbers_go_on_while_roles_that_may_only_insert_write() {
    let server = Server::start();
    let dialect = Dialect::named("postgres").unwrap();
    for (database, name) in [
        ("serial", "change_auto/serial_to_identity_on_postgres"),
        ("identity", "change_auto/identity_to_serial_on_postgres"),
    ] {
        let url = server.database(database);
        let mut owner = Connection::open(&url).await.unwrap();
        control::install(&mut owner).await.unwrap();
        let mut cases = Case::all().into_iter();
        let case = cases.find(|case| case.name == name).unwrap();
        let foundation = case.foundation(&dialect);
        for step in foundation
            .manifest()
            .steps_of(Section::Expand, Direction::Up)
        {
            owner.run_file(foundation.sql(step)).await.unwrap();
        }
        let role = format!("clerk_{database}");
        let rights = format!(
            "CREATE ROLE {role} LOGIN; GRANT INSERT, SELECT ON users TO {role};
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
        );
        owner.run_file(&rights).await.unwrap();

        let over = Arc::new(AtomicBool::new(false));
        let inserted = Arc::new(std::array::from_fn::<_, 2, _>(|_| {
            std::sync::Mutex::new(Vec::new())
        }));
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (over, inserted) = (over.clone(), inserted.clone());
                let url = server.url_of(database, &role);
                tokio::spawn(async move {
                    let mut connection = PgConnection::connect(&url).await.unwrap();
                    while !over.load(Ordering::Relaxed) {
                        let id: i32 =
                            sqlx::query_scalar("INSERT INTO users (name) VALUES ($1) RETURNING id")
                                .bind("ada")
                                .fetch_one(&mut connection)
                                .await
                                .unwrap();
                        inserted[writer].lock().unwrap().push(id);
                    }
                })
            })
            .collect();
        let migration = case.migration(&dialect);
        let directions = [Direction::Up, Direction::Down];
        for direction in directions.into_iter().cycle().take(9) {
            let counts = || inserted.each_ref().map(|ids| ids.lock().unwrap().len());
            let before = counts();
            while counts()
                .iter()
                .zip(before)
                .any(|(now, was)| *now < was + BETWEEN)
            {
                assert!(writers.iter().all(|writer| !writer.is_finished()), "{name}");
                tokio::task::yield_now().await;
            }
            for step in migration.manifest().steps_of(Section::Expand, direction) {
                owner.run_file(migration.sql(step)).await.unwrap();
            }
        }
        over.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
        let ids: Vec<i32> = inserted
            .iter()
            .flat_map(|ids| ids.lock().unwrap().clone())
            .collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        let numbers = i32::try_from(ids.len()).unwrap();
        assert_eq!(ids.iter().max(), Some(&numbers), "{name}: none is left out");
    }
}

/// What a sequence was told, and who may use it, stays; a role that inserts through a view goes on.
#[tokio::test]
async fn options_and_rights_of_the_sequence_stay() {
    let server = Server::start();
    let dialect = Dialect::named("postgres").unwrap();
    let mut cases = Case::all().into_iter();
    let case = cases.find(|case| case.name == "change_auto/serial_to_identity_on_postgres");
    let case = case.unwrap();
    let url = server.database("app");
    let mut owner = Connection::open(&url).await.unwrap();
    control::install(&mut owner).await.unwrap();
    let foundation = case.foundation(&dialect);
    let create = foundation
        .manifest()
        .steps_of(Section::Expand, Direction::Up);
    for step in create {
        owner.run_file(foundation.sql(step)).await.unwrap();
    }
    let told = "ALTER SEQUENCE users_id_seq INCREMENT BY -2 MINVALUE -9 MAXVALUE 7 START WITH 7 RESTART WITH 7 CYCLE;
        CREATE VIEW shown AS SELECT id, name FROM users; CREATE ROLE clerk LOGIN;
        GRANT SELECT, INSERT ON shown TO clerk; GRANT USAGE, SELECT ON SEQUENCE users_id_seq TO clerk";
    owner.run_file(told).await.unwrap();
    let mut clerk = PgConnection::connect(&server.url_of("app", "clerk"))
        .await
        .unwrap();
    let migration = case.migration(&dialect);
    let mut ids = Vec::new();
    for direction in [Direction::Up, Direction::Down, Direction::Up] {
        for step in migration.manifest().steps_of(Section::Expand, direction) {
            owner.run_file(migration.sql(step)).await.unwrap();
        }
        let insert = "INSERT INTO shown (name) VALUES ('ada') RETURNING id";
        let id: i32 = sqlx::query_scalar(insert)
            .fetch_one(&mut clerk)
            .await
            .unwrap();
        ids.push(id);
        let last: i64 = sqlx::query_scalar("SELECT last_value FROM users_id_seq")
            .fetch_one(&mut clerk)
            .await
            .unwrap();
        assert_eq!(last, i64::from(id));
        let options: String = sqlx::query_scalar(
            "SELECT concat_ws(' ', seqincrement, seqmin, seqmax, seqstart, seqcycle) FROM pg_sequence
             WHERE seqrelid = 'users_id_seq'::regclass",
        )
        .fetch_one(&mut clerk)
        .await
        .unwrap();
        assert_eq!(options, "-2 -9 7 7 t", "{direction:?}");
    }
    assert_eq!(ids, [7, 5, 3]);
}
