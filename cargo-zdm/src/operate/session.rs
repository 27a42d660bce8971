//! One command's work on one database: the connection, the versions, who acts.
//!
//! Comes in: the context. Goes out: [`Session`].
//! Must not know: what the command does with it.

use std::fmt::Display;
use std::path::Path;

use camino::Utf8Path;
use zdm_runtime::audit;
use zdm_runtime::database::control::{self, Installed};
use zdm_runtime::database::{Connection, DatabaseError};
use zdm_runtime::facts::{self, Facts};
use zdm_runtime::history::{self, Recorded};
use zdm_runtime::manifest::{Manifest, Route};
use zdm_runtime::migration::Migration;
use zdm_runtime::operator::Lease;

use super::position::Position;
use super::rights;
use super::url::{kind_of, must_exist};
use crate::choose;
use crate::config::Policy;
use crate::context::{Context, shown_url};
use crate::error::Failure;
use crate::terminal::{Answer, Terminal};
use crate::versions::{CodeStates, History, State};

/// Asks the application's sources whether production code names what the version of this id takes away.
pub(crate) type NamesOld = Box<dyn Fn(&str) -> Result<(), Failure> + Send + Sync>;

/// An open database beside the versions that the repository holds for it.
pub(crate) struct Session {
    /// The connection that control tables and statements go through.
    pub(crate) connection: Connection,
    /// All versions in their order, files checked.
    pub(crate) migrations: Vec<Migration>,
    /// `[policy]`
    pub(crate) policy: Policy,
    /// For the audit log and the operator's lease.
    pub(crate) actor: String,
    /// The claim on the migration that is moved, while it is.
    pub(crate) leases: Vec<Lease>,
    /// Nobody named the migrations to be moved: what was rolled back stays where it is.
    pub(crate) by_itself: bool,
    /// Where the sources are at hand: in a checkout, not in a production image.
    pub(crate) names_old: Option<NamesOld>,
    /// Where words go.
    pub(crate) terminal: Terminal,
    code_states: CodeStates,
    /// The control tables are there.
    installed: bool,
    /// Their version, where it is older than this tool's.
    older: Option<i64>,
    url: String,
}

/// What a command may find missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The database has to be there.
    Nothing,
    /// The file of `SQLite` may be missing, and is not created.
    File,
    /// It may be missing, and is created.
    NewFile,
}

impl Session {
    /// Reads the versions, then connects.
    pub(crate) async fn open(context: &Context, may_miss: Missing) -> Result<Self, Failure> {
        let project = context.project()?;
        let history = unbroken(&project.versions())?;
        let migrations = Migration::load_all(project.versions())?;
        let url = context.database_url(&project.config)?;
        fits(&url, &migrations)?;
        let mut connection = match (must_exist(&url), may_miss) {
            (Ok(()), _) | (Err(_), Missing::NewFile) => connect(&url).await?,
            // Looked at only: what would be executed on a new file.
            (Err(_), Missing::File) => connect("sqlite::memory:").await?,
            (Err(missing), Missing::Nothing) => return Err(missing),
        };
        rights::to_look(&mut connection).await?;
        let found = control::installed_version(&mut connection).await?;
        let actor = audit::name_of(&mut connection, &context.actor()).await?;
        let mut session = Self {
            connection,
            migrations,
            policy: project.config.policy,
            actor,
            leases: Vec::new(),
            by_itself: false,
            names_old: None,
            terminal: context.terminal,
            code_states: history.code().clone(),
            installed: found != Installed::Not,
            older: match found {
                Installed::Outdated(version) => Some(version),
                Installed::Not | Installed::Ready => None,
            },
            url,
        };
        session.recorded().await?;
        Ok(session)
    }

    /// Where further connections go; not to be printed.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The version of the control tables, where an older tool has made them.
    pub(crate) fn older_control_tables(&self) -> Option<i64> {
        self.older
    }

    /// Adds to older control tables what this tool writes. No version of the folder is executed for that.
    pub(crate) async fn upgrade(&mut self) -> Result<(), Failure> {
        let Some(version) = self.older else {
            return Ok(());
        };
        rights::to_upgrade(&mut self.connection, version).await?;
        control::install(&mut self.connection).await?;
        self.older = None;
        self.terminal.say(&format!(
            "the control tables were of version {version} and are of version {} now; running applications go on",
            control::VERSION
        ));
        Ok(())
    }

