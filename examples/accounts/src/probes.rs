//! What the platform asks: is the process alive, may it have traffic?

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::service::Service;

/// The process answers.
pub(crate) async fn healthz() -> StatusCode {
    StatusCode::OK
}

/// This code can serve the stage that the database's migrations are at; if not, the answer says why.
pub(crate) async fn readyz(State(service): State<Arc<Service>>) -> (StatusCode, String) {
    match service.zdm.ready() {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}
