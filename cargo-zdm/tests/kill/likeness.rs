//! What two databases must have in common that went the same way, one with and one without a kill: the whole schema, and
//! of the control tables all but times, owners and what depends on rows written in between.

use zdm_runtime::audit;
use zdm_runtime::database::control::{self, Installed};
use zdm_runtime::database::{Connection, Dialect, Value};

const POSTGRES: &[&str] = &[
    "SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default \
     FROM information_schema.columns WHERE table_schema IN ('public', 'zdm') ORDER BY 1, 2, 3",
    "SELECT conname::text, pg_get_constraintdef(oid), convalidated FROM pg_constraint \
     WHERE connamespace IN ('public'::regnamespace, to_regnamespace('zdm')) ORDER BY 1, 2",
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index \
     JOIN pg_class ON pg_class.oid = indrelid \
     WHERE relnamespace IN ('public'::regnamespace, to_regnamespace('zdm')) ORDER BY 1",
    "SELECT proname::text, prosrc FROM pg_proc \
     WHERE pronamespace IN ('public'::regnamespace, to_regnamespace('zdm')) ORDER BY 1, 2",
];

const SQLITE: &[&str] = &["SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"];

const CONTROL: &[&str] = &[
    "SELECT version, least_runtime FROM {zdm}meta",
    "SELECT migration, version, name, content_hash, route, expanded_at IS NULL, contracted_at IS NULL, \
     rolled_back_at IS NULL, rolled_back_to \
     FROM {zdm}migration ORDER BY 1",
    "SELECT table_name, epoch FROM {zdm}fence ORDER BY 1",
    "SELECT migration, stage, read_basis_points, read_instances, salt, epoch, drained_epoch, old_since, new_since, paused_at IS NULL \
     FROM {zdm}stage ORDER BY 1",
    "SELECT migration, table_name FROM {zdm}stage_table ORDER BY 1, 2",
    "SELECT migration, section, number, content_hash FROM {zdm}step ORDER BY 1, 2, 3",
    "SELECT migration, table_name, direction, state, count(*) FROM {zdm}chunk GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
    "SELECT migration, row_key, column_name, state FROM {zdm}quarantine ORDER BY 1, 2, 3",
    "SELECT DISTINCT migration, epoch, side FROM {zdm}verification WHERE state = 'passed' ORDER BY 1, 2, 3",
    "SELECT instance FROM {zdm}instance",
    "SELECT migration, sum(mismatches)::text FROM {zdm}mismatch GROUP BY 1",
    // Whose lease it was and until when is past: the owner is dead, and the next command follows at once.
    "SELECT migration FROM {zdm}operator ORDER BY 1",
];

/// What happened, each as often as it took effect: these are logged in the transaction that they tell of. An undo in
/// several steps begins again with the first, so steps count as [`LOGGED`].
const LOGGED_TOGETHER: &str = "SELECT migration, action, statement, count(*) FROM {zdm}audit \
     WHERE action IN ('expand', 'hop', 'quarantine fix', 'pause', 'resume') AND outcome = 'done' \
     GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";

/// What happened at least once: work in several transactions may be told of twice, or by the run that found it done.
const LOGGED: &str = "SELECT DISTINCT migration, action, statement FROM {zdm}audit WHERE outcome = 'done' ORDER BY 1, 2, 3";

/// Whether every row's new side is what its old side says; asked where both are there and filled.
const UNLIKE_SIDES: &str = "SELECT count(*) FROM cargo_zdm_demo_users WHERE full_name IS DISTINCT FROM name \
     OR CAST(age_number AS text) IS DISTINCT FROM \
     CASE WHEN age IN ('unknown', '99999999999') THEN NULL ELSE ltrim(age, '0') END";

/// Every row as it is stored.
const ROWS: &str = "SELECT * FROM cargo_zdm_demo_users ORDER BY id";

/// One line per fact.
pub(crate) async fn of(url: &str) -> Vec<String> {
    let mut connection = Connection::open(url).await.unwrap();
    let catalog = match connection.dialect() {
        Dialect::Postgres => POSTGRES,
        Dialect::Sqlite => SQLITE,
    };
    let mut lines = answers(&mut connection, catalog).await;
    let installed = control::installed_version(&mut connection).await.unwrap();
    if installed != Installed::Not {
        lines.extend(answers(&mut connection, CONTROL).await);
        lines.extend(answers(&mut connection, &[LOGGED_TOGETHER, LOGGED]).await);
        let chain = audit::verify(&mut connection).await.unwrap().unwrap();
        assert_eq!(
            chain.findings,
            [],
            "whatever is killed leaves the chain whole"
        );
    }
    lines
}

/// The same with every row.
pub(crate) async fn with_rows(url: &str) -> Vec<String> {
    let mut lines = of(url).await;
    if lines
        .iter()
        .any(|line| line.contains("cargo_zdm_demo_users"))
    {
        let mut connection = Connection::open(url).await.unwrap();
        lines.extend(answers(&mut connection, &[ROWS]).await);
    }
    lines
}

async fn answers(connection: &mut Connection, questions: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for sql in questions {
        let sql = match connection.dialect() {
            Dialect::Postgres => (*sql).to_owned(),
            Dialect::Sqlite => sql.replace("::text", ""),
        };
        let about = sql.split(" FROM ").nth(1).unwrap_or_default();
        let about = about.split(' ').next().unwrap_or_default();
        for row in connection.query(&sql, &[]).await.unwrap() {
            lines.push(format!("{about}: {row:?}"));
        }
    }
    lines
}

/// How many rows have sides that differ, where the backfill of the present stage is done.
pub(crate) async fn rows_that_differ(url: &str) -> i64 {
    let mut connection = Connection::open(url).await.unwrap();
    let filled = "SELECT count(*) FROM {zdm}stage JOIN {zdm}chunk ON {zdm}chunk.migration = {zdm}stage.migration \
         WHERE stage NOT IN ('off', 'complete') AND state = 'done' AND direction = 'up' \
         AND NOT EXISTS (SELECT 1 FROM {zdm}migration WHERE contracted_at IS NOT NULL)";
    if number(&mut connection, filled).await == 0 {
        return 0;
    }
    number(&mut connection, UNLIKE_SIDES).await
}

async fn number(connection: &mut Connection, sql: &str) -> i64 {
    match connection.query(sql, &[]).await.unwrap()[0][..] {
        [Value::Int(Some(number))] => number,
        ref other => panic!("{sql}: {other:?}"),
    }
}