    /// Creates the control tables where they are missing, or adds what they lack.
    pub(crate) async fn install(&mut self) -> Result<(), Failure> {
        self.upgrade().await?;
        rights::to_install(&mut self.connection).await?;
        control::install(&mut self.connection).await?;
        self.installed = true;
        Ok(())
    }

    /// The versions on record. A database ahead of the folder, or one that executed other SQL, stops every command.
    pub(crate) async fn recorded(&mut self) -> Result<Vec<Recorded>, Failure> {
        if !self.installed {
            return Ok(Vec::new());
        }
        let recorded = history::list(&mut self.connection).await?;
        for version in &recorded {
            let known = self
                .migrations
                .iter()
                .find(|migration| migration.id() == version.migration);
            let (problem, next) = match known {
                // Taken back: nothing of it is left in the database.
                None if !version.expanded => continue,
                None => (
                    "is in this database and not in the versions' folder: the database is ahead of this checkout",
                    "use a checkout that has it; if it is another crate's, give each crate a database of its own: one database holds one \
                     history; or, if it was expanded by mistake, `cargo zdm rollback` from the checkout that has it",
                ),
                Some(migration)
                    if version.expanded && migration.content_hash() != version.content_hash =>
                {
                    (
                        "was executed in this database with other SQL than the folder holds now",
                        "restore the reviewed files from version control; a change belongs into a new version",
                    )
                }
                Some(_) => continue,
            };
            return Err(Failure::environment(
                format!(
                    "{:04}_{} ({}) {problem}",
                    version.version, version.name, version.migration
                ),
                next,
            )
            .safe("nothing was executed"));
        }
        Ok(recorded)
    }

    /// Whether the control tables are there.
    pub(crate) fn is_installed(&self) -> bool {
        self.installed
    }

    /// Refuses where the database has no record of any migration.
    pub(crate) fn must_be_installed(&self) -> Result<(), Failure> {
        if self.installed {
            return Ok(());
        }
        Err(Failure::usage(
            "this database has no control tables yet",
            "run `cargo zdm expand` first",
        ))
    }

    /// What the repository's code is about a migration.
    pub(crate) fn code_state(&self, place: usize) -> Option<State> {
        self.code_states.of(self.migrations[place].id())
    }

    /// A version's plan.
    pub(crate) fn manifest(&self, place: usize) -> &Manifest {
        self.migrations[place].manifest()
    }

    /// A version's folder, by which messages call it.
    pub(crate) fn folder(&self, place: usize) -> String {
        self.manifest(place).folder()
    }

    /// The migration that an argument means.
    pub(crate) fn named(&self, argument: &str) -> Result<usize, Failure> {
        choose::named(&self.manifests(), argument)
    }

    /// The migration that is meant: the named one, else the only one that can take `step`, else the only one in
    /// transition. `None`: there is nothing to do it to.
    pub(crate) async fn choose(
        &mut self,
        argument: Option<&str>,
        step: &str,
        fits: impl Fn(Position, Route) -> bool,
    ) -> Result<Option<usize>, Failure> {
        if let Some(argument) = argument {
            return self.named(argument).map(Some);
        }
        let (mut candidates, mut moving) = (Vec::new(), Vec::new());
        for place in 0..self.migrations.len() {
            let position = self.position(place).await?;
            if fits(position, self.manifest(place).route) {
                candidates.push(place);
            }
            if position.in_transition() {
                moving.push(place);
            }
        }
        let manifests = self.manifests();
        match choose::only(&manifests, &candidates, step)? {
            Some(place) => Ok(Some(place)),
            None => choose::only(&manifests, &moving, step),
        }
    }

    /// The database answers nothing any more on this connection.
    pub(crate) async fn is_cut_off(&mut self) -> bool {
        self.connection.query("SELECT 1", &[]).await.is_err()
    }

