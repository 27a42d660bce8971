//! Rows of the releases on `SQLite`, where one transaction writes at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::{Row as _, Sqlite, SqlitePool, Transaction};
use tokio::task::JoinSet;
use zdm_runtime::Zdm;
use zdm_tests::pool::Patient as _;

use super::{EACH, Kept, Ledger, ROWS, State, Writers};

async fn pool(url: &str) -> SqlitePool {
    SqlitePool::patient(url).await
}

async fn begin(pool: &SqlitePool, _id: i64) -> Transaction<'static, Sqlite> {
    pool.begin_with("BEGIN IMMEDIATE").await.unwrap()
}

writers_of!(
    sqlite::zero,
    |id, kept| Member {
        id,
        name: Some(kept.name.clone()),
        city: Some(kept.city.clone()),
        route: Some(kept.route()),
        age: Some(kept.age.to_string()),
    },
    |members, conn, written| {
        let id = written.id;
        assert!(
            members
                .set_route(conn, id, written.route.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_name(conn, id, written.name.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_city(conn, id, written.city.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_age(conn, id, written.age.as_deref())
                .await
                .unwrap()
        );
    }
);

writers_of!(
    sqlite::first,
    |id, kept| Member {
        id,
        full_name: Some(kept.name.clone()),
        city: Some(kept.city.clone()),
        route: Some(kept.route()),
        age: Some(kept.age.to_string()),
    },
    |members, conn, written| {
        let id = written.id;
        assert!(
            members
                .set_route(conn, id, written.route.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_full_name(conn, id, written.full_name.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_city(conn, id, written.city.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_age(conn, id, written.age.as_deref())
                .await
                .unwrap()
        );
    }
);

writers_of!(
    sqlite::both,
    |id, kept| Member {
        id,
        full_name: Some(kept.name.clone()),
        town: Some(kept.city.clone()),
        origin: Some(kept.origin.clone()),
        target: Some(kept.target.clone()),
        years: Some(kept.age),
    },
    |members, conn, written| {
        let id = written.id;
        assert!(
            members
                .set_origin(conn, id, written.origin.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_target(conn, id, written.target.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_full_name(conn, id, written.full_name.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_town(conn, id, written.town.as_deref())
                .await
                .unwrap()
        );
        assert!(members.set_years(conn, id, written.years).await.unwrap());
    }
);

writers_of!(
    sqlite::second,
    |id, kept| Member {
        id,
        full_name: Some(kept.name.clone()),
        town: Some(kept.city.clone()),
        origin: Some(kept.origin.clone()),
        target: Some(kept.target.clone()),
        years: Some(kept.age),
    },
    |members, conn, written| {
        let id = written.id;
        assert!(
            members
                .set_origin(conn, id, written.origin.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_target(conn, id, written.target.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_full_name(conn, id, written.full_name.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_town(conn, id, written.town.as_deref())
                .await
                .unwrap()
        );
        assert!(members.set_years(conn, id, written.years).await.unwrap());
    }
);

writers_of!(
    sqlite::last,
    |id, kept| Member {
        id,
        full_name: Some(kept.name.clone()),
        town: Some(kept.city.clone()),
        origin: Some(kept.origin.clone()),
        target: Some(kept.target.clone()),
        years: Some(kept.age),
    },
    |members, conn, written| {
        let id = written.id;
        assert!(
            members
                .set_origin(conn, id, written.origin.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_target(conn, id, written.target.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_full_name(conn, id, written.full_name.as_deref())
                .await
                .unwrap()
        );
        assert!(
            members
                .set_town(conn, id, written.town.as_deref())
                .await
                .unwrap()
        );
        assert!(members.set_years(conn, id, written.years).await.unwrap());
    }
);

/// The rows as they are in the end.
pub(crate) async fn stored(url: &str) -> BTreeMap<i64, Kept> {
    let query = "SELECT id, full_name, town, origin, target, years FROM members";
    let rows = sqlx::query(query)
        .fetch_all(&pool(url).await)
        .await
        .unwrap();
    let kept = rows.iter().map(|row| {
        let kept = Kept {
            name: row.get("full_name"),
            city: row.get("town"),
            origin: row.get("origin"),
            target: row.get("target"),
            age: row.get("years"),
        };
        (row.get("id"), kept)
    });
    kept.collect()
}
