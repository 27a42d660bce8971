//! Keys whose declared type is not the type of their values.

use zdm_runtime::database::Dialect;

use crate::project::{Project, Versions};

/// `id` by these attributes and type, and a column that is renamed.
fn versions(key: &str) -> Versions {
    Versions::of(
        &format!("{key}, pub name: String"),
        &format!("{key}, #[zdm(renamed_from = \"name\")] pub full_name: String"),
    )
}

#[tokio::test]
async fn sqlite_rows_are_found_by_keys_of_any_declared_type() {
    for (key, values) in [
        (
            "#[zdm(primary_key, sql_type = \"UUID\")] pub id: String",
            "('5e3f', 'a'), ('12ab', 'b'), ('7', 'c'), ('zz', 'd')",
        ),
        (
            "#[zdm(primary_key, sql_type = \"DATETIME\")] pub id: chrono::NaiveDateTime",
            "('2024-02-29 10:00:00', 'a'), ('2023-01-01 00:00:00', 'b'), ('2025-01-01 00:00:00', 'c'),
             ('2025-01-02 00:00:00', 'd')",
        ),
        (
            "#[zdm(primary_key)] pub id: i64",
            "(1, 'a'), (-7, 'b'), (30, 'c'), (200, 'd')",
        ),
        (
            "#[zdm(primary_key, sql_type = \"BLOB\")] pub id: String",
            "('x', 'a'), ('7', 'b'), ('', 'c'), ('é', 'd')",
        ),
    ] {
        let mut project = Project::of(Dialect::Sqlite, "", versions(key)).await;
        project.run(&format!("INSERT INTO t (id, name) VALUES {values}")).await;
        project.expand().await;
        project.fills_and_verifies(4).await;
        let names = project.texts("SELECT full_name FROM t ORDER BY full_name").await;
        assert_eq!(names, ["a", "b", "c", "d"].map(|name| Some(name.to_owned())), "{key}");
    }
}

#[tokio::test]
async fn sqlite_rows_are_found_by_a_composite_key_with_a_date() {
    let key = "pub a: i64, #[zdm(sql_type = \"DATETIME\")] pub at: chrono::NaiveDateTime";
    let versions = Versions::with(
        [", primary_key(a, at)"; 2],
        &format!("{key}, pub name: String"),
        &format!("{key}, #[zdm(renamed_from = \"name\")] pub full_name: String"),
    );
    let mut project = Project::of(Dialect::Sqlite, "", versions).await;
    project
        .run(
            "INSERT INTO t (a, at, name) VALUES (1, '2024-02-29 10:00:00', 'a'), (1, '2024-03-01 10:00:00', 'b'),
             (2, '2023-01-01 00:00:00', 'c')",
        )
        .await;
    project.expand().await;
    project.fills_and_verifies(3).await;
}

/// 1.0/3 travels as `0.333333333333333`, which is another number.
#[tokio::test]
async fn a_key_that_does_not_survive_as_text_stops_backfill_and_verification() {
    let key = "#[zdm(primary_key, sql_type = \"REAL\")] pub id: String";
    let mut project = Project::of(Dialect::Sqlite, "", versions(key)).await;
    project
        .run("INSERT INTO t (id, name) VALUES (1.0, 'a'), (1.0/3, 'b'), (-1.0/3, 'c')")
        .await;
    project.expand().await;
    let filled = project.fill().await.map(|_| ()).unwrap_err().to_string();
    assert!(filled.contains("-0.333333333333333"), "{filled}");
    let verified = project.verify().await.unwrap_err().to_string();
    assert!(verified.contains("-0.333333333333333"), "{verified}");
}

#[test]
fn a_floating_point_key_is_refused() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let refused = versions("#[zdm(primary_key)] pub id: f64").plan(dialect);
        let refused = refused.map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("floating-point"), "{refused}");
    }
}
