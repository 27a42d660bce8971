//! Where every migration stands, and what stands before its next step.

use std::fmt::Write as _;

use serde::Serialize;
use zdm_runtime::caught::{self, Caught};
use zdm_runtime::database::control;
use zdm_runtime::facts::Facts;
use zdm_runtime::fleet::Member;
use zdm_runtime::gates::{self, Gate, PAST_RETURN};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::Section;
use zdm_runtime::{By, CodeState, Share, Stage};

use super::compared::{self, Compared};
use super::kept::Kept;
use super::metrics;
use super::pace::{self, Pace};
use crate::error::{Failure, ShownGate};
use crate::operate::gate;
use crate::operate::moves::{contract, switch};
use crate::operate::position::{Move, Position, WayBack, known, percent};
use crate::operate::readers;
use crate::operate::session::Session;
use crate::operate::target::Target;
use crate::terminal::Answer;

#[derive(Debug, Serialize)]
struct Status {
    migration: String,
    id: String,
    route: Route,
    stage: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reads_basis_points: Option<u32>,
    /// What that share is counted by.
    #[serde(skip_serializing_if = "Option::is_none")]
    reads_by: Option<&'static str>,
    done: bool,
    #[serde(flatten)]
    kept: Kept,
    #[serde(skip_serializing_if = "Option::is_none")]
    expand: Option<Begun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Where nothing leads back below `dual_write`: that this comes next, or that it is behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_return: Option<&'static str>,
    gates: Vec<ShownGate>,
    instances: Vec<Instance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backfill: Option<Pace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<Quarantine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<Compared>,
    /// What was written to one side alone, where triggers complete it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    caught: Vec<Caught>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    approvals: Vec<Approval>,
}

#[derive(Debug, Serialize)]
struct Approval {
    actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_role: Option<String>,
    note: String,
    counts: bool,
}

#[derive(Debug, Serialize)]
struct Instance {
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    living: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    behind: i64,
    /// Where readers are shared out by instance, and it knows the share: the side that it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    reads: Option<&'static str>,
    /// What holds its readers back at `live`, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Begun {
    pub(super) steps_done: i64,
    pub(super) steps: i64,
}

#[derive(Debug, Serialize)]
struct Quarantine {
    waiting: i64,
    waived: i64,
}

/// All migrations, or one.
pub(crate) async fn answer(session: &mut Session, only: Option<usize>) -> Result<Answer, Failure> {
    let mut all = Vec::new();
    for place in 0..session.migrations.len() {
        if only.is_none_or(|wanted| wanted == place) {
            all.push(one(session, place).await?);
        }
    }
    let mut text = if all.is_empty() {
        "there is no version yet: change a model and run `cargo zdm generate`".to_owned()
    } else {
        all.iter().map(Status::text).collect()
    };
    let mut object = serde_json::json!({ "migrations": all });
    if let Some(version) = session.older_control_tables() {
        let needed = control::VERSION;
        text.insert_str(
            0,
            &format!(
                "the control tables are of version {version}, from an older tool: the next command that moves a migration \
                 brings them to version {needed}\n"
            ),
        );
        object["control_tables"] = serde_json::json!({ "version": version, "needed": needed });
    }
    Answer::done(text, object)
}

/// What programs are told, for Prometheus.
pub(crate) fn as_metrics(answer: Answer) -> Result<Answer, Failure> {
    Answer::done(metrics::of_status(&answer.object), answer.object)
}

