//! Old code, new code and others write at once, through every stage: no read and no row is another than what was written last.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use sqlx::PgPool;
use zdm_runtime::backfill::End;
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use crate::NAME;
use crate::application::ROWS;
use crate::application::postgres::{
    User, UserOld, Users, before, execute, pool, released, run, texts,
};
use crate::email::{self, Told, of};
use crate::postgres::old;

const URL: &str = "ZDM_TESTS_SEALED_URL";

/// What each row holds, kept in the transaction of the write.
const ORACLE: &str = "
    CREATE TABLE oracle (id bigint PRIMARY KEY, email text NOT NULL);
    INSERT INTO oracle SELECT id, email FROM users";

/// A writer with rows of its own.
#[derive(Clone)]
struct Writer {
    pool: PgPool,
    stop: Arc<AtomicBool>,
    writes: Arc<AtomicI64>,
    /// Its first row; every third one behind it is its own too.
    first: i64,
}

impl Writer {
    async fn of(url: &str, first: i64) -> Self {
        Self {
            pool: pool(url).await,
            stop: Arc::default(),
            writes: Arc::default(),
            first,
        }
    }

    /// The row and the address of its next write.
    fn next(&self) -> Option<(i64, String)> {
        if self.stop.load(Ordering::SeqCst) {
            return None;
        }
        let write = self.writes.fetch_add(1, Ordering::SeqCst);
        let id = write * 7 % (ROWS / 3) * 3 + self.first;
        Some((id, format!("Write {write} of {}@example.org", self.first)))
    }

    /// Until it has written as often again.
    async fn goes_on(&self) {
        let before = self.writes.load(Ordering::SeqCst);
        while self.writes.load(Ordering::SeqCst) < before + 30 {
            tokio::task::yield_now().await;
        }
    }

    async fn old_code(self, users: old::zdm::users::Users) {
        while let Some((id, email)) = self.next() {
            let mut transaction = self.pool.begin().await.unwrap();
            assert!(users.set_email(&mut transaction, id, &email).await.unwrap());
            noted(&mut transaction, id, &email).await;
            transaction.commit().await.unwrap();
        }
    }

    async fn outside(self) {
        while let Some((id, email)) = self.next() {
            let mut transaction = self.pool.begin().await.unwrap();
            let write = sqlx::query("UPDATE users SET email = $2 WHERE id = $1");
            let write = write.bind(id).bind(&email);
            write.execute(&mut *transaction).await.unwrap();
            noted(&mut transaction, id, &email).await;
            transaction.commit().await.unwrap();
        }
    }

    async fn new_code(self, users: Users) {
        let mut alone = false;
        while let Some((id, email)) = self.next() {
            let email_key = of(&email);
            let mut transaction = self.pool.begin().await.unwrap();
            alone = !alone;
            let written = if alone {
                users
                    .set_email_key(&mut transaction, id, &email_key, &email)
                    .await
            } else {
                let user = User {
                    id,
                    email_key: email_key.clone(),
                };
                let old = UserOld {
                    email: email.clone(),
                };
                users.update(&mut transaction, &user, &old).await
            };
            assert!(written.unwrap());
            noted(&mut transaction, id, &email).await;
            transaction.commit().await.unwrap();
            let mut conn = self.pool.acquire().await.unwrap();
            let read = users.get(&mut conn, id).await.unwrap().unwrap();
            assert_eq!(read.email_key, email_key);
        }
    }
}

async fn noted(conn: &mut sqlx::PgConnection, id: i64, email: &str) {
    let note = sqlx::query("UPDATE oracle SET email = $2 WHERE id = $1");
    let done = note.bind(id).bind(email).execute(conn).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
}

/// New is the function's of what was written last, in every row.
async fn is_right(url: &str) {
    let pool = pool(url).await;
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT id, email_key, oracle.email FROM users JOIN oracle USING (id)")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(i64::try_from(rows.len()), Ok(ROWS));
    for (id, key, email) in rows {
        assert_eq!(key, of(&email), "{id}");
    }
}

/// The other process: this program once more, with the database's URL.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_process_that_is_killed() {
    let Ok(url) = std::env::var(URL) else {
        return;
    };
    let filling = tokio::spawn(async move { run(&url, "killed").await });
    tokio::task::block_in_place(|| email::wait_for(Told::Arrived));
    println!("\narrived");
    filling.await.unwrap().unwrap();
}

