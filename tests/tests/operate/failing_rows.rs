//! What fails on a row's data is found by halving its batch; what fails for another reason stops the backfill and names no row.

use zdm_runtime::backfill::{self, BackfillError, BackfillOptions, Outcome, Way};
use zdm_runtime::database::Dialect;

use crate::cases::{Case, ID, batches_of};
use crate::pairs::Pair;
use crate::target::text;

const ROWS: u32 = 40;
const BAD: &str = "UPDATE users SET age = 'bad' WHERE id = 23";
const QUARANTINED: &str = "SELECT count(*) FROM {zdm}quarantine";

/// Expressions that fail on the value `bad`, with what `SQLite` says: its built-in functions that can fail at all.
const FAILING_ON_SQLITE: &[(&str, &str)] = &[
    ("json(THIS)", "malformed JSON"),
    ("jsonb(THIS)", "malformed JSON"),
    ("json_extract(THIS, '$.a')", "malformed JSON"),
    ("THIS -> '$.a'", "malformed JSON"),
    ("THIS ->> 'a'", "malformed JSON"),
    ("json_type(THIS)", "malformed JSON"),
    ("json_array_length(THIS)", "malformed JSON"),
    ("json_patch(THIS, '{}')", "malformed JSON"),
    ("json_pretty(THIS)", "malformed JSON"),
    ("json_set(THIS, '$.a', 1)", "malformed JSON"),
    ("(SELECT count(*) FROM json_each(THIS))", "malformed JSON"),
    ("json_extract('{}', THIS)", "bad JSON path"),
    ("json_remove('{}', THIS)", "bad JSON path"),
    ("json_insert('{}', THIS, 1)", "bad JSON path"),
    (
        "(SELECT count(*) FROM json_tree('{}', THIS))",
        "bad JSON path",
    ),
    (
        "json_array(CAST(THIS AS BLOB))",
        "JSON cannot hold BLOB values",
    ),
    (
        "json_quote(CAST(THIS AS BLOB))",
        "JSON cannot hold BLOB values",
    ),
    (
        "(SELECT json_group_array(CAST(a || THIS AS BLOB)) FROM (SELECT '' AS a))",
        "JSON cannot hold BLOB values",
    ),
    ("json_object(CAST(THIS AS BLOB), 1)", "labels must be TEXT"),
    ("json_valid('{}', length(THIS) * 9)", "FLAGS parameter"),
    (
        "abs(-9223372036854775805 - length(THIS))",
        "integer overflow",
    ),
    (
        "(SELECT sum(column1) FROM (VALUES (9223372036854775807), (length(THIS))))",
        "integer overflow",
    ),
    (
        "'a' LIKE 'a' ESCAPE THIS",
        "ESCAPE expression must be a single character",
    ),
    (
        "'a' GLOB replace(hex(zeroblob(length(THIS) * 10000)), '0', 'a')",
        "pattern too complex",
    ),
    ("unistr('\\' || THIS)", "invalid Unicode escape"),
    ("zeroblob(length(THIS) * 1000000000)", "too big"),
    (
        "(SELECT ntile(length(THIS) - 3) OVER () FROM (SELECT 1))",
        "must be a positive integer",
    ),
    (
        "(SELECT sum(1) OVER (ROWS length(THIS) - 4 PRECEDING) FROM (SELECT 1))",
        "must be a non-negative integer",
    ),
];

/// The same on `PostgreSQL`, with what stands in the functions of [`FUNCTIONS`].
const FAILING_ON_POSTGRES: &[(&str, &str)] = &[
    (
        "CAST(CAST(THIS AS integer) AS text)",
        "invalid input syntax",
    ),
    ("CAST(1 / (length(THIS) - 3) AS text)", "division by zero"),
    ("CAST(CAST(THIS AS jsonb) AS text)", "invalid input syntax"),
    (
        "(SELECT THIS FROM generate_series(1, length(THIS)))",
        "more than one row",
    ),
    ("raises(THIS)", "no such colour"),
    ("raises_in_its_own_words(THIS)", "no colour at all"),
    ("finds_none(THIS)", "returned no rows"),
    ("finds_many(THIS)", "returned more than one row"),
    ("asserts(THIS)", "assertion failed"),
    ("has_no_case(THIS)", "case not found"),
    ("returns_nothing(THIS)", "without RETURN"),
];

