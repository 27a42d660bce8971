//! The whole way, with values that do not belong together, rows that cannot be converted, and a row that somebody else has written.

use tempfile::TempDir;
use zdm_runtime::Error;
use zdm_runtime::backfill::End;
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use crate::application::{ROWS, along};
use crate::email::of;
use crate::{NAME, application};

/// Rows whose sides nobody wrote together.
const UNSEALED: &str =
    "SELECT CAST(id AS text) FROM users WHERE zdm_seal_email_key IS NULL ORDER BY users.id";

/// Two values that do not belong together, and one that has none, are stored at no stage.
macro_rules! sides_are_refused {
    ($users:ident, $conn:ident, $releases:ident, $given:ident) => {
        for stage in ["off", "dual_write"] {
            if stage == "dual_write" {
                $releases.until_done(&["switch", NAME, "--to", stage]);
            }
            let (mut user, email) = $given(202, "grace@example.org");
            user.email_key = "another".to_owned();
            let refused = [
                $users.insert(&mut $conn, &user, &email).await.unwrap_err(),
                $users.upsert(&mut $conn, &user, &email).await.unwrap_err(),
                $users
                    .set_email_key(&mut $conn, 7, "another", "grace@example.org")
                    .await
                    .unwrap_err(),
            ];
            for error in refused {
                assert!(
                    matches!(
                        &error,
                        Error::SidesDisagree {
                            new: "email_key",
                            ..
                        }
                    ),
                    "{error}"
                );
            }
            let error = $users.set_email_key(&mut $conn, 7, "x", "none").await;
            assert!(matches!(error, Err(Error::NotComputed { .. })), "{error:?}");
        }
        assert_eq!($users.get(&mut $conn, 202).await.unwrap(), None);
    };
}

/// What somebody else has written to one side alone is found, and what new has is of another old value.
macro_rules! others_are_found {
    ($users:ident, $conn:ident, $releases:ident, $url:ident) => {
        execute(
            &$url,
            "UPDATE users SET email = 'else@where.org' WHERE id = 9",
        )
        .await;
        execute(&$url, "UPDATE users SET email_key = 'else' WHERE id = 10").await;
        execute(&$url, "UPDATE users SET email = 'none' WHERE id = 11").await;
        let found = $releases.ended(&["verify", NAME]);
        let said = String::from_utf8_lossy(&found.stdout) + String::from_utf8_lossy(&found.stderr);
        assert!(!found.status.success(), "{said}");
        for key in ["(9)", "(10)", "(11)"] {
            assert!(said.contains(key), "{key}: {said}");
        }
        let user = $users.get(&mut $conn, 9).await.unwrap().unwrap();
        assert_eq!(user.email_key, of("else@where.org"));
        $releases.waits(&["backfill", NAME], "crate::email::key");
        run(&$url, "once more").await.unwrap();
        $releases.until_done(&["backfill", NAME]);
        let mended = "SELECT email_key FROM users WHERE id IN (9, 10) ORDER BY users.id";
        let expected = [of("else@where.org"), of("User 10@example.org")];
        assert_eq!(texts(&$url, mended).await, expected);
        one_waits!($releases);
    };
}

/// One that the function refuses waits with the function's reason, and nobody may read new meanwhile.
macro_rules! one_waits {
    ($releases:ident) => {
        let listed = $releases.ended(&["quarantine", "list", NAME]);
        let listed = String::from_utf8_lossy(&listed.stdout);
        assert!(
            listed.contains("an address of 4 letters has no @"),
            "{listed}"
        );
        $releases.until_done(&["verify", NAME]);
        $releases.waits(&["switch", NAME, "--to", "shadow"], "quarantine_readable");
    };
}