async fn one(session: &mut Session, place: usize) -> Result<Status, Failure> {
    let manifest = session.manifest(place);
    let mut status = Status {
        migration: manifest.folder(),
        id: manifest.id.clone(),
        route: manifest.route,
        stage: Position::Absent.name(),
        reads_basis_points: None,
        reads_by: None,
        done: false,
        kept: Kept::default(),
        expand: None,
        next: Some(Move::Expand.describe(manifest)),
        no_return: None,
        gates: Vec::new(),
        instances: Vec::new(),
        backfill: None,
        quarantine: None,
        verification: None,
        caught: Vec::new(),
        approvals: Vec::new(),
    };
    if !session.is_installed() {
        return Ok(status);
    }
    let facts = session.facts(place).await?;
    let position = Position::of(&facts)?;
    let next = position.next(status.route);
    status.stage = position.name();
    status.done = next.is_none();
    status.next = next.map(|next| next.describe(session.manifest(place)));
    let keeping = known(&facts.sections)?.get(&Section::Keep).copied();
    status.kept = Kept::of(
        position,
        session.manifest(place),
        keeping.unwrap_or_default(),
    );
    if status.kept.is_brought_back() {
        status.next = Some("bring old back, which has begun".to_owned());
    }
    if let Position::Kept(_) | Position::Dropping(..) = position {
        status.approvals = approvals(&facts)?;
    }
    if let Position::Begun(steps_done, steps) = position {
        status.expand = Some(Begun { steps_done, steps });
    }
    if let Position::At(stage, share) = position {
        let share = match stage {
            Stage::Live => share,
            stage => Target::at(stage).share,
        };
        status.reads_basis_points = Some(share.basis_points());
        status.reads_by = Some(share.by().name());
        status.quarantine = Some(quarantine(&facts)?);
        status.approvals = approvals(&facts)?;
        status.verification = compared::last(session, place).await?;
    }
    status.no_return = no_return(position, &facts);
    let manifest = session.manifest(place).clone();
    status.caught = caught::of(&mut session.connection, &manifest).await?;
    if let Some(next) = next {
        let mut gates = match next {
            Move::Expand => session.gates_of_expand(place).await?,
            next => gates_of(session, place, &facts, position, next)?,
        };
        let held = gates::for_advance(&facts);
        gates.extend(held.into_iter().filter(|gate| !gate.open));
        status.gates = gate::show_all(&gates);
        status.instances = instances(&facts, position)?;
    }
    if position == Position::At(Stage::DualWrite, Share::NONE) {
        status.backfill = pace::measure(session, place).await?;
    }
    Ok(status)
}

fn no_return(position: Position, facts: &Facts) -> Option<&'static str> {
    match position {
        Position::At(Stage::Off, _) => gates::no_return(Stage::DualWrite, facts),
        Position::At(..) | Position::Kept(_) => {
            let one_way = facts.route == Route::FivePhases && !facts.reversible;
            one_way.then_some(PAST_RETURN)
        }
        Position::Dropping(..) => match position.way_back(facts.route, facts.reversible) {
            WayBack::Gone(reason) => Some(reason),
            _ => None,
        },
        _ => None,
    }
}

/// What stands before a move.
fn gates_of(
    session: &Session,
    place: usize,
    facts: &Facts,
    position: Position,
    next: Move,
) -> Result<Vec<Gate>, Failure> {
    let target = match next {
        Move::Expand => return Ok(Vec::new()),
        Move::Contract | Move::DropKept => {
            return contract::gates_of(session, place, facts, contract::Window::Lasts);
        }
        Move::DualWrite => Target::at(Stage::DualWrite),
        Move::Shadow => Target::at(Stage::Shadow),
        Move::Live { above } => {
            let by = position.counted_by(session.policy.ramp_by);
            Target::live(Share::of(above + 1, by))
        }
        Move::RampDown => Target::at(Stage::RampDown),
        Move::Complete => Target::at(Stage::Complete),
    };
    switch::gates_of(session, facts, position, target)
}

fn instances(facts: &Facts, position: Position) -> Result<Vec<Instance>, Failure> {
    let share = match position {
        Position::At(Stage::Live, share) if share.by() == By::Instance => Some(share),
        _ => None,
    };
    let reads = |member: &Member| {
        let share = share.filter(|_| member.behind == 0)?;
        let reads_new = readers::reads_new(member, share, &facts.migration);
        Some(if reads_new { "new" } else { "old" })
    };
    Ok(known(&facts.instances)?
        .iter()
        .map(|member| Instance {
            label: member.label.clone(),
            name: member.name.clone(),
            living: member.living,
            code: member.code.map(CodeState::name),
            behind: member.behind,
            reads: reads(member),
            held: member.held.clone(),
        })
        .collect())
}