/// Fills in another process and kills it in the middle of a batch.
fn killed(url: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "race::the_process_that_is_killed", "--nocapture"])
        .env(URL, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.any(|line| line == "arrived"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_writer_is_read_as_it_wrote() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "sealed/postgres");
    let (old, users) = before(&url, &releases).await;
    execute(&url, ORACLE).await;
    let (zdm, new_users) = released(&url, &releases).await;
    let (first, second, third) = (
        Writer::of(&url, 3).await,
        Writer::of(&url, 1).await,
        Writer::of(&url, 2).await,
    );
    let old_code = tokio::spawn(first.clone().old_code(users));
    let new_code = tokio::spawn(second.clone().new_code(new_users));
    let outside = tokio::spawn(third.clone().outside());
    for writer in [&first, &second, &third] {
        writer.goes_on().await;
    }

    // Old code goes before the first write of both sides.
    first.stop.store(true, Ordering::SeqCst);
    old_code.await.unwrap();
    old.close().await.unwrap();
    releases.until_done(&["switch", NAME, "--to", "dual_write"]);
    second.goes_on().await;
    releases.waits(&["backfill", NAME], "crate::email::key");
    execute(
        &url,
        "UPDATE users SET email = 'waits@for.it' WHERE id = 60",
    )
    .await;
    tokio::task::block_in_place(|| killed(&url));
    execute(
        &url,
        "UPDATE users SET email = oracle.email FROM oracle WHERE oracle.id = 60 AND users.id = 60",
    )
    .await;
    let (one, other) = tokio::join!(run(&url, "one"), run(&url, "other"));
    assert_eq!(one.unwrap().end, End::Done);
    assert_eq!(other.unwrap().end, End::Done);
    releases.until_done(&["backfill", NAME]);

    // Others stop, and what they wrote behind the cursors is gone over once more.
    third.goes_on().await;
    third.stop.store(true, Ordering::SeqCst);
    outside.await.unwrap();
    assert!(!releases.ended(&["verify", NAME]).status.success());
    releases.waits(&["backfill", NAME], "crate::email::key");
    assert_eq!(run(&url, "once more").await.unwrap().end, End::Done);
    for arguments in [
        &["backfill", NAME][..],
        &["verify", NAME],
        &["switch", NAME, "--to", "shadow"],
        &["switch", NAME, "--to", "50%"],
        &["switch", NAME, "--to", "100%"],
        &["verify", NAME],
        &["switch", NAME, "--to", "ramp_down"],
        &["switch", NAME, "--to", "complete"],
    ] {
        releases.until_done(arguments);
        second.goes_on().await;
    }
    second.stop.store(true, Ordering::SeqCst);
    new_code.await.unwrap();
    is_right(&url).await;
    zdm.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_row_that_changes_while_it_is_computed_is_computed_again() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "sealed/postgres");
    let (old, _) = before(&url, &releases).await;
    old.close().await.unwrap();
    let (zdm, users) = released(&url, &releases).await;
    releases.until_done(&["switch", NAME, "--to", "dual_write"]);
    releases.waits(&["backfill", NAME], "crate::email::key");
    execute(
        &url,
        "UPDATE users SET email = 'waits@for.it' WHERE id IN (5, 6)",
    )
    .await;

    let filling = tokio::spawn({
        let url = url.clone();
        async move { run(&url, "waits").await }
    });
    tokio::task::block_in_place(|| email::wait_for(Told::Arrived));
    execute(
        &url,
        "UPDATE users SET email = 'five@example.org' WHERE id = 5",
    )
    .await;
    let mut conn = pool(&url).await.acquire().await.unwrap();
    let given = User {
        id: 6,
        email_key: of("six@example.org"),
    };
    let email = "six@example.org".to_owned();
    let written = users.update(&mut conn, &given, &UserOld { email }).await;
    assert!(written.unwrap());
    email::tell(Told::GoOn);

    assert_eq!(filling.await.unwrap().unwrap().end, End::Done);
    let keys = "SELECT email_key FROM users WHERE id IN (5, 6) ORDER BY users.id";
    assert_eq!(
        texts(&url, keys).await,
        [of("five@example.org"), of("six@example.org")]
    );
    releases.until_done(&["backfill", NAME]);
    releases.until_done(&["verify", NAME]);
    zdm.close().await.unwrap();
}
