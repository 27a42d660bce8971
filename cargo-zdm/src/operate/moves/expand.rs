//! Expand: the versions that a database lacks, in their order.
//!
//! Comes in: the session, perhaps one version. Goes out: new beside old, each version on record.
//! Must not know: what the SQL says.

use serde::Serialize;
use zdm_runtime::gates;
use zdm_runtime::history::{self, Recorded};
use zdm_runtime::manifest::{Direction, Route};
use zdm_runtime::phase::Section;

use crate::error::{Failure, ShownGate};
use crate::operate::position::Position;
use crate::operate::session::Session;
use crate::operate::{gate, section};
use crate::terminal::Answer;
use crate::versions::State;

/// What is to be done about a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Treatment {
    /// `1_expand/up.sql`.
    Expand,
    /// All sections: nothing holds data or runs yet, and the code names only the result.
    CreateFinal,
    /// The tables exist already.
    Adopt,
}

#[derive(Debug, Serialize)]
struct Expanded {
    migration: String,
    id: String,
    did: Treatment,
    steps: u32,
    /// What code of the version would meet that reads a new table, and its triggers later.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    before_code: Vec<ShownGate>,
}

/// Expands one version, or all that are missing.
pub(crate) async fn run(session: &mut Session, only: Option<usize>) -> Result<Answer, Failure> {
    let was_installed = session.is_installed();
    session.install().await?;
    let due = due(session, only, was_installed).await?;
    take(session, due).await.map_err(|(_, failure)| failure)
}

/// What became of the missing versions, or which of them failed: what stands on it was not tried.
type Taken = Result<Answer, (usize, Failure)>;

/// Expands what is missing, up to the first version that fails or has to wait.
pub(crate) async fn every(session: &mut Session) -> Result<Taken, Failure> {
    let was_installed = session.is_installed();
    session.install().await?;
    let due = due(session, None, was_installed).await?;
    Ok(take(session, due).await)
}

/// The first version that the database lacks: the later ones wait for it.
pub(crate) async fn first_missing(session: &mut Session) -> Result<Option<usize>, Failure> {
    let recorded = session.recorded().await?;
    Ok(missing(session, &recorded).next())
}

async fn take(session: &mut Session, due: Vec<(usize, Treatment)>) -> Taken {
    let mut done = Vec::new();
    for (place, treatment) in due {
        let steps = session
            .claimed(place, async |session, _| {
                session
                    .versions_claimed(async |session| treat(session, place, treatment).await)
                    .await
            })
            .await
            .map_err(|failure| (place, failure))?;
        let before_code = shut_before_code(session, place, treatment)
            .await
            .map_err(|failure| (place, failure))?;
        let manifest = session.manifest(place);
        done.push(Expanded {
            migration: manifest.folder(),
            id: manifest.id.clone(),
            did: treatment,
            steps,
            before_code,
        });
    }
    Ok(answer(&done))
}

/// Code reads a table that columns move to before the stage does, whose gates ask for rights on it.
async fn shut_before_code(
    session: &mut Session,
    place: usize,
    treatment: Treatment,
) -> Result<Vec<ShownGate>, Failure> {
    let later = session.manifest(place).first_triggers(Section::DualWrite);
    if treatment != Treatment::Expand || later.is_none() {
        return Ok(Vec::new());
    }
    let facts = session.facts(place).await?;
    let gates = gates::for_triggers(&facts, &gate::policy(&session.policy, &session.actor)?);
    Ok(gate::show_all(gates.iter().filter(|gate| !gate.open)))
}

fn answer(done: &[Expanded]) -> Answer {
    let mut text = match done.len() {
        0 => "nothing to expand: the database has every version".to_owned(),
        1 => "1 version expanded; the code that goes with it can be rolled out".to_owned(),
        many => format!("{many} versions expanded; the code that goes with them can be rolled out"),
    };
    for expanded in done
        .iter()
        .filter(|expanded| !expanded.before_code.is_empty())
    {
        let lines = gate::lines(&expanded.before_code);
        let lines = lines.trim_end();
        text = format!(
            "{text}\n  before that, for {} reads both tables between which columns move:\n{lines}",
            expanded.migration
        );
    }
    Answer {
        text,
        object: serde_json::json!({ "expanded": done }),
        kind: None,
    }
}

/// The SQL that [`run`] would execute.
pub(crate) async fn preview(session: &mut Session, only: Option<usize>) -> Result<Answer, Failure> {
    let mut text = String::new();
    let mut versions = Vec::new();
    for (place, treatment) in due(session, only, session.is_installed()).await? {
        versions.push(session.folder(place));
        let gates = if treatment == Treatment::Expand && session.is_installed() {
            session.gates_of_expand(place).await?
        } else {
            Vec::new()
        };
        let shut = gate::show_all(gates.iter().filter(|gate| !gate.open));
        if shut.is_empty() {
            must_fit(session, place, treatment).await?;
        }
        text.push_str(&gate::lines(&shut));
        for section in sections(treatment) {
            text.push_str(&section::preview(session, place, *section, Direction::Up).await?);
        }
    }
    if text.is_empty() {
        text.push_str("nothing to execute");
    }
    let object = serde_json::json!({ "dry_run": true, "would_expand": versions, "sql": text });
    Answer::done(text, object)
}

