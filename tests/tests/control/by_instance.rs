//! Readers that go to new by instance: what a hop writes, who reads what, and runtimes and control tables from before.

use zdm_runtime::database::{Connection, control};
use zdm_runtime::hop::{HopError, Target};
use zdm_runtime::{By, Error, Share, Stage, TableFlags, Zdm, fleet};

use crate::fixture::{Database, MIGRATION, Operator, TRANSITION};
use crate::in_turn::{SEVERAL, several};

const HALF: u32 = 5_000;

/// Two names of which the first is in half of the instances of the migration, and the second is not.
fn one_in_one_out() -> [String; 2] {
    let half = Share::of(HALF, By::Instance);
    let names = || (0..).map(|number| format!("web-{number}"));
    let reads = |name: &String| half.of_instance(MIGRATION, name) > 0;
    let (inside, outside) = (names().find(reads), names().find(|name| !reads(name)));
    [inside.unwrap(), outside.unwrap()]
}

fn by_instance(points: u32) -> Target {
    Target::live_by(points, By::Instance).unwrap()
}

async fn handle(database: &Database, name: &str) -> (Zdm, TableFlags) {
    let zdm = Zdm::connect_as(database.pool().await, &TRANSITION, name)
        .await
        .unwrap();
    let flags = TableFlags::of(&zdm, "users").unwrap();
    (zdm, flags)
}

/// How many of a hundred keys an instance reads from new.
async fn read_from_new((zdm, flags): &(Zdm, TableFlags)) -> usize {
    zdm.beat().await.unwrap();
    let now = flags.current();
    (0..100)
        .filter(|key| flags.reads_new(now, MIGRATION, key))
        .count()
}

/// The two shares that the control tables hold; -1 stands for NULL.
async fn stored(operator: &mut Operator) -> (i64, i64) {
    let keys = operator
        .number("SELECT read_basis_points FROM {zdm}stage")
        .await;
    let instances = "SELECT coalesce(read_instances, -1) FROM {zdm}stage";
    (keys, operator.number(instances).await)
}

async fn at_shadow(database: &Database) -> Operator {
    let mut operator = Operator::of(database).await;
    operator.go(Stage::Shadow).await;
    operator
}

#[tokio::test]
async fn an_instance_reads_all_keys_from_new_or_none() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = at_shadow(&database).await;
        let [inside, outside] = one_in_one_out();
        let (inside, outside) = (
            handle(&database, &inside).await,
            handle(&database, &outside).await,
        );
        let again = handle(&database, inside.0.name()).await;
        operator.advance(by_instance(HALF)).await.unwrap();
        assert_eq!(stored(&mut operator).await, (0, 5_000));
        for (instance, keys) in [(&inside, 100), (&outside, 0), (&again, 100)] {
            assert_eq!(read_from_new(instance).await, keys);
        }

        // Everybody is everybody, also those from before shares by instance.
        operator.advance(by_instance(10_000)).await.unwrap();
        assert_eq!(stored(&mut operator).await, (10_000, -1));
        for instance in [&inside, &outside, &again] {
            assert_eq!(read_from_new(instance).await, 100);
        }

        // Back to fewer, back at once, and forward once more, now by key.
        operator.back(by_instance(HALF)).await.unwrap();
        assert_eq!(read_from_new(&outside).await, 0);
        operator
            .back(Target::stage(Stage::DualWrite))
            .await
            .unwrap();
        assert_eq!(stored(&mut operator).await, (0, -1));
        assert_eq!(read_from_new(&inside).await, 0);
        for target in [Target::stage(Stage::Shadow), Target::live(HALF).unwrap()] {
            read_from_new(&inside).await;
            read_from_new(&outside).await;
            read_from_new(&again).await;
            operator.advance(target).await.unwrap();
        }
        assert_eq!(stored(&mut operator).await, (5_000, -1));
        let some = read_from_new(&outside).await;
        assert!((20..80).contains(&some), "{some}");
        assert_eq!(read_from_new(&inside).await, some);
    }
}

