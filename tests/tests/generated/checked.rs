//! Handwritten queries that sqlx has checked: at every stage they write and compare what the stage asks for. What it knows of them stands
//! in `.sqlx`, made by `cargo sqlx prepare -- --test generated_code` on a database with the tables of [`prepare`].

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};
use zdm_runtime::database::Connection;
use zdm_runtime::{Flags, Stage, TableFlags, Zdm, checked};

use crate::live::{enter, postgres, prepare, sides};
use crate::postgres::models::{Account, Page, User};
use crate::postgres::zdm::{CODE, accounts, pages, tags, users};

#[derive(Debug, PartialEq)]
struct Found {
    id: i64,
    email: Option<String>,
}

/// Sends a write until its flags are those of the database, and says how many rows it has changed.
macro_rules! written {
    ($flags:expr, $conn:expr, |$now:ident| $query:expr) => {{
        let mut $now: Flags = $flags.current();
        loop {
            let done: sqlx::postgres::PgQueryResult = $query;
            let later = $flags.refresh(&mut *$conn).await.unwrap();
            if done.rows_affected() > 0 || later.epoch() == $now.epoch() {
                break done.rows_affected();
            }
            $now = later;
        }
    }};
}

/// A database, the application's connection, and the tables whose flags are behind before each write.
struct Service {
    operator: Connection,
    conn: PoolConnection<Postgres>,
    zdm: Zdm,
}

impl Service {
    async fn enter(&mut self, stage: Stage) {
        enter(&mut self.operator, stage, 10_000).await;
    }

    /// The code has seen another stage than the one that the database is at.
    async fn behind(&mut self, flags: &TableFlags, stage: Stage) {
        let other = match stage {
            Stage::Off | Stage::DualWrite | Stage::Shadow => Stage::Complete,
            Stage::Live | Stage::RampDown | Stage::Complete => Stage::Off,
        };
        self.enter(other).await;
        flags.refresh(&mut *self.conn).await.unwrap();
        self.enter(stage).await;
    }

    async fn names(&mut self, stage: Stage) {
        let users = users::Users::new(&self.zdm).unwrap();
        let user = User {
            id: 0,
            full_name: "Ada".to_owned(),
            email: None,
            greeted: false,
        };
        self.enter(stage).await;
        let id = users.insert(&mut self.conn, &user).await.unwrap();
        self.behind(users.flags(), stage).await;
        let conn = &mut *self.conn;
        let changed = written!(users.flags(), conn, |flags| {
            checked!(
            users::fragments::sql, flags => sqlx::query!(
                "UPDATE users SET " set_full_name("$2") ", email = $3 WHERE id = $1 AND " guard("$4"),
                id, "Grace", "g@x", flags.epoch()
            ).execute(&mut *conn)
        )
        .unwrap()
        });
        assert_eq!(changed, 1, "{stage}");
        let name = || Some("Grace".to_owned());
        let stored = match stage {
            Stage::Off => (name(), None),
            Stage::Complete => (None, name()),
            _ => (name(), name()),
        };
        let now = sides(&mut self.operator, "users", "name", "full_name", id).await;
        assert_eq!(now, stored, "{stage}");

        let flags = users.flags().current();
        let found = checked!(users::fragments::sql, flags => sqlx::query_as!(
            Found,
            "SELECT id, email FROM users WHERE " full_name " = $1 AND id = $2 AND " guard("$3"),
            "Grace", id, flags.epoch()
        ).fetch_all(&mut *conn))
        .unwrap();
        let email = Some("g@x".to_owned());
        assert_eq!(found, [Found { id, email }], "{stage}");
        self.enter(stage).await;
        let late = checked!(users::fragments::sql, flags => sqlx::query_scalar!(
            "SELECT id FROM users WHERE " full_name " = $1 AND " guard("$2"),
            "Grace", flags.epoch()
        ).fetch_all(&mut *self.conn));
        assert_eq!(late.unwrap(), Vec::<i64>::new(), "{stage}");
    }

    async fn one_way(&mut self, stage: Stage) {
        let accounts = accounts::Accounts::new(&self.zdm).unwrap();
        let account = Account {
            id: 0,
            email: "a@x".to_owned(),
            note: None,
        };
        let old = accounts::AccountOld {
            email: "A@x".to_owned(),
        };
        self.enter(stage).await;
        let id = accounts
            .insert(&mut self.conn, &account, &old)
            .await
            .unwrap();
        self.behind(accounts.flags(), stage).await;
        let conn = &mut *self.conn;
        for (new, taken) in [("other@x", stage == Stage::Complete), ("b@x", true)] {
            let changed = written!(accounts.flags(), conn, |flags| checked!(
                accounts::fragments::sql, flags => sqlx::query!(
                    "UPDATE accounts SET " set_email("$2", "$3") " WHERE id = $1 AND "
                        email_agrees("$2", "$3") " AND " guard("$4"),
                    id, new, "B@x", flags.epoch()
                ).execute(&mut *conn)
            )
            .unwrap());
            assert_eq!(changed, u64::from(taken), "{stage}: {new}");
        }
    }

    async fn versions(&mut self, stage: Stage) {
        let pages = pages::Pages::new(&self.zdm).unwrap();
        let page = Page {
            id: 0,
            title: "first".to_owned(),
            visits: 1,
            version: 1,
        };
        self.enter(stage).await;
        let id = pages.insert(&mut self.conn, &page).await.unwrap();
        self.behind(pages.flags(), stage).await;
        let conn = &mut *self.conn;
        let changed = written!(pages.flags(), conn, |flags| {
            checked!(
            pages::fragments::sql, flags => sqlx::query!(
                "UPDATE pages SET " set_title("$2") ", " next_version " WHERE id = $1 AND " guard("$3"),
                id, "second", flags.epoch()
            ).execute(&mut *conn)
        )
        .unwrap()
        });
        assert_eq!(changed, 1, "{stage}");
        let read = pages.get(conn, id).await.unwrap().unwrap();
        assert_eq!((read.title.as_str(), read.version), ("second", 2));
    }

    /// No migration is in transition here: one query for all.
    async fn one_query(&mut self) {
        let tags = tags::Tags::new(&self.zdm).unwrap();
        let conn = &mut *self.conn;
        let changed = written!(tags.flags(), conn, |flags| checked!(
            tags::fragments::sql, flags => sqlx::query!(
                "INSERT INTO tags (name) SELECT $1 WHERE " guard("$2"), "new", flags.epoch()
            ).execute(&mut *conn)
        )
        .unwrap());
        assert_eq!(changed, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checked_queries_follow_every_stage() {
    let (_guard, url) = postgres();
    let mut operator = Connection::open(&url).await.unwrap();
    prepare(&mut operator).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let mut service = Service {
        operator,
        conn: pool.acquire().await.unwrap(),
        zdm: Zdm::connect(pool.clone(), &CODE).await.unwrap(),
    };
    for stage in Stage::ALL {
        service.names(stage).await;
        service.one_way(stage).await;
        service.versions(stage).await;
    }
    service.one_query().await;
    service.zdm.close().await.unwrap();
}
