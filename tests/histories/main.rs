//! Whole histories of schemas: each version is taken over, and each step to the next one is generated, executed and compared.
//!
//! A history is a folder with the schema after each step (`0000.sql`, `0001.sql` …, as `pg_dump --schema-only` prints it) and
//! `versions.jsonl`, which says per step what was renamed: nothing else of it counts, since a dump says everything but that.
//!
//!     ZDM_HISTORIES=…/folder cargo test -p zdm-tests --all-features --test histories -- --ignored --nocapture
//!
//! `ZDM_HISTORIES` holds `versions.jsonl` and a folder per project. `ZDM_HISTORY=crates-io:100-120` runs a part of one.

mod between;
mod compare;
mod convert;
mod declare;
mod dependents;
mod enums;
mod history;
mod later;
mod pair;
mod phases;
mod report;
mod rows;
mod schema;
mod unmanaged;
mod values;

use history::{History, Step, Wanted};
use pair::Outcome;
use report::Report;
use zdm_tests::postgres::Server;

/// The folder of the histories that are ours.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/histories/own");

#[test]
fn our_own_histories_converge() {
    let report = run(OWN, &Wanted::default());
    println!("{report}");
    report.holds(100);
}

#[test]
#[ignore = "needs histories: ZDM_HISTORIES=…, a folder with versions.jsonl and a folder of dumps per project"]
fn given_histories_converge() {
    let folder = std::env::var("ZDM_HISTORIES").expect("ZDM_HISTORIES names a folder");
    let wanted = Wanted::parse(&std::env::var("ZDM_HISTORY").unwrap_or_default());
    let report = run(&folder, &wanted);
    println!("{report}");
    report.holds(95);
}

fn run(folder: &str, wanted: &Wanted) -> Report {
    let server = Server::start_with(&["max_connections=50"]);
    let mut report = Report::default();
    for history in History::below(folder, wanted) {
        for step in history.steps() {
            let outcome = outcome(&server, &history, step);
            println!("{}", report.add(&history, step, outcome));
        }
    }
    report
}

/// A step that cannot even be tried has failed, and the next one is tried.
fn outcome(server: &Server, history: &History, step: &Step) -> Outcome {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(pair::run(server, history, step))
    };
    let run = std::thread::scope(|scope| scope.spawn(run).join());
    run.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Outcome::Failed(text.unwrap_or("it panicked").to_owned())
    })
}
