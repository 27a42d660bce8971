//! On SQLite.

use sqlx::{Row as _, SqlitePool};
use zdm_runtime::Zdm;

use crate::golden::created;
use crate::sqlite::models::{Day, Mood, User};
use crate::sqlite::zdm::{CODE, days, users};

/// A database with the tables, and the code's handle of it.
async fn open(folder: &tempfile::TempDir) -> (SqlitePool, Zdm) {
    let url = format!("sqlite://{}", folder.path().join("columns.db").display());
    created("sqlite", &url).await;
    let pool = SqlitePool::connect(&url).await.unwrap();
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    zdm.ready().unwrap();
    (pool, zdm)
}

#[tokio::test(flavor = "multi_thread")]
async fn enums_are_texts() {
    let folder = tempfile::tempdir().unwrap();
    let (pool, zdm) = open(&folder).await;
    let mut conn = pool.acquire().await.unwrap();
    let conn = &mut *conn;
    let days = days::Days::new(&zdm).unwrap();
    let mut day = Day {
        id: 0,
        mood: Mood::SoSo,
        other: None,
    };
    day.id = days.insert(conn, &day).await.unwrap();
    assert_eq!(days.get(conn, day.id).await.unwrap(), Some(day.clone()));
    day.other = Some(Mood::Happy);
    assert!(days.update(conn, &day).await.unwrap());
    assert!(days.set_mood(conn, day.id, &Mood::Happy).await.unwrap());
    days.upsert(conn, &day).await.unwrap();
    assert_eq!(days.list(conn, None, 9).await.unwrap(), [day]);
    let stored = sqlx::query("SELECT mood, typeof(mood) FROM days WHERE mood = $1")
        .bind(Mood::SoSo)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(stored.get::<String, _>(0), "007");
    assert_eq!(stored.get::<Mood, _>(0), Mood::SoSo);
    assert_eq!(stored.get::<String, _>(1), "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_columns_are_read_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let (pool, zdm) = open(&folder).await;
    let mut conn = pool.acquire().await.unwrap();
    let conn = &mut *conn;
    let users = users::Users::new(&zdm).unwrap();
    let user = |id, key: &str, size, email: &str| User {
        id,
        key: Some(key.to_owned()),
        size,
        email: email.to_owned(),
    };
    let id = users
        .insert(conn, &user(0, "ignored", 99, "A@x"))
        .await
        .unwrap();
    assert_eq!(
        users.get(conn, id).await.unwrap(),
        Some(user(id, "a@x", 3, "A@x"))
    );
    assert!(
        users
            .update(conn, &user(id, "ignored", 99, "B@xy"))
            .await
            .unwrap()
    );
    users
        .upsert(conn, &user(id, "ignored", 99, "C@xyz"))
        .await
        .unwrap();
    assert!(users.set_email(conn, id, "D@xyz").await.unwrap());
    assert_eq!(
        users.list(conn, None, 9).await.unwrap(),
        [user(id, "d@xyz", 5, "D@xyz")]
    );
}
