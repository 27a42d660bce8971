//! The backfill of a move between two tables, killed in the middle and continued by another process.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use cargo_zdm::dialect::Dialect;
use zdm_runtime::backfill::{self, BackfillOptions, End, Way};
use zdm_runtime::database::{Connection, Value};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::{self, Side, VerificationOptions};
use zdm_tests::cases::{Case, ID};

use crate::database::{expanded, postgres, run, sqlite};
use crate::golden::case;
use crate::stages::enter;

/// Two of three users have an address.
const BEFORE: &str = "INSERT INTO users (id, name, street, postal) \
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 900) \
    SELECT n, 'a', CASE WHEN n % 3 <> 0 THEN 'street' END, CASE WHEN n % 3 = 1 THEN 'postal' END FROM numbers";

async fn killed_twice_it_still_ends_right(url: &str) {
    let (mut operator, migration) = expanded(url, BEFORE).await;
    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
    let addresses = "SELECT count(*) FROM addresses";
    killed(&case(), url, (operator, migration), addresses).await;
}

/// 900 users, of whom 600 have an address in the end, as `count` says.
pub(crate) async fn killed(
    case: &Case,
    url: &str,
    (mut operator, migration): (Connection, Migration),
    count: &str,
) {
    enter(&mut operator, zdm_runtime::Stage::DualWrite).await;
    let folder = tempfile::tempdir().unwrap();
    let dialect = Dialect::named(operator.dialect().name()).unwrap();
    case.write(&dialect, folder.path());
    for lines in [3, 9] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_backfill"))
            .arg(url)
            .arg(folder.path())
            .arg((lines + 5).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let reported = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .take(lines)
            .count();
        assert_eq!(reported, lines);
        child.kill().unwrap();
        child.wait().unwrap();
        backfill::take_over(&mut operator, ID, Way::Up, "worker 1")
            .await
            .unwrap();
    }
    let Value::Int(Some(filled)) = operator.query(count, &[]).await.unwrap()[0][0] else {
        panic!("no number");
    };
    assert!((1..600).contains(&filled), "{filled}");
    let options = BackfillOptions::of("test", "worker 2");
    let done = backfill::run(&mut operator, &migration, &options, &mut |_| {})
        .await
        .unwrap();
    assert_eq!(done.end, End::Done);
    assert_eq!(
        operator.query(count, &[]).await.unwrap(),
        [[Value::Int(Some(600))]]
    );
    let options = VerificationOptions::of("test", Side::New);
    let verified = verification::run(&mut operator, &migration, &options, &mut |_| {})
        .await
        .unwrap();
    assert_eq!((verified.rows, verified.mismatches), (900, 0));
}

#[tokio::test]
async fn sqlite_survives_being_killed() {
    let (_folder, url) = sqlite();
    killed_twice_it_still_ends_right(&url).await;
}

#[tokio::test]
async fn postgres_survives_being_killed() {
    let (_server, url) = postgres();
    killed_twice_it_still_ends_right(&url).await;
}
