//! Contract: old goes, when no instance and no transaction can name it. Where a way back is kept, old is renamed away first, and goes when
//! the time is over.
//!
//! Comes in: the session, a migration. Goes out: `5_contract/2_drop` executed and on record, or `2_keep`, or `3_drop`.
//! Must not know: what is dropped.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use zdm_runtime::CodeState;
use zdm_runtime::audit;
use zdm_runtime::executor::Outcome;
use zdm_runtime::facts::Facts;
use zdm_runtime::gates::{self, Gate};
use zdm_runtime::history;
use zdm_runtime::manifest::Direction;
use zdm_runtime::phase::Section;

use crate::error::Failure;
use crate::operate::gate;
use crate::operate::moves::verify;
use crate::operate::position::Position;
use crate::operate::report::kept::brings_back;
use crate::operate::section;
use crate::operate::session::Session;
use crate::secret::masked;
use crate::terminal::Answer;
use crate::versions::State;

/// What becomes of the time for which old is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// It has to be over before what is kept is dropped.
    Lasts,
    /// Somebody ends it.
    Ends,
}

/// Drops old or renames it away, drops what was kept, or says which gate is shut.
pub(crate) async fn run(
    session: &mut Session,
    place: usize,
    window: Window,
) -> Result<Answer, Failure> {
    let folder = session.folder(place);
    match session.position(place).await? {
        Position::Absent | Position::Begun(..) => {
            return Err(Failure::usage(
                format!("{folder} is not in this database yet"),
                "run `cargo zdm expand` first",
            ));
        }
        Position::Expanded | Position::Contracted => {
            let object = serde_json::json!({ "migration": folder, "contracted": true, "steps": 0 });
            return Answer::done(format!("{folder}: nothing is left to contract"), object);
        }
        Position::Kept(_) | Position::Dropping(..) => {
            return drop_kept(session, place, window).await;
        }
        Position::At(..) if window == Window::Ends => return Err(not_kept(session, place)),
        Position::At(..) => {}
    }
    let steps = session
        .claimed(place, async |session, _| {
            let what = format!("contract of {}", session.folder(place));
            may_drop(session, place, &what, Window::Lasts).await?;
            if let Some(names_old) = &session.names_old {
                names_old(&session.manifest(place).id)?;
            }
            verify::nothing_is_lost(session, place).await?;
            if let Some(warning) = for_good(session, place) {
                session.terminal.say(&warning);
            }
            keep_from_starting(session, place, &what).await?;
            let section = session.manifest(place).contracts_by();
            let dropped = section::run(session, place, section, Direction::Up).await;
            if dropped.is_err() {
                // What failed is what is told; a database that is gone keeps the mark until contract or rollback is run again.
                let _ = let_start(session, place).await;
            }
            let outcome = dropped?;
            let manifest = session.manifest(place);
            let (id, keep) = (manifest.id.clone(), manifest.keep.clone());
            match keep {
                None => history::contracted(&mut session.connection, &id).await?,
                Some(keep) => {
                    let window = Duration::from_secs(keep.seconds);
                    history::kept(&mut session.connection, &id, window).await?;
                }
            }
            Ok(outcome.executed)
        })
        .await?;
    let manifest = session.manifest(place);
    let mut object = serde_json::json!({
        "migration": folder, "id": manifest.id, "contracted": true, "steps": steps,
    });
    let Some(keep) = &manifest.keep else {
        return Answer::done(
            format!("{folder} is finished: old is gone, and nothing brings it back"),
            object,
        );
    };
    let window = keep.window();
    object["kept_seconds"] = keep.seconds.into();
    Answer::done(
        format!(
            "{folder} is contracted: no code may name old, which is kept under another name for {window}. Until it is dropped, `cargo zdm \
             rollback {}` {}",
            manifest.name,
            brings_back(manifest)
        ),
        object,
    )
}

/// Before contract, that nothing leads back from it.
fn for_good(session: &Session, place: usize) -> Option<String> {
    let manifest = session.manifest(place);
    manifest.keep.is_none().then(|| {
        format!(
            "{}: contract cannot be undone; what only old holds is gone then",
            session.folder(place)
        )
    })
}

/// The gates of what comes next, with the backup that one of them asks for.
async fn may_drop(
    session: &mut Session,
    place: usize,
    what: &str,
    window: Window,
) -> Result<(), Failure> {
    gate::pass(what, &gates_now(session, place, window).await?, &["backup"])?;
    log_is_whole(session).await?;
    confirm_backup(session, place, window).await?;
    gate::pass(what, &gates_now(session, place, window).await?, &[])
}

