//! What can go wrong in a request, and what the caller is told.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("there is no account {0}")]
    NoSuchAccount(i64),
    #[error("another account has this email address")]
    EmailTaken,
    #[error("{0}")]
    Invalid(&'static str),
    /// A statement failed, or this code cannot serve the stage that a migration is at.
    #[error(transparent)]
    Database(zdm_runtime::Error),
}

impl From<zdm_runtime::Error> for Failure {
    fn from(error: zdm_runtime::Error) -> Self {
        let refusal = error.sqlx().and_then(sqlx::Error::as_database_error);
        if refusal.is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
            Self::EmailTaken
        } else {
            Self::Database(error)
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        zdm_runtime::Error::from(error).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSuchAccount(_) => StatusCode::NOT_FOUND,
            Self::EmailTaken => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let message = if let Self::Database(error) = &self {
            tracing::error!(%error, "a request failed");
            "the service cannot answer at the moment".to_owned()
        } else {
            self.to_string()
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}