    /// What the control tables hold about a migration.
    pub(crate) async fn facts(&mut self, place: usize) -> Result<Facts, Failure> {
        let manifest = self.migrations[place].manifest();
        Ok(facts::collect(&mut self.connection, manifest).await?)
    }

    /// Where a migration stands.
    pub(crate) async fn position(&mut self, place: usize) -> Result<Position, Failure> {
        if !self.installed {
            return Ok(Position::Absent);
        }
        Position::of(&self.facts(place).await?)
    }

    fn manifests(&self) -> Vec<&Manifest> {
        self.migrations.iter().map(Migration::manifest).collect()
    }
}

pub(crate) async fn connect(url: &str) -> Result<Connection, Failure> {
    Connection::open(url)
        .await
        .map_err(|error| unconnected(url, error))
}

/// Connects to look at rows of a database of the kind that SQL is written for; nothing is created or changed.
pub(crate) async fn connect_to_read(url: &str, dialect: &str) -> Result<Connection, Failure> {
    let found = kind_of(url)?;
    if found.name() != dialect {
        return Err(Failure::usage(
            format!("SQL is written for {dialect}, the database is {found}"),
            format!("give the URL of a {dialect} database"),
        ));
    }
    must_exist(url)?;
    Connection::open_to_read(url)
        .await
        .map_err(|error| unconnected(url, error))
}

fn unconnected(url: &str, error: DatabaseError) -> Failure {
    match error {
        DatabaseError::NoDriver { .. } => {
            Failure::environment(error, "nothing has been changed; install the driver and run the command again")
        }
        _ => Failure::environment(
            format!("cannot connect to {}: {error}", shown_url(url)),
            "check that the server runs and that --database-url or the variable named in zdm.toml is right; nothing has been changed",
        )
        .without(url, &shown_url(url)),
    }
}

/// The versions as `zdm.sum` chains them: none edited, taken out, put in or forked.
fn unbroken(versions: &Path) -> Result<History, Failure> {
    let refused = |problem: &dyn Display| {
        Failure::environment(
            problem,
            "bring the versions' folder back to what was reviewed and merged, then run the command again",
        )
        .safe("nothing has been executed")
    };
    let folder = Utf8Path::from_path(versions)
        .ok_or_else(|| refused(&format!("{} is not UTF-8", versions.display())))?;
    History::open(folder).map_err(|error| refused(&error))
}

/// The versions' SQL is written for one kind of database.
fn fits(url: &str, migrations: &[Migration]) -> Result<(), Failure> {
    let dialect = kind_of(url)?;
    match migrations
        .iter()
        .find(|migration| migration.manifest().dialect != dialect.name())
    {
        Some(other) => Err(Failure::usage(
            format!(
                "{} is written for {}, the database is {dialect}",
                other.manifest().folder(),
                other.manifest().dialect
            ),
            format!("give the URL of a {} database", other.manifest().dialect),
        )),
        None => Ok(()),
    }
}

impl From<zdm_runtime::Error> for Failure {
    fn from(error: zdm_runtime::Error) -> Self {
        Self::environment(
            error,
            "see `cargo zdm status` for where the migration stands; the same command continues there",
        )
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        let next = match &error {
            DatabaseError::Forbidden(_) => {
                "grant the role that right, or use the role that owns the tables, then run the command again"
            }
            DatabaseError::Busy(_) if error.is_locked_file() => {
                "another process keeps the write lock of the file, longer than this command waits: end what it does (`lsof` on \
                 the file names it), then run the same command again: it continues where it stopped"
            }
            DatabaseError::Busy(_) => "run the same command again: it continues where it stopped",
            DatabaseError::Lost(_) => {
                "check the server, then run the same command again: it continues where it stopped"
            }
            _ => {
                "see `cargo zdm status` for where the migration stands; the same command continues there"
            }
        };
        Self::environment(format!("the database refused: {error}"), next)
            .safe("every finished step is recorded, an unfinished transaction was rolled back")
    }
}

/// For a command without a name where no migration is under way.
pub(crate) fn nothing_to_do(step: &str) -> Result<Answer, Failure> {
    Answer::done(
        format!("nothing to {step}: no migration is in transition"),
        serde_json::json!({ "done": true, "migration": null }),
    )
}
