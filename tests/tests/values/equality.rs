//! Values that a database calls equal and that are not the same: a copy has to be the same.

use zdm_runtime::database::Dialect;

use crate::project::{Project, Versions};

/// A field's type, its column's type, what stands in old, and what a forgotten writer left in new.
type Coarse = [&'static str; 4];

const POSTGRES: [Coarse; 9] = [
    ["String", "citext", "'ALICE'", "'Alice'"],
    ["String", "text COLLATE ci", "'ALICE'", "'Alice'"],
    ["String", "char(4)", "'a'", "'b'"],
    ["f64", "double precision", "'-0'", "0"],
    ["serde_json::Value", "jsonb", "'[1.0]'", "'[1.00]'"],
    ["serde_json::Value", "json", "'[1]'", "'[ 1]'"],
    ["Own", "numeric", "1.00", "1.0"],
    ["Own", "interval", "'30 days'", "'1 mon'"],
    ["Own", "\\\"Mood\\\"", "'Well'", "'Ill'"],
];

const SQLITE: [Coarse; 3] = [
    ["String", "TEXT COLLATE NOCASE", "'ALICE'", "'Alice'"],
    ["Own", "BLOB", "1", "1.0"],
    ["Own", "BLOB", "'1'", "1"],
];

fn versions(field: &str, sql_type: &str) -> Versions {
    let key = "#[zdm(primary_key)] pub id: i64";
    let typed = format!("sql_type = \"{sql_type}\"");
    Versions::of(
        &format!("{key}, #[zdm({typed})] pub old: Option<{field}>"),
        &format!("{key}, #[zdm({typed}, renamed_from = \"old\")] pub new: Option<{field}>"),
    )
}

async fn differing_copies_are_found(dialect: Dialect, preparation: &str, types: &[Coarse]) {
    for [field, sql_type, old, new] in types {
        let mut project = Project::of(dialect, preparation, versions(field, sql_type)).await;
        project
            .run(&format!(
                "INSERT INTO t (id, old) VALUES (1, {old}), (2, NULL), (3, {old})"
            ))
            .await;
        project.expand().await;
        project.fills_and_verifies(3).await;
        project
            .run(&format!("UPDATE t SET new = {new} WHERE id = 1"))
            .await;
        let stale = project.verify().await.unwrap();
        assert_eq!(stale.mismatches, 1, "{sql_type}");
        project.fill_again().await;
        assert_eq!(project.verify().await.unwrap().mismatches, 0, "{sql_type}");
        let shown = "SELECT CAST(new AS text) FROM t WHERE id <> 2 ORDER BY id";
        let both = project.texts(shown).await;
        assert_eq!(both[0], both[1], "{sql_type}");
    }
}

#[tokio::test]
async fn postgres_copies_are_the_same() {
    let preparation = "CREATE EXTENSION citext;
        CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TYPE \"Mood\" AS ENUM ('Well', 'Ill');";
    differing_copies_are_found(Dialect::Postgres, preparation, &POSTGRES).await;
}

#[tokio::test]
async fn sqlite_copies_are_the_same() {
    differing_copies_are_found(Dialect::Sqlite, "", &SQLITE).await;
}

/// A name and a comparison as short as before.
#[test]
fn values_that_are_the_same_where_they_are_equal_are_compared_plainly() {
    for (dialect, field) in [Dialect::Postgres, Dialect::Sqlite]
        .into_iter()
        .flat_map(|dialect| {
            ["i32", "bool", "String", "uuid::Uuid", "Vec<u8>"].map(|field| (dialect, field))
        })
    {
        let key = "#[zdm(primary_key)] pub id: i64";
        let versions = Versions::of(
            &format!("{key}, pub old: {field}"),
            &format!("{key}, #[zdm(renamed_from = \"old\")] pub new: {field}"),
        );
        let plan = versions.plan(dialect).unwrap();
        assert_eq!(
            plan.pairs[0].consistent, "new IS NOT DISTINCT FROM old",
            "{field}"
        );
    }
}

/// A value of new that old cannot tell from what it has, by the type's own equality.
#[tokio::test]
async fn a_write_that_differs_in_its_text_alone_reaches_old() {
    let preparation = "CREATE EXTENSION citext;
        CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";
    for sql_type in ["citext", "text COLLATE ci"] {
        let key = "#[zdm(primary_key)] pub id: i64";
        let typed = format!(
            "#[zdm(sql_type = \"{sql_type}\", from(\"name\"), up = \"trim(name)\", down = \"full_name\")]"
        );
        let versions = Versions::of(
            &format!("{key}, pub name: String"),
            &format!("{key}, {typed} pub full_name: String"),
        );
        let mut project = Project::of(Dialect::Postgres, preparation, versions).await;
        project
            .run("INSERT INTO t (id, name) VALUES (1, 'Alice')")
            .await;
        project.expand().await;
        project.fills_and_verifies(1).await;
        project
            .run("INSERT INTO zdm.fence (table_name, epoch) VALUES ('t', 7) ON CONFLICT DO NOTHING")
            .await;
        project.run("UPDATE zdm.fence SET epoch = 7").await;
        let update = project
            .versions
            .statement(Dialect::Postgres, "dual_write.rs", "UPDATE_BOTH");
        project
            .run(&format!(
                "PREPARE asked (bigint, text, bigint) AS {update}; EXECUTE asked (1, 'ALICE', 7)"
            ))
            .await;
        let old = project.texts("SELECT name FROM t").await;
        assert_eq!(old, [Some("ALICE".to_owned())], "{sql_type}");
        project.fills_and_verifies(1).await;
    }
}
