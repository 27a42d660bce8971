//! The demo's way with every hop back: which command follows which, and whose code must be served while it is at work.

use std::path::Path;
use std::process::Command;

use zdm_runtime::database::Dialect;

use crate::code::Version::{self, V1, V2, V3};

/// One thing that happens on the way.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The rows from before are there.
    Seed,
    /// Somebody gives a row in quarantine another value.
    Mend,
    /// A command.
    Run(Act),
    /// A command that came before.
    Again(Act),
}

/// A command, with the versions of the application that go on working while it is not finished, and after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act {
    /// Whose versions' folder the command is given.
    pub(crate) checkout: Version,
    /// `zdm …`
    pub(crate) arguments: &'static [&'static str],
    /// Who reads and writes between the kill and the next run.
    pub(crate) meanwhile: &'static [Version],
    /// Who reads afterwards.
    pub(crate) afterwards: &'static [Version],
    /// It names no place: where the killed run had done everything, it asks for one and does nothing more.
    pub(crate) relative: bool,
}

const fn act(
    checkout: Version,
    arguments: &'static [&'static str],
    meanwhile: &'static [Version],
    afterwards: &'static [Version],
) -> Act {
    Act {
        checkout,
        arguments,
        meanwhile,
        afterwards,
        relative: false,
    }
}

const fn rollback(meanwhile: &'static [Version], afterwards: &'static [Version]) -> Act {
    Act {
        relative: true,
        ..act(V2, &["rollback"], meanwhile, afterwards)
    }
}

/// As far as it is told, whatever a killed run had done.
const fn rollback_to(
    arguments: &'static [&'static str],
    meanwhile: &'static [Version],
    afterwards: &'static [Version],
) -> Act {
    act(V2, arguments, meanwhile, afterwards)
}

/// Makes the table.
pub(crate) const EXPAND_FIRST: Act = act(V1, &["expand"], &[], &[V1]);
/// The whole way at once.
pub(crate) const ADVANCE: Act = act(V3, &["advance"], &[], &[V3]);
const EXPAND: Act = act(V2, &["expand"], &[V1], &[V1, V2]);
const DUAL_WRITE: Act = in_transition(&["switch", "--to", "dual_write"]);
/// A batch of one row, however fast the machine is: its moments are counted in one run and met in others.
const BACKFILL: Act = in_transition(&["backfill", "--most-rows", "1"]);
const VERIFY: Act = in_transition(&["verify"]);
const SHADOW: Act = in_transition(&["switch", "--to", "shadow"]);
const COMPLETE: Act = act(V2, &["switch", "--to", "complete"], &[V2], &[V2, V3]);

const fn in_transition(arguments: &'static [&'static str]) -> Act {
    act(V2, arguments, &[V2], &[V2])
}

/// There, and everything that is taken back on the way.
pub(crate) const TO_SHADOW: &[Step] = &[
    Step::Run(EXPAND_FIRST),
    Step::Seed,
    Step::Run(EXPAND),
    Step::Run(rollback(&[V1], &[V1])),
    Step::Again(EXPAND),
    Step::Run(rollback_to(&["rollback", "--to", "absent"], &[V1], &[V1])),
    Step::Again(EXPAND),
    Step::Run(DUAL_WRITE),
    Step::Run(in_transition(&[
        "pause",
        "users_full_name",
        "--reason",
        "incident 4711",
    ])),
    Step::Run(in_transition(&["resume", "users_full_name"])),
    Step::Run(BACKFILL),
    Step::Run(VERIFY),
    Step::Run(SHADOW),
];

/// Back to where writes keep old alone, there again, and to the end.
pub(crate) const FROM_SHADOW: &[Step] = &[
    Step::Run(in_transition(&["switch", "--to", "25%"])),
    Step::Run(rollback(&[V2], &[V2])),
    Step::Run(rollback_to(&["rollback", "--to", "off"], &[V2], &[V1, V2])),
    Step::Again(DUAL_WRITE),
    Step::Again(BACKFILL),
    Step::Again(VERIFY),
    Step::Again(SHADOW),
    Step::Run(in_transition(&["switch", "--to", "100%"])),
    Step::Mend,
    Step::Run(in_transition(&[
        "quarantine",
        "fix",
        "--table",
        "cargo_zdm_demo_users",
        "--key",
        "3",
    ])),
    Step::Run(in_transition(&[
        "quarantine",
        "waive",
        "--reason",
        "an age that is no number may go",
    ])),
    Step::Again(VERIFY),
    Step::Run(in_transition(&["switch", "--to", "ramp_down"])),
    Step::Run(COMPLETE),
    Step::Run(rollback(&[V2], &[V2])),
    Step::Again(COMPLETE),
    Step::Run(rollback_to(
        &["rollback", "--to", "dual_write"],
        &[V2],
        &[V2],
    )),
    Step::Again(SHADOW),
    Step::Again(in_transition(&["switch", "--to", "100%"])),
    Step::Again(VERIFY),
    Step::Again(in_transition(&["switch", "--to", "ramp_down"])),
    Step::Again(COMPLETE),
    Step::Run(act(V3, &["contract"], &[V3], &[V3])),
];

impl Act {
    /// The command on a database, not started yet.
    pub(crate) fn command(&self, url: &str) -> Command {
        let dialect = Dialect::of_url(url).unwrap().name();
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/demo/app")
            .join(dialect)
            .join(format!("{:?}", self.checkout).to_lowercase());
        let mut command = Command::new(env!("CARGO_BIN_EXE_zdm"));
        command
            .args(self.arguments)
            // With a host, so that a command may follow a killed one at once.
            .args(["--format", "json", "--actor", "kill@localhost"])
            .arg("--manifest-path")
            .arg(deploy.join("zdm.toml"))
            .env("ZDM_DEMO_DATABASE_URL", url);
        command
    }
}
