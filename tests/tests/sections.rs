//! Every case's files on real databases, through the executor: each section forward, back and forward again, with the
//! table compared after each; the backfill's statements in between; and at the end what v2 alone would have created.

use cargo_zdm::dialect::Dialect;
use zdm_model::{Column, Schema};
use zdm_runtime::checksum::{Checksum, Checksums};
use zdm_runtime::database::{Connection, Value, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::manifest::{Backfill, Direction, Route};
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_tests::cases::{Case, schemas_of};
use zdm_tests::fill;
use zdm_tests::postgres::Server;
use zdm_tests::seed::{ROWS, seed};

#[tokio::test]
async fn every_case_goes_forward_back_and_forward_on_postgres() {
    let server = Server::start();
    for (number, case) in Case::all().into_iter().enumerate() {
        let url = server.database(&format!("case_{number}"));
        let target = server.database(&format!("target_{number}"));
        go(&case, "postgres", &url, &target).await;
    }
}

#[tokio::test]
async fn every_case_goes_forward_back_and_forward_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    for (number, case) in Case::all().into_iter().enumerate() {
        let url =
            |name: &str| format!("sqlite://{}/{name}_{number}.db", directory.path().display());
        go(&case, "sqlite", &url("case"), &url("target")).await;
    }
}

async fn go(case: &Case, dialect: &str, url: &str, target: &str) {
    let dialect = Dialect::named(dialect).unwrap();
    if case.is_refused(&dialect) {
        return;
    }
    let mut connection = opened(url, &case.schema("v1.rs"), &case.schema("v2.rs")).await;
    run(
        &mut connection,
        case,
        &case.foundation(&dialect),
        Section::Expand,
        Direction::Up,
    )
    .await;
    let before = case.schema("v1.rs");
    seed(&mut connection, &before, &dialect).await;
    empty(&mut connection, case, &dialect).await;

    let migration = case.migration(&dialect);
    for section in [Section::Expand, Section::DualWrite] {
        there_and_back(&mut connection, case, &migration, section).await;
    }
    for backfill in &migration.manifest().backfills {
        fill(&mut connection, case, &migration, backfill).await;
    }
    for section in [Section::SwitchReads, Section::Release] {
        there_and_back(&mut connection, case, &migration, section).await;
    }
    if migration.manifest().keep.is_some() {
        there_and_back(&mut connection, case, &migration, Section::Keep).await;
    }
    if migration.manifest().route != Route::Direct {
        run(
            &mut connection,
            case,
            &migration,
            migration.manifest().drops_by(),
            Direction::Up,
        )
        .await;
    }
    let reached = shape(&mut connection).await;
    assert!(reached.len() >= 3, "{}: {reached:?}", case.name);

    let mut fresh = opened(target, &Schema::default(), &case.schema("v2.rs")).await;
    let created = case.target(&dialect);
    run(&mut fresh, case, &created, Section::Expand, Direction::Up).await;
    assert_eq!(
        enums(&mut connection).await,
        enums(&mut fresh).await,
        "{}",
        case.name
    );
    assert_eq!(
        reached,
        shape(&mut fresh).await,
        "{} on {}",
        case.name,
        dialect.name()
    );
}

/// A database with the schemas that these name, and what every version needs.
async fn opened(url: &str, before: &Schema, after: &Schema) -> Connection {
    let mut connection = Connection::open(url).await.unwrap();
    control::install(&mut connection).await.unwrap();
    let schemas = schemas_of(before) + &schemas_of(after);
    connection.run_file(&schemas).await.unwrap();
    connection
}

/// Columns that become NOT NULL have NULL in every row, so that there is something to fill.
async fn empty(connection: &mut Connection, case: &Case, dialect: &Dialect) {
    let after = case.schema("v2.rs");
    for table in case.schema("v1.rs").tables {
        let may_not = |column: &&Column| {
            let after = after
                .table(&table.name)
                .and_then(|after| after.column(&column.name));
            column.nullable && after.is_some_and(|after| !after.nullable)
        };
        for column in table.columns.iter().filter(may_not) {
            let (table, column) = (dialect.relation(&table.name), dialect.ident(&column.name));
            let sql = format!("UPDATE {table} SET {column} = NULL");
            connection.execute_file(&sql, &[]).await.unwrap();
        }
    }
}

