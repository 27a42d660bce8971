//! What tables stand on and no struct says: a new database gets it from the baseline.

use zdm_tests::postgres::Server;
use zdm_tests::project::{Project, execute, imported, left_out};

const STANDING: &str = r#"
SET check_function_bodies = off;
CREATE SCHEMA tools;
CREATE SCHEMA billing;
CREATE TYPE mood AS ENUM ('well', 'ill');
CREATE COLLATION "by number" (provider = icu, locale = 'en-u-kn-true');
CREATE SEQUENCE tools."Next" START 100 INCREMENT 5;
CREATE SEQUENCE of_key;
CREATE SEQUENCE of_nobody;
CREATE FUNCTION tools.is_said(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN v <> ''; END $$;
CREATE FUNCTION code() RETURNS text LANGUAGE sql AS 'SELECT ''c'' || count(*) FROM parcels';
CREATE FUNCTION of_nobody() RETURNS text LANGUAGE sql AS 'SELECT ''n''';
CREATE DOMAIN said AS varchar(20) COLLATE "C" NOT NULL DEFAULT 'yes' CHECK (tools.is_said(value)) CONSTRAINT short CHECK (length(value) < 10);
CREATE DOMAIN billing.twice_said AS said;
CREATE DOMAIN of_nobody_too AS text;
CREATE TYPE place AS (street text COLLATE "by number", said said, "Zip" varchar(10));
CREATE TYPE span AS RANGE (subtype = text, collation = "C", subtype_opclass = text_pattern_ops);
CREATE TABLE parcels (
    id bigint PRIMARY KEY DEFAULT nextval('of_key'), said said, places place[], span span, spans span_multirange,
    code text NOT NULL DEFAULT code(), number bigint NOT NULL DEFAULT nextval('tools."Next"'), label text COLLATE "by number",
    CHECK (tools.is_said(label))
);
CREATE TABLE billing.invoices (id bigint PRIMARY KEY, said billing.twice_said);
"#;

#[tokio::test]
async fn a_new_database_gets_what_its_tables_stand_on() {
    let server = Server::start();
    let project = Project::new(server.database("app"));
    execute(&project.url, STANDING).await;
    let list = left_out(&project.done(&["import"])).join("\n");
    for made in [
        "collation by number",
        "composite type place",
        "domain said",
        "domain billing.twice_said",
        "function code()",
        "range type span",
    ] {
        let told = format!("{made}: a new database gets it from the baseline");
        assert!(list.contains(&told), "{told} in\n{list}");
    }
    assert!(
        list.contains("domain of_nobody_too: no table stands on it"),
        "{list}"
    );
    assert!(list.contains("sequence of_key\n"), "{list}");
    assert!(list.contains("function of_nobody()\n"), "{list}");

    let fresh = server.database("fresh");
    let expanded = project.done(&["expand", "--database-url", &fresh]);
    assert_eq!(expanded["expanded"][0]["did"], "expand", "{expanded}");
    assert_eq!(
        imported(&fresh).await.schema,
        imported(&project.url).await.schema
    );
    let defined = project.done(&["diff", "--from", &fresh, "--to", &project.url]);
    assert_eq!(defined["changes"], serde_json::json!([]), "{defined}");
    execute(&fresh, "INSERT INTO parcels (said, places, span, label) VALUES ('no', '{\"(a,no,b)\"}', '[a,b]', 'l')").await;
    execute(&fresh, "DELETE FROM parcels").await;
    project.done(&[
        "rollback",
        "baseline",
        "--to",
        "absent",
        "--drop-rows",
        "--database-url",
        &fresh,
    ]);
    execute(
        &fresh,
        "CREATE DOMAIN said AS text; CREATE TYPE place AS ENUM ()",
    )
    .await;
}

/// What a table stands on through an enum of the models cannot be made before it, nor after the table.
#[tokio::test]
async fn what_names_an_enum_of_the_models_is_told() {
    let server = Server::start();
    let project = Project::new(server.database("app"));
    let function = "CREATE FUNCTION is_well(v mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT v = ''well'''";
    let tables = "CREATE TYPE mood AS ENUM ('well', 'ill'); CREATE DOMAIN moods AS text;
        CREATE TABLE a (id bigint PRIMARY KEY, m moods); CREATE TABLE b (id bigint PRIMARY KEY, m mood CHECK (is_well(m)))";
    let (kind, tables) = tables.split_once(';').unwrap();
    for statement in [kind, function, tables] {
        execute(&project.url, statement).await;
    }
    let list = left_out(&project.done(&["import"])).join("\n");
    assert!(
        list.contains("function is_well(v mood): a table stands on it, and it on an enum"),
        "{list}"
    );
    let fresh = server.database("fresh");
    let stopped = project.zdm(&["expand", "--database-url", &fresh]);
    assert!(!stopped.status.success(), "{stopped:?}");
    execute(&fresh, function).await;
    project.done(&["expand", "--database-url", &fresh]);
    assert_eq!(
        imported(&fresh).await.schema,
        imported(&project.url).await.schema
    );
}

/// Only a database without the tables gets what is added to a baseline.
#[tokio::test]
async fn a_baseline_that_is_generated_again_is_a_baseline() {
    let server = Server::start();
    let project = Project::new(server.database("app"));
    execute(&project.url, "CREATE TABLE a (id bigint PRIMARY KEY)").await;
    project.done(&["import"]);
    std::fs::create_dir_all(project.path("zdm/raw/expand")).unwrap();
    project.write(
        "zdm/raw/expand/after_seen.up.sql",
        "CREATE VIEW seen AS SELECT id FROM a;\n",
    );
    project.write("zdm/raw/expand/after_seen.down.sql", "DROP VIEW seen;\n");
    project.done(&["generate", "--amend"]);
    let expanded = project.done(&["expand"]);
    assert_eq!(expanded["expanded"][0]["did"], "adopt", "{expanded}");
    let fresh = server.database("fresh");
    let expanded = project.done(&["expand", "--database-url", &fresh]);
    assert_eq!(expanded["expanded"][0]["did"], "expand", "{expanded}");
    execute(&fresh, "SELECT id FROM seen").await;
}
