//! What diesel says went wrong, as the rest of the library takes it: one kind of error for whatever client.
//!
//! Comes in: diesel's error. Goes out: an [`Error`] that still holds it.
//! Must not know: what was asked.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use sqlx::error::ErrorKind;

use crate::Error;

/// diesel's error of a statement that the database refused.
#[derive(Debug)]
pub struct Failure(DieselError);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl sqlx::error::DatabaseError for Failure {
    fn message(&self) -> &str {
        match &self.0 {
            DieselError::DatabaseError(_, information) => information.message(),
            _ => "",
        }
    }

    /// diesel keeps few SQLSTATEs, as kinds. That a right is missing it tells in the server's words alone, which may be those of
    /// another language: then it is one of the errors that have no code.
    fn code(&self) -> Option<Cow<'_, str>> {
        let DieselError::DatabaseError(kind, information) = &self.0 else {
            return None;
        };
        let code = match kind {
            DatabaseErrorKind::UniqueViolation => "23505",
            DatabaseErrorKind::ForeignKeyViolation => "23503",
            DatabaseErrorKind::NotNullViolation => "23502",
            DatabaseErrorKind::CheckViolation => "23514",
            DatabaseErrorKind::RestrictViolation => "23001",
            DatabaseErrorKind::ExclusionViolation => "23P01",
            DatabaseErrorKind::SerializationFailure => "40001",
            DatabaseErrorKind::ReadOnlyTransaction => "25006",
            _ if information.message().starts_with("permission denied") => "42501",
            _ => return None,
        };
        Some(Cow::Borrowed(code))
    }

    fn constraint(&self) -> Option<&str> {
        match &self.0 {
            DieselError::DatabaseError(_, information) => information.constraint_name(),
            _ => None,
        }
    }

    fn table(&self) -> Option<&str> {
        match &self.0 {
            DieselError::DatabaseError(_, information) => information.table_name(),
            _ => None,
        }
    }

    fn kind(&self) -> ErrorKind {
        let DieselError::DatabaseError(kind, _) = &self.0 else {
            return ErrorKind::Other;
        };
        match kind {
            DatabaseErrorKind::UniqueViolation => ErrorKind::UniqueViolation,
            DatabaseErrorKind::ForeignKeyViolation => ErrorKind::ForeignKeyViolation,
            DatabaseErrorKind::NotNullViolation => ErrorKind::NotNullViolation,
            DatabaseErrorKind::CheckViolation => ErrorKind::CheckViolation,
            _ => ErrorKind::Other,
        }
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }
}

/// Lost connections are told from what a server refuses, as everywhere.
pub(crate) fn failure(error: DieselError) -> sqlx::Error {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
            _,
        )
        | DieselError::BrokenTransactionManager => sqlx::Error::Io(io::Error::other(error)),
        DieselError::DatabaseError(..) => sqlx::Error::Database(Box::new(Failure(error))),
        other => sqlx::Error::AnyDriverError(Box::new(other)),
    }
}

/// diesel's error in what [`failure`] has made of it.
pub(crate) fn of(error: &sqlx::Error) -> Option<&DieselError> {
    match error {
        sqlx::Error::Database(found) => Some(&found.try_downcast_ref::<Failure>()?.0),
        sqlx::Error::Io(found) => found.get_ref()?.downcast_ref(),
        sqlx::Error::AnyDriverError(found) => found.downcast_ref(),
        _ => None,
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        failure(error).into()
    }
}
