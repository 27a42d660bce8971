//! Passwords are never printed and never put on record, wherever they stand and whatever fails.

use std::fs;
use std::process::Command;

use zdm_tests::postgres::Server;

use crate::database::HASTY;
use crate::generate::{AFTER, be_hasty, user_crate};
use crate::project::{Project, Run};
use crate::versions;

/// Every command that is given a database. The rest never looks at one.
const COMMANDS: [&[&str]; 26] = [
    &["advance"],
    &["status"],
    &["status", "--audit"],
    &["expand"],
    &["backfill"],
    &["verify"],
    &["switch", "--to", "shadow"],
    &["contract"],
    &["contract", "--dry-run"],
    &["rollback"],
    &["approve", "1"],
    &["pause", "1"],
    &["cancel", "1"],
    &["resume", "1"],
    &["quarantine", "list"],
    &["quarantine", "fix"],
    &["quarantine", "waive", "--reason", "none"],
    &["rehearse"],
    &["rehearse", "--scratch-url", "URL"],
    &["rehearse", "--like", "URL"],
    &["demo"],
    &["import"],
    &["generate"],
    &["diff", "--from", "URL", "--to", "models"],
    &["diff", "--from", "models", "--to", "URL"],
    &["generate", "--from", "URL"],
];

/// Commands that need no database.
const WITHOUT: [&str; 11] = [
    "init",
    "check",
    "references",
    "review",
    "dashboard",
    "finalize",
    "completions",
    "help",
    "demo-worker",
    "templates",
    "ci",
];

/// URLs that lead nowhere, each with a password.
const URLS: [&str; 10] = [
    "postgres://app:s3cret-word@127.0.0.1:1/shop",
    "postgres://app:s3c%72et-w%6Frd@127.0.0.1:1/shop",
    "postgres://app:p%40rt%2Fs3cret-word%3F@127.0.0.1:1/shop",
    "postgres://app:p@rt/s3cret?s3cret-word#s3cret@127.0.0.1:1/shop",
    "postgres://127.0.0.1:1/shop?user=app&password=s3cret-word",
    "postgres://app:s3cret-word@127.0.0.1:port/shop",
    "postgres://app:s3cret-word@[::zz]/shop",
    "postgres:app:s3cret-word@127.0.0.1/shop",
    "mysql://app:s3cret-word@127.0.0.1/shop",
    "app:s3cret-word@127.0.0.1/shop",
];

const CONVERTED: &str = r#"
use zdm_runtime::Migratable;

#[derive(Migratable, Debug, Clone)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(from("name"), up = "CAST(name AS integer)", down = "CAST(number AS text)", on_invalid = "null")]
    pub number: Option<i32>,
}
"#;

/// Commands that read the URL by ways of their own, or by the one of all that move a migration.
const WAYS: [&str; 6] = ["status", "demo", "import", "generate", "diff", "backfill"];

/// What may not be seen: parts of the passwords, as they are and as URLs spell them.
const PARTS: [&str; 6] = ["s3cret", "s3c%72et", "w%6Frd", "p%40rt", "p@rt", "cret-w"];

fn nothing_is_told(what: &str, run: &Run) {
    let told = format!("{}{}", run.out, run.err);
    for part in PARTS {
        assert!(!told.contains(part), "{what}: `{part}` is told: {run:#?}");
    }
}

/// A crate with a version and a conversion that `generate` would count, and an empty folder for `import`.
fn projects() -> (Project, Project) {
    let project = Project::on(String::new(), "");
    user_crate(&project);
    project.done(&["init", "--dialect", "postgres"]);
    project.write("src/models.rs", CONVERTED);
    let empty = Project::on(String::new(), "");
    user_crate(&empty);
    empty.write("src/models.rs", "");
    (project, empty)
}

fn fails(projects: &(Project, Project), url: &str, arguments: &[&str], environment: bool) {
    let (project, empty) = projects;
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|argument| if *argument == "URL" { url } else { argument })
        .collect();
    let place = if arguments[0] == "import" {
        empty
    } else {
        project
    };
    let mut command = place.command(&arguments);
    // Either reader, each about as often as the other.
    let format = ["human", "json"][(url.len() + arguments.len()) % 2];
    command.args(["--format", format]);
    if environment {
        command.env("DATABASE_URL", url);
        command.env("PGPASSWORD", "s3cret-word");
    } else {
        command.args(["--database-url", url]);
    }
    let run = output(command);
    let what = format!("{arguments:?} {url} {format}");
    // Without a URL on the command line, these look at no database.
    let looks_at_none = environment && ["generate", "diff"].contains(&arguments[0]);
    assert!(
        run.code != 0 || looks_at_none || arguments[0] == "demo",
        "{what}: {run:#?}"
    );
    nothing_is_told(&what, &run);
}

fn output(mut command: Command) -> Run {
    Run::from(command.output().unwrap())
}