#[tokio::test]
async fn another_way_of_counting_is_a_hop_of_its_own_and_no_way_back() {
    let database = Database::sqlite().expanded().await;
    let mut operator = at_shadow(&database).await;
    operator.advance(Target::live(HALF).unwrap()).await.unwrap();
    let error = operator.back(by_instance(100)).await.unwrap_err();
    let HopError::Shut { gates, .. } = &error else {
        panic!("{error}");
    };
    let shut: Vec<_> = gates.iter().filter(|gate| !gate.open).collect();
    assert_eq!(shut.len(), 1, "{shut:?}");
    assert!(shut[0].reason.contains("shared by key"), "{shut:?}");
    assert_eq!(stored(&mut operator).await, (5_000, -1));

    let fence = "SELECT epoch FROM {zdm}fence WHERE table_name = 'users'";
    let before = operator.number(fence).await;
    assert!(operator.advance(by_instance(HALF)).await.unwrap().moved);
    assert_eq!(operator.number(fence).await, before + 1);
    assert!(!operator.advance(by_instance(HALF)).await.unwrap().moved);
    assert_eq!(operator.number(fence).await, before + 1);
    let told =
        "SELECT count(*) FROM {zdm}audit WHERE detail LIKE '%(5000 basis points by instance)%'";
    assert_eq!(operator.number(told).await, 1);

    let error = operator
        .advance(Target::stage(Stage::RampDown))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("counted by instance"), "{error}");
    operator.advance(by_instance(10_000)).await.unwrap();
    operator
        .advance(Target::stage(Stage::RampDown))
        .await
        .unwrap();
}

/// It reads what runtimes from before read: the share of keys alone.
#[tokio::test]
async fn a_runtime_from_before_reads_old_until_all_read_new() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = at_shadow(&database).await;
        for points in [1, HALF, 9_999] {
            operator.advance(by_instance(points)).await.unwrap();
            assert_eq!(stored(&mut operator).await.0, 0, "{points}");
        }
        operator.advance(by_instance(10_000)).await.unwrap();
        assert_eq!(stored(&mut operator).await.0, 10_000);
    }
}

/// Such a command line writes the share of keys and leaves the other as it is.
#[tokio::test]
async fn a_command_line_from_before_decides_by_key() {
    let database = Database::sqlite().expanded().await;
    let mut operator = at_shadow(&database).await;
    let [inside, _] = one_in_one_out();
    operator.advance(by_instance(HALF)).await.unwrap();
    let instance = handle(&database, &inside).await;
    assert_eq!(read_from_new(&instance).await, 100);
    for (stage, points, all) in [
        (Stage::Live, 1, false),
        (Stage::DualWrite, 0, false),
        (Stage::RampDown, 0, true),
    ] {
        let moved = format!(
            "UPDATE {{zdm}}stage SET stage = '{stage}', read_basis_points = {points}, epoch = epoch + 1"
        );
        operator.connection.execute(&moved, &[]).await.unwrap();
        let fences = "UPDATE {zdm}fence SET epoch = epoch + 1";
        operator.connection.execute(fences, &[]).await.unwrap();
        let keys = read_from_new(&instance).await;
        assert_eq!(keys > 50, all, "{stage}: {keys}");
        let standing =
            zdm_runtime::facts::collect(&mut operator.connection, &crate::fixture::manifest())
                .await
                .unwrap()
                .standing;
        let zdm_runtime::facts::Fact::Known(Some(standing)) = standing else {
            panic!("{standing:?}");
        };
        assert_eq!(standing.share, Share::of(points, By::Key), "{stage}");
    }
}

