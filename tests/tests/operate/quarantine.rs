//! Rows that wait: listed, mended, waived, released.

use zdm_runtime::database::Dialect;
use zdm_runtime::key::Key;
use zdm_runtime::quarantine::{self, Fixed, QuarantineError, State};
use zdm_runtime::verification::{self, Side, VerificationOptions};

use crate::cases::{Case, ID, batches_of, text_to_integer};

/// Row 3 fails the test of validity, row 5 fails in the conversion.
async fn two_rows_wait(dialect: Dialect) -> Case {
    let mut case = Case::of(dialect, ID, &text_to_integer(dialect, "quarantine"), 10).await;
    case.run(
        "UPDATE users SET age = 'forty' WHERE id = 3; UPDATE users SET age = '99999999999' WHERE id = 5;",
    )
    .await;
    case.fill(&batches_of(10)).await;
    case
}

async fn states(case: &mut Case) -> Vec<(String, State)> {
    let mut states: Vec<_> = quarantine::list(&mut case.connection, case.migration.id())
        .await
        .unwrap()
        .into_iter()
        .map(|entry| (entry.key.to_string(), entry.state))
        .collect();
    states.sort_by(|one, other| one.0.cmp(&other.0));
    states
}

fn expected(three: State, five: State) -> Vec<(String, State)> {
    vec![("3".to_owned(), three), ("5".to_owned(), five)]
}

async fn fix(case: &mut Case, key: &str) -> Result<Fixed, QuarantineError> {
    let key = Key::of([key]);
    quarantine::fix(&mut case.connection, &case.migration, "users", &key, "anna").await
}

async fn rows_are_fixed_when_their_value_is_mended(dialect: Dialect) {
    let mut case = two_rows_wait(dialect).await;
    assert_eq!(
        states(&mut case).await,
        expected(State::Waiting, State::Waiting)
    );
    for key in ["3", "5"] {
        let still = fix(&mut case, key).await.unwrap();
        assert!(matches!(still, Fixed::Still { .. }), "{still:?}");
    }
    assert_eq!(
        states(&mut case).await,
        expected(State::Waiting, State::Waiting)
    );

    case.run("UPDATE users SET age = '40' WHERE id = 3").await;
    assert_eq!(fix(&mut case, "3").await.unwrap(), Fixed::Converted);
    assert_eq!(
        case.number("SELECT age_int FROM users WHERE id = 3").await,
        40
    );
    case.run("DELETE FROM users WHERE id = 5").await;
    assert_eq!(fix(&mut case, "5").await.unwrap(), Fixed::Gone);
    assert_eq!(
        states(&mut case).await,
        expected(State::Released, State::Released)
    );

    let refused = fix(&mut case, "4").await;
    assert!(
        matches!(refused, Err(QuarantineError::NotThere { .. })),
        "{refused:?}"
    );
    let audited =
        "SELECT count(*) FROM {zdm}audit WHERE action = 'quarantine fix' AND actor = 'anna'";
    assert_eq!(case.number(audited).await, 4);
}

#[tokio::test]
async fn sqlite_rows_are_fixed_when_their_value_is_mended() {
    rows_are_fixed_when_their_value_is_mended(Dialect::Sqlite).await;
}

#[tokio::test]
async fn postgres_rows_are_fixed_when_their_value_is_mended() {
    rows_are_fixed_when_their_value_is_mended(Dialect::Postgres).await;
}

#[tokio::test]
async fn a_waiver_needs_a_reason_and_stands() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = two_rows_wait(dialect).await;
        let three = Key::of(["3"]);
        let row = Some(("users", &three));
        let refused =
            quarantine::waive(&mut case.connection, &case.migration, row, "anna", " ").await;
        assert!(
            matches!(refused, Err(QuarantineError::NoReason)),
            "{refused:?}"
        );
        let four = Key::of(["4"]);
        let refused = quarantine::waive(
            &mut case.connection,
            &case.migration,
            Some(("users", &four)),
            "anna",
            "why not",
        )
        .await;
        assert!(
            matches!(refused, Err(QuarantineError::NotThere { .. })),
            "{refused:?}"
        );

        let reason = "test accounts";
        let waived =
            quarantine::waive(&mut case.connection, &case.migration, row, "anna", reason).await;
        assert_eq!(waived.unwrap(), 1);
        assert_eq!(
            states(&mut case).await,
            expected(State::Waived, State::Waiting)
        );
        let audited = "SELECT count(*) FROM {zdm}audit
                       WHERE action = 'quarantine waive' AND detail LIKE '%test accounts'";
        assert_eq!(case.number(audited).await, 1);

        // Another run of the backfill finds the row again; what was decided stays decided.
        case.fill_again(&batches_of(10)).await;
        assert_eq!(
            states(&mut case).await,
            expected(State::Waived, State::Waiting)
        );

        let all =
            quarantine::waive(&mut case.connection, &case.migration, None, "anna", reason).await;
        assert_eq!(all.unwrap(), 1);
        assert_eq!(
            states(&mut case).await,
            expected(State::Waived, State::Waived)
        );
    }
}

#[tokio::test]
async fn a_later_write_releases_a_row_at_the_next_verification() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = two_rows_wait(dialect).await;
        case.run("UPDATE users SET age = '41', age_int = 41 WHERE id = 3")
            .await;
        let options = VerificationOptions::of("test", Side::New);
        let verified =
            verification::run(&mut case.connection, &case.migration, &options, &mut |_| {})
                .await
                .unwrap();
        assert_eq!(
            (verified.released, verified.skipped, verified.mismatches),
            (1, 1, 0)
        );
        assert_eq!(
            states(&mut case).await,
            expected(State::Released, State::Waiting)
        );

        // Wrong again: it waits again.
        case.run("UPDATE users SET age = 'forty', age_int = NULL WHERE id = 3")
            .await;
        case.fill_again(&batches_of(10)).await;
        assert_eq!(
            states(&mut case).await,
            expected(State::Waiting, State::Waiting)
        );
    }
}