async fn treat(session: &mut Session, place: usize, treatment: Treatment) -> Result<u32, Failure> {
    if treatment == Treatment::Expand {
        let what = format!("expand of {}", session.folder(place));
        gate::pass(&what, &session.gates_of_expand(place).await?, &[])?;
    }
    must_fit(session, place, treatment).await?;
    session.terminal.say(&heading(session, place, treatment));
    let mut steps = 0;
    if treatment == Treatment::Expand {
        steps += up_to_triggers(session, place).await?;
    }
    for section in sections(treatment) {
        steps += section::run(session, place, *section, Direction::Up)
            .await?
            .executed;
    }
    if treatment == Treatment::Expand {
        section::must_be_understood(session, place).await?;
    }
    let migration = &session.migrations[place];
    let (manifest, hash) = (migration.manifest(), migration.content_hash());
    let (connection, actor) = (&mut session.connection, &session.actor);
    match treatment {
        Treatment::Expand => history::expanded(connection, manifest, hash, actor).await?,
        Treatment::CreateFinal | Treatment::Adopt => {
            history::adopted(connection, manifest, hash, actor).await?;
        }
    }
    Ok(steps)
}

/// Columns that come into a table are there before anybody can have a right on them, and triggers write them in the name of whoever
/// writes the other table: what that asks of roles is looked at between the two.
async fn up_to_triggers(session: &mut Session, place: usize) -> Result<u32, Failure> {
    let first = session.manifest(place).first_triggers(Section::Expand);
    let Some(number) = first.map(|step| step.number) else {
        return Ok(0);
    };
    let outcome = section::run_before(session, place, Section::Expand, number).await?;
    let facts = session.facts(place).await?;
    let gates = gates::for_triggers(&facts, &gate::policy(&session.policy, &session.actor)?);
    let what = format!("expand of {}, before its triggers,", session.folder(place));
    gate::pass(&what, &gates, &[]).map_err(|failure| {
        failure.safe(
            "the new columns are there, and no trigger and no code names them: the application goes on as before; `cargo zdm rollback` \
             takes them away",
        )
    })?;
    Ok(outcome.executed)
}

/// What is there already is what the treatment takes for granted.
async fn must_fit(
    session: &mut Session,
    place: usize,
    treatment: Treatment,
) -> Result<(), Failure> {
    match treatment {
        Treatment::Adopt => session.must_be_there(place).await,
        Treatment::Expand | Treatment::CreateFinal => {
            session.must_have_views(place).await?;
            session.must_have_addresses(place).await?;
            session.must_be_free(place).await
        }
    }
}

const fn sections(treatment: Treatment) -> &'static [Section] {
    match treatment {
        Treatment::Expand => &[Section::Expand],
        Treatment::CreateFinal => &Section::ALL,
        Treatment::Adopt => &[],
    }
}

fn heading(session: &Session, place: usize, treatment: Treatment) -> String {
    let folder = session.folder(place);
    match treatment {
        Treatment::Expand => format!("expand {folder}"),
        Treatment::CreateFinal => {
            format!("create {folder} as it is after all phases (fresh database, finalized code)")
        }
        Treatment::Adopt => format!("record {folder}: its tables are there already (baseline)"),
    }
}

/// The missing versions, in their order, with what to do about each.
async fn due(
    session: &mut Session,
    only: Option<usize>,
    was_installed: bool,
) -> Result<Vec<(usize, Treatment)>, Failure> {
    let recorded = session.recorded().await?;
    let missing: Vec<usize> = missing(session, &recorded).collect();
    if let (Some(wanted), Some(first)) = (only, missing.first())
        && missing.contains(&wanted)
        && wanted != *first
    {
        return Err(Failure::usage(
            format!(
                "{} stands on {}, which this database lacks",
                session.folder(wanted),
                session.folder(*first)
            ),
            "run `cargo zdm expand` without a name: it takes every missing version in order",
        ));
    }
    let fresh = session.is_fresh(was_installed).await?;
    let mut due = Vec::new();
    for place in missing {
        if only.is_some_and(|wanted| wanted != place) {
            continue;
        }
        let treatment = match session.code_state(place) {
            Some(State::Baseline) if is_there_unmade(session, place, fresh).await? => {
                Treatment::Adopt
            }
            Some(State::Final) if fresh => Treatment::CreateFinal,
            None if fresh && is_overtaken(session, place) => Treatment::CreateFinal,
            _ => Treatment::Expand,
        };
        due.push((place, treatment));
    }
    Ok(due)
}

fn missing(session: &Session, recorded: &[Recorded]) -> impl Iterator<Item = usize> {
    (0..session.migrations.len())
        .filter(|place| !is_expanded(recorded, session.migrations[*place].id()))
}

/// A baseline's tables are there, and not because a creation of them was interrupted.
async fn is_there_unmade(
    session: &mut Session,
    place: usize,
    fresh: bool,
) -> Result<bool, Failure> {
    let begun = matches!(session.position(place).await?, Position::Begun(..));
    Ok(!begun && (!fresh || !session.existing(place).await?.is_empty()))
}

/// What it drops is no old name any more for the checked-in code, but a new one.
fn is_overtaken(session: &Session, place: usize) -> bool {
    session.manifest(place).route == Route::ExpandContract && session.is_taken_up_later(place)
}

fn is_expanded(recorded: &[Recorded], id: &str) -> bool {
    recorded
        .iter()
        .any(|version| version.migration == id && version.expanded)
}