/// Each migration has instances of its own, also where code follows several on one table.
#[tokio::test]
async fn of_several_migrations_the_one_that_moves_has_the_share() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = several(&database).await;
        let half = Share::of(HALF, By::Instance);
        let name = (0..1_000)
            .map(|number| format!("web-{number}"))
            .find(|name| {
                half.of_instance("second", name) > 0 && half.of_instance(MIGRATION, name) == 0
            });
        let zdm = Zdm::connect_as(database.pool().await, &SEVERAL, &name.unwrap())
            .await
            .unwrap();
        let flags = TableFlags::of(&zdm, "users").unwrap();
        let share = "UPDATE {zdm}stage SET read_instances = 5000";
        operator.connection.execute(share, &[]).await.unwrap();
        for (migration, turn, reads_new) in [(MIGRATION, 0, false), ("second", 1, true)] {
            operator.stands(migration, Stage::Live).await;
            zdm.beat().await.unwrap();
            zdm.ready().unwrap();
            let now = flags.current();
            let of = |turn| {
                let keys = (0..100).filter(|key| flags.reads_new(now.of(turn), "salt", key));
                keys.count()
            };
            assert_eq!(of(turn), if reads_new { 100 } else { 0 }, "{migration}");
            assert_eq!(of(1 - turn), if turn == 1 { 100 } else { 0 }, "{migration}");
            operator.stands(migration, Stage::Complete).await;
        }
    }
}

/// Control tables of version 6 are upgraded beneath an instance that runs: it says its name and reads as it should.
#[tokio::test]
async fn an_instance_goes_on_while_the_control_tables_are_upgraded() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = at_shadow(&database).await;
        for (table, column) in [
            ("stage", "read_instances"),
            ("instance", "name"),
            ("migration", "kept_until"),
            ("instance_code", "held"),
        ] {
            let sql = format!("ALTER TABLE {{zdm}}{table} DROP COLUMN {column}");
            operator.connection.execute(&sql, &[]).await.unwrap();
        }
        let older = "UPDATE {zdm}meta SET version = 6";
        operator.connection.execute(older, &[]).await.unwrap();
        let [inside, outside] = one_in_one_out();
        let (inside, outside) = (
            handle(&database, &inside).await,
            handle(&database, &outside).await,
        );
        assert_eq!(read_from_new(&inside).await, 0);
        assert_eq!(names(&mut operator.connection).await, [None, None]);

        control::install(&mut operator.connection).await.unwrap();
        operator.advance(by_instance(HALF)).await.unwrap();
        assert_eq!(read_from_new(&inside).await, 100);
        assert_eq!(read_from_new(&outside).await, 0);
        let mut expected = [inside.0.name(), outside.0.name()].map(|name| Some(name.to_owned()));
        expected.sort();
        assert_eq!(names(&mut operator.connection).await, expected);
    }
}

async fn names(connection: &mut Connection) -> Vec<Option<String>> {
    let members = fleet::members(connection, MIGRATION).await.unwrap();
    let mut names: Vec<_> = members.into_iter().map(|member| member.name).collect();
    names.sort();
    names
}

/// One whose registration was taken away registers anew, its name as well.
#[tokio::test]
async fn an_instance_that_was_forgotten_says_its_name_again() {
    let database = Database::sqlite().expanded().await;
    let mut connection = database.connection().await;
    let (zdm, _) = handle(&database, "web-1").await;
    for table in ["instance_fence", "instance_code", "instance"] {
        let sql = format!("DELETE FROM {{zdm}}{table}");
        connection.execute(&sql, &[]).await.unwrap();
    }
    zdm.beat().await.unwrap();
    assert_eq!(names(&mut connection).await, [Some("web-1".to_owned())]);
}

#[tokio::test]
async fn what_is_no_name_is_refused_before_anything_is_registered() {
    let database = Database::sqlite().expanded().await;
    let error = Zdm::connect_as(database.pool().await, &TRANSITION, "")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NoName { .. }), "{error}");
    let mut connection = database.connection().await;
    assert_eq!(names(&mut connection).await, []);
}
