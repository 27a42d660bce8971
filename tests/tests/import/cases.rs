//! A database that was made from models is read as these models: every golden case, both versions, both databases.

use std::collections::BTreeSet;

use cargo_zdm::dialect::Dialect as Words;
use cargo_zdm::diff;
use cargo_zdm::import::{self, Kind};
use zdm_model::{LogicalType, Schema};
use zdm_runtime::database::{Connection, Dialect, control};
use zdm_runtime::executor::{self, ExecutorOptions};
use zdm_runtime::manifest::Direction;
use zdm_runtime::migration::Migration;
use zdm_runtime::phase::Section;
use zdm_tests::cases::{Case, schemas_of};
use zdm_tests::postgres::Server;

use zdm_tests::project::imported;

/// What no type, default or condition tells apart once it was in a database: the type's own name is none beside the field's,
/// and expressions are spelled by the server.
fn as_stored(mut schema: Schema, words: &Words) -> Schema {
    for found in &mut schema.enums {
        found.source.clear();
    }
    if words.name() == "sqlite" {
        schema.enums.clear();
    }
    for table in &mut schema.tables {
        if words.name() == "sqlite" {
            table.comment = None;
            table
                .columns
                .iter_mut()
                .for_each(|column| column.comment = None);
        }
        let alone = table.columns.len() == 1;
        for column in &mut table.columns {
            column.transition = None;
            column.default = column
                .default
                .as_deref()
                .map(|text| spelled(&words.default_of(text)));
            column.generated = column.generated.as_deref().map(spelled);
            let declared = words.type_of(column);
            let logical = LogicalType::ALL.into_iter();
            // Several types of Rust share one of SQLite.
            column.logical_type = logical
                .rev()
                .find(|logical| words.type_name(*logical).eq_ignore_ascii_case(&declared))
                .unwrap_or(column.logical_type);
            column.sql_type = Some(declared.to_lowercase());
            // An INTEGER that is the key alone is the rowid, which SQLite counts whether that was asked for or not; an insert
            // has to name a column, so the only one is not left to it.
            let is_rowid = words.name() == "sqlite" && declared == "INTEGER";
            if is_rowid && table.primary_key == [column.name.as_str()] {
                column.auto = !alone;
            }
            if words.name() == "sqlite" {
                column.counted = None;
            }
        }
        for check in &mut table.checks {
            check.expr = spelled(&check.expr);
        }
        for index in &mut table.indexes {
            index.predicate = index.predicate.as_deref().map(spelled);
            index.elements = index.elements.iter().map(|text| spelled(text)).collect();
            index.method.take_if(|method| method == "btree");
        }
        for exclusion in &mut table.exclusions {
            exclusion.predicate = exclusion.predicate.as_deref().map(spelled);
            let elements = exclusion.elements.iter();
            exclusion.elements = elements.map(|text| spelled(text)).collect();
        }
        table.drops.clear();
    }
    schema
}

fn spelled(expression: &str) -> String {
    let kept: String = expression
        .replace("::text", "")
        .chars()
        .filter(|c| !c.is_whitespace() && !"()\"".contains(*c))
        .collect();
    kept.to_lowercase()
}

async fn create(url: &str, schemas: &str, migration: &Migration) {
    let mut connection = Connection::open(url).await.unwrap();
    control::install(&mut connection).await.unwrap();
    connection.run_file(schemas).await.unwrap();
    executor::run(
        &mut connection,
        migration,
        Section::Expand,
        Direction::Up,
        &ExecutorOptions::of("test"),
        &mut |_| {},
    )
    .await
    .unwrap();
}

async fn every_case(dialect: Dialect, mut database: impl FnMut(usize) -> String) {
    let words = Words::named(dialect.name()).unwrap();
    let cases: Vec<Case> = Case::all()
        .into_iter()
        .filter(|case| !case.is_refused(&words))
        .collect();
    let mut differences = BTreeSet::new();
    let mut count = 0;
    for case in &cases {
        if case.plan(&words).is_err() {
            continue;
        }
        for version in ["v1.rs", "v2.rs"] {
            let made = match version {
                "v1.rs" => case.foundation(&words),
                _ => case.target(&words),
            };
            let url = database(count);
            count += 1;
            create(&url, &schemas_of(&case.schema(version)), &made).await;
            let found = imported(&url).await;
            let mut as_declared = case.schema(version);
            if dialect == Dialect::Postgres {
                as_declared
                    .tables
                    .retain(|table| found.schema.table(&table.name).is_some());
            }
            let mut in_its_words = found.schema.clone();
            import::in_the_words_of(&mut in_its_words, &as_declared, &words);
            let deltas = diff::diff(&in_its_words, &as_declared);
            if !matches!(&deltas, Ok(deltas) if deltas.is_empty()) {
                differences.insert(format!("{} {version}: drift {deltas:#?}", case.name));
            }
            let declared = as_stored(case.schema(version), &words);
            let read = as_stored(found.schema, &words);
            match diff::diff(&declared, &read) {
                Ok(deltas) if deltas.is_empty() => {}
                other => {
                    differences.insert(format!("{} {version}: {other:#?}", case.name));
                }
            }
            // Control tables are named; else nothing is missing from what we made ourselves.
            for left in found.left_out {
                let known = left.object.starts_with("zdm_");
                if left.kind != Kind::Differs && !known {
                    differences.insert(format!("{} {version}: {left:?}", case.name));
                }
            }
        }
    }
    assert!(count > 40, "{count} schemas");
    let differences: Vec<_> = differences.into_iter().collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn what_expand_creates_is_imported_as_it_was_declared_on_postgres() {
    let server = Server::start();
    every_case(Dialect::Postgres, |count| {
        server.database(&format!("case{count}"))
    })
    .await;
}

#[tokio::test]
async fn what_expand_creates_is_imported_as_it_was_declared_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = |count: usize| {
        let path = folder.path().join(format!("case{count}.db"));
        format!("sqlite://{}", path.display())
    };
    every_case(Dialect::Sqlite, file).await;
}
