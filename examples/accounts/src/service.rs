//! What every request needs, and which path leads to which function.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use chrono::Utc;
use sqlx::{PgConnection, PgPool};
use zdm_runtime::flag_source::Environment;
use zdm_runtime::{Shadow, Zdm, ZdmOptions};

use crate::models::{Account, AuditEntry};
use crate::zdm::accounts::Accounts;
use crate::zdm::audit_log::AuditLog;
use crate::{accounts, metrics, probes, search};

/// The database, and a repository per table.
#[derive(Debug)]
pub struct Service {
    /// Every request takes one connection and, where it writes, one transaction.
    pub(crate) pool: PgPool,
    pub(crate) zdm: Zdm,
    pub(crate) accounts: Accounts,
    pub(crate) audit_log: AuditLog,
}

impl Service {
    /// Registers this instance with the control tables in `pool`'s database. Its environment may hold readers back, such as
    /// `ZDM_AT_MOST_ACCOUNTS_AGE_YEARS=10%`.
    ///
    /// # Errors
    ///
    /// Where the database cannot be reached, or lacks a migration that this code needs: `cargo zdm expand` comes first.
    pub async fn connect(pool: PgPool) -> Result<Self, zdm_runtime::Error> {
        metrics::install();
        let options = ZdmOptions::new().flags(Environment);
        let zdm = Zdm::connect_with(pool.clone(), &crate::zdm::CODE, options).await?;
        let shadow = Shadow::new().clean(|account: &Account| format!("age {:?}", account.age));
        Ok(Self {
            accounts: Accounts::new(&zdm)?.with_shadow(shadow),
            audit_log: AuditLog::new(&zdm)?,
            pool,
            zdm,
        })
    }

    /// The handle that tells which stage each migration is at.
    #[must_use]
    pub fn zdm(&self) -> &Zdm {
        &self.zdm
    }

    /// Every path of the service.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/accounts", post(accounts::create).get(accounts::list))
            .route(
                "/accounts/{id}",
                get(accounts::read)
                    .put(accounts::replace)
                    .delete(accounts::delete),
            )
            .route("/accounts/{id}/verify", post(accounts::verify))
            .route("/accounts/search", get(search::search))
            .route("/healthz", get(probes::healthz))
            .route("/readyz", get(probes::readyz))
            .route("/metrics", get(metrics::metrics))
            .with_state(Arc::clone(self))
    }

    /// Signs off, so that no migration waits for this instance.
    ///
    /// # Errors
    ///
    /// Where the database cannot be told; its lease ends by itself then.
    pub async fn close(&self) -> Result<(), zdm_runtime::Error> {
        self.zdm.clone().close().await?;
        self.pool.close().await;
        Ok(())
    }

    /// Writes down what the transaction that `conn` is in does.
    pub(crate) async fn record(
        &self,
        conn: &mut PgConnection,
        action: &str,
        account_id: Option<i64>,
        detail: String,
    ) -> Result<(), zdm_runtime::Error> {
        let entry = AuditEntry {
            id: 0,
            action: action.to_owned(),
            account_id,
            detail,
            at: Utc::now(),
        };
        self.audit_log.insert(conn, &entry).await?;
        Ok(())
    }
}