/// There is no time that could be ended.
fn not_kept(session: &Session, place: usize) -> Failure {
    let manifest = session.manifest(place);
    let folder = manifest.folder();
    let (problem, next) = match manifest.keep {
        Some(_) => (
            format!("{folder} keeps nothing yet: `--now` ends the time that begins with contract"),
            format!("run `cargo zdm contract {}` first", manifest.name),
        ),
        None => (
            format!("{folder} keeps nothing: its contract drops old at once"),
            format!("run `cargo zdm contract {}`", manifest.name),
        ),
    };
    Failure::usage(problem, next).safe("nothing was changed")
}

/// What was kept goes, when the time is over.
async fn drop_kept(session: &mut Session, place: usize, window: Window) -> Result<Answer, Failure> {
    let folder = session.folder(place);
    let steps = session
        .claimed(place, async |session, _| {
            let what = format!("dropping what {} keeps", session.folder(place));
            may_drop(session, place, &what, window).await?;
            let dropped = match window {
                Window::Ends => end_window(session, place).await?,
                Window::Lasts => {
                    section::run(session, place, Section::DropKept, Direction::Up).await?
                }
            };
            let id = session.manifest(place).id.clone();
            history::kept_no_more(&mut session.connection, &id).await?;
            Ok(dropped.executed)
        })
        .await?;
    let object = serde_json::json!({
        "migration": folder, "id": session.manifest(place).id, "contracted": true, "steps": steps,
    });
    Answer::done(
        format!("{folder} is finished: what was kept is gone, and nothing brings it back"),
        object,
    )
}

/// Drops what is kept before its time is over. On record is who wanted to, how long it would have lasted, and whether it has ended:
/// with the first step that is done, it has.
async fn end_window(session: &mut Session, place: usize) -> Result<Outcome, Failure> {
    let gates = gates_now(session, place, Window::Ends).await?;
    let ended = gates.iter().find(|gate| gate.name == "kept_long_enough");
    let left = ended.map_or("", |gate| &gate.reason).to_owned();
    record_end(session, place, "begun", &left).await?;
    match section::run(session, place, Section::DropKept, Direction::Up).await {
        Ok(dropped) => {
            record_end(session, place, "done", &left).await?;
            Ok(dropped)
        }
        Err(failure) => {
            // What failed is what is told, whether or not it can be put on record.
            let facts = session.facts(place).await;
            let is_begun = facts.is_ok_and(|facts| {
                section::in_effect(&facts, Section::DropKept).is_ok_and(|done| done > 0)
            });
            let outcome = if is_begun { "done" } else { "failed" };
            let detail = format!("{left}; {}", failure.message);
            let _ = record_end(session, place, outcome, &detail).await;
            Err(failure)
        }
    }
}

async fn record_end(
    session: &mut Session,
    place: usize,
    outcome: &str,
    detail: &str,
) -> Result<(), Failure> {
    let migration = &session.migrations[place];
    let entry = audit::Entry {
        actor: &session.actor,
        migration: migration.id(),
        content_hash: Some(migration.content_hash()),
        action: "end window",
        statement: None,
        outcome,
        duration: Duration::ZERO,
        detail,
    };
    Ok(audit::record(&mut session.connection, entry).await?)
}

/// From here on nobody starts whose code names old. The gates are asked once more after that: they see everybody who started before.
async fn keep_from_starting(
    session: &mut Session,
    place: usize,
    what: &str,
) -> Result<(), Failure> {
    let id = session.manifest(place).id.clone();
    history::contracting(&mut session.connection, &id).await?;
    let gates = gates_now(session, place, Window::Lasts).await;
    let looked = gates.and_then(|gates| gate::pass(what, &gates, &[]));
    if looked.is_err() {
        let_start(session, place).await?;
    }
    looked
}

/// Unless something is dropped already.
async fn let_start(session: &mut Session, place: usize) -> Result<(), Failure> {
    let facts = session.facts(place).await?;
    let section = session.manifest(place).contracts_by();
    if section::in_effect(&facts, section)? == 0 {
        let id = session.manifest(place).id.clone();
        history::not_contracting(&mut session.connection, &id).await?;
    }
    Ok(())
}