#[test]
fn no_command_that_cannot_connect_tells_a_password() {
    let projects = projects();
    for arguments in COMMANDS {
        let urls = if WAYS.contains(&arguments[0]) {
            &URLS[..]
        } else {
            &URLS[..2]
        };
        for url in urls {
            fails(&projects, url, arguments, false);
        }
        fails(
            &projects,
            "postgres://app@127.0.0.1:1/shop",
            arguments,
            true,
        );
        fails(&projects, URLS[0], arguments, true);
    }
}

#[test]
fn every_command_is_tried() {
    let project = Project::sqlite("");
    let help = project.done(&["--help"]).out;
    let (_, commands) = help.split_once("Commands:").unwrap();
    let (commands, _) = commands.split_once("Options:").unwrap();
    for line in commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
    {
        let name = line.split_whitespace().next().unwrap();
        let tried = COMMANDS.iter().any(|command| command[0] == name);
        assert!(tried || WITHOUT.contains(&name), "`{name}` is not tried");
    }
}

/// A URL in the place of something else, which is answered with what was given.
#[test]
fn a_url_in_the_wrong_place_is_told_without_its_password() {
    let project = Project::sqlite("");
    versions::write(&project.path("zdm"), "sqlite");
    project.done(&["expand"]);
    for arguments in [
        &[URLS[0]][..],
        &["status", URLS[0]],
        &["switch", "--to", URLS[0]],
        &["advance", URLS[0]],
        &["status", "--databaseurl", URLS[0]],
        &["status", &format!("--databaseurl={}", URLS[0])],
        &["status", "--manifest-path", URLS[0]],
    ] {
        for format in ["human", "json"] {
            let run = project.zdm(&[arguments, &["--format", format]].concat());
            assert_ne!(run.code, 0, "{arguments:?}");
            nothing_is_told(&format!("{arguments:?}"), &run);
        }
    }
}

/// A server that asks for the password, and is given a wrong one.
#[test]
fn a_password_that_the_server_refuses_is_not_told() {
    let server = Server::start();
    let owner = server.database("shop");
    let projects = projects();
    let (project, _) = &projects;
    let setup = Project::on(owner.clone(), "");
    setup.execute("CREATE ROLE app LOGIN PASSWORD 'right'");
    let rules = server.directory().join("data/pg_hba.conf");
    fs::write(
        &rules,
        "local all owner trust\nlocal all app scram-sha-256\n",
    )
    .unwrap();
    setup.execute("SELECT pg_reload_conf()");
    let host = server.directory().display();
    // The server reads its rules anew when it comes to it.
    let wrong = format!("postgres://app:s3c%72et-word@localhost/shop?host={host}");
    while project.zdm(&["status", "--database-url", &wrong]).code == 0 {}
    for arguments in COMMANDS {
        fails(&projects, &wrong, arguments, false);
        if !WAYS.contains(&arguments[0]) {
            continue;
        }
        let without = format!("postgres://app@localhost/shop?host={host}");
        fails(&projects, &without, arguments, true);
    }
    project
        .zdm(&["status", "--database-url", &wrong])
        .says("password authentication failed");
}

/// The whole way with passwords in the URL and in the hook: nothing of them is printed or on record.
#[test]
fn no_password_is_put_on_record() {
    let server = Server::start();
    server.database("shop");
    let host = server.directory().display();
    let url =
        format!("postgres://owner:s3c%72et-word@localhost/shop?host={host}&password=s3cret-word");
    let project = Project::on(url, "");
    user_crate(&project);
    let mut runs = vec![project.done(&["init"])];
    be_hasty(&project);
    let config = fs::read_to_string(project.path("zdm.toml")).unwrap();
    assert!(config.contains(HASTY));
    let hook = "PGPASSWORD=s3cret-word true 'postgres://owner:s3cret-word@localhost/shop'";
    project.write("zdm.toml", &format!("{config}backup_hook = \"{hook}\"\n"));
    runs.push(project.done(&["expand"]));
    project.write("src/models.rs", AFTER);
    runs.push(project.done(&["generate"]));
    runs.push(project.zdm(&["advance"]));
    runs.push(project.done(&["finalize"]));
    runs.push(project.done(&["advance"]));
    runs.last()
        .unwrap()
        .says("backup: PGPASSWORD=… true 'postgres://owner:…@localhost/shop'");
    runs.push(project.done(&["status", "--audit"]));
    runs.last().unwrap().says("confirmed a backup");
    runs.push(project.done(&["status", "--audit", "--format", "json"]));
    runs.push(project.done(&["diff", "--from", &project.url, "--to", "models"]));
    for run in &runs {
        nothing_is_told("the whole way", run);
    }
    let tables = "SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'zdm'::regnamespace AND relkind = 'r'";
    for table in project.value(tables).split(' ') {
        let rows = project.value(&format!(
            "SELECT coalesce(string_agg(t::text, ' '), '') FROM zdm.{table} t"
        ));
        for part in PARTS {
            assert!(!rows.contains(part), "`{part}` is in {table}: {rows}");
        }
    }
}