fn quarantine(facts: &Facts) -> Result<Quarantine, Failure> {
    let found = known(&facts.quarantine)?;
    Ok(Quarantine {
        waiting: found.waiting,
        waived: found.waived,
    })
}

fn approvals(facts: &Facts) -> Result<Vec<Approval>, Failure> {
    let approvals = known(&facts.approvals)?.iter();
    let shown = approvals.map(|approval| Approval {
        actor: approval.actor.clone(),
        database_role: approval.database_role.clone(),
        note: approval.note.clone(),
        counts: approval.counts(),
    });
    Ok(shown.collect())
}

impl Approval {
    fn line(&self) -> String {
        let mut line = format!("  approved by {}", self.actor);
        if let Some(role) = &self.database_role {
            let _ = write!(line, " (role {role})");
        }
        if !self.note.is_empty() {
            let _ = write!(line, ": {}", self.note);
        }
        if !self.counts {
            line.push_str("; it does not count any more");
        }
        line.push('\n');
        line
    }
}

impl Status {
    fn text(&self) -> String {
        let mut text = format!("{}: {}", self.migration, self.stage);
        if let Some(share) = self.reads_basis_points {
            let counted = match self.reads_by {
                Some("instance") => "instances read new",
                _ => "reads on new",
            };
            let _ = write!(text, ", {} of {counted}", share_of(share));
        }
        text.push('\n');
        text.push_str(&self.kept.lines());
        if let Some(Begun { steps_done, steps }) = self.expand {
            let _ = writeln!(
                text,
                "  expand: {steps_done} of {steps} steps done; `cargo zdm expand` goes on, `cargo zdm rollback` takes them back"
            );
        }
        for instance in &self.instances {
            let life = if instance.living { "living" } else { "silent" };
            let code = instance.code.unwrap_or("from before");
            let behind = match instance.behind {
                0 => "up to date",
                _ => "has not acknowledged the last hop",
            };
            let _ = write!(
                text,
                "  instance {}: {life}, code {code}, {behind}",
                instance.label
            );
            if let Some(side) = instance.reads {
                let _ = write!(text, ", reads {side}");
            }
            if let Some(held) = &instance.held {
                let _ = write!(text, ", held back: {held}");
            }
            text.push('\n');
        }
        if let Some(pace) = &self.backfill {
            let _ = write!(
                text,
                "  backfill: {} of about {} rows",
                pace.rows, pace.total
            );
            if let Some(pass) = pace.pass {
                let _ = write!(text, ", pass {pass}");
            }
            if let Some(rate) = pace.rows_per_second {
                let _ = write!(text, ", {rate:.0} rows/s");
            }
            if let Some(left) = pace.seconds_left {
                let _ = write!(text, ", about {left:.0} s left");
            }
            if let Some(reason) = &pace.throttle {
                let _ = write!(text, "; slower: {reason}");
            }
            text.push('\n');
        }
        if let Some(Quarantine { waiting, waived }) = self.quarantine
            && waiting + waived > 0
        {
            let _ = writeln!(text, "  quarantine: {waiting} values wait, {waived} waived");
        }
        if let Some(compared) = &self.verification {
            text.push_str(&compared.line());
        }
        text.extend(super::caught_lines(&self.caught));
        text.extend(self.approvals.iter().map(Approval::line));
        match &self.next {
            Some(next) => {
                let _ = writeln!(text, "  next: {next}");
            }
            None => text.push_str("  done\n"),
        }
        if let Some(no_return) = self.no_return {
            let _ = writeln!(text, "  {no_return}");
        }
        text.push_str(&gate::lines(&self.gates));
        text
    }
}

fn share_of(basis_points: u32) -> String {
    match basis_points {
        0 => "none".to_owned(),
        share => percent(share),
    }
}
