//! `quarantine list | fix | waive`: rows that could not be converted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use zdm_runtime::gates::{self, Side};
use zdm_runtime::key::Key;
use zdm_runtime::quarantine::{self, Entry, Fixed, QuarantineError, State};

use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::operate::gate;
use crate::operate::session::{Missing, Session, nothing_to_do};
use crate::terminal::Answer;

/// Rows that could not be converted: list them, convert them again, or do without them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm quarantine list
  cargo zdm quarantine fix users_age
  cargo zdm quarantine waive users_age --table users --key 42 --reason 'test account'")]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the rows with what is wrong with them
    #[command(after_help = "Example:\n  cargo zdm quarantine list users_age --format json")]
    List {
        /// Number, folder, name or id; default: the only one in transition
        migration: Option<String>,
    },
    /// Convert rows again, after their values were mended
    #[command(after_help = "Example:\n  cargo zdm quarantine fix users_age --table users --key 42")]
    Fix {
        /// Number, folder, name or id; default: the only one in transition
        migration: Option<String>,
        #[command(flatten)]
        row: Row,
    },
    /// Go on without rows that nobody will mend
    #[command(
        after_help = "Example:\n  cargo zdm quarantine waive users_age --reason 'imported junk, see ticket 17'"
    )]
    Waive {
        /// Number, folder, name or id; default: the only one in transition
        migration: Option<String>,
        #[command(flatten)]
        row: Row,
        /// Why nobody will miss them; it stands in the audit log
        #[arg(long)]
        reason: String,
    },
}

/// One row; default: all.
#[derive(Debug, clap::Args)]
struct Row {
    /// The row's table; default: all rows
    #[arg(long, requires = "key")]
    table: Option<String>,
    /// The row's key, once per key column
    #[arg(long, requires = "table", value_name = "VALUE")]
    key: Vec<String>,
    /// Show the rows that are meant, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Row {
    fn named(&self) -> Option<(&str, Key)> {
        let table = self.table.as_deref()?;
        Some((table, Key::of(self.key.iter().cloned())))
    }

    fn means(&self, entry: &Entry) -> bool {
        self.named()
            .is_none_or(|(table, key)| entry.table == table && entry.key == key)
    }
}

impl Quarantine {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        let migration = match &self.action {
            Action::List { migration }
            | Action::Fix { migration, .. }
            | Action::Waive { migration, .. } => migration.as_deref(),
        };
        let chosen = session
            .choose(migration, "quarantine", |position, _| {
                position.in_transition()
            })
            .await?;
        let Some(place) = chosen else {
            return nothing_to_do("look at");
        };
        session.must_be_installed()?;
        match self.action {
            Action::List { .. } => list(&mut session, place, |_| true).await,
            Action::Fix { row, .. } if row.dry_run => {
                let kept = |entry: &Entry| entry.state != State::Released && row.means(entry);
                list(&mut session, place, kept).await
            }
            Action::Waive { row, .. } if row.dry_run => {
                let waits = |entry: &Entry| entry.state == State::Waiting && row.means(entry);
                list(&mut session, place, waits).await
            }
            Action::Fix { row, .. } => {
                session
                    .claimed_to_fill(place, async |session, _| fix(session, place, &row).await)
                    .await
            }
            Action::Waive { row, reason, .. } => waive(&mut session, place, &row, &reason).await,
        }
    }
}

/// The values that are meant.
async fn list(
    session: &mut Session,
    place: usize,
    meant: impl Fn(&Entry) -> bool,
) -> Result<Answer, Failure> {
    let id = session.manifest(place).id.clone();
    let mut entries = quarantine::list(&mut session.connection, &id).await?;
    entries.retain(meant);
    let rows: Vec<_> = entries.iter().map(object).collect();
    let mut text = format!(
        "{}: {} values in quarantine",
        session.folder(place),
        rows.len()
    );
    for entry in &entries {
        let _ = write!(
            text,
            "\n  {}  {} ({})  {}: {} [{}]",
            entry.state.name(),
            entry.table,
            entry.key,
            entry.column,
            entry.error,
            entry.value_type
        );
    }
    let object = serde_json::json!({ "migration": session.folder(place), "id": id, "rows": rows });
    Answer::done(text, object)
}

/// Converts rows again; a row that was waived is tried, too, and stays waived where that fails.
async fn fix(session: &mut Session, place: usize, row: &Row) -> Result<Answer, Failure> {
    let facts = session.facts(place).await?;
    let what = format!("quarantine fix of {}", session.folder(place));
    gate::pass(&what, &gates::for_backfill(Side::New, &facts), &[])?;
    let id = session.manifest(place).id.clone();
    // By row, with whether one of its values waits.
    let mut rows: BTreeMap<(String, Key), bool> = BTreeMap::new();
    for entry in quarantine::list(&mut session.connection, &id).await? {
        if row.means(&entry) && entry.state != State::Released {
            *rows.entry((entry.table, entry.key)).or_default() |= entry.state == State::Waiting;
        }
    }
    if let Some((table, key)) = row.named() {
        rows.entry((table.to_owned(), key)).or_insert(true);
    }
    let (mut converted, mut gone, mut waived, mut still) = (0, 0, 0, Vec::new());
    for ((table, key), waits) in rows {
        let migration = &session.migrations[place];
        let (connection, actor) = (&mut session.connection, &session.actor);
        match quarantine::fix(connection, migration, &table, &key, actor).await? {
            Fixed::Converted => converted += 1,
            Fixed::Gone => gone += 1,
            Fixed::Still { .. } if !waits => waived += 1,
            Fixed::Still { error } => {
                still.push(
                    serde_json::json!({ "table": table, "key": key.to_string(), "error": error }),
                );
            }
        }
    }
    let mut text = format!(
        "{}: {converted} rows converted, {gone} were deleted meanwhile, {} still cannot be converted",
        session.folder(place),
        still.len()
    );
    if waived > 0 {
        let _ = write!(text, ", {waived} stay waived");
    }
    let kind = (!still.is_empty()).then_some(Kind::Findings);
    let object = serde_json::json!({
        "migration": session.folder(place), "id": id, "converted": converted, "gone": gone, "still": still,
        "waived": waived,
    });
    Answer::ending(kind, text, object)
}

async fn waive(
    session: &mut Session,
    place: usize,
    row: &Row,
    reason: &str,
) -> Result<Answer, Failure> {
    session.upgrade().await?;
    let named = row.named();
    let named = named.as_ref().map(|(table, key)| (*table, key));
    let migration = &session.migrations[place];
    let waived = quarantine::waive(
        &mut session.connection,
        migration,
        named,
        &session.actor,
        reason,
    )
    .await?;
    let object = serde_json::json!({ "migration": session.folder(place), "waived": waived });
    Answer::done(
        format!("{}: {waived} values waived", session.folder(place)),
        object,
    )
}

fn object(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "table": entry.table, "key": entry.key.to_string(), "column": entry.column,
        "error": entry.error, "value_type": entry.value_type, "state": entry.state.name(),
    })
}

impl From<QuarantineError> for Failure {
    fn from(error: QuarantineError) -> Self {
        match error {
            QuarantineError::Database(error) => error.into(),
            other => Self::usage(other, "see `cargo zdm quarantine list`"),
        }
    }
}
