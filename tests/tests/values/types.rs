//! Generated statements over types of the user's own, as the server sees them.

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
