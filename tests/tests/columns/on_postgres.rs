//! On PostgreSQL.

use sqlx::{Executor as _, PgPool, Row as _};
use zdm_runtime::Zdm;
use zdm_tests::postgres::Server;

use crate::golden::created;
use crate::postgres::models::{Count, Day, List, Mood, Ticket, User};
use crate::postgres::zdm::{CODE, counts, days, lists, marks, stamps, tickets, users};

/// A database with the tables, and the code's handle of it.
pub(crate) async fn open(server: &Server) -> (PgPool, Zdm) {
    let url = server.database("columns");
    created("postgres", &url).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    zdm.ready().unwrap();
    (pool, zdm)
}

#[tokio::test(flavor = "multi_thread")]
async fn enums_are_written_and_read() {
    let server = Server::start();
    let (pool, zdm) = open(&server).await;
    let mut conn = pool.acquire().await.unwrap();
    let conn = &mut *conn;
    let days = days::Days::new(&zdm).unwrap();
    let mut day = Day {
        id: 0,
        mood: Mood::SoSo,
        other: None,
        moods: vec![Mood::Happy, Mood::SoSo],
    };
    day.id = days.insert(conn, &day).await.unwrap();
    assert_eq!(days.get(conn, day.id).await.unwrap(), Some(day.clone()));
    day.mood = Mood::Happy;
    day.other = Some(Mood::SoSo);
    day.moods.clear();
    assert!(days.update(conn, &day).await.unwrap());
    assert_eq!(days.list(conn, None, 9).await.unwrap(), [day.clone()]);
    assert!(days.set_mood(conn, day.id, &Mood::SoSo).await.unwrap());
    assert!(days.set_other(conn, day.id, None).await.unwrap());
    let moods = vec![Mood::SoSo];
    assert!(days.set_moods(conn, day.id, &moods).await.unwrap());
    (day.mood, day.other, day.moods) = (Mood::SoSo, None, moods);
    days.upsert(conn, &day).await.unwrap();
    assert_eq!(days.get_many(conn, &[day.id]).await.unwrap(), [day]);

    let counts = counts::Counts::new(&zdm).unwrap();
    let count = Count {
        day: 1,
        mood: Mood::SoSo,
        count: 3,
    };
    counts.upsert(conn, &count).await.unwrap();
    assert_eq!(counts.get(conn, 1, &Mood::SoSo).await.unwrap(), Some(count));
    assert!(counts.delete(conn, 1, &Mood::SoSo).await.unwrap());

    // In handwritten statements no cast is needed.
    let found = sqlx::query("SELECT mood FROM days WHERE mood = $1")
        .bind(Mood::SoSo)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!(found.get::<Mood, _>(0), Mood::SoSo);
}

