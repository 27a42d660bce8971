//! What can go wrong for an application: each message says what happened, what is safe, and what to do.

use std::sync::Arc;

use crate::Stage;
use crate::database::DatabaseError;

/// An error of generated code and of the handle it stands on. Cheap to clone.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A statement failed; [`Error::sqlx`] gives the cause.
    #[error("{0}")]
    Database(#[source] Arc<sqlx::Error>),

    /// The database has no control tables.
    #[error(
        "this database has no control tables, so nothing says which columns may be written; nothing was changed: \
         run `cargo zdm expand` against it, then start again"
    )]
    NoControlTables,

    /// A pooler gives each transaction another session at the server, and does not follow prepared statements there.
    #[error(
        "the connections of this pool go through a pooler that gives each transaction another session at the server and does not \
         follow prepared statements there: a statement would not be found, or be another client's of the same name; nothing was \
         changed: set `max_prepared_statements` (PgBouncer 1.21 or newer), or `pool_mode = session`, or connect to the server itself; \
         `statement-cache-capacity=0` does not help, since sqlx names its statements all the same"
    )]
    StatementsLost,

    /// The control tables were upgraded beyond what this library can read.
    #[error(
        "the control tables (version {version}) ask for zdm-runtime of generation {least} or newer, this one is of generation \
         {ours}; nothing was changed: update the dependency zdm-runtime and deploy"
    )]
    ControlTooNew {
        /// Version of the control tables.
        version: i64,
        /// Least generation of the runtime that reads them.
        least: i64,
        /// Generation of this runtime.
        ours: i64,
    },

    /// The schema of the control tables is where unqualified names are looked up.
    #[error(
        "the search_path of this connection holds the schema zdm, which a role called zdm has by default: your tables would be \
         created among the control tables, and one of yours called `stage` or `audit` would be taken for theirs; nothing was \
         changed: use another role, or run `ALTER ROLE zdm SET search_path = public`"
    )]
    ControlInSearchPath,

    /// The role of the application may not use the control tables.
    #[error(
        "the role of this connection may not use the control tables ({cause}); nothing was changed: let their owner run\n{grants}"
    )]
    NotGranted {
        /// What the database said.
        cause: Arc<sqlx::Error>,
        /// The statements that give the right.
        grants: String,
    },

    /// The pool leads to a database that cannot be written: a replica.
    #[error(
        "the pool given to `Zdm::connect` leads to a database that takes no writes ({cause}), a replica for example, and an instance says there \
         that it lives; nothing was changed: connect with the primary's pool; the repositories then read on connections to replicas too"
    )]
    ReadOnly {
        /// What the database said.
        cause: Arc<sqlx::Error>,
    },

    /// The function that fills a column gives no value for a row that has none yet.
    #[error(
        "table `{table}`: `{column}` has no value in a row yet, and the function that gives it one cannot: {reason}; nothing was \
         changed: mend what the function takes, or write a value of `{column}`"
    )]
    NotComputed {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What the function said.
        reason: String,
    },

    /// The code needs a migration that this database has not seen.
    #[error(
        "table `{table}`: {what}; this code cannot write it, nothing was changed: run `cargo zdm expand` against this \
         database before the code is rolled out"
    )]
    NotExpanded {
        /// The table.
        table: String,
        /// What is missing.
        what: String,
    },

    /// A migration that this code does not know has gone beyond `off`.
    #[error(
        "table `{table}`: migration {migration} is at `{stage}` and this code was generated before it existed; it may neither \
         read nor write the table any more, nothing was changed: deploy code that knows the migration, or take the migration \
         back with `cargo zdm rollback`"
    )]
    CodeTooOld {
        /// The table.
        table: String,
        /// The migration's id.
        migration: String,
        /// Where it stands.
        stage: Stage,
    },

    /// This code has given up the old side of a migration that is not complete.
    #[error(
        "table `{table}`: this code names only the new side of migration {migration}, which is at `{stage}` and not \
         `complete`; writes would leave the old side behind, so they are refused and nothing was changed: deploy the code from \
         before `cargo zdm finalize`, or bring the migration to `complete` with `cargo zdm advance`"
    )]
    CodeTooNew {
        /// The table.
        table: String,
        /// The migration's id.
        migration: String,
        /// Where it stands.
        stage: Stage,
    },

    /// This code names the old side of a migration that was contracted, or is being so.
    #[error(
        "table `{table}`: this code still names the old side of migration {migration} (`{name}`), which contract has dropped here, \
         or is about to; it may neither read nor write the table, nothing was changed: deploy the code from after \
         `cargo zdm finalize`"
    )]
    Contracted {
        /// The table.
        table: String,
        /// The migration's id.
        migration: String,
        /// Its name.
        name: String,
    },

    /// A migration has begun before an earlier one of the same table is complete.
    #[error(
        "table `{table}`: migration {second} is at `{second_stage}` although {first}, which came before it on the table, is at \
         `{first_stage}` and not `complete`; no statement of this code fits that, nothing was changed: `cargo zdm status` shows \
         both, take {second} back to `off` with `cargo zdm rollback`"
    )]
    OutOfTurn {
        /// The table.
        table: String,
        /// The earlier migration's id.
        first: String,
        /// Where it stands.
        first_stage: Stage,
        /// The later migration's id.
        second: String,
        /// Where it stands.
        second_stage: Stage,
    },

    /// A control table holds what this library cannot read.
    #[error(
        "the control tables hold {what}, which this zdm-runtime cannot read; nothing was changed: update the dependency \
         zdm-runtime and deploy"
    )]
    Unreadable {
        /// The odd value.
        what: String,
    },

    /// A write to a column with a one-way conversion gave an old and a new value that do not belong together.
    #[error(
        "table `{table}`: the values given for `{old}` and `{new}` do not agree: the conversion of the first is not the second; \
         the row would read differently before and after the migration, so nothing was written: compute `{new}` from `{old}` as \
         the conversion does ({up})"
    )]
    SidesDisagree {
        /// The table.
        table: &'static str,
        /// The old columns.
        old: &'static str,
        /// The new column.
        new: &'static str,
        /// From old to new, as it is declared.
        up: &'static str,
    },

    /// A row of a table that is being split off has no row to stand beside, or has one of its own already.
    #[error(
        "table `{table}`: the row was not inserted: `{main}`, whose columns it takes over, has no row with its key, or that row has \
         these columns already; nothing was written: insert the row of `{main}` first, and use `update` or `upsert` for a row \
         that is there"
    )]
    NoPlace {
        /// The new table.
        table: &'static str,
        /// The table that its columns come out of.
        main: &'static str,
    },

    /// A row was to be written as it was read, and has been written meanwhile.
    #[error(
        "table `{table}`: the row has been written since it was read, so nothing was written now: read it again and apply the change \
         to what it has become"
    )]
    Overtaken {
        /// The table.
        table: &'static str,
    },

    /// What was given to `Zdm::connect_as` is no name.
    #[error(
        "{name:?} is no name of an instance; nothing was changed: give `Zdm::connect_as` one line of 1 to 255 bytes that stays the same \
         over restarts, such as `web-1`"
    )]
    NoName {
        /// What was given.
        name: String,
    },

    /// A repository was asked for a table that is not in the code given to `Zdm::connect`.
    #[error(
        "the code given to `Zdm::connect` has no table `{table}`: pass the `CODE` of the generated module that the repository \
         belongs to"
    )]
    UnknownTable {
        /// The table.
        table: String,
    },
}

impl Error {
    /// The driver's error, where a statement failed.
    pub fn sqlx(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Database(error)
            | Self::NotGranted { cause: error, .. }
            | Self::ReadOnly { cause: error } => Some(error),
            _ => None,
        }
    }

    /// diesel's error, where a statement failed that went through diesel-async; [`Error::sqlx`] gives it in another dress.
    #[cfg(feature = "diesel-async")]
    pub fn diesel(&self) -> Option<&diesel::result::Error> {
        self.sqlx().and_then(crate::diesel_async::of)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        match error.into_sqlx() {
            Ok(error) => error.into(),
            Err(no_driver) => sqlx::Error::Configuration(Box::new(no_driver)).into(),
        }
    }
}
