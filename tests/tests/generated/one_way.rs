//! Writes that take the values of both sides, at every stage, against real databases.

use zdm_runtime::database::Connection;
use zdm_runtime::{Error, Stage, Zdm};

use crate::live::{enter, postgres, prepare, sides, sqlite};

/// One test per database: the same steps with each one's types.
macro_rules! takes_both_values {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        #[allow(
            clippy::too_many_lines,
            reason = "one stage after the other, all writes of each"
        )]
        async fn $test() {
            use crate::$module::models::{Account, Contact};
            use crate::$module::zdm::accounts::{self, AccountOld, Accounts};
            use crate::$module::zdm::contacts::{ContactOld, Contacts};

            let (_guard, url) = $url;
            let mut operator = Connection::open(&url).await.unwrap();
            prepare(&mut operator).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &crate::$module::zdm::CODE)
                .await
                .unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let accounts = Accounts::new(&zdm).unwrap();
            let contacts = Contacts::new(&zdm).unwrap();
            let account = |id, email: &str| Account {
                id,
                email: email.to_owned(),
                note: None,
            };
            let old = |email: &str| AccountOld {
                email: email.to_owned(),
            };

            for (at, stage) in Stage::ALL.into_iter().enumerate() {
                enter(&mut operator, stage, 10_000).await;
                let (writes_old, writes_new) = match stage {
                    Stage::Off => (true, false),
                    Stage::Complete => (false, true),
                    _ => (true, true),
                };
                let stored = |before: &str, after: &str| {
                    (
                        writes_old.then(|| before.to_owned()),
                        writes_new.then(|| after.to_owned()),
                    )
                };

                let ada = account(0, "ada@x");
                let id = accounts.insert(conn, &ada, &old("Ada@X")).await.unwrap();
                let read = accounts.get(conn, id).await.unwrap();
                assert_eq!(read, Some(account(id, "ada@x")));
                assert_eq!(
                    sides(&mut operator, "accounts", "email", "email_key", id).await,
                    stored("Ada@X", "ada@x")
                );
                assert!(
                    accounts
                        .set_email(conn, id, "bob@x", "BOB@x")
                        .await
                        .unwrap()
                );
                assert!(accounts.set_note(conn, id, Some("alone")).await.unwrap());
                assert_eq!(
                    sides(&mut operator, "accounts", "email", "email_key", id).await,
                    stored("BOB@x", "bob@x")
                );
                let joan = account(id, "joan@x");
                accounts.upsert(conn, &joan, &old("Joan@x")).await.unwrap();
                let hedy = account(id, "hedy@x");
                assert!(accounts.update(conn, &hedy, &old("Hedy@x")).await.unwrap());
                assert_eq!(
                    sides(&mut operator, "accounts", "email", "email_key", id).await,
                    stored("Hedy@x", "hedy@x")
                );
                assert_eq!(
                    accounts.list(conn, None, 9).await.unwrap(),
                    std::slice::from_ref(&hedy)
                );

                // Values that do not belong together are refused as long as old is written, and nothing is stored.
                let refused = [
                    accounts.insert(conn, &ada, &old("eve@x")).await.map(|_| ()),
                    accounts.upsert(conn, &hedy, &old("eve@x")).await,
                    accounts
                        .update(conn, &hedy, &old("eve@x"))
                        .await
                        .map(|_| ()),
                    accounts
                        .set_email(conn, id, "hedy@x", "eve@x")
                        .await
                        .map(|_| ()),
                ];
                for refused in refused {
                    if writes_old {
                        let error = refused.unwrap_err();
                        assert!(matches!(error, Error::SidesDisagree { .. }), "{error}");
                        let told = error.to_string();
                        assert!(told.contains("`email` and `email_key`"), "{told}");
                        assert!(told.contains("lower(email)"), "{told}");
                    } else {
                        refused.unwrap();
                    }
                }
                assert_eq!(
                    sides(&mut operator, "accounts", "email", "email_key", id).await,
                    stored("Hedy@x", "hedy@x")
                );
                let rows = accounts.list(conn, None, 9).await.unwrap();
                assert_eq!(rows.len(), if writes_old { 1 } else { 2 });
                for row in rows {
                    assert!(accounts.delete(conn, row.id).await.unwrap());
                }
                assert!(!accounts.update(conn, &hedy, &old("Hedy@x")).await.unwrap());
                assert!(!accounts.set_email(conn, id, "a", "A").await.unwrap());

                // A handwritten statement has the same parameters at every stage.
                let id = accounts.insert(conn, &ada, &old("ada@x")).await.unwrap();
                let flags = accounts.flags().refresh(conn).await.unwrap();
                let update = format!(
                    "UPDATE accounts SET {} WHERE id = $2 AND {} AND {}",
                    accounts::fragments::set_email(flags, "$1", "$4"),
                    accounts::fragments::email_agrees(flags, "$1", "$4"),
                    accounts::fragments::guard("$3"),
                );
                for (epoch, email, changed) in [
                    (flags.epoch() - 1, "GRACE@x", 0),
                    (flags.epoch(), "eve@x", u64::from(!writes_old)),
                    (flags.epoch(), "GRACE@x", 1),
                ] {
                    let done = sqlx::query(sqlx::AssertSqlSafe(update.clone()))
                        .bind("grace@x")
                        .bind(id)
                        .bind(epoch)
                        .bind(email)
                        .execute(&mut *conn)
                        .await
                        .unwrap();
                    assert_eq!(done.rows_affected(), changed, "{update}");
                }
                let read = accounts.get(conn, id).await.unwrap();
                assert_eq!(read, Some(account(id, "grace@x")));
                assert!(accounts.delete(conn, id).await.unwrap());

                // Several old columns, one of which may be NULL, and a pair with its way back beside them.
                let id = i64::try_from(at).unwrap();
                let contact = |name: &str, town: &str| Contact {
                    id,
                    name: name.to_owned(),
                    town: town.to_owned(),
                };
                let named = |first: &str, last: Option<&str>| ContactOld {
                    first_name: first.to_owned(),
                    last_name: last.map(str::to_owned),
                };
                let cher = contact("Cher", "LA");
                contacts
                    .insert(conn, &cher, &named("Cher", None))
                    .await
                    .unwrap();
                assert_eq!(contacts.get(conn, id).await.unwrap(), Some(cher.clone()));
                assert!(
                    contacts
                        .set_name(conn, id, "Ada Byron", "Ada", Some("Byron"))
                        .await
                        .unwrap()
                );
                assert!(contacts.set_town(conn, id, "London").await.unwrap());
                assert_eq!(
                    sides(&mut operator, "contacts", "last_name", "name", id).await,
                    stored("Byron", "Ada Byron")
                );
                assert_eq!(
                    sides(&mut operator, "contacts", "city", "town", id).await,
                    stored("London", "London")
                );
                let refused = contacts.update(conn, &cher, &named("Ada", None)).await;
                assert_eq!(refused.is_err(), writes_old, "{refused:?}");
            }
            zdm.close().await.unwrap();
        }
    };
}

takes_both_values!(sqlite_takes_both_values, sqlite, sqlx::SqlitePool, sqlite());
takes_both_values!(
    postgres_takes_both_values,
    postgres,
    sqlx::PgPool,
    postgres()
);
