//! `generate --direct`: a small table is written anew at once, and refused where it has grown since.

use zdm_tests::postgres::Server;

use crate::generate::{BEFORE, be_hasty, user_crate};
use crate::project::Project;

const NAME: &str = "pub name: String";
const SHOUT: &str =
    "pub name: String,\n    #[zdm(generated = \"upper(name)\")]\n    pub shout: String";
const COLUMNS: &str =
    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'shout'";

/// A table with two rows; its struct has a generated column more.
fn changed(project: &Project, dialect: &str) {
    user_crate(project);
    project.done(&["init", "--dialect", dialect]);
    be_hasty(project);
    let config = std::fs::read_to_string(project.path("zdm.toml")).unwrap();
    project.write("zdm.toml", &format!("{config}direct_rows = 3\n"));
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('Ada'), ('Grace')");
    project.write("src/models.rs", &BEFORE.replace(NAME, SHOUT));
}

#[test]
fn a_small_table_is_offered_the_direct_way_and_refused_where_it_has_grown() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    changed(&project, "postgres");
    let url = project.url.clone();
    let asking = ["generate", "two", "--database-url", &url];
    let direct = [&asking[..], &["--direct", "users"]].concat();

    let run = project.zdm(&["generate", "two"]);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("Or, where users is empty or tiny: `--direct users` with `--database-url`");
    assert!(!run.err.contains("users is small"), "{run:#?}");
    for command in [&asking[..], &["diff", "--database-url", &url]] {
        let run = project.zdm(command);
        assert_eq!(run.code, 1, "{run:#?}");
        run.says("users is small, it holds 2 rows in 32 KiB: with `--direct users`");
    }
    let run = project.zdm(&["generate", "two", "--direct", "users"]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("only a database can tell whether the table is small");
    run.says("nothing has been written");
    let run = project.zdm(&[&asking[..], &["--direct", "people"]].concat());
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("how large the table is could not be told: ");

    let generated = project.done(&[&direct[..], &["--format", "json"]].concat());
    let object = generated.object();
    assert_eq!(object["version"]["route"], "direct", "{object}");
    assert_eq!(object["direct"][0]["rows"], 2, "{object}");
    let plan = std::fs::read_to_string(project.path("zdm/0002_two/plan.toml")).unwrap();
    assert!(
        plan.contains("[[step.small]]\ntable = \"users\"\nrows = 2\n"),
        "{plan}"
    );
    project
        .done(&["review"])
        .says("it is refused where the table is not small");
    project.done(&["check"]);

    // It grows before the version reaches the database.
    project.execute("INSERT INTO users (name) VALUES ('Alan'), ('Barbara')");
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("here it holds more than 3 rows");
    run.says("generate the version again without `--direct`");
    assert_eq!(project.value(COLUMNS), "0");
    for command in [&asking[..], &["diff", "--database-url", &url]] {
        // The structs are as the last version leaves them by now.
        project.done(command);
    }
    let run = project.zdm(&[&asking[..], &["--amend"]].concat());
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("users holds more than 3 rows in 32 KiB, too much to be gone through at once");
    let run = project.zdm(&[&direct[..], &["--amend"]].concat());
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("nobody could use it while all of it is gone through: that is for at most 3 rows");

    project.execute("DELETE FROM users WHERE name = 'Alan'");
    for _ in 0..2 {
        project.done(&["expand"]);
        let shouted = "SELECT string_agg(shout, ' ' ORDER BY id) FROM users";
        assert_eq!(project.value(shouted), "ADA GRACE BARBARA");
        // Nothing is lost: what was computed is computed again.
        project.done(&["rollback", "two"]);
        assert_eq!(project.value(COLUMNS), "0");
        project.done(&["resume", "two"]);
    }
    project.done(&[&direct[..], &["--amend"]].concat());
}

/// What the step would fail at is tried before it is written.
#[test]
fn a_column_that_cannot_be_computed_for_the_rows_is_not_written() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    changed(&project, "postgres");
    let url = project.url.clone();
    let direct = [
        "generate",
        "two",
        "--database-url",
        &url,
        "--direct",
        "users",
    ];
    for (expression, problem) in [
        ("length(name) / (length(name) - 3)", "division by zero"),
        (
            "nullif(length(name), 3)",
            "gives NULL for 1 of the rows, and the field is no `Option`",
        ),
    ] {
        let field = format!("{NAME},\n    #[zdm(generated = \"{expression}\")]\n    pub size: i32");
        project.write("src/models.rs", &BEFORE.replace(NAME, &field));
        let run = project.zdm(&direct);
        assert_eq!(run.code, 1, "{run:#?}");
        run.says("users.size: ");
        run.says(problem);
        run.says("nothing has been written");
        project.execute("BEGIN; DELETE FROM users WHERE name = 'Ada'; COMMIT");
        project.done(&[&direct[..], &["--dry-run"]].concat());
        project.execute("INSERT INTO users (name) VALUES ('Ada')");
    }
    // Out of a column that comes with the same version: there is nothing to try it on.
    let both = format!(
        "{NAME},\n    pub nick: Option<String>,\n    #[zdm(generated = \"upper(nick)\")]\n    pub loud: Option<String>"
    );
    project.write("src/models.rs", &BEFORE.replace(NAME, &both));
    project.done(&direct);
    project.done(&["expand"]);
    project.execute("UPDATE users SET nick = lower(name)");
    assert_eq!(
        project.value("SELECT string_agg(loud, ' ' ORDER BY loud) FROM users"),
        "ADA GRACE"
    );
}

