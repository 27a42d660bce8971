use std::collections::BTreeSet;

use super::*;
use crate::dialect::{Dialect, byte_at};
use crate::references::Target;
use crate::references::wanted::Known;

fn known() -> Known {
    let columns = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    Known::from([
        (
            "users".to_owned(),
            columns(&["id", "name", "full_name", "team_id"]),
        ),
        ("teams".to_owned(), columns(&["id", "title", "name"])),
        ("orders".to_owned(), columns(&["id", "user_id", "total"])),
        ("billing.invoices".to_owned(), columns(&["id", "amount"])),
    ])
}

fn target(table: &str, column: Option<&str>) -> Target {
    Target {
        table: table.to_owned(),
        column: column.map(str::to_owned),
        counts_every: true,
    }
}

/// What a statement does with `users.name` and `billing.invoices.amount`: `reads 8` by the byte, `reads* 8` by all columns,
/// `perhaps reads 8`.
fn of(dialect: &str, sql: &str) -> Vec<String> {
    let targets = [
        target("users", Some("name")),
        target("billing.invoices", Some("amount")),
    ];
    named(&targets, dialect, sql)
}

fn named(targets: &[Target], dialect: &str, sql: &str) -> Vec<String> {
    let dialect = Dialect::named(dialect).unwrap();
    let wanted = Wanted::of(targets, &known(), &dialect);
    let statements = dialect
        .statements(sql)
        .unwrap_or_else(|| panic!("unread: {sql}"));
    let (uses, _) = uses(&statements, &wanted);
    let mut shown: Vec<_> = uses
        .iter()
        .map(|found| {
            let access = match found.access {
                Access::Reads => "reads",
                Access::Writes => "writes",
                Access::Names => "names",
            };
            let at = byte_at(sql, found.at);
            let word = sql[at..].split(|c: char| !(c.is_alphanumeric() || "_\"*".contains(c)));
            let word = word.into_iter().next().unwrap_or_default();
            format!(
                "{}{access}{} {word}",
                if found.sure { "" } else { "perhaps " },
                if found.every { "*" } else { "" },
            )
        })
        .collect();
    shown.sort();
    shown.dedup();
    shown
}

#[track_caller]
fn postgres(sql: &str, expected: &[&str]) {
    assert_eq!(of("postgres", sql), expected, "{sql}");
}

#[test]
fn one_table_has_all_columns_without_a_table() {
    postgres("SELECT name FROM users WHERE id = $1", &["reads name"]);
    postgres(
        "SELECT id FROM users WHERE lower(name) LIKE $1",
        &["reads name"],
    );
    postgres("SELECT id FROM users ORDER BY name DESC", &["reads name"]);
    postgres(
        "SELECT count(*) FROM users GROUP BY name HAVING max(name) > 'a'",
        &["reads name"],
    );
    postgres("SELECT full_name FROM users", &[]);
    postgres("SELECT title AS name FROM teams ORDER BY name", &[]);
    postgres("SELECT full_name AS name FROM users ORDER BY name", &[]);
    postgres("SELECT 'name' FROM users", &[]);
    postgres("SELECT id FROM users -- name", &[]);
}

#[test]
fn aliases_and_schemas_are_followed() {
    postgres("SELECT u.name FROM users u", &["reads name"]);
    postgres("SELECT users.name FROM users", &["reads name"]);
    postgres(
        "SELECT public.users.name FROM public.users",
        &["reads name"],
    );
    postgres(
        "SELECT t.name FROM users u JOIN teams t ON t.id = u.team_id",
        &[],
    );
    postgres("SELECT name FROM archive.users", &["perhaps reads name"]);
    postgres("SELECT amount FROM billing.invoices", &["reads amount"]);
    postgres("SELECT amount FROM invoices", &["perhaps reads amount"]);
    postgres("SELECT amount FROM other.invoices", &[]);
    postgres("SELECT name FROM pg_catalog.users", &[]);
}

#[test]
fn quotes_and_cases_are_as_the_database_has_them() {
    postgres("SELECT \"name\" FROM \"users\"", &["reads \"name\""]);
    postgres("SELECT NAME FROM Users", &["reads NAME"]);
    postgres("SELECT \"Name\" FROM users", &[]);
    postgres("SELECT name FROM \"Users\"", &[]);
    let sqlite = of("sqlite", "SELECT \"Name\" FROM [Users] WHERE id = ?1");
    assert_eq!(sqlite, ["reads \"Name\""]);
}