async fn there_and_back(
    connection: &mut Connection,
    case: &Case,
    migration: &Migration,
    section: Section,
) {
    let before = shape(connection).await;
    run(connection, case, migration, section, Direction::Up).await;
    let after = shape(connection).await;
    run(connection, case, migration, section, Direction::Down).await;
    // A wider type stays: old code works on it.
    let widens = ["widen_type/", "direct/widened"];
    let stays = widens.iter().any(|name| case.name.starts_with(name));
    assert_eq!(
        if stays { &after } else { &before },
        &shape(connection).await,
        "{}: {section:?} down",
        case.name
    );
    run(connection, case, migration, section, Direction::Up).await;
    assert_eq!(
        after,
        shape(connection).await,
        "{}: {section:?} up again",
        case.name
    );
}

async fn run(
    connection: &mut Connection,
    case: &Case,
    migration: &Migration,
    section: Section,
    direction: Direction,
) {
    let options = ExecutorOptions {
        // A column that is counted at once has values on the way back.
        drop_rows: case.name.starts_with("direct/"),
        ..ExecutorOptions::of("test")
    };
    executor::run(
        connection,
        migration,
        section,
        direction,
        &options,
        &mut |_| {},
    )
    .await
    .unwrap_or_else(|error| panic!("{}: {section:?} {direction:?}: {error}", case.name));
}

/// The backfill's statements as they are, over the whole table in two batches.
async fn fill(
    connection: &mut Connection,
    case: &Case,
    migration: &Migration,
    backfill: &Backfill,
) {
    let k = backfill.key.len();
    let bounds = connection
        .query_file(migration.file(&backfill.bounds), &[])
        .await
        .unwrap();
    let (lowest, highest) = bounds[0].split_at(k);
    let range = |start: &[Value], end: &[Value]| [start, end].concat();
    let mut limited = range(lowest, highest);
    limited.push(Value::from(ROWS - 2));
    let middle = connection
        .query_file(migration.file(&backfill.boundary), &limited)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        compared(connection, migration, backfill, &range(lowest, highest)).await,
        (ROWS, ROWS),
        "{}: nothing is filled yet",
        case.name
    );
    for (start, end, expected) in [(lowest, &middle[..], ROWS - 2), (&middle[..], highest, 2)] {
        let changed = fill::batch(connection, migration, backfill, &range(start, end)).await;
        assert_eq!(
            changed,
            u64::try_from(expected).unwrap(),
            "{}: rows changed",
            case.name
        );
    }
    assert_eq!(
        compared(connection, migration, backfill, &range(lowest, highest)).await,
        (ROWS, 0),
        "{}: every row agrees",
        case.name
    );
    sums_add_up(
        connection,
        case,
        (migration, backfill),
        [lowest, &middle, highest],
    )
    .await;
    let files = [Some(&backfill.mismatches), backfill.invalid.as_ref()];
    for file in files.into_iter().flatten() {
        let rows = connection
            .query_file(migration.file(file), &range(lowest, highest))
            .await
            .unwrap();
        assert!(rows.is_empty(), "{}: {file}: {rows:?}", case.name);
    }
    if let Some(reverse) = &backfill.reverse {
        let changed = connection
            .execute_file(migration.file(reverse), &range(lowest, highest))
            .await
            .unwrap();
        assert_eq!(changed, 0, "{}: what agrees stays", case.name);
    }
}

/// The sums of two ranges that share a row are that of both together; where rows move as they are filled, there is one sum of all, or none.
async fn sums_add_up(
    connection: &mut Connection,
    case: &Case,
    (migration, backfill): (&Migration, &Backfill),
    [lowest, middle, highest]: [&[Value]; 3],
) {
    let of = |start: &[Value], end: &[Value]| [start, end].concat();
    if let Some(address) = &backfill.address {
        let left = migration.file(&address.left);
        let left = connection.query_file(left, &[]).await.unwrap();
        assert_eq!(left[0], [Value::from(0_i64)], "{}", case.name);
        let is_summed = address.step.is_some();
        assert_eq!(backfill.checksums.is_some(), is_summed, "{}", case.name);
        if !is_summed {
            return;
        }
    }
    let whole = checksums(connection, migration, backfill, &of(lowest, highest)).await;
    assert!(whole.are_equal() && whole.by_down == 0, "{}", case.name);
    assert_ne!(whole.new, Checksum(0), "{}", case.name);
    if backfill.address.is_some() {
        return;
    }
    let mut sums = Vec::new();
    for (start, end) in [(lowest, middle), (middle, highest), (middle, middle)] {
        let part = checksums(connection, migration, backfill, &of(start, end)).await;
        sums.push(part.new.0);
    }
    let together = sums[0].wrapping_add(sums[1]).wrapping_sub(sums[2]);
    assert_eq!(Checksum(together), whole.new, "{}", case.name);
}

