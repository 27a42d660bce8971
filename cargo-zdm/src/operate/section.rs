//! Executing a folder of reviewed SQL, told step by step.
//!
//! Comes in: the session, a version, a section, a direction. Goes out: the database changed, every step recorded.
//! Must not know: gates, stages.

use zdm_runtime::dependents;
use zdm_runtime::executor::{self, Event, ExecutorError, ExecutorOptions, Outcome};
use zdm_runtime::facts::{Fact, Facts, Steps};
use zdm_runtime::manifest::{Backfill, Direction, Step};
use zdm_runtime::migration::section_file;
use zdm_runtime::phase::Section;

use super::building::Watch;
use super::position::known;
use super::rights;
use super::session::Session;
use crate::error::Failure;

/// The way on where a pooler is in the way.
pub(crate) const DIRECTLY: &str = "give this command the address of the server itself, by --database-url or by the variable that \
    `url_env` in zdm.toml names; the application may stay where it is";

/// Executes `up.sql` or `down.sql` of a section; steps done before are skipped.
pub(crate) async fn run(
    session: &mut Session,
    place: usize,
    section: Section,
    direction: Direction,
) -> Result<Outcome, Failure> {
    execute(session, place, (section, direction), Going::default()).await
}

/// Executes what comes before an entry of `up.sql`.
pub(crate) async fn run_before(
    session: &mut Session,
    place: usize,
    section: Section,
    number: u32,
) -> Result<Outcome, Failure> {
    let going = Going {
        before: Some(number),
        ..Going::default()
    };
    execute(session, place, (section, Direction::Up), going).await
}

/// Takes expand back; what holds rows or values of its own goes only with `drop_rows`.
pub(crate) async fn undo_expand(
    session: &mut Session,
    place: usize,
    drop_rows: bool,
) -> Result<Outcome, Failure> {
    let file = (Section::Expand, Direction::Down);
    let going = Going {
        drop_rows,
        ..Going::default()
    };
    let mut undone = execute(session, place, file, going).await;
    if let Err(failure) = &mut undone {
        let name = &session.manifest(place).name;
        let whole = format!("; or `cargo zdm expand {name}`, which makes it whole again");
        failure.next.push_str(&whole);
    }
    undone
}

/// How far, and at what price.
#[derive(Debug, Clone, Copy, Default)]
struct Going {
    drop_rows: bool,
    before: Option<u32>,
}

async fn execute(
    session: &mut Session,
    place: usize,
    (section, direction): (Section, Direction),
    Going { drop_rows, before }: Going,
) -> Result<Outcome, Failure> {
    let options = ExecutorOptions {
        drop_rows,
        before,
        leases: session.leases.clone(),
        lock_timeout: session.policy.lock_timeout,
        patience: session.policy.drain_timeout,
        deadline: session.policy.ddl_deadline,
        ..ExecutorOptions::of(session.actor.clone())
    };
    let terminal = session.terminal;
    let mut tell = |event: Event<'_>| {
        if let Some(line) = line(event) {
            terminal.say(&line);
        }
    };
    // What was made since expand would go with the old column, by its new name, when names are exchanged.
    let manifest = session.manifest(place);
    let mut pairs = manifest.pairs.iter();
    let names_change =
        pairs.any(|pair| pair.released.is_some()) || !manifest.renamed_keys.is_empty();
    let exchanges = section == Section::Release && names_change;
    if direction == Direction::Up {
        let asked = match section {
            Section::Expand | Section::Drop | Section::Keep | Section::DropKept => Some(Asked::All),
            Section::Release if exchanges => Some(Asked::All),
            Section::Release => Some(Asked::Policies),
            _ => None,
        };
        if let Some(asked) = asked {
            must_stand_alone(session, place, section, asked).await?;
        }
    }
    let tables = &session.migrations[place].manifest().tables;
    rights::to_alter(&mut session.connection, tables).await?;
    let has_own_sql = session.migrations[place]
        .manifest()
        .steps_of(section, direction)
        .any(Step::is_own_sql);
    if direction == Direction::Up && !has_own_sql {
        rights::schemas_are_there(&mut session.connection, tables).await?;
    }
    let _watch = Watch::start(session, place, (section, direction)).await?;
    let outcome = executor::run(
        &mut session.connection,
        &session.migrations[place],
        section,
        direction,
        &options,
        &mut tell,
    )
    .await?;
    Ok(outcome)
}

