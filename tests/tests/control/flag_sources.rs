//! Sources of flags: what they may change, what they may not, and what is known of it.

use std::sync::{Arc, Mutex};

use zdm_runtime::database::control;
use zdm_runtime::flag_source::{Answer, FlagFile, FlagSource, ReaderLimits};
use zdm_runtime::hop::{HopError, Target};
use zdm_runtime::{MigrationCode, Stage, TableFlags, Zdm, ZdmOptions, fleet};

use crate::fixture::{Database, MIGRATION, Operator, TRANSITION};

/// Says what it was told to say.
#[derive(Debug, Clone, Default)]
struct Told(Arc<Mutex<Says>>);

#[derive(Debug, Clone, Default)]
enum Says {
    #[default]
    Nothing,
    Limits(ReaderLimits),
    Error,
    Silence,
    Panic,
}

impl Told {
    fn to_say(&self, says: Says) {
        *self.0.lock().unwrap() = says;
    }
}

impl FlagSource for Told {
    fn name(&self) -> String {
        "the test".to_owned()
    }

    fn limits<'a>(&'a self, migration: &'a MigrationCode, instance: &'a str) -> Answer<'a> {
        assert_eq!((migration.name, instance), ("users_full_name", "web-1"));
        let says = self.0.lock().unwrap().clone();
        Box::pin(async move {
            match says {
                Says::Nothing => Ok(None),
                Says::Limits(limits) => Ok(Some(limits)),
                Says::Error => Err("out of order".into()),
                Says::Silence => std::future::pending().await,
                Says::Panic => panic!("a source that panics"),
            }
        })
    }
}

struct App {
    zdm: Zdm,
    flags: TableFlags,
}

impl App {
    async fn with(database: &Database, source: impl FlagSource + 'static) -> Self {
        let options = ZdmOptions::new().name("web-1").flags(source);
        let zdm = Zdm::connect_with(database.pool().await, &TRANSITION, options)
            .await
            .unwrap();
        let flags = TableFlags::of(&zdm, "users").unwrap();
        Self { zdm, flags }
    }

    /// Those of a hundred keys that read new.
    async fn readers(&self) -> Vec<u32> {
        self.zdm.beat().await.unwrap();
        let now = self.flags.current();
        let reads = |key: &u32| self.flags.reads_new(now, MIGRATION, key);
        (0..100).filter(reads).collect()
    }
}

async fn held(operator: &mut Operator) -> Option<String> {
    let members = fleet::members(&mut operator.connection, MIGRATION).await;
    let [member] = &members.unwrap()[..] else {
        panic!("one instance");
    };
    member.held.clone()
}

fn shut(error: &HopError) -> Vec<&'static str> {
    let HopError::Shut { gates, .. } = error else {
        panic!("{error}");
    };
    let shut = gates.iter().filter(|gate| !gate.open);
    shut.map(|gate| gate.name).collect()
}

