//! `diff` between a database, a dump, a version and the structs.

use serde_json::Value;
use zdm_tests::postgres::Server;
use zdm_tests::project::{Project, execute};

use crate::everything_postgres::{EVERYTHING, TYPES};

const MODELS: &str = r#"//! A crate.

use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
#[zdm(index(columns(kind, level), name = "idx_users_kind", where = "kind IN ('a', 'b') AND level <> -1"))]
#[zdm(check(name = "users_level", expr = "level BETWEEN 0 AND 9 OR kind LIKE 'x%'"))]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(sql_type = "varchar(20)", default = "'a'")]
    pub kind: String,
    #[zdm(default = "0")]
    pub level: i32,
    #[zdm(unique)]
    pub email: Option<String>,
}
"#;

fn changes(object: &Value) -> Vec<String> {
    let changes = object["changes"].as_array().unwrap();
    changes
        .iter()
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

/// A crate with a struct, its first version generated and created in its database.
fn expanded(url: &str) -> Project {
    let project = Project::new(url.to_owned());
    project.write("src/lib.rs", MODELS);
    project.done(&["init"]);
    project.done(&["generate"]);
    project.done(&["expand"]);
    project
}

#[tokio::test]
async fn a_database_is_compared_with_the_structs_on_postgres() {
    let server = Server::start();
    let project = expanded(&server.database("app"));
    drifts(&project).await;
    // Control tables are in a schema of their own, and no difference.
    let object = project.done(&["diff", "--from", &project.url, "--to", "models"]);
    assert_eq!(object["left_out"]["to"], Value::Null);
}

#[tokio::test]
async fn a_database_is_compared_with_the_structs_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("app.db").display());
    let models = MODELS.replace("level BETWEEN 0 AND 9 OR kind LIKE 'x%'", "level > 0");
    let project = Project::new(url);
    project.write("src/lib.rs", &models);
    project.done(&["init"]);
    project.done(&["generate"]);
    project.done(&["expand"]);
    drifts(&project).await;
}

