//! Checksums per side: what they cover, and that neither ranges nor an interruption matter.

use zdm_runtime::checksum::Checksums;
use zdm_runtime::database::Dialect;
use zdm_runtime::verification::{self, Side, VerificationOptions, Verified};

use crate::cases::{COMPOSITE, Case, ID, RENAME, TEXT, batches_of, text_to_integer};
use crate::pairs::{KeyColumn, Pair};

const BOTH: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

async fn filled(dialect: Dialect, key: &[KeyColumn], pair: &Pair, rows: u32) -> Case {
    let mut case = Case::of(dialect, key, pair, rows).await;
    case.fill(&batches_of(50)).await;
    case
}

async fn verify(case: &mut Case, batch_rows: u32) -> Verified {
    let options = VerificationOptions {
        batch_rows,
        ..VerificationOptions::of("test", Side::New)
    };
    verification::run(&mut case.connection, &case.migration, &options, &mut |_| {})
        .await
        .unwrap()
}

async fn sums(case: &mut Case, batch_rows: u32) -> Checksums {
    verify(case, batch_rows).await.checksums.unwrap()
}

#[tokio::test]
async fn ranges_and_the_order_of_rows_do_not_matter() {
    for dialect in BOTH {
        for key in [ID, COMPOSITE, TEXT] {
            let mut case = filled(dialect, key, &RENAME, 200).await;
            let whole = sums(&mut case, 1_000).await;
            assert!(whole.are_equal());
            for batch in [7, 1] {
                assert_eq!(sums(&mut case, batch).await, whole, "by {batch}");
            }
            // The rows stand elsewhere in the table.
            case.run(
                "CREATE TABLE kept AS SELECT * FROM users ORDER BY name DESC; DELETE FROM users;
                 INSERT INTO users SELECT * FROM kept; DROP TABLE kept",
            )
            .await;
            assert_eq!(sums(&mut case, 100).await, whole);
        }
    }
}

#[tokio::test]
async fn one_value_changes_the_sum_of_its_side_alone() {
    for dialect in BOTH {
        let mut case = filled(dialect, ID, &RENAME, 200).await;
        let before = sums(&mut case, 100).await;
        case.run("UPDATE users SET full_name = 'Name 7' WHERE id = 7")
            .await;
        let new = sums(&mut case, 100).await;
        assert_eq!((new.old, new.by_down), (before.old, 0));
        assert_ne!(new.new, before.new);
        case.run("UPDATE users SET name = 'Name 7' WHERE id = 7")
            .await;
        let both = sums(&mut case, 100).await;
        assert_eq!(both.new, new.new);
        assert!(both.are_equal());
        // A value that has gone to another row is another sum, and so is a row that is not there.
        let swapped = "UPDATE users SET name = CASE id WHEN 8 THEN 'name 9' ELSE 'name 8' END,
            full_name = CASE id WHEN 8 THEN 'name 9' ELSE 'name 8' END WHERE id IN (8, 9)";
        case.run(swapped).await;
        let swapped = sums(&mut case, 100).await;
        assert!(swapped.are_equal() && swapped != both);
        case.run("DELETE FROM users WHERE id = 8").await;
        assert_ne!(sums(&mut case, 100).await, swapped);
        case.run("UPDATE users SET full_name = NULL WHERE id = 9")
            .await;
        let none = sums(&mut case, 100).await;
        case.run("UPDATE users SET full_name = '' WHERE id = 9")
            .await;
        assert_ne!(sums(&mut case, 100).await.new, none.new);
    }
}

/// `'007'` counts as 7 on the old side; a new value that only `down` ties to old is counted apart.
#[tokio::test]
async fn old_counts_as_what_up_makes_of_it() {
    for dialect in BOTH {
        let mut case = filled(dialect, ID, &text_to_integer(dialect, "quarantine"), 100).await;
        let before = sums(&mut case, 30).await;
        assert!(before.are_equal());
        case.run("UPDATE users SET age = '00' || age WHERE id IN (3, 4)")
            .await;
        assert_eq!(sums(&mut case, 30).await, before);
        // `up` reads nothing of it, and `down` gives it back.
        case.run("UPDATE users SET age = '-5', age_int = -5 WHERE id = 6")
            .await;
        let verified = verify(&mut case, 30).await;
        let sums = verified.checksums.unwrap();
        assert!(verified.passed() && !sums.are_equal());
        assert_eq!(sums.by_down, 1);
    }
}

#[tokio::test]
async fn texts_of_every_kind_are_told_apart() {
    let mut case = filled(Dialect::Sqlite, ID, &RENAME, 3).await;
    let mut seen = Vec::new();
    for value in [
        "'a'",
        "'a' || char(0)",
        "'a' || char(0) || 'b'",
        "CAST('a' AS blob)",
        "x'ff'",
        "'ä;:,'",
        "'1'",
        "1.5",
        "NULL",
        "'NULL'",
    ] {
        let write = format!("UPDATE users SET full_name = {value} WHERE id = 2");
        case.run(&write).await;
        let sum = sums(&mut case, 10).await.new;
        assert!(!seen.contains(&sum), "{value}");
        seen.push(sum);
    }
}

#[tokio::test]
async fn they_are_on_record_and_in_the_log() {
    for dialect in BOTH {
        let mut case = filled(dialect, ID, &RENAME, 20).await;
        let made = sums(&mut case, 7).await;
        let id = case.migration.id().to_owned();
        let ended = verification::last(&mut case.connection, &id).await.unwrap();
        let ended = ended.unwrap();
        assert_eq!((ended.rows, ended.mismatches), (20, 0));
        assert_eq!(ended.checksums, Some(made));
        let logged = format!(
            "SELECT count(*) FROM {{zdm}}audit WHERE action = 'verify' AND detail LIKE '%old {}, new {}%'",
            made.old, made.new
        );
        assert_eq!(case.number(&logged).await, 1);

        let options = VerificationOptions {
            checksums: false,
            ..VerificationOptions::of("test", Side::New)
        };
        let without =
            verification::run(&mut case.connection, &case.migration, &options, &mut |_| {})
                .await
                .unwrap();
        assert_eq!((without.rows, without.checksums), (20, None));
        let ended = verification::last(&mut case.connection, &id).await.unwrap();
        assert_eq!(ended.unwrap().checksums, None);
    }
}

/// Long values make ranges short, and nothing is left out or counted twice by that.
#[tokio::test]
async fn long_values_are_taken_in_short_ranges() {
    let mut case = filled(Dialect::Sqlite, ID, &RENAME, 400).await;
    case.run("UPDATE users SET name = hex(zeroblob(200000 + id)), full_name = hex(zeroblob(200000 + id)) WHERE id % 10 = 0")
        .await;
    let whole = verify(&mut case, 1_000).await;
    assert_eq!(whole.rows, 400);
    assert_eq!(whole.checksums, verify(&mut case, 3).await.checksums);
}
