//! Generated statements over types of the user's own, as the server sees them.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use zdm_runtime::database::Dialect;

use crate::project::{Project, Versions};

const POSTGRES: Dialect = Dialect::Postgres;

async fn unchanged(preparation: &str, fields: &str) -> Project {
    Project::of(POSTGRES, preparation, Versions::of(fields, fields)).await
}

#[tokio::test]
async fn a_quoted_type_keeps_its_capitals() {
    let fields =
        "#[zdm(primary_key)] pub id: i64, #[zdm(sql_type = \"\\\"Mood\\\"\")] pub mood: Own";
    let project = unchanged("CREATE TYPE \"Mood\" AS ENUM ('Well', 'Ill')", fields).await;
    for name in ["INSERT", "UPSERT", "UPDATE", "SET_MOOD"] {
        let sql = project.versions.statement(POSTGRES, "t.rs", name);
        project.explained(&sql, "", "(1, 'Well', 0)").await;
    }
}

#[tokio::test]
async fn the_rows_after_a_key_of_another_declared_type() {
    let fields = "#[zdm(primary_key, sql_type = \"uuid\")] pub id: String, pub name: String";
    let project = unchanged("", fields).await;
    let sql = project.versions.statement(POSTGRES, "t.rs", "LIST_AFTER");
    let id = "'00000000-0000-0000-0000-000000000000'";
    let plan = project
        .explained(&sql, "(bigint, text)", &format!("(10, {id})"))
        .await;
    assert!(plan.contains("Index"), "{plan}");
}

#[tokio::test]
async fn the_rows_after_a_composite_key_of_other_declared_types() {
    let fields = "#[zdm(sql_type = \"uuid\")] pub id: String, #[zdm(sql_type = \"char(4)\")] pub code: String, \
                  pub name: String";
    let versions = Versions::with([", primary_key(id, code)"; 2], fields, fields);
    let project = Project::of(POSTGRES, "", versions).await;
    let sql = project.versions.statement(POSTGRES, "t.rs", "LIST_AFTER");
    let id = "'00000000-0000-0000-0000-000000000000'";
    let plan = project
        .explained(&sql, "(bigint, text, text)", &format!("(10, {id}, 'ab')"))
        .await;
    assert!(plan.contains("Index"), "{plan}");
}

#[tokio::test]
async fn a_renamed_json_is_read() {
    let key = "#[zdm(primary_key)] pub id: i64";
    let json = "sql_type = \"json\"";
    let versions = Versions::of(
        &format!("{key}, #[zdm({json})] pub old: serde_json::Value"),
        &format!("{key}, #[zdm({json}, renamed_from = \"old\")] pub new: serde_json::Value"),
    );
    let mut project = Project::of(POSTGRES, "", versions).await;
    project
        .run("INSERT INTO t (id, old) VALUES (1, '{\"a\": 1}'), (2, '[]')")
        .await;
    project.expand().await;
    project.fills_and_verifies(2).await;
    let sql = project
        .versions
        .statement(POSTGRES, "switch_reads.rs", "GET");
    project.explained(&sql, "(bigint)", "(1)").await;
    let sql = project
        .versions
        .statement(POSTGRES, "dual_write.rs", "UPDATE_BOTH");
    project
        .explained(&sql, "(bigint, jsonb, bigint)", "(1, '{}', 0)")
        .await;
}

#[tokio::test]
async fn a_key_of_fixed_length_is_looked_up_by_its_index() {
    let fields = "#[zdm(primary_key, sql_type = \"char(4)\")] pub id: String, pub name: String";
    let project = unchanged("", fields).await;
    for (name, types, values) in [
        ("GET", "(text)", "('ab')"),
        ("GET_MANY", "(text[])", "('{ab,cd}')"),
        ("LIST_AFTER", "(bigint, text)", "(10, 'ab')"),
        ("UPDATE", "(text, text, bigint)", "('ab', 'x', 0)"),
        ("DELETE", "(text, bigint)", "('ab', 0)"),
    ] {
        let sql = project.versions.statement(POSTGRES, "t.rs", name);
        let plan = project.explained(&sql, types, values).await;
        assert!(
            plan.contains("Index Cond: ((id") || plan.contains("Index Cond: (id"),
            "{name}: {plan}"
        );
    }
}

