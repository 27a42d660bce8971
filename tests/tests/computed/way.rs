//! The whole way, with rows that cannot be converted, a panic, and code of another version.

use tempfile::TempDir;
use zdm_runtime::Error;
use zdm_runtime::backfill::{BackfillError, End};
use zdm_runtime::computed::ComputedError;
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use crate::application::ROWS;
use crate::{NAME, VERSION, application};

macro_rules! whole_way {
    ($test:ident, $dialect:ident, $url:expr, $other:literal, $ours:literal) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
        async fn $test() {
            use application::$dialect::{Users, at_dual_write, execute, pool, run, texts};
            let (_guard, url) = $url;
            let releases = Releases::new(url.clone(), concat!("computed/", stringify!($dialect)));
            let (zdm, users): (_, Users) = at_dual_write(&url, &releases).await;
            let mut conn = pool(&url).await.acquire().await.unwrap();

            // Reads compute what is not filled yet.
            let user = users.get(&mut conn, 7).await.unwrap().unwrap();
            assert_eq!(user.phone_key, "77");
            execute(&url, "UPDATE users SET phone = 'none' WHERE id IN (3, 150)").await;
            let error = users.get(&mut conn, 3).await.unwrap_err();
            assert!(
                matches!(&error, Error::NotComputed { column, .. } if column == "phone_key"),
                "{error}"
            );

            // The command line makes ready, and says what to run.
            releases.waits(
                &["backfill", NAME],
                "zdm::m0002_phone_keys::backfill::backfill(&pool",
            );
            releases.waits(&["advance"], "crate::phone::key");
            releases.waits(&["verify", NAME], "backfilled");

            // Another content of the version is another function, for all that is known.
            execute(&url, $other).await;
            let refused = run(&url, "other").await.unwrap_err();
            assert!(matches!(&refused, ComputedError::AnotherVersion { .. }), "{refused}");
            execute(&url, $ours).await;

            // A panic stops at the row and leaves the ledger where it was.
            execute(&url, "UPDATE users SET phone = 'panics' WHERE id = 2").await;
            let failed = run(&url, "panics").await.unwrap_err();
            let ComputedError::Backfill(BackfillError::Function { key, reason, .. }) = &failed
            else {
                panic!("{failed}");
            };
            assert_eq!(key.to_string(), "2");
            assert!(reason.contains("no phone that was thought of"), "{reason}");
            let unfilled = "SELECT CAST(id AS text) FROM users WHERE id < 8 AND phone_key IS NULL ORDER BY users.id";
            assert_eq!(texts(&url, unfilled).await, ["1", "2", "3", "4", "5", "6", "7"]);
            execute(&url, "UPDATE users SET phone = '2-2' WHERE id = 2").await;

            let outcome = run(&url, "first").await.unwrap();
            assert_eq!(outcome.end, End::Done);
            releases.until_done(&["backfill", NAME]);
            let waiting = "SELECT CAST(id AS text) FROM users WHERE phone_key IS NULL ORDER BY users.id";
            assert_eq!(texts(&url, waiting).await, ["3", "150"]);
            releases.until_done(&["verify", NAME]);
            releases.waits(&["switch", NAME, "--to", "shadow"], "quarantine_readable");
            let repair = releases.ended(&["verify", NAME, "--repair"]);
            assert_eq!(repair.status.code(), Some(2), "{repair:?}");

            // One is mended, the other is given its value.
            execute(&url, "UPDATE users SET phone = '3/3' WHERE id = 3").await;
            execute(&url, "UPDATE users SET phone = '150', phone_key = '150' WHERE id = 150").await;
            run(&url, "again").await.unwrap();
            assert!(texts(&url, waiting).await.is_empty());
            let all = "SELECT phone_key FROM users ORDER BY id";
            assert_eq!(i64::try_from(texts(&url, all).await.len()), Ok(ROWS));

            // What was filled goes with the column, and is filled again.
            let gone = releases.ended(&["rollback", NAME, "--to", "off"]);
            assert!(gone.status.success(), "{gone:?}");
            execute(&url, "UPDATE users SET phone_key = NULL WHERE id > 100").await;
            releases.until_done(&["resume", NAME]);
            releases.until_done(&["switch", NAME, "--to", "dual_write"]);
            releases.waits(&["backfill", NAME], VERSION);
            run(&url, "second").await.unwrap();
            application::$dialect::to_the_end(&url, &releases, zdm).await;
        }
    };
}

whole_way!(
    postgres_is_filled_by_the_application,
    postgres,
    {
        let server = Server::start();
        let url = server.database("app");
        (server, url)
    },
    "ALTER TABLE zdm.migration ADD COLUMN kept text; UPDATE zdm.migration SET kept = content_hash; \
     UPDATE zdm.migration SET content_hash = 'other' WHERE version = 2",
    "UPDATE zdm.migration SET content_hash = kept; ALTER TABLE zdm.migration DROP COLUMN kept"
);

whole_way!(
    sqlite_is_filled_by_the_application,
    sqlite,
    {
        let folder = TempDir::new().unwrap();
        let url = format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("app.db").display()
        );
        (folder, url)
    },
    "UPDATE zdm_migration SET content_hash = 'other ' || content_hash WHERE version = 2",
    "UPDATE zdm_migration SET content_hash = replace(content_hash, 'other ', '')"
);
