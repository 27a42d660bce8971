//! A SQLite database with an object of every kind, taken over.

use zdm_tests::project::{Project, execute, imported, left_out};

pub(crate) const EVERYTHING: &str = r#"
CREATE TABLE teams (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, motto TEXT DEFAULT 'it''s us' CHECK (motto <> ')'));
CREATE TABLE users (
    id INTEGER PRIMARY KEY, -- the rowid
    email VARCHAR(80) NOT NULL,
    "user" TEXT COLLATE NOCASE,
    "type" text NOT NULL DEFAULT 'abc',
    createdAt DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    day DATE DEFAULT (date('now')), is_a BOOLEAN NOT NULL DEFAULT 0, ratio REAL, photo BLOB, big BIGINT, level INT NOT NULL DEFAULT -1,
    price DECIMAL(10, 2), anything,
    team_id INTEGER CONSTRAINT users_team REFERENCES teams ON DELETE SET NULL,
    boss_id INTEGER REFERENCES Users (ID) ON UPDATE CASCADE,
    chief_id INTEGER REFERENCES users,
    late_id INTEGER REFERENCES users DEFERRABLE INITIALLY DEFERRED,
    lower_email TEXT GENERATED ALWAYS AS (lower(email)) STORED,
    CONSTRAINT users_named CHECK (
        "user" <> ''   -- not empty
        AND level > -2
    ), CHECK (lower_email <> '')
);
CREATE UNIQUE INDEX uq_users_email ON users (email);
CREATE INDEX idx_users_level ON users (level);
CREATE INDEX users_by_type ON users ("type", level) WHERE is_a = 1 AND "type" <> ' WHERE ';
CREATE INDEX users_down ON users (level DESC);
CREATE INDEX users_expression ON users (lower(email));
CREATE INDEX users_collated ON users (email COLLATE NOCASE);
CREATE INDEX users_odd ON users (( "user" ) , "type" ASC, lower(email) || ',' DESC) WHERE is_a;
CREATE TABLE memberships (
    team_id INTEGER NOT NULL, "user" INTEGER NOT NULL CONSTRAINT memberships_once UNIQUE, CONSTRAINT memberships_key PRIMARY KEY (team_id, "user"),
    CONSTRAINT memberships_team FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE prices (id INTEGER PRIMARY KEY, price NUMERIC NOT NULL);
CREATE TABLE log (line TEXT);
CREATE TABLE conflicts (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, name TEXT);
CREATE VIRTUAL TABLE notes USING fts5(body);
CREATE VIEW named AS SELECT id FROM users;
CREATE TRIGGER touched AFTER UPDATE ON users BEGIN SELECT 1; END;
CREATE TABLE schema_migrations (version TEXT PRIMARY KEY);
"#;

const LEFT_OUT: &str = include_str!("everything_sqlite.txt");

#[tokio::test]
async fn a_database_of_every_kind_is_taken_over_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let url = file("app.db");
    execute(&url, EVERYTHING).await;
    let project = Project::new(url.clone());
    let run = project.done(&["import", "--layout", "one"]);
    let found = left_out(&run).join("\n");
    assert_eq!(found.trim(), LEFT_OUT.trim(), "{found}");

    let before = imported(&url).await;
    assert_eq!(project.declared(), before.schema);
    project.is_tidy();
    assert_eq!(project.zdm(&["diff"]).status.code(), Some(0));
    assert_eq!(project.zdm(&["check"]).status.code(), Some(0));
    let expanded = project.done(&["expand"]);
    assert_eq!(expanded["expanded"][0]["did"], "adopt", "{expanded}");

    let fresh = file("fresh.db");
    project.done(&["expand", "--database-url", &fresh]);
    assert_eq!(imported(&fresh).await.schema, before.schema);
}