/// What must not name what the version takes away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    All,
    /// What would let people see and write by a column that nobody writes any more.
    Policies,
}

/// Nothing names what the version takes away or gives another type from this section on, or its own steps drop that before: seen
/// before anything is executed.
async fn must_stand_alone(
    session: &mut Session,
    place: usize,
    section: Section,
    asked: Asked,
) -> Result<(), Failure> {
    let migration = &session.migrations[place];
    let unknown = dependents::undescribed(&mut session.connection, migration).await?;
    if !unknown.is_empty() {
        let folder = session.folder(place);
        return Err(Failure::gate(
            format!(
                "{folder} merges a table of which no version describes {}",
                unknown.join(", ")
            ),
            "its values would be gone with the table. Declare the column in the struct of the table in a version before (`cargo zdm \
             import` says which there are) and merge it with the others; or save the values and drop the column",
        )
        .safe("nothing of this section has been executed"));
    }
    let mut found = dependents::of(&mut session.connection, migration, section).await?;
    if asked == Asked::Policies {
        found.retain(|dependent| dependent.kind == "policy");
    }
    if found.is_empty() {
        return Ok(());
    }
    let folder = session.folder(place);
    let lines: Vec<String> = found
        .iter()
        .map(|dependent| {
            let way_on = dependent.way_on.as_ref();
            format!(
                "  {} names {} (zdm/raw/{}){}",
                dependent.called(),
                dependent.on,
                dependent.section.name(),
                way_on.map_or_else(String::new, |way| format!("; proposed: {way}"))
            )
        })
        .collect();
    Err(Failure::gate(
        format!("{folder} changes or takes away what others name:\n{}", lines.join("\n")),
        "recreate each around the change: put `DROP …` into before_NAME.up.sql in the folder behind it and the new `CREATE …` into \
         after_NAME.up.sql, each with its .down.sql, and run `cargo zdm generate --amend` if the version is not merged; or change \
         or drop them by hand before you run the command again, and make them anew after it",
    )
    .safe("nothing of this section has been executed"))
}

/// Has the database read the statements of the backfill, which stand for what deployed code will ask: an expression that
/// it does not understand would fail every read and write of the table.
pub(crate) async fn must_be_understood(session: &mut Session, place: usize) -> Result<(), Failure> {
    let migration = &session.migrations[place];
    let folder = migration.manifest().folder();
    for path in migration
        .manifest()
        .backfills
        .iter()
        .flat_map(Backfill::paths)
    {
        let sql = migration.file(path);
        if let Err(error) = session.connection.prepare_file(sql).await {
            return Err(Failure::environment(
                format!("this database does not understand {folder}/{path}: {error}"),
                "do not deploy code of this version. Create what is missing and run the command again; or \
                 `cargo zdm rollback`, mend the struct's `up` or `down`, and `cargo zdm generate --amend`",
            )
            .safe("what expand adds is in place, and no code names it; the version is not recorded as expanded"));
        }
    }
    Ok(())
}

/// The SQL that a run would execute, for `--dry-run`.
pub(crate) async fn preview(
    session: &mut Session,
    place: usize,
    section: Section,
    direction: Direction,
) -> Result<String, Failure> {
    let installed = session.is_installed();
    let migration = &session.migrations[place];
    let steps: Vec<&Step> = if installed {
        executor::pending(&mut session.connection, migration, section, direction).await?
    } else {
        migration.manifest().steps_of(section, direction).collect()
    };
    let mut text = String::new();
    for step in steps {
        if text.is_empty() {
            text = heading(session, place, &section_file(section, direction));
        }
        text.push_str(migration.sql(step));
    }
    Ok(text)
}

/// What stands above the SQL of a file in a preview.
pub(crate) fn heading(session: &Session, place: usize, file: &str) -> String {
    format!("-- {}/{file}\n", session.folder(place))
}