#[test]
fn in_a_join_what_several_tables_could_have_is_told_so() {
    let join = "FROM users u JOIN orders o ON o.user_id = u.id";
    postgres(&format!("SELECT name, total {join}"), &["reads name"]);
    postgres("SELECT name FROM users, teams", &["perhaps reads name"]);
    postgres(
        "SELECT name FROM users JOIN elsewhere e ON true",
        &["perhaps reads name"],
    );
    postgres("SELECT total FROM orders JOIN elsewhere e ON true", &[]);
    postgres("SELECT name FROM orders JOIN teams ON true", &[]);
    postgres(
        "SELECT id FROM users JOIN teams USING (name)",
        &["reads name"],
    );
    postgres("SELECT id FROM users NATURAL JOIN teams", &["reads teams"]);
    postgres("SELECT id FROM users NATURAL JOIN orders", &[]);
}

#[test]
fn all_columns_are_named_by_a_star_or_the_row() {
    postgres("SELECT * FROM users", &["reads* *"]);
    postgres("SELECT u.*, t.title FROM users u, teams t", &["reads* u"]);
    postgres("SELECT t.* FROM users u, teams t", &[]);
    postgres("SELECT count(*) FROM users", &[]);
    postgres("TABLE users", &["reads* TABLE"]);
    postgres(
        "SELECT id FROM teams WHERE id IN (TABLE users)",
        &["reads* TABLE"],
    );
    postgres(
        "SELECT 1 FROM users WHERE EXISTS (SELECT 1 FROM teams WHERE users.name)",
        &["reads name"],
    );
    postgres(
        "SELECT 1 FROM teams WHERE EXISTS (SELECT * FROM users WHERE team_id = teams.id)",
        &[],
    );
    postgres("SELECT to_jsonb(u) FROM users u", &["reads* u"]);
    postgres("INSERT INTO users VALUES (1, 'a')", &["writes* users"]);
    postgres("INSERT INTO users DEFAULT VALUES", &[]);
    postgres("DELETE FROM users WHERE id = $1 RETURNING *", &["reads* *"]);
}

#[test]
fn subqueries_have_names_of_their_own() {
    postgres(
        "SELECT x.name FROM (SELECT title AS name FROM teams) x",
        &[],
    );
    postgres(
        "SELECT name FROM (SELECT full_name AS name FROM users) x",
        &[],
    );
    postgres(
        "SELECT x.name FROM (SELECT * FROM users) x",
        &["reads name", "reads* *"],
    );
    postgres(
        "SELECT id FROM orders WHERE user_id IN (SELECT id FROM users WHERE name = $1)",
        &["reads name"],
    );
    // Of the query around, as the inner table has none.
    postgres(
        "SELECT id FROM users WHERE EXISTS (SELECT 1 FROM orders WHERE user_id = users.id AND name = 'x')",
        &["reads name"],
    );
    postgres(
        "SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM teams WHERE name = 'x')",
        &[],
    );
    postgres(
        "SELECT u.id FROM users u, LATERAL (SELECT total FROM orders WHERE u.name = 'x') o",
        &["reads name"],
    );
    postgres(
        "SELECT o.total FROM users, (SELECT total FROM orders) o",
        &[],
    );
    postgres(
        "SELECT o.one FROM users, (SELECT 1 AS one FROM elsewhere WHERE name = '') o",
        &[],
    );
}

