//! Rows that no pass makes consistent, and those that a comparison finds: named by where they stand now.

use zdm_runtime::backfill::{self, BackfillError, End};
use zdm_runtime::database::Dialect;
use zdm_runtime::verification::Side;

use super::{STALE, verify, visits};
use crate::cases::{Case, batches_of};

async fn stopped(case: &mut Case) -> BackfillError {
    backfill::run(
        &mut case.connection,
        &case.migration,
        &batches_of(500),
        &mut |_| {},
    )
    .await
    .unwrap_err()
}

async fn stands(case: &mut Case, page: &str) -> String {
    let column = match case.target.dialect {
        Dialect::Postgres => "ctid::text",
        Dialect::Sqlite => "CAST(rowid AS text)",
    };
    let sql = format!("SELECT {column} FROM visits WHERE page = '{page}'");
    crate::target::text(&mut case.connection, &sql)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_row_that_no_pass_makes_consistent_ends_them() {
    let mut case = visits(Dialect::Postgres, 1_000).await;
    case.run(
        "CREATE FUNCTION refill() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN IF NEW.page = ''page 7'' THEN NEW.path := ''other''; END IF; RETURN NEW; END';
         CREATE TRIGGER refill BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION refill()",
    )
    .await;
    let error = stopped(&mut case).await;
    let at = stands(&mut case, "page 7").await;
    let BackfillError::Stalled {
        rows: 1,
        passes: 3,
        found,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(found[0].to_string(), at, "{error}");
    assert!(error.to_string().contains("after 3 passes"), "{error}");
    assert_eq!(case.number(STALE).await, 1, "all others are filled");
    // It is tried once more whenever it is asked for, and says so again as long as nothing has become better.
    let again = stopped(&mut case).await;
    assert!(
        matches!(again, BackfillError::Stalled { passes: 4, .. }),
        "{again}"
    );
    case.run("DROP TRIGGER refill ON visits").await;
    let done = case.fill(&batches_of(500)).await;
    assert_eq!((done.end, done.changed), (End::Done, 1));
    assert_eq!(case.number(STALE).await, 0);
}

#[tokio::test]
async fn a_row_that_the_table_refuses_is_named_by_where_it_stands() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = visits(dialect, 1_000).await;
        let refuse = match dialect {
            Dialect::Postgres => "ALTER TABLE visits ADD CHECK (path <> 'page 777')",
            Dialect::Sqlite => {
                "CREATE TRIGGER refuse BEFORE UPDATE ON visits WHEN NEW.path = 'page 777'
                 BEGIN SELECT RAISE(ABORT, 'refused'); END"
            }
        };
        case.run(refuse).await;
        let at = stands(&mut case, "page 777").await;
        let error = stopped(&mut case).await;
        let BackfillError::Unconvertible { keys, .. } = &error else {
            panic!("{error}");
        };
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(keys, [at], "{error}");
        assert!(
            error.to_string().contains("where they stand now"),
            "{error}"
        );
        case.run("DELETE FROM visits WHERE page = 'page 777'").await;
        let done = case.fill(&batches_of(500)).await;
        assert_eq!(done.end, End::Done);
        assert_eq!(case.number(STALE).await, 0);
    }
}

#[tokio::test]
async fn all_that_differ_are_counted_the_first_are_named_and_repaired() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut case = visits(dialect, 2_500).await;
        let compared = verify(&mut case, Side::New, false).await;
        assert_eq!((compared.rows, compared.mismatches), (2_500, 2_500));
        assert_eq!(compared.first.len(), 20);
        case.fill(&batches_of(500)).await;
        case.run("UPDATE visits SET path = 'x' WHERE page = 'page 9'")
            .await;
        let at = stands(&mut case, "page 9").await;
        let compared = verify(&mut case, Side::New, false).await;
        assert_eq!((compared.rows, compared.mismatches), (2_500, 1));
        assert_eq!(compared.first[0].key.to_string(), at, "{dialect}");
        assert_eq!(compared.first[0].columns, ["path"]);
        let chunks = "SELECT count(*) FROM {zdm}chunk";
        assert_eq!(case.number(chunks).await, 0, "it is to be filled again");
        case.run("UPDATE visits SET path = NULL WHERE seconds <= 1500")
            .await;
        // The one from before is old's spelling of a value as well.
        let compared = verify(&mut case, Side::New, true).await;
        assert_eq!(compared.mismatches, 1_500, "{dialect}");
        assert_eq!(
            compared.repaired, 1_500,
            "{dialect}: also those behind the first thousand, which are named"
        );
        let compared = verify(&mut case, Side::New, false).await;
        assert!(compared.passed(), "{dialect}: {compared:?}");
        assert_eq!(case.number(STALE).await, 0);
    }
}