macro_rules! whole_way {
    ($test:ident, $dialect:ident, $url:expr, $columns:literal) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
        async fn $test() {
            use application::$dialect::{
                User, UserOld, before, execute, pool, released, run, texts, to_the_end,
            };
            let (_guard, url) = $url;
            let releases = Releases::new(url.clone(), concat!("sealed/", stringify!($dialect)));
            let (old, _) = before(&url, &releases).await;
            old.close().await.unwrap();
            let (zdm, users) = released(&url, &releases).await;
            let mut conn = pool(&url).await.acquire().await.unwrap();
            let given = |id: i64, email: &str| {
                let email_key = of(email);
                let email = email.to_owned();
                (User { id, email_key }, UserOld { email })
            };

            // At `off` old alone is written, and what is read is the function's.
            let user = users.get(&mut conn, 7).await.unwrap().unwrap();
            assert_eq!(user.email_key, of("User 7@example.org"));
            let (user, email) = given(201, "ADA@example.org");
            users.insert(&mut conn, &user, &email).await.unwrap();
            assert_eq!(users.get(&mut conn, 201).await.unwrap(), Some(user));
            assert_eq!(
                i64::try_from(texts(&url, UNSEALED).await.len()),
                Ok(ROWS + 1)
            );

            sides_are_refused!(users, conn, releases, given);

            // Both sides and what says so are one statement's.
            let (user, email) = given(201, "ada@EXAMPLE.org");
            assert!(users.update(&mut conn, &user, &email).await.unwrap());
            let (user, email) = given(7, "Seven@example.org");
            users.upsert(&mut conn, &user, &email).await.unwrap();
            assert!(
                users
                    .set_email_key(&mut conn, 8, &of("Eight@example.org"), "Eight@example.org")
                    .await
                    .unwrap()
            );
            let rest = texts(&url, UNSEALED).await;
            assert!(
                ["7", "8", "201"]
                    .iter()
                    .all(|id| !rest.contains(&(*id).to_owned()))
            );

            // Rows without a value wait, and nobody may read new.
            execute(&url, "UPDATE users SET email = 'none' WHERE id IN (3, 150)").await;
            let error = users.get(&mut conn, 3).await.unwrap_err();
            assert!(matches!(&error, Error::NotComputed { .. }), "{error}");
            releases.waits(
                &["backfill", NAME],
                "zdm::m0002_email_keys::backfill::backfill(&pool",
            );
            assert_eq!(run(&url, "first").await.unwrap().end, End::Done);
            releases.until_done(&["backfill", NAME]);
            assert_eq!(texts(&url, UNSEALED).await, ["3", "150"]);
            releases.until_done(&["verify", NAME]);
            releases.waits(&["switch", NAME, "--to", "shadow"], "quarantine_readable");
            execute(
                &url,
                "UPDATE users SET email = 'a@b.c' WHERE id IN (3, 150)",
            )
            .await;
            run(&url, "again").await.unwrap();
            releases.until_done(&["verify", NAME]);

            others_are_found!(users, conn, releases, url);
            let (user, email) = given(11, "eleven@example.org");
            assert!(users.update(&mut conn, &user, &email).await.unwrap());
            releases.until_done(&["verify", NAME]);

            // Reads go to new and back, and again.
            releases.until_done(&["switch", NAME, "--to", "shadow"]);
            releases.until_done(&["switch", NAME, "--to", "100%"]);
            assert_eq!(users.get(&mut conn, 11).await.unwrap(), Some(user));
            releases.until_done(&["rollback", NAME]);
            releases.until_done(&["resume", NAME]);
            // New may not be NULL by now.
            execute(&url, "UPDATE users SET email = 'none' WHERE id = 11").await;
            assert!(!releases.ended(&["verify", NAME]).status.success());
            releases.waits(&["backfill", NAME], "crate::email::key");
            run(&url, "new is NOT NULL").await.unwrap();
            one_waits!(releases);
            let (user, email) = given(11, "eleven@example.org");
            assert!(users.update(&mut conn, &user, &email).await.unwrap());
            releases.until_done(&["verify", NAME]);
            let refused = releases.ended(&["rollback", NAME, "--to", "off"]);
            assert!(!refused.status.success(), "{refused:?}");
            along(&releases);

            // At `complete` new alone is written, and the function is not asked.
            let (user, _) = given(12, "twelve@example.org");
            let none = UserOld {
                email: "none".to_owned(),
            };
            assert!(users.update(&mut conn, &user, &none).await.unwrap());
            assert_eq!(users.get(&mut conn, 12).await.unwrap(), Some(user));
            assert_eq!(
                texts(&url, "SELECT email FROM users WHERE id = 12").await,
                ["User 12@example.org"]
            );
            to_the_end(&url, &releases, zdm).await;
            assert_eq!(texts(&url, $columns).await, ["email_key", "id"]);
        }
    };
}

whole_way!(
    postgres_goes_the_whole_way,
    postgres,
    {
        let server = Server::start();
        let url = server.database("app");
        (server, url)
    },
    "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'users' ORDER BY 1"
);

whole_way!(
    sqlite_goes_the_whole_way,
    sqlite,
    {
        let folder = TempDir::new().unwrap();
        let url = format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("app.db").display()
        );
        (folder, url)
    },
    "SELECT name FROM pragma_table_info('users') ORDER BY name"
);