/// The gates and the SQL, with what cannot come back.
pub(crate) async fn preview(
    session: &mut Session,
    place: usize,
    window: Window,
) -> Result<Answer, Failure> {
    let facts = session.facts(place).await?;
    let position = Position::of(&facts)?;
    if let (Position::At(..), Window::Ends) = (position, window) {
        return Err(not_kept(session, place));
    }
    let gates = gate::show_all(&gates_of(session, place, &facts, window)?);
    let manifest = session.manifest(place);
    let section = match position {
        Position::Kept(_) | Position::Dropping(..) => Section::DropKept,
        _ => manifest.contracts_by(),
    };
    let loses: Vec<String> = manifest
        .steps_of(section, Direction::Up)
        .filter_map(|step| step.loses.clone())
        .collect();
    let mut text = format!(
        "contract of {}\n{}",
        session.folder(place),
        gate::lines(&gates)
    );
    if section != Section::Keep {
        text.push_str("  this cannot be undone\n");
    }
    let sql = section::preview(session, place, section, Direction::Up).await?;
    for lost in &loses {
        let _ = writeln!(text, "  cannot come back: {lost}");
    }
    text.push_str(&sql);
    let object = serde_json::json!({
        "dry_run": true, "migration": session.folder(place), "gates": gates, "sql": sql, "loses": loses,
    });
    Answer::done(text, object)
}

/// What stands between a migration and its contract.
pub(crate) fn gates_of(
    session: &Session,
    place: usize,
    facts: &Facts,
    window: Window,
) -> Result<Vec<Gate>, Failure> {
    let policy = gate::policy(&session.policy, &session.actor)?;
    let code = match session.code_state(place) {
        Some(State::Final | State::Baseline) => Some(CodeState::Final),
        Some(State::Transition) => Some(CodeState::Transition),
        None => None,
    };
    if let Position::Kept(_) | Position::Dropping(..) = Position::of(facts)? {
        let kept = Section::DropKept;
        return Ok(match window {
            Window::Ends => gates::for_early_drop(facts, &policy),
            Window::Lasts => gates::for_section(kept, Direction::Up, facts, &policy),
        });
    }
    let section = session.manifest(place).contracts_by();
    Ok(gates::for_contract(section, facts, &policy, code))
}

async fn gates_now(
    session: &mut Session,
    place: usize,
    window: Window,
) -> Result<Vec<Gate>, Failure> {
    let facts = session.facts(place).await?;
    gates_of(session, place, &facts, window)
}

/// Approvals are taken from the audit log: where somebody has changed it, none is believed.
async fn log_is_whole(session: &mut Session) -> Result<(), Failure> {
    if session.policy.approvals == 0 {
        return Ok(());
    }
    let chain = audit::verify(&mut session.connection).await?;
    match chain.as_ref().and_then(|chain| chain.findings.first()) {
        None => Ok(()),
        Some(found) => Err(Failure::findings(
            format!("the audit log is not as it was written, so no approval in it counts: {found}"),
            "see `cargo zdm status --audit`, and find out who has written to the control tables",
        )
        .safe("nothing was dropped")),
    }
}

/// Runs the team's command, whose success stands for a backup, and puts it on record.
async fn confirm_backup(
    session: &mut Session,
    place: usize,
    window: Window,
) -> Result<(), Failure> {
    let Some(hook) = session.policy.backup_hook.clone() else {
        return Ok(());
    };
    let shown = masked(&hook);
    if gate::shut(&gates_now(session, place, window).await?).is_empty() {
        return Ok(());
    }
    let id = session.manifest(place).id.clone();
    session.terminal.say(&format!("backup: {shown}"));
    let started = Instant::now();
    let status = tokio::process::Command::new("sh")
        .args(["-c", &hook])
        .env("ZDM_MIGRATION", &id)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .await;
    let (outcome, detail) = match &status {
        Ok(status) if status.success() => ("done", format!("`{shown}` confirmed a backup")),
        Ok(status) => ("failed", format!("`{shown}` ended with {status}")),
        Err(error) => ("failed", format!("`{shown}` did not start: {error}")),
    };
    let entry = audit::Entry {
        actor: &session.actor,
        migration: &id,
        content_hash: None,
        action: "backup",
        statement: None,
        outcome,
        duration: started.elapsed(),
        detail: &detail,
    };
    audit::record(&mut session.connection, entry).await?;
    if outcome == "done" {
        return Ok(());
    }
    Err(Failure::environment(
        detail,
        "make the backup possible, then run the same command again ([policy] backup_hook in zdm.toml)",
    )
    .safe("nothing was dropped"))
}
