//! Rows of the releases on PostgreSQL, where an advisory lock keeps writers of a row apart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::{PgPool, Postgres, Row as _, Transaction};
use tokio::task::JoinSet;
use zdm_runtime::Zdm;
use zdm_tests::pool::Patient as _;

use super::{EACH, Kept, Ledger, ROWS, State, Writers};

async fn pool(url: &str) -> PgPool {
    PgPool::patient(url).await
}

async fn begin(pool: &PgPool, id: i64) -> Transaction<'static, Postgres> {
    let mut transaction = pool.begin().await.unwrap();
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(id);
    lock.execute(&mut *transaction).await.unwrap();
    transaction
}

writers_of!(
    postgres::zero,
    |id, kept| Member {
        id,
        name: kept.name.clone(),
        city: kept.city.clone(),
        route: kept.route(),
        age: Some(kept.age.to_string()),
    },
    |members, conn, written| {
        let id = written.id;
        assert!(members.set_route(conn, id, &written.route).await.unwrap());
        assert!(members.set_name(conn, id, &written.name).await.unwrap());
        assert!(members.set_city(conn, id, &written.city).await.unwrap());
        assert!(
            members
                .set_age(conn, id, written.age.as_deref())
                .await
                .unwrap()
        );
    }
);

writers_of!(
    postgres::first,
    |id, kept| Member {
        id,
        full_name: kept.name.clone(),
        city: kept.city.clone(),
        route: kept.route(),
        age: Some(kept.age.to_string()),
    },
    |members, conn, written| {
        let id = written.id;
        assert!(members.set_route(conn, id, &written.route).await.unwrap());
        assert!(
            members
                .set_full_name(conn, id, &written.full_name)
                .await
                .unwrap()
        );
        assert!(members.set_city(conn, id, &written.city).await.unwrap());
        assert!(
            members
                .set_age(conn, id, written.age.as_deref())
                .await
                .unwrap()
        );
    }
);

writers_of!(
    postgres::both,
    |id, kept| Member {
        id,
        full_name: kept.name.clone(),
        town: kept.city.clone(),
        origin: kept.origin.clone(),
        target: kept.target.clone(),
        years: Some(kept.age),
        number: id,
    },
    |members, conn, written| {
        let id = written.id;
        assert!(members.set_origin(conn, id, &written.origin).await.unwrap());
        assert!(members.set_target(conn, id, &written.target).await.unwrap());
        assert!(
            members
                .set_full_name(conn, id, &written.full_name)
                .await
                .unwrap()
        );
        assert!(members.set_town(conn, id, &written.town).await.unwrap());
        assert!(members.set_years(conn, id, written.years).await.unwrap());
    }
);

writers_of!(
    postgres::second,
    |id, kept| Member {
        id,
        full_name: kept.name.clone(),
        town: kept.city.clone(),
        origin: kept.origin.clone(),
        target: kept.target.clone(),
        years: Some(kept.age),
        number: id,
    },
    |members, conn, written| {
        let id = written.id;
        assert!(members.set_origin(conn, id, &written.origin).await.unwrap());
        assert!(members.set_target(conn, id, &written.target).await.unwrap());
        assert!(
            members
                .set_full_name(conn, id, &written.full_name)
                .await
                .unwrap()
        );
        assert!(members.set_town(conn, id, &written.town).await.unwrap());
        assert!(members.set_years(conn, id, written.years).await.unwrap());
    }
);

writers_of!(
    postgres::last,
    |id, kept| Member {
        id,
        full_name: kept.name.clone(),
        town: kept.city.clone(),
        origin: kept.origin.clone(),
        target: kept.target.clone(),
        years: Some(kept.age),
        number: id,
    },
    |members, conn, written| {
        let id = written.id;
        assert!(members.set_origin(conn, id, &written.origin).await.unwrap());
        assert!(members.set_target(conn, id, &written.target).await.unwrap());
        assert!(
            members
                .set_full_name(conn, id, &written.full_name)
                .await
                .unwrap()
        );
        assert!(members.set_town(conn, id, &written.town).await.unwrap());
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