async fn drifts(project: &Project) {
    let url = project.url.clone();
    let check = ["diff", "--from", &url, "--to", "models"];
    assert_eq!(changes(&project.done(&check)), none());
    assert_eq!(
        changes(&project.done(&["diff", "--from", "1", "--to", &url])),
        none()
    );

    execute(
        &url,
        "ALTER TABLE users ADD COLUMN stray text; DROP INDEX idx_users_kind;
        CREATE TABLE strays (id bigint NOT NULL PRIMARY KEY); CREATE VIEW seen AS SELECT 1 AS one",
    )
    .await;
    let object = project.done(&check);
    let found = changes(&object).join("\n");
    for expected in ["stray", "strays", "idx_users_kind"] {
        assert!(found.contains(expected), "{found}");
    }
    let views = object["left_out"]["from"].to_string();
    assert!(views.contains("\"seen\""), "{views}");
    for phase in object["phases"].as_array().unwrap() {
        assert_ne!(phase["reasons"].as_array().unwrap().len(), 0, "{phase}");
    }
    let shown = project.zdm(&check);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("\n  contract: "), "{shown}");
    assert!(
        shown.contains("--from has besides:\n  view seen"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_dump_is_compared_without_a_server() {
    let project = Project::new("postgres://nobody@127.0.0.1:1/none".to_owned());
    project.write("src/lib.rs", MODELS);
    project.done(&["init", "--dialect", "postgres"]);
    let old = format!("{TYPES}{EVERYTHING}");
    project.write("old.sql", &old);
    project.write(
        "new.sql",
        &old.replace("motto text DEFAULT 'it''s us'", "motto text, since date"),
    );
    let same = project.done(&["diff", "--from", "old.sql", "--to", "old.sql"]);
    assert_eq!(changes(&same), none());
    let object = project.done(&["diff", "--from", "old.sql", "--to", "new.sql"]);
    let found = changes(&object).join("\n");
    assert!(
        found.contains("teams.since") && found.contains("motto"),
        "{found}"
    );
    assert_eq!(changes(&object).len(), 2, "{found}");
    project.write(
        "broken.sql",
        "CREATE TABLE t (id int PRIMARY KEY);\n\nDROP TABLE t;\n",
    );
    let refused = project.zdm(&["diff", "--from", "broken.sql"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("broken.sql:3: "), "{said}");
}

/// What cannot be said of one side is no difference, and named.
#[tokio::test]
async fn what_cannot_be_compared_is_named() {
    let server = Server::start();
    let project = expanded(&server.database("app"));
    execute(
        &project.url,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST('uq_users_email' AS regclass)",
    )
    .await;
    let object = project.done(&["diff", "--from", &project.url, "--to", "models"]);
    assert_eq!(changes(&object), none());
    let unsaid = object["not_compared"].to_string();
    assert!(unsaid.contains("users.uq_users_email"), "{unsaid}");
}

/// Every kind of difference has its line, and none is found where there is none.
#[tokio::test]
async fn every_kind_of_drift_is_told() {
    let server = Server::start();
    let url = server.database("app");
    execute(&url, &format!("{TYPES}{EVERYTHING}")).await;
    let project = Project::new(url);
    project.done(&["import"]);
    let check = ["diff", "--from", "models", "--to", &project.url];
    assert_eq!(changes(&project.done(&check)), none());
    execute(
        &project.url,
        r#"ALTER TYPE mood ADD VALUE 'asleep';
        COMMENT ON TABLE users IS 'folk';
        COMMENT ON COLUMN users.big IS 'how much';
        ALTER TABLE grants DROP CONSTRAINT grants_once, DROP CONSTRAINT grants_few, DROP CONSTRAINT grants_later,
            ADD CONSTRAINT grants_later UNIQUE (pair_b), ADD CONSTRAINT grants_new EXCLUDE (pair_a WITH =);
        ALTER TABLE memberships DROP CONSTRAINT memberships_user,
            ADD CONSTRAINT memberships_user FOREIGN KEY ("user") REFERENCES users (id) ON UPDATE CASCADE NOT VALID;
        ALTER TABLE users DROP CONSTRAINT users_quoted, ADD CONSTRAINT users_quoted CHECK ("user" > ''),
            DROP CONSTRAINT users_known, ADD CONSTRAINT users_known CHECK (type IN ('abc', 'x"y', 'back\slash')) NO INHERIT,
            DROP COLUMN lower_email, ADD COLUMN lower_email text GENERATED ALWAYS AS (upper(email)) STORED,
            ALTER number SET GENERATED BY DEFAULT, ALTER label TYPE text COLLATE "POSIX";
        ALTER INDEX users_last RENAME TO users_first;
        DROP INDEX users_down;
        CREATE INDEX users_down ON users (level DESC NULLS LAST);
        ALTER TABLE memberships RENAME CONSTRAINT memberships_key TO memberships_pkey;"#,
    )
    .await;
    let object = project.done(&check);
    let found = changes(&object);
    assert!(object["refused"].is_string(), "{object}");
    let expected = [
        "the values of the enum `mood` were well, it's ill and are well, it's ill, asleep",
        "the exclusion constraint `grants.grants_few` goes",
        "the exclusion constraint `grants.grants_new` comes",
        "the unique constraint `grants.grants_later` changes",
        "the unique constraint `grants.grants_once` goes",
        "the primary key `memberships.memberships_key` is called memberships_pkey",
        "the foreign key `memberships.memberships_user` changes",
        "the comment on `users` changes",
        "the comment on `users.big` changes",
        "the type of `users.label` changes: its collation was C and is POSIX",
        "what generates `users.lower_email` was lower(email) and is upper(email)",
        "whether the database counts `users.number`, or how, changes",
        "the index `users.users_down` changes",
        "the index `users.users_last` is called users_first",
        "the check `users.users_known` changes",
    ];
    for line in expected {
        assert!(
            found.iter().any(|found| found == line),
            "{line}: {found:#?}"
        );
    }
    let check = "the check `users.users_quoted` was ";
    assert!(
        found.iter().any(|found| found.starts_with(check)),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|line| line == "the index `users.users_generated` goes")
    );
    assert_eq!(found.len(), expected.len() + 2, "{found:#?}");
}

/// A change that no plan can be made of is still told.
#[tokio::test]
async fn a_drift_without_a_plan_is_told() {
    let server = Server::start();
    let project = expanded(&server.database("app"));
    execute(&project.url, "ALTER TABLE users DROP COLUMN level CASCADE").await;
    execute(
        &project.url,
        "ALTER TABLE users ADD COLUMN other integer NOT NULL",
    )
    .await;
    execute(&project.url, "CREATE INDEX idx_users_kind ON users (kind)").await;
    let object = project.done(&["diff", "--from", &project.url, "--to", "models"]);
    let found = changes(&object).join("\n");
    for expected in ["users.level", "users.other", "idx_users_kind"] {
        assert!(found.contains(expected), "{found}");
    }
    assert!(object["refused"].is_string(), "{object}");
}

#[tokio::test]
async fn no_password_is_shown() {
    let project = Project::new("postgres://nobody@127.0.0.1:1/none".to_owned());
    project.write("src/lib.rs", MODELS);
    project.done(&["init", "--dialect", "postgres"]);
    let url = "postgres://nobody:s3cret@127.0.0.1:1/none";
    let refused = project.zdm(&["diff", "--from", url, "--to", "models"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

/// A version leads from the last one to the structs; everything else is refused with the reason.
#[test]
fn a_version_starts_nowhere_else() {
    let project = Project::new("postgres://nobody@127.0.0.1:1/none".to_owned());
    project.write("src/lib.rs", MODELS);
    project.done(&["init", "--dialect", "postgres"]);
    project.done(&["generate"]);
    project.done(&["generate", "--from", "1", "--to", "models"]);
    let url = "postgres://nobody:s3cret@127.0.0.1:1/none";
    for (side, other, reason) in [
        ("--from", url, "fail on all others"),
        ("--from", "old.sql", "fail on all others"),
        ("--to", "1", "ends with them"),
        ("--to", url, "ends with them"),
    ] {
        let refused = project.zdm(&["generate", side, other]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(reason) && !said.contains("s3cret"), "{said}");
    }
}

/// What a name without a schema means is what the connection finds, in whichever schema of its path.
#[tokio::test]
async fn names_mean_what_the_search_path_finds() {
    let server = Server::start();
    let url = server.database("app");
    let project = Project::new(url.clone());
    project.write(
        "src/lib.rs",
        "//! A crate.\n\nuse zdm_runtime::{Migratable, MigratableEnum};\n\n#[derive(MigratableEnum)]\npub enum Mood {\n    Well,\n    Ill,\n}\n\n\
         #[derive(Migratable)]\npub struct User {\n    #[zdm(primary_key, auto)]\n    pub id: i64,\n    pub mood: Mood,\n    \
         #[zdm(default = \"billing.nextno()\")]\n    pub number: i64,\n}\n\n\
         #[derive(Migratable)]\npub struct Log {\n    #[zdm(primary_key, auto)]\n    pub id: i64,\n    #[zdm(references = \"users(id)\", index)]\n    \
         pub user_id: i64,\n}\n\n\
         #[derive(Migratable)]\n#[zdm(schema = \"audit\", table = \"logs\")]\npub struct AuditLog {\n    #[zdm(primary_key, auto)]\n    \
         pub id: i64,\n    pub what: String,\n}\n",
    );
    for statement in [
        "CREATE SCHEMA audit",
        "CREATE SCHEMA billing",
        "CREATE FUNCTION billing.nextno() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    ] {
        execute(&url, statement).await;
    }
    project.done(&["init", "--dialect", "postgres"]);
    project.done(&["expand"]);
    for path in [
        "public",
        "public,billing",
        "billing,public",
        "nowhere,billing,public",
    ] {
        let url = format!(
            "{url}{}options=-csearch_path%3D{path}",
            if url.contains('?') { "&" } else { "?" }
        );
        let object = project.done(&["diff", "--from", &url, "--to", "models"]);
        assert_eq!(changes(&object), none(), "{path}: {object}");
    }
    // Of two tables of one name the first is meant.
    let url = format!(
        "{url}{}options=-csearch_path%3Daudit,public",
        if url.contains('?') { "&" } else { "?" }
    );
    let found = project.zdm(&["diff", "--from", &url, "--to", "models"]);
    let told = String::from_utf8_lossy(&found.stdout);
    assert!(told.contains("the column `logs.what` goes"), "{found:?}");
}

/// A dump of one schema is of that schema, whether the structs name it or not.
#[test]
fn a_dump_of_one_schema_is_compared_with_structs_of_it() {
    for schema in ["", "#[zdm(schema = \"billing\")]\n"] {
        let project = Project::new("postgres://nobody@localhost/none".to_owned());
        project.write(
            "src/lib.rs",
            &format!(
                "//! A crate.\n\nuse zdm_runtime::Migratable;\n\n#[derive(Migratable)]\n{schema}pub struct Invoice {{\n    \
                 #[zdm(primary_key)]\n    pub id: i64,\n    pub total: i32,\n}}\n"
            ),
        );
        project.write(
            "billing.sql",
            "CREATE SCHEMA billing;\nCREATE TABLE billing.invoices (id bigint PRIMARY KEY, total integer NOT NULL);\n",
        );
        project.done(&["init", "--dialect", "postgres"]);
        let path = project.path("billing.sql");
        let object = project.done(&["diff", "--from", path.to_str().unwrap(), "--to", "models"]);
        assert_eq!(changes(&object), none(), "{schema}: {object}");
    }
}