#[tokio::test]
async fn a_source_chooses_within_what_the_control_tables_allow() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = Operator::of(&database).await;
        let source = Told::default();
        let app = App::with(&database, source.clone()).await;
        let greedy = ReaderLimits::default().read_new(0..100);
        for stage in [Stage::DualWrite, Stage::Shadow] {
            app.readers().await;
            operator.go(stage).await;
            source.to_say(Says::Limits(greedy.clone()));
            assert_eq!(app.readers().await, [0; 0], "{stage}");
        }
        source.to_say(Says::Nothing);
        operator
            .advance(Target::live(5_000).unwrap())
            .await
            .unwrap();
        let half = app.readers().await;
        assert!((20..80).contains(&half.len()) && held(&mut operator).await.is_none());

        // A part of those that read new, and one that does not among them.
        let (inside, outside) = (half[0], (0..100).find(|key| !half.contains(key)).unwrap());
        let limits = ReaderLimits::default().at_most(2_500);
        source.to_say(Says::Limits(limits.clone()));
        let fewer = app.readers().await;
        assert!(fewer.len() < half.len() && fewer.iter().all(|key| half.contains(key)));
        let named = limits.read_old([inside]).read_new([outside]);
        source.to_say(Says::Limits(named));
        let readers = app.readers().await;
        assert!(readers.contains(&outside) && !readers.contains(&inside));
        assert_eq!(
            held(&mut operator).await.unwrap(),
            "at most 25 % of the keys read new, 1 key always old, 1 key always new (by the test)"
        );

        // A share that is not reached is none that was looked at.
        operator
            .advance(Target::live(10_000).unwrap())
            .await
            .unwrap();
        assert_eq!(app.readers().await, readers);
        let ramp_down = Target::stage(Stage::RampDown);
        let error = operator.advance(ramp_down).await.unwrap_err();
        assert_eq!(shut(&error), ["nobody_holds_back"], "{error}");
        assert!(error.to_string().contains("at most 25 %"), "{error}");
        source.to_say(Says::Limits(ReaderLimits::default().read_new([1])));
        assert_eq!(app.readers().await.len(), 100);
        operator.advance(ramp_down).await.unwrap();

        // Past `live` there is nothing to choose.
        let all_old = ReaderLimits::default().at_most(0).read_old(0..100);
        source.to_say(Says::Limits(all_old));
        assert_eq!(app.readers().await.len(), 100);
        app.zdm.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_source_that_fails_leaves_what_it_said_last() {
    let database = Database::sqlite().expanded().await;
    let mut operator = Operator::of(&database).await;
    operator.go(Stage::Shadow).await;
    operator
        .advance(Target::live(10_000).unwrap())
        .await
        .unwrap();
    let source = Told::default();
    source.to_say(Says::Error);
    let app = App::with(&database, source.clone()).await;
    // It has never answered: nobody takes new, and the gate knows.
    assert_eq!(app.readers().await, [0; 0]);
    let said = held(&mut operator).await.unwrap();
    assert!(said.starts_with("at most 0 % of the keys"), "{said}");
    source.to_say(Says::Limits(ReaderLimits::default().read_old([7])));
    assert_eq!(app.readers().await.len(), 99);
    for fails in [Says::Error, Says::Silence, Says::Panic] {
        source.to_say(fails);
        assert_eq!(app.readers().await.len(), 99);
    }
    source.to_say(Says::Nothing);
    assert_eq!(app.readers().await.len(), 100);
    assert_eq!(held(&mut operator).await, None);
}

/// Without anybody who asks for it.
#[tokio::test]
async fn a_changed_file_is_read_while_the_instance_runs() {
    let database = Database::sqlite().expanded().await;
    let mut operator = Operator::of(&database).await;
    operator.go(Stage::Shadow).await;
    operator
        .advance(Target::live(10_000).unwrap())
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("readers.toml");
    std::fs::write(&file, "[users_full_name]\nat_most = \"0%\"\n").unwrap();
    let app = App::with(&database, FlagFile::at(&file)).await;
    let reads_new = || app.flags.reads_new(app.flags.current(), MIGRATION, &1);
    assert!(!reads_new());
    let other = folder.path().join("other.toml");
    std::fs::write(&other, "# Nothing is limited.\n").unwrap();
    std::fs::rename(&other, &file).unwrap();
    while !reads_new() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_holds_readers_back_is_said_once_the_control_tables_have_a_place() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = Operator::of(&database).await;
        for sql in [
            "ALTER TABLE {zdm}instance_code DROP COLUMN held",
            "UPDATE {zdm}meta SET version = 7",
        ] {
            operator.connection.execute(sql, &[]).await.unwrap();
        }
        let source = Told::default();
        source.to_say(Says::Limits(ReaderLimits::default().at_most(0)));
        let app = App::with(&database, source).await;
        app.readers().await;
        assert_eq!(held(&mut operator).await, None);
        control::install(&mut operator.connection).await.unwrap();
        app.readers().await;
        assert!(held(&mut operator).await.is_some());

        // A registration that was taken away is said anew as a whole.
        for table in ["instance_fence", "instance_code", "instance"] {
            let sql = format!("DELETE FROM {{zdm}}{table}");
            operator.connection.execute(&sql, &[]).await.unwrap();
        }
        app.readers().await;
        assert!(held(&mut operator).await.is_some());
    }
}
