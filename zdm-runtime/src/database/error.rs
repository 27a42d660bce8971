//! What a database refused.
//!
//! Comes in: the driver's error. Goes out: [`DatabaseError`]. Must not know: what was asked.

#[cfg(feature = "operate")]
use super::Value;

/// What a database refused, as far as the runtime has to tell the cases apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// A row's value, a constraint, or a function or trigger that refuses the row: the same statement on the same row fails
    /// again, and others may not.
    #[error("{}", told(.0))]
    Data(#[source] sqlx::Error),
    /// A lock was not to be had in time, a deadlock, a serialization failure, `SQLITE_BUSY`: try again.
    #[error("{}", told(.0))]
    Busy(#[source] sqlx::Error),
    /// The role lacks a right (SQLSTATE 42501, a read-only file).
    #[error("{}", told(.0))]
    Forbidden(#[source] sqlx::Error),
    /// The connection is gone.
    #[error("{}", told(.0))]
    Lost(#[source] sqlx::Error),
    /// Everything else.
    #[error("{}", told(.0))]
    Other(#[source] sqlx::Error),
    /// An answer of another shape than the statement promises.
    #[error("the answer to the question {question} has an unexpected shape: {answer}")]
    Unexpected {
        /// What was asked.
        question: String,
        /// What came back.
        answer: String,
    },
    /// A row is not found by the text of its own key.
    #[error(
        "the row of {table} with the key ({key}) is not found by that text: the type of the key does not keep it, so rows \
         would be skipped. Nothing is counted as done; give the key a type whose text is exact, such as an integer, a text \
         or a UUID"
    )]
    InexactKey {
        /// The table.
        table: String,
        /// The key's text.
        key: String,
    },
    /// The URL's scheme names a database that this build has no driver for.
    #[error("this build has no driver for `{scheme}`: install it with `--features {feature}`")]
    NoDriver {
        /// Scheme of the URL.
        scheme: String,
        /// The feature that brings the driver.
        feature: String,
    },
}

/// The database's own words with its detail and hint, which name the value or the way on. The driver adds a line number,
/// which is one of `PostgreSQL`'s source.
fn told(error: &sqlx::Error) -> String {
    let Some(database) = error.as_database_error() else {
        return error.to_string();
    };
    let words = match database.code() {
        Some(code) => format!("{} (code {code})", database.message()),
        None => database.message().to_owned(),
    };
    #[cfg(feature = "postgres")]
    if let Some(database) = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        let more = [database.detail(), database.hint()].into_iter().flatten();
        let all = std::iter::once(words.as_str()).chain(more);
        let all: Vec<&str> = all.map(|words| words.trim_end_matches('.')).collect();
        return all.join(". ");
    }
    words
}

impl DatabaseError {
    /// An answer of another shape than the statement promises.
    #[cfg(feature = "operate")]
    pub(crate) fn unexpected(question: &str, answer: &[Value]) -> Self {
        Self::Unexpected {
            question: question.to_owned(),
            answer: format!("{answer:?}"),
        }
    }

    /// A deadline or an administrator ended the statement (`PostgreSQL`'s `query_canceled`, `SQLITE_INTERRUPT`).
    pub fn is_cancelled(&self) -> bool {
        let Self::Other(sqlx::Error::Database(error)) = self else {
            return false;
        };
        matches!(error.code().as_deref(), Some("57014" | "9"))
    }

    /// Somebody else has kept `SQLite`'s only write lock for too long.
    pub fn is_locked_file(&self) -> bool {
        let Self::Busy(sqlx::Error::Database(error)) = self else {
            return false;
        };
        error.message().contains("is locked")
    }

    /// What depends on what was to be dropped, one per line, where the server says so (`dependent_objects_still_exist`).
    #[cfg(feature = "operate")]
    pub(crate) fn dependents(&self) -> Option<&str> {
        let Self::Other(sqlx::Error::Database(error)) = self else {
            return None;
        };
        #[cfg(feature = "postgres")]
        if error.code().as_deref() == Some("2BP01") {
            let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?;
            return error.detail();
        }
        let _ = error;
        None
    }

    /// A row breaks a check, or two rows are duplicates (`check_violation`, `unique_violation`).
    #[cfg(feature = "operate")]
    pub(crate) fn is_unfit(&self) -> bool {
        let Self::Data(sqlx::Error::Database(error)) = self else {
            return false;
        };
        matches!(error.code().as_deref(), Some("23514" | "23505"))
    }

    /// The constraint that refused a row, where the server says so.
    #[cfg(feature = "operate")]
    pub(crate) fn constraint(&self) -> Option<&str> {
        let Self::Data(sqlx::Error::Database(error)) = self else {
            return None;
        };
        error.constraint()
    }

    /// What was to be created has the name of something that is there (`duplicate_column`, `duplicate_table`,
    /// `duplicate_object`).
    pub fn is_duplicate(&self) -> bool {
        let Self::Other(sqlx::Error::Database(error)) = self else {
            return false;
        };
        // SQLite has one code for all that its parser refuses.
        matches!(error.code().as_deref(), Some("42701" | "42P07" | "42710"))
            || error.message().starts_with("duplicate column name")
            || error.message().ends_with("already exists")
    }

    /// The driver's error, or the error itself where no driver was asked.
    pub(crate) fn into_sqlx(self) -> Result<sqlx::Error, Self> {
        match self {
            Self::Data(error)
            | Self::Busy(error)
            | Self::Forbidden(error)
            | Self::Lost(error)
            | Self::Other(error) => Ok(error),
            Self::NoDriver { .. } | Self::Unexpected { .. } | Self::InexactKey { .. } => Err(self),
        }
    }
}
