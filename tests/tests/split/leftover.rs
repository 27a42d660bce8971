//! Values that fit neither table: a user with a postal code and no street. Nothing takes them away, and nothing is read from the new
//! table before somebody has decided about them.

use zdm_runtime::Stage;
use zdm_runtime::backfill::{self, BackfillOptions, Way};
use zdm_runtime::database::Connection;
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_runtime::verification::{self, Side, VerificationOptions, Verified};
use zdm_tests::cases::ID;

use crate::database::{expanded, postgres, run, sides, sqlite};
use crate::stages::enter;

const BEFORE: &str = "INSERT INTO users (id, name, street, postal) VALUES \
    (1, 'a', NULL, '1'), (2, 'b', 'second', '2')";

async fn filled_and_verified(operator: &mut Connection, migration: &Migration) -> Verified {
    backfill::reset(operator, ID, Way::Up).await.unwrap();
    let options = BackfillOptions::of("test", "worker 1");
    backfill::run(operator, migration, &options, &mut |_| {})
        .await
        .unwrap();
    let options = VerificationOptions::of("test", Side::New);
    verification::run(operator, migration, &options, &mut |_| {})
        .await
        .unwrap()
}

async fn a_value_without_a_place_is_named_and_kept(url: &str) {
    let text = |text: &str| Some(text.to_owned());
    let (mut operator, migration) = expanded(url, BEFORE).await;
    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
    enter(&mut operator, Stage::DualWrite).await;
    let verified = filled_and_verified(&mut operator, &migration).await;
    assert_eq!((verified.rows, verified.mismatches), (2, 1));
    let first = &verified.first[0];
    assert_eq!(first.key.to_string(), "1");
    assert_eq!(first.columns, ["addresses.postal_code"]);
    assert_eq!(
        sides(&mut operator, 1).await,
        (Some((None, text("1"))), None)
    );

    // The same comes about at `off`, where no trigger is: the row that is left in the new table goes, the value stays.
    enter(&mut operator, Stage::Off).await;
    run(
        &mut operator,
        &migration,
        Section::DualWrite,
        Direction::Down,
    )
    .await;
    let write = "UPDATE users SET street = NULL WHERE id = 2";
    operator.execute(write, &[]).await.unwrap();
    run(&mut operator, &migration, Section::DualWrite, Direction::Up).await;
    enter(&mut operator, Stage::DualWrite).await;
    let verified = filled_and_verified(&mut operator, &migration).await;
    assert_eq!((verified.rows, verified.mismatches), (2, 2));
    assert_eq!(
        sides(&mut operator, 2).await,
        (Some((None, text("2"))), None)
    );

    for write in [
        "UPDATE users SET street = 'first' WHERE id = 1",
        "UPDATE users SET postal = NULL WHERE id = 2",
    ] {
        operator.execute(write, &[]).await.unwrap();
    }
    let verified = filled_and_verified(&mut operator, &migration).await;
    assert_eq!((verified.rows, verified.mismatches), (2, 0));
    let address = Some((text("first"), text("1")));
    assert_eq!(sides(&mut operator, 1).await, (address.clone(), address));
    assert_eq!(sides(&mut operator, 2).await, (Some((None, None)), None));
}

#[tokio::test]
async fn a_value_without_a_place_is_named_and_kept_on_sqlite() {
    let (_folder, url) = sqlite();
    a_value_without_a_place_is_named_and_kept(&url).await;
}

#[tokio::test]
async fn a_value_without_a_place_is_named_and_kept_on_postgres() {
    let (_server, url) = postgres();
    a_value_without_a_place_is_named_and_kept(&url).await;
}