#[tokio::test]
async fn a_json_that_is_converted_is_compared() {
    let key = "#[zdm(primary_key)] pub id: i64";
    let versions = Versions::of(
        &format!("{key}, #[zdm(sql_type = \"json\")] pub old: serde_json::Value"),
        &format!(
            "{key}, #[zdm(from(\"old\"), up = \"old::jsonb\", down = \"new::json\")] pub new: serde_json::Value"
        ),
    );
    let mut project = Project::of(POSTGRES, "", versions).await;
    project
        .run("INSERT INTO t (id, old) VALUES (1, '{\"a\":1}'), (2, '[]')")
        .await;
    project.expand().await;
    project.fills_and_verifies(2).await;
    let sql = project
        .versions
        .statement(POSTGRES, "switch_reads.rs", "GET");
    project.explained(&sql, "(bigint)", "(1)").await;
    let sql = project
        .versions
        .statement(POSTGRES, "dual_write.rs", "UPDATE_BOTH");
    project
        .explained(&sql, "(bigint, jsonb, bigint)", "(1, '{}', 0)")
        .await;
}

/// A cast to `bit` or `character[]`, which say no length, would cut to one place without a word.
#[tokio::test]
async fn what_is_carried_as_text_comes_back_as_it_was() {
    let values = [
        ("numeric(10,2)", "12345678.90"),
        ("bit(8)", "10110001"),
        ("bit varying(8)", "1011"),
        ("bit(3)[]", "{101,011}"),
        ("char(4)", "ab  "),
        ("char(4)[]", "{\"ab  \",abcd}"),
        ("varchar(3)[]", "{abc,NULL,\"\"}"),
        ("text[]", "{\"a b\",NULL,c}"),
        ("mood", "ill"),
        ("mood[]", "{ill,well}"),
        ("small", "7"),
        ("interval", "1 mon -3 days +04:05:06.000007"),
        ("inet", "10.0.0.1/8"),
        ("json", "{\"b\": 1,  \"a\": 1.50, \"a\": 2}"),
        ("int4range", "[1,10)"),
        ("tsvector", "'a':1 'b':2"),
        ("time with time zone", "04:05:06+02"),
        ("money", "$12.34"),
        ("pair", "(1,\"a b\")"),
    ];
    let fields: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(at, (sql_type, _))| format!("#[zdm(sql_type = \"{sql_type}\")] pub f{at}: String"))
        .collect();
    let fields = format!("#[zdm(primary_key)] pub id: i64, {}", fields.join(", "));
    let preparation =
        "CREATE TYPE mood AS ENUM ('well', 'ill'); CREATE DOMAIN small AS int CHECK (value < 9);
        CREATE TYPE pair AS (a int, b text)";
    let project = unchanged(preparation, &fields).await;
    let mut connection = PgConnection::connect(&project.url).await.unwrap();
    for name in ["INSERT", "UPDATE", "UPSERT"] {
        let sql = project.versions.statement(POSTGRES, "t.rs", name);
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(1_i64);
        for (_, value) in values {
            query = query.bind(value);
        }
        let fence =
            "INSERT INTO zdm.fence (table_name, epoch) VALUES ('t', 0) ON CONFLICT DO NOTHING";
        sqlx::query(fence).execute(&mut connection).await.unwrap();
        let done = query.bind(0_i64).execute(&mut connection).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{name}");
        let sql = project.versions.statement(POSTGRES, "t.rs", "GET");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(1_i64)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        for (at, (sql_type, value)) in values.iter().enumerate() {
            let found: String = row.get(format!("f{at}").as_str());
            // The text of a `char` has no spaces at its end.
            let expected = if *sql_type == "char(4)" { "ab" } else { value };
            assert_eq!(found, expected, "{name} {sql_type}");
        }
    }
}