const FUNCTIONS: &str = "
    CREATE FUNCTION raises(v text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no such colour: %', v; END $$;
    CREATE FUNCTION raises_in_its_own_words(v text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no colour at all' USING ERRCODE = 'no_data_found'; END $$;
    CREATE FUNCTION finds_none(v text) RETURNS text LANGUAGE plpgsql AS
        $$ DECLARE found text; BEGIN SELECT v INTO STRICT found WHERE v = ''; RETURN found; END $$;
    CREATE FUNCTION finds_many(v text) RETURNS text LANGUAGE plpgsql AS
        $$ DECLARE found text; BEGIN SELECT v INTO STRICT found FROM generate_series(1, 2); RETURN found; END $$;
    CREATE FUNCTION asserts(v text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN ASSERT v <> 'bad'; RETURN v; END $$;
    CREATE FUNCTION has_no_case(v text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN CASE v WHEN 'good' THEN RETURN v; END CASE; END $$;
    CREATE FUNCTION returns_nothing(v text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN IF v = 'good' THEN RETURN v; END IF; END $$;
    CREATE FUNCTION names_no_table(v text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN RETURN (SELECT max(x) FROM nowhere); END $$;
    CREATE FUNCTION names_no_function(v text) RETURNS text LANGUAGE plpgsql AS
        $$ BEGIN RETURN nothing_like_it(v); END $$;
    CREATE FUNCTION too_long(v text) RETURNS text LANGUAGE sql AS
        $$ SELECT string_agg(md5(CAST(n AS text)), '') FROM generate_series(1, length(v) * 1000) AS n $$;";

/// The column's value where it is `bad`, and an expression on it.
fn on_bad(column: &str, expression: &str) -> &'static str {
    let expression = expression.replace("THIS", column);
    format!("CASE {column} WHEN 'bad' THEN {expression} ELSE {column} END").leak()
}

fn upwards(expression: &str) -> Pair {
    Pair {
        old: "age",
        new: "years",
        new_type: "text",
        up: on_bad("age", expression),
        down: "years",
        invalid: None,
        on_invalid: "quarantine",
    }
}

fn downwards(expression: &str) -> Pair {
    Pair {
        up: "age",
        down: on_bad("years", expression),
        ..upwards(expression)
    }
}

async fn filled(case: &mut Case, way: Way) -> Result<Outcome, BackfillError> {
    let options = BackfillOptions {
        way,
        ..batches_of(16)
    };
    backfill::run(&mut case.connection, &case.migration, &options, &mut |_| {}).await
}

async fn prepared(dialect: Dialect) -> Case {
    let mut case = Case::of(dialect, ID, &upwards("THIS"), 0).await;
    if dialect == Dialect::Postgres {
        case.run(FUNCTIONS).await;
    }
    case
}

/// Another pair, on a table with one bad row.
async fn again(case: &mut Case, pair: &Pair) {
    case.again(ID, pair, ROWS).await;
    case.connection
        .execute("DELETE FROM {zdm}quarantine", &[])
        .await
        .unwrap();
    case.run(BAD).await;
}

async fn the_row_waits(case: &mut Case, words: &str, about: &str) {
    let done = filled(case, Way::Up)
        .await
        .unwrap_or_else(|error| panic!("{about}: {error}"));
    assert_eq!((done.rows, done.quarantined), (ROWS.into(), 1), "{about}");
    let found = text(
        &mut case.connection,
        "SELECT row_key || error FROM {zdm}quarantine",
    )
    .await;
    let found = found.unwrap();
    assert!(
        found.starts_with("[\"23\"]") && found.contains(words),
        "{about}: {found}"
    );
    let others = "SELECT count(*) FROM users WHERE years = age AND id <> 23";
    assert_eq!(case.number(others).await, i64::from(ROWS) - 1, "{about}");
}

async fn failing_expressions(dialect: Dialect, expressions: &[(&str, &str)]) {
    let mut case = prepared(dialect).await;
    for (expression, words) in expressions {
        again(&mut case, &upwards(expression)).await;
        the_row_waits(&mut case, words, expression).await;

        again(&mut case, &downwards(expression)).await;
        case.run("UPDATE users SET years = age; UPDATE users SET age = '' WHERE id > 20")
            .await;
        let stopped = filled(&mut case, Way::Reverse).await.unwrap_err();
        let BackfillError::Unconvertible { keys, reason, .. } = &stopped else {
            panic!("{expression}: {stopped}");
        };
        assert_eq!(keys.len(), 1, "{expression}: {stopped}");
        assert_eq!(keys[0].to_string(), "23", "{expression}: {stopped}");
        assert!(reason.contains(words), "{expression}: {reason}");
    }
}

#[tokio::test]
async fn sqlite_finds_the_row_that_an_expression_fails_on() {
    failing_expressions(Dialect::Sqlite, FAILING_ON_SQLITE).await;
}

#[tokio::test]
async fn postgres_finds_the_row_that_an_expression_fails_on() {
    failing_expressions(Dialect::Postgres, FAILING_ON_POSTGRES).await;
}

async fn refused_rows(dialect: Dialect, refusals: &[(&str, &str, &str)]) {
    let mut case = prepared(dialect).await;
    for (up, refuses, words) in refusals {
        again(&mut case, &upwards(up)).await;
        case.run(refuses).await;
        the_row_waits(&mut case, words, refuses).await;
    }
}

#[tokio::test]
async fn sqlite_finds_the_row_that_a_constraint_an_index_or_a_trigger_refuses() {
    let refusals = [
        (
            "THIS",
            "CREATE INDEX in_years ON users (abs(-9223372036854775805 - CASE years WHEN 'bad' THEN 3 END))",
            "integer overflow",
        ),
        (
            "THIS",
            "CREATE TRIGGER refuses BEFORE UPDATE ON users WHEN NEW.years = 'bad'
             BEGIN SELECT RAISE(ABORT, 'no such colour'); END",
            "no such colour",
        ),
        (
            "'12'",
            "CREATE UNIQUE INDEX by_years ON users (years)",
            "UNIQUE constraint failed",
        ),
    ];
    refused_rows(Dialect::Sqlite, &refusals).await;
}

#[tokio::test]
async fn postgres_finds_the_row_that_a_constraint_an_index_or_a_trigger_refuses() {
    let refusals = [
        (
            "too_long(THIS)",
            "CREATE INDEX in_years ON users (years)",
            "index row",
        ),
        (
            "THIS",
            "ALTER TABLE users ADD CHECK (years <> 'bad')",
            "check constraint",
        ),
        (
            "THIS",
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'no such colour'; END $$;
             CREATE TRIGGER refuses BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.years = 'bad')
                 EXECUTE FUNCTION refuse()",
            "no such colour",
        ),
        // Raised when the batch is committed, which names no row.
        (
            "THIS",
            "CREATE CONSTRAINT TRIGGER refuses AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                 WHEN (NEW.years = 'bad') EXECUTE FUNCTION refuse()",
            "no such colour",
        ),
    ];
    refused_rows(Dialect::Postgres, &refusals).await;
}

/// The statement is at fault, or the database is.
async fn other_failures(dialect: Dialect, failures: &[(&str, &str)]) {
    let mut case = prepared(dialect).await;
    for (expression, words) in failures {
        again(&mut case, &upwards(expression)).await;
        let stopped = filled(&mut case, Way::Up).await.unwrap_err();
        assert!(
            matches!(stopped, BackfillError::Refused { .. }) && stopped.to_string().contains(words),
            "{expression}: {stopped}"
        );
        assert_eq!(case.number(QUARANTINED).await, 0, "{expression}");
    }
}

#[tokio::test]
async fn sqlite_blames_no_row_for_a_statement_that_is_wrong() {
    let failures = [
        ("length(THIS", "syntax error"),
        ("nothing_like_it(THIS)", "no such function"),
        ("nothing_like_it", "no such column"),
        ("(SELECT max(x) FROM nowhere)", "no such table"),
        ("length(THIS, 1)", "number of arguments"),
        ("json_object(THIS)", "even number of arguments"),
        ("json_set(THIS, 1)", "odd number of arguments"),
        ("THIS MATCH 'a'", "unable to use function"),
    ];
    other_failures(Dialect::Sqlite, &failures).await;
}

#[tokio::test]
async fn postgres_blames_no_row_for_a_statement_that_is_wrong() {
    let failures = [
        ("length(THIS", "syntax error"),
        ("nothing_like_it(THIS)", "does not exist"),
        ("names_no_function(THIS)", "does not exist"),
        ("names_no_table(THIS)", "does not exist"),
        (
            "CAST(pg_cancel_backend(pg_backend_pid()) AS text)",
            "canceling statement",
        ),
    ];
    other_failures(Dialect::Postgres, &failures).await;
}

#[tokio::test]
async fn a_full_disk_is_no_rows_fault() {
    let mut case = prepared(Dialect::Sqlite).await;
    again(&mut case, &upwards("hex(zeroblob(length(THIS) * 100000))")).await;
    let pages = case.number("PRAGMA page_count").await;
    // The journal's pages and a batch have room, the long value has none.
    case.run(&format!("PRAGMA max_page_count = {}", pages + 20))
        .await;
    let stopped = filled(&mut case, Way::Up).await.unwrap_err();
    assert!(stopped.to_string().contains("disk is full"), "{stopped}");
    assert!(
        matches!(stopped, BackfillError::Refused { .. }),
        "{stopped}"
    );
    assert_eq!(case.number(QUARANTINED).await, 0);
}

#[tokio::test]
async fn a_corrupt_page_is_no_rows_fault() {
    let mut case = prepared(Dialect::Sqlite).await;
    again(&mut case, &upwards("THIS")).await;
    // The row's value goes to pages of its own, which nothing but its value is read from.
    case.run("UPDATE users SET age = 'bad' || hex(zeroblob(5000)) WHERE id = 23")
        .await;
    let pages = "SELECT pageno FROM dbstat WHERE name = 'users' AND pagetype = 'overflow' LIMIT 1";
    let page = usize::try_from(case.number(pages).await).unwrap();
    let size = usize::try_from(case.number("PRAGMA page_size").await).unwrap();
    case.connection
        .query("PRAGMA wal_checkpoint(TRUNCATE)", &[])
        .await
        .unwrap();
    let file = case.target.path("target.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[(page - 1) * size..page * size].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    case.connection = case.target.open().await;
    let stopped = filled(&mut case, Way::Up).await.unwrap_err();
    assert!(stopped.to_string().contains("malformed"), "{stopped}");
    assert!(
        matches!(stopped, BackfillError::Refused { .. }),
        "{stopped}"
    );
    assert_eq!(case.number(QUARANTINED).await, 0);
}