#[test]
fn names_of_with_are_no_tables() {
    postgres(
        "WITH u AS (SELECT name FROM users) SELECT name FROM u",
        &["reads name"],
    );
    postgres(
        "WITH u AS (SELECT full_name AS name FROM users) SELECT u.name FROM u",
        &[],
    );
    postgres(
        "WITH users AS (SELECT * FROM users WHERE id > 1) SELECT name FROM users",
        &["reads name", "reads* *"],
    );
    postgres(
        "WITH users AS (SELECT title AS name FROM teams) SELECT name FROM users",
        &[],
    );
    postgres(
        "WITH RECURSIVE t(name) AS (SELECT title FROM teams UNION ALL SELECT name FROM t) SELECT name FROM t",
        &[],
    );
    postgres(
        "WITH gone AS (DELETE FROM users RETURNING name) SELECT name FROM gone",
        &["reads name"],
    );
    postgres(
        "WITH a AS (SELECT id FROM teams), b AS (SELECT name FROM users JOIN a ON a.id = team_id) SELECT 1 FROM b",
        &["reads name"],
    );
    postgres(
        "SELECT name FROM users UNION SELECT name FROM teams ORDER BY name",
        &["reads name"],
    );
}

#[test]
fn writes_are_told_from_reads() {
    postgres(
        "INSERT INTO users (id, name) VALUES ($1, $2)",
        &["writes name"],
    );
    postgres(
        "INSERT INTO teams (id, name) SELECT id, full_name FROM users",
        &[],
    );
    postgres(
        "INSERT INTO orders (id) SELECT id FROM users WHERE name = ''",
        &["reads name"],
    );
    postgres(
        "INSERT INTO users (id) SELECT user_id FROM elsewhere WHERE name = ''",
        &[],
    );
    postgres("UPDATE users SET name = $1 WHERE id = $2", &["writes name"]);
    postgres("UPDATE users SET full_name = upper(name)", &["reads name"]);
    postgres(
        "UPDATE users SET (name, full_name) = ($1, $2) RETURNING name",
        &["reads name", "writes name"],
    );
    postgres(
        "UPDATE teams SET name = u.full_name FROM users u WHERE u.team_id = teams.id",
        &[],
    );
    postgres(
        "UPDATE teams SET title = u.name FROM users u WHERE u.team_id = teams.id",
        &["reads name"],
    );
    postgres("DELETE FROM users WHERE name IS NULL", &["reads name"]);
    postgres(
        "DELETE FROM orders USING users u WHERE u.id = user_id AND u.name = ''",
        &["reads name"],
    );
    postgres("EXPLAIN SELECT name FROM users", &["reads name"]);
}

#[test]
fn conflicts_and_merges_write() {
    postgres(
        "INSERT INTO users (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET full_name = excluded.name",
        &["reads name", "writes name"],
    );
    postgres(
        "INSERT INTO users (id) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = $2",
        &["reads name", "writes name"],
    );
    postgres(
        "MERGE INTO users u USING teams t ON t.id = u.team_id WHEN MATCHED THEN UPDATE SET name = t.name \
         WHEN NOT MATCHED THEN INSERT (id, name) VALUES (t.id, t.title)",
        &["writes name"],
    );
    postgres("CREATE VIEW v AS SELECT name FROM users", &["reads name"]);
}

#[test]
fn placeholders_of_any_client_are_read() {
    postgres("SELECT id FROM users WHERE name = ?", &["reads name"]);
    postgres("SELECT id FROM users WHERE name = :name", &["reads name"]);
    postgres(
        "SELECT id FROM users WHERE name = ANY($1::text[])",
        &["reads name"],
    );
    postgres(
        "SELECT id, name AS \"name!: String\" FROM users",
        &["reads name"],
    );
    postgres(
        "SELECT id FROM users WHERE name COLLATE \"C\" > $1 FOR UPDATE SKIP LOCKED",
        &["reads name"],
    );
    let sqlite = of(
        "sqlite",
        "SELECT id FROM users WHERE name IS ?1 AND name NOT GLOB '*x'",
    );
    assert_eq!(sqlite, ["reads name"]);
}

#[test]
fn a_table_is_named_by_whoever_reads_or_writes_it() {
    let users = [target("users", None)];
    for (sql, expected) in [
        ("SELECT 1 FROM orders JOIN users ON true", "reads users"),
        ("DELETE FROM users", "writes users"),
        ("INSERT INTO users (id) VALUES (1)", "writes users"),
        ("UPDATE users SET id = 1", "writes users"),
    ] {
        assert_eq!(named(&users, "postgres", sql), [expected], "{sql}");
    }
    let none = "WITH users AS (SELECT 1) SELECT * FROM users";
    assert!(named(&users, "postgres", none).is_empty());
}
