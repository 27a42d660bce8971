//! Columns that are named by a word of the language.

use zdm_runtime::database::Dialect;

use crate::project::{Project, Versions};

const KEY: &str = "#[zdm(primary_key)] pub id: i64";

#[tokio::test]
async fn a_column_named_user_is_the_column() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let versions = Versions::of(
            &format!("{KEY}, pub user: String"),
            &format!(
                "{KEY}, #[zdm(from(\"user\"), up = \"lower(user)\", down = \"upper(login)\")] pub login: String"
            ),
        );
        let mut project = Project::of(dialect, "", versions).await;
        project
            .run("INSERT INTO t (id, \"user\") VALUES (1, 'ANN'), (2, 'BOB')")
            .await;
        project.expand().await;
        project.fills_and_verifies(2).await;
        let logins = project.texts("SELECT login FROM t ORDER BY id").await;
        assert_eq!(
            logins,
            [Some("ann".to_owned()), Some("bob".to_owned())],
            "{dialect}"
        );
    }
}

#[tokio::test]
async fn a_new_column_of_a_reserved_name_is_quoted_in_down_and_in_checks() {
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let down = "upper(full)";
        let versions = Versions::with(
            ["", ", check(name = \"t_full\", expr = \"full <> ''\")"],
            &format!("{KEY}, pub name: String"),
            &format!(
                "{KEY}, #[zdm(from(\"name\"), up = \"lower(name)\", down = \"{down}\")] pub full: String"
            ),
        );
        let mut project = Project::of(dialect, "", versions).await;
        project
            .run("INSERT INTO t (id, name) VALUES (1, 'ANN')")
            .await;
        project.expand().await;
        project
            .run("UPDATE t SET \"full\" = 'ann' WHERE id = 1")
            .await;
        project.fills_and_verifies(1).await;
        let full = project.texts("SELECT \"full\" FROM t").await;
        assert_eq!(full, [Some("ann".to_owned())], "{dialect}");
    }
}

/// Variables of PL/pgSQL hide parameters of their names.
#[tokio::test]
async fn a_column_named_as_a_variable_is_the_column() {
    for name in ["found", "sqlstate", "sqlerrm", "zdm_reached"] {
        let versions = Versions::of(
            &format!("{KEY}, pub {name}: String"),
            &format!(
                "{KEY}, #[zdm(column = \"number\", from(\"{name}\"), up = \"CAST({name} AS integer)\",
                 down = \"CAST(number AS text)\", valid_if = \"{name} <> ''\", on_invalid = \"quarantine\")]
                 pub {name}: Option<i32>"
            ),
        );
        let mut project = Project::of(Dialect::Postgres, "", versions).await;
        project
            .run(&format!(
                "INSERT INTO t (id, {name}) VALUES (1, '12'), (2, '34'), (3, 'x')"
            ))
            .await;
        project.expand().await;
        project.fill().await.unwrap();
        let numbers = project
            .texts("SELECT number::text FROM t ORDER BY id")
            .await;
        assert_eq!(
            numbers,
            [Some("12".to_owned()), Some("34".to_owned()), None],
            "{name}"
        );
        assert_eq!(project.verify().await.unwrap().skipped, 1);
    }
}

#[test]
fn a_word_that_means_the_role_is_refused() {
    let versions = Versions::of(
        &format!("{KEY}, pub name: String"),
        &format!("{KEY}, pub name: String, #[zdm(up = \"name || user\")] pub owner: String"),
    );
    let refused = versions
        .plan(Dialect::Postgres)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("`user`"), "{refused}");
}

/// The names are compared in code units on the new side, by the database's own rules on the old one.
#[tokio::test]
async fn a_collation_changes_by_way_of_a_new_column() {
    for (dialect, collation) in [(Dialect::Postgres, "C"), (Dialect::Sqlite, "NOCASE")] {
        let versions = Versions::of(
            &format!("{KEY}, #[zdm(index)] pub name: String"),
            &format!(
                "{KEY}, #[zdm(column = \"name_2\", collation = \"{collation}\", from(\"name\"), up = \"name\",
                 down = \"name_2\", index)] pub name: String"
            ),
        );
        let mut project = Project::of(dialect, "", versions).await;
        project
            .run("INSERT INTO t (id, name) VALUES (1, 'a'), (2, 'B'), (3, 'A')")
            .await;
        project.expand().await;
        project.fills_and_verifies(3).await;
        let names = project
            .texts("SELECT name_2 FROM t ORDER BY name_2, id")
            .await;
        let names: Vec<_> = names.into_iter().flatten().collect();
        let expected = match dialect {
            Dialect::Postgres => ["A", "B", "a"],
            Dialect::Sqlite => ["a", "A", "B"],
        };
        assert_eq!(names, expected, "{dialect}");
        // Another case is another value, whatever the collation says.
        project.run("UPDATE t SET name_2 = 'b' WHERE id = 2").await;
        project.fill_again().await;
        let names = project.texts("SELECT name_2 FROM t WHERE id = 2").await;
        assert_eq!(names, [Some("B".to_owned())], "{dialect}");
    }
}

#[test]
fn a_default_in_the_database_s_spelling_is_no_change() {
    for (sql_type, one, other) in [
        ("text[]", "'{}'", "'{}'::text[]"),
        ("timestamptz", "now()", "(Now( ))"),
    ] {
        let field = |default: &str| {
            format!(
                "{KEY}, #[zdm(sql_type = \"{sql_type}\", default = \"{default}\")] pub a: String"
            )
        };
        for (before, after) in [(one, other), (other, one)] {
            let versions = Versions::of(&field(before), &field(after));
            let plan = versions.plan(Dialect::Postgres).unwrap();
            assert!(plan.changes.is_empty(), "{:?}", plan.changes);
        }
        let versions = Versions::of(&field(one), &field("lower('x')"));
        assert_eq!(versions.plan(Dialect::Postgres).unwrap().changes.len(), 1);
    }
}