/// A column that is computed otherwise is another one: what stands on it by hand is not lost with it.
#[test]
fn what_stands_on_a_column_keeps_its_expression_as_it_is() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    user_crate(&project);
    project.write("src/models.rs", &BEFORE.replace(NAME, SHOUT));
    project.done(&["init", "--dialect", "postgres"]);
    be_hasty(&project);
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) VALUES ('Ada'), ('Grace')");
    let whisper = SHOUT.replace("upper(name)", "lower(name)");
    project.write("src/models.rs", &BEFORE.replace(NAME, &whisper));
    let url = project.url.clone();
    let asking = ["generate", "two", "--database-url", &url];
    let run = project.zdm(&asking);
    assert_eq!(run.code, 1, "{run:#?}");
    run.says("users is small, it holds 2 rows");
    project.done(&[&asking[..], &["--direct", "users"]].concat());

    let shouted = "SELECT string_agg(shout, ' ' ORDER BY id) FROM users";
    for (stands, what, falls) in [
        (
            "CREATE INDEX by_hand ON users (shout)",
            "index by_hand",
            "DROP INDEX by_hand",
        ),
        (
            "GRANT SELECT (shout) ON users TO public",
            "rights of its own",
            "REVOKE SELECT (shout) ON users FROM public",
        ),
        (
            "CREATE STATISTICS together ON name, shout FROM users",
            "statistics object together",
            "DROP STATISTICS together",
        ),
    ] {
        project.execute(stands);
        let run = project.zdm(&["expand"]);
        assert_eq!(run.code, 3, "{run:#?}");
        run.says("and with it would go: ");
        run.says(what);
        assert_eq!(project.value(shouted), "ADA GRACE");
        project.execute(falls);
    }
    // Views are named before anything is executed.
    project.execute("CREATE VIEW shouts AS SELECT shout FROM users");
    let run = project.zdm(&["expand"]);
    assert_eq!(run.code, 4, "{run:#?}");
    run.says("view shouts names the column users.shout, which changes in place (zdm/raw/expand)");
    assert_eq!(project.value(shouted), "ADA GRACE");
    project.execute("DROP VIEW shouts");
    for _ in 0..2 {
        project.done(&["expand"]);
        assert_eq!(project.value(shouted), "ada grace");
        project.done(&["rollback", "two"]);
        assert_eq!(project.value(shouted), "ADA GRACE");
        project.done(&["resume", "two"]);
    }
    // The way back writes every row anew as well.
    project.done(&["expand"]);
    project.execute("INSERT INTO users (name) SELECT 'n' || n FROM generate_series(1, 1000) AS n");
    let run = project.zdm(&["rollback", "two"]);
    assert_eq!(run.code, 3, "{run:#?}");
    run.says("here it holds more than 1000 rows");
    run.says("leave the version as it is");
}

#[test]
fn sqlite_needs_no_direct_way() {
    let project = Project::sqlite("");
    changed(&project, "sqlite");
    let url = project.url.clone();
    let run = project.zdm(&[
        "generate",
        "two",
        "--direct",
        "users",
        "--database-url",
        &url,
    ]);
    assert_eq!(run.code, 2, "{run:#?}");
    run.says("SQLite has no queue of locks");
    project.done(&["generate", "two"]);
    project.done(&["expand"]);
    assert_eq!(
        project.value("SELECT group_concat(shout, ' ') FROM users"),
        "ADA GRACE"
    );
}

/// What a version in transition was planned with is known when it is planned again.
#[test]
fn a_direct_column_comes_beside_a_replaced_one() {
    let server = Server::start();
    let project = Project::on(server.database("app"), "");
    changed(&project, "postgres");
    let both = "pub name: String,\n    #[zdm(default = \"random()\")]\n    pub dice: f64,\n    \
                #[zdm(up = \"lower(name)\")]\n    pub key: String";
    project.write("src/models.rs", &BEFORE.replace(NAME, both));
    let url = project.url.clone();
    project.done(&[
        "generate",
        "two",
        "--direct",
        "users",
        "--database-url",
        &url,
    ]);
    project.done(&["check"]);
    project.done(&["expand"]);
    let more = format!("{both},\n    pub note: Option<String>");
    project.write("src/models.rs", &BEFORE.replace(NAME, &more));
    project.done(&["generate", "three"]);
    project.done(&["expand"]);
    assert_eq!(project.value("SELECT count(DISTINCT dice) FROM users"), "2");
}