/// Code from before a value, meeting it.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_code_does_not_know_is_named() {
    let server = Server::start();
    let (pool, zdm) = open(&server).await;
    let mut conn = pool.acquire().await.unwrap();
    conn.execute("ALTER TYPE \"Mood\" ADD VALUE 'late'")
        .await
        .unwrap();
    conn.execute("INSERT INTO days (mood) VALUES ('late')")
        .await
        .unwrap();
    let days = days::Days::new(&zdm).unwrap();
    let error = days.get(&mut conn, 1).await.unwrap_err().to_string();
    let whole = format!("{error}: {:?}", days.get(&mut conn, 1).await);
    assert!(whole.contains("late"), "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn arrays_are_written_and_read() {
    let server = Server::start();
    let (pool, zdm) = open(&server).await;
    let mut conn = pool.acquire().await.unwrap();
    let lists = lists::Lists::new(&zdm).unwrap();
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 125_000_000).unwrap();
    let list = List {
        id: 1,
        words: texts(&["a b", "", "\"c\""]),
        short: Some(texts(&["abcd"])),
        fixed: texts(&["abc"]),
        numbers: vec![1, -2],
        times: vec![at],
        ids: vec![uuid::Uuid::max()],
        bytes: vec![vec![0, 255], vec![]],
        values: vec![serde_json::json!({"a": [1, null]})],
    };
    lists.insert(&mut conn, &list).await.unwrap();
    assert_eq!(lists.get(&mut conn, 1).await.unwrap(), Some(list.clone()));
    let empty = List {
        words: Vec::new(),
        short: None,
        fixed: Vec::new(),
        numbers: Vec::new(),
        times: Vec::new(),
        ids: Vec::new(),
        bytes: Vec::new(),
        values: Vec::new(),
        ..list
    };
    assert!(lists.update(&mut conn, &empty).await.unwrap());
    assert_eq!(lists.get(&mut conn, 1).await.unwrap(), Some(empty.clone()));
    let words = texts(&["x"]);
    assert!(lists.set_words(&mut conn, 1, &words).await.unwrap());
    // An element that is too long is refused, not cut.
    let long = texts(&["abcde"]);
    lists
        .set_short(&mut conn, 1, Some(&long))
        .await
        .unwrap_err();
    let stored = List { words, ..empty };
    assert_eq!(lists.get(&mut conn, 1).await.unwrap(), Some(stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_column_is_read_and_never_written() {
    let server = Server::start();
    let (pool, zdm) = open(&server).await;
    let mut conn = pool.acquire().await.unwrap();
    let conn = &mut *conn;
    let users = users::Users::new(&zdm).unwrap();
    let user = |id, key: &str, email: &str| User {
        id,
        key: Some(key.to_owned()),
        email: email.to_owned(),
    };
    let id = users
        .insert(conn, &user(0, "ignored", "A@x"))
        .await
        .unwrap();
    assert_eq!(
        users.get(conn, id).await.unwrap(),
        Some(user(id, "a@x", "A@x"))
    );
    assert!(
        users
            .update(conn, &user(id, "ignored", "B@x"))
            .await
            .unwrap()
    );
    users
        .upsert(conn, &user(id, "ignored", "C@x"))
        .await
        .unwrap();
    assert!(users.set_email(conn, id, "D@x").await.unwrap());
    assert_eq!(
        users.list(conn, None, 9).await.unwrap(),
        [user(id, "d@x", "D@x")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_counts_is_left_to_it() {
    let server = Server::start();
    let (pool, zdm) = open(&server).await;
    let mut conn = pool.acquire().await.unwrap();
    let conn = &mut *conn;
    let tickets = tickets::Tickets::new(&zdm).unwrap();
    let ticket = |id, number: i16, name: &str| Ticket {
        id,
        number: number.into(),
        line: number.into(),
        total: number,
        name: name.to_owned(),
    };
    assert_eq!(tickets.insert(conn, &ticket(77, 77, "a")).await.unwrap(), 1);
    assert_eq!(tickets.insert(conn, &ticket(77, 77, "b")).await.unwrap(), 2);
    assert!(tickets.update(conn, &ticket(1, 77, "c")).await.unwrap());
    tickets.upsert(conn, &ticket(2, 77, "d")).await.unwrap();
    tickets.upsert(conn, &ticket(9, 77, "e")).await.unwrap();
    // Every attempt to insert takes its numbers, also one that updates in the end.
    assert_eq!(
        tickets.list(conn, None, 9).await.unwrap(),
        [ticket(1, 1, "c"), ticket(2, 2, "d"), ticket(9, 4, "e")]
    );

    let stamps = stamps::Stamps::new(&zdm).unwrap();
    let stamp = crate::postgres::models::Stamp { id: 77 };
    assert_eq!(stamps.insert(conn, &stamp).await.unwrap(), 1);
    stamps.upsert(conn, &stamp).await.unwrap();
    assert!(stamps.get(conn, 77).await.unwrap().is_some());
    let marks = marks::Marks::new(&zdm).unwrap();
    let mark = crate::postgres::models::Mark { id: 77 };
    assert_eq!(marks.insert(conn, &mark).await.unwrap(), 1);
}