fn line(event: Event<'_>) -> Option<String> {
    match event {
        Event::AlreadyDone { .. } | Event::Started { .. } => None,
        Event::Waiting {
            step,
            patience,
            blockers,
        } => {
            let holders: Vec<_> = blockers.iter().map(ToString::to_string).collect();
            Some(format!(
                "  wait  {}: before it is tried, long transactions have to end ({} on {}), for {} s at most: {}",
                step.summary,
                step.lock,
                step.locked_tables(),
                patience.as_secs(),
                holders.join("; ")
            ))
        }
        Event::Retrying {
            step,
            attempt,
            pause,
            blockers,
            limited,
        } => {
            let holders: Vec<_> = blockers.iter().map(ToString::to_string).collect();
            Some(format!(
                "  wait  {}: try {attempt} did not get the lock ({} on {}){}; next try in {} ms{}",
                step.summary,
                step.lock,
                step.locked_tables(),
                if holders.is_empty() {
                    String::new()
                } else {
                    format!(", held by {}", holders.join("; "))
                },
                pause.as_millis(),
                limited
                    .map(|limited| format!("; {limited}"))
                    .unwrap_or_default()
            ))
        }
        Event::Done { step, duration, .. } => Some(format!(
            "  done  {} ({} ms)",
            step.summary,
            duration.as_millis()
        )),
    }
}

impl From<ExecutorError> for Failure {
    fn from(error: ExecutorError) -> Self {
        if let ExecutorError::Overtaken { .. } = error {
            return Self::gate(
                error,
                "run `cargo zdm status` to see where the migration stands, then the same command again",
            );
        }
        if let ExecutorError::Losses { .. } = error {
            return Self::usage(
                error,
                "if nobody needs that: `cargo zdm rollback` with `--drop-rows`; nothing brings it back but a backup",
            )
            .safe("nothing was lost; steps that were taken back before are recorded");
        }
        if let ExecutorError::Pooled { .. } = error {
            return Self::environment(error, DIRECTLY)
                .safe("none of these steps was begun; steps from before are recorded");
        }
        let next = match &error {
            ExecutorError::Outgrown {
                direction: Direction::Down,
                ..
            } => {
                "leave the version as it is, or undo this step by hand with a version that leads there in phases"
            }
            ExecutorError::Outgrown { .. } => {
                "generate the version again without `--direct`: `cargo zdm generate --amend`, or, once it is merged, take it back \
                 where it was expanded (`cargo zdm rollback --to absent`) and revert it"
            }
            ExecutorError::Slow { .. } => {
                "run it again at a quieter time, or with a greater `lock_timeout` ([policy] in zdm.toml)"
            }
            ExecutorError::Unseen { .. } => {
                "run it again at a quieter time, or with a greater `lock_timeout` ([policy] in zdm.toml); or, if nobody needs \
                 what is in there, with `--drop-rows`, which does not look"
            }
            // The gate before the section says it first, unless the undo began after it was looked at.
            ExecutorError::HalfUndone { .. } => {
                return Self::gate(
                    error,
                    "run `cargo zdm rollback`, which ends what was begun, then go forward again",
                );
            }
            ExecutorError::EditedAfterExecution { .. } | ExecutorError::WrongDialect { .. } => {
                "bring the versions' folder back to what was reviewed, then run the command again"
            }
            ExecutorError::Unfit { .. } => {
                "mend these rows and run the same command again: it continues after the last finished step"
            }
            _ => {
                "mend the cause and run the same command again: it continues after the last finished step"
            }
        };
        Self::environment(error, next).safe("finished steps are recorded and are not repeated")
    }
}

/// How many of a section's steps are in effect, as a whole or by half, or may be.
pub(crate) fn in_effect(facts: &Facts, section: Section) -> Result<i64, Failure> {
    Ok(steps(facts, section)?.to_undo())
}

/// The facts as they are once a section is taken back.
pub(crate) fn as_if_undone(mut facts: Facts, section: Section) -> Facts {
    if let Fact::Known(sections) = &mut facts.sections
        && let Some(steps) = sections.get_mut(&section)
    {
        *steps = Steps {
            planned: steps.planned,
            ..Steps::default()
        };
    }
    facts
}

/// Some of a section's steps are not in effect as a whole.
pub(crate) fn is_pending(facts: &Facts, section: Section) -> Result<bool, Failure> {
    let steps = steps(facts, section)?;
    Ok(steps.done - steps.half < steps.planned)
}

/// Some of a section's steps are taken back by half.
pub(crate) fn is_half_undone(facts: &Facts, section: Section) -> Result<bool, Failure> {
    Ok(steps(facts, section)?.half > 0)
}

/// Of that, something over which nothing leads forward.
pub(crate) fn is_stuck(facts: &Facts, section: Section) -> Result<bool, Failure> {
    Ok(steps(facts, section)?.stuck > 0)
}

fn steps(facts: &Facts, section: Section) -> Result<Steps, Failure> {
    let sections = known(&facts.sections)?;
    Ok(sections.get(&section).copied().unwrap_or_default())
}
