//! Columns that the database computes.

use zdm_runtime::database::Dialect;

use crate::project::{Project, Versions};

const KEY: &str = "#[zdm(primary_key)] pub id: i64, pub name: String";

#[tokio::test]
async fn generated_columns_are_added_on_sqlite() {
    let versions = Versions::of(
        KEY,
        &format!(
            "{KEY}, #[zdm(generated = \"upper(name)\", virtual)] pub loud: String,
             #[zdm(generated = \"length(name)\", index)] pub size: i64"
        ),
    );
    let mut project = Project::of(Dialect::Sqlite, "", versions).await;
    project
        .run("INSERT INTO t (id, name) VALUES (1, 'ann'), (2, 'bo')")
        .await;
    project.expand().await;
    let found = project
        .texts("SELECT loud || size FROM t ORDER BY id")
        .await;
    assert_eq!(found, [Some("ANN3".to_owned()), Some("BO2".to_owned())]);
    // A table with such columns is rebuilt with them.
    project.run("UPDATE t SET name = 'eve' WHERE id = 2").await;
    let found = project
        .texts("SELECT loud || size FROM t ORDER BY id")
        .await;
    assert_eq!(found, [Some("ANN3".to_owned()), Some("EVE3".to_owned())]);
}

#[tokio::test]
async fn a_table_with_generated_columns_is_rebuilt_on_sqlite() {
    let fields = format!(
        "{KEY}, #[zdm(generated = \"upper(name)\", virtual)] pub loud: String,
         #[zdm(generated = \"length(name)\")] pub size: i64"
    );
    let check = ", check(name = \"named\", expr = \"name <> ''\")";
    let versions = Versions::with(["", check], &fields, &fields);
    let mut project = Project::of(Dialect::Sqlite, "", versions).await;
    project
        .run("INSERT INTO t (id, name) VALUES (1, 'ann')")
        .await;
    project.expand().await;
    let found = project.texts("SELECT loud || size FROM t").await;
    assert_eq!(found, [Some("ANN3".to_owned())]);
}

#[test]
fn what_would_rewrite_the_table_on_postgres_is_refused_with_the_way_on() {
    let refused = |field: &str| {
        let versions = Versions::of(KEY, &format!("{KEY}, {field}"));
        let planned = versions.plan(Dialect::Postgres).map(|_| ());
        planned.unwrap_err().to_string()
    };
    let stored = refused("#[zdm(generated = \"upper(name)\")] pub loud: String");
    assert!(stored.contains("write the whole table anew"), "{stored}");
    assert!(stored.contains("#[zdm(up = \"upper(name)\")]"), "{stored}");
    let read = refused("#[zdm(generated = \"upper(name)\", virtual)] pub loud: String");
    assert!(read.contains("Leave `virtual` out"), "{read}");
}