async fn compared(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
    range: &[Value],
) -> (i64, i64) {
    let rows = connection
        .query_file(migration.file(&backfill.verify), range)
        .await
        .unwrap();
    match rows[0][..] {
        [Value::Int(Some(rows)), Value::Int(Some(mismatches))] => (rows, mismatches),
        _ => panic!("{rows:?}"),
    }
}

async fn checksums(
    connection: &mut Connection,
    migration: &Migration,
    backfill: &Backfill,
    range: &[Value],
) -> Checksums {
    let file = backfill.checksums.as_ref().unwrap();
    let rows = connection
        .query_file(migration.file(file), range)
        .await
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    let [
        Value::Int(Some(1..)),
        Value::Int(Some(0)),
        Value::Int(Some(0)),
        answer @ ..,
    ] = &rows[0][..]
    else {
        panic!("{rows:?}")
    };
    Checksums::read(&backfill.table, 0, answer).unwrap()
}

/// The enums with their values: a value stays where its addition is taken back.
async fn enums(connection: &mut Connection) -> Vec<Vec<Value>> {
    if !matches!(connection, Connection::Postgres(_)) {
        return Vec::new();
    }
    let sql = "SELECT t.oid::regtype::text, string_agg(enumlabel, ', ' ORDER BY enumsortorder)
        FROM pg_enum JOIN pg_type t ON t.oid = enumtypid GROUP BY t.oid ORDER BY 1";
    connection.query_file(sql, &[]).await.unwrap()
}

/// All that the database says of its tables, line by line.
async fn shape(connection: &mut Connection) -> Vec<String> {
    let postgres = [
        "SELECT concat_ws(' ', table_schema, table_name, column_name, data_type, udt_name, character_maximum_length, is_nullable, column_default, is_identity, generation_expression)
         FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'zdm') ORDER BY 1",
        "SELECT concat_ws(' ', objoid::regclass, (SELECT attname FROM pg_attribute WHERE attrelid = objoid AND attnum = objsubid), description)
         FROM pg_description
         WHERE classoid = 'pg_class'::regclass AND objoid IN (SELECT oid FROM pg_class WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'zdm'::regnamespace))
         ORDER BY 1",
        "SELECT indexdef FROM pg_indexes WHERE schemaname NOT IN ('pg_catalog', 'zdm') ORDER BY 1",
        "SELECT conrelid::regclass || ' ' || conname || ' ' || convalidated || ' ' || pg_get_constraintdef(oid)
         FROM pg_constraint WHERE connamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'zdm'::regnamespace) ORDER BY 1",
        "SELECT proname::text FROM pg_proc WHERE pronamespace = 'zdm'::regnamespace ORDER BY 1",
        "SELECT count(*)::text || ' invalid' FROM pg_index WHERE NOT indisvalid",
        "SELECT pg_get_triggerdef(oid) || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    ];
    let sqlite = [
        "SELECT m.name || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || coalesce(c.dflt_value, '-') || ' ' || c.pk || ' ' || c.hidden
         FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c
         WHERE m.type = 'table' AND m.name NOT LIKE 'zdm%' AND m.name NOT LIKE 'sqlite%' ORDER BY 1",
        "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name NOT LIKE 'zdm%' ORDER BY 1",
        "SELECT m.name || ' ' || k.\"table\" || ' ' || k.\"from\" || ' ' || k.\"to\" || ' ' || k.on_delete
         FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS k WHERE m.type = 'table' ORDER BY 1",
        "SELECT name || ' ' || (sql LIKE '%AUTOINCREMENT%') || (length(sql) - length(replace(sql, 'CHECK', '')))
         FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'zdm%' AND name NOT LIKE 'sqlite%' ORDER BY 1",
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name",
    ];
    let questions: &[&str] = if matches!(connection, Connection::Postgres(_)) {
        &postgres
    } else {
        &sqlite
    };
    let mut lines = Vec::new();
    for question in questions {
        for row in connection.query_file(question, &[]).await.unwrap() {
            let [Value::Text(Some(line))] = &row[..] else {
                panic!("{row:?}")
            };
            lines.push(line.replace("INDEX IF NOT EXISTS", "INDEX"));
        }
    }
    lines
}
