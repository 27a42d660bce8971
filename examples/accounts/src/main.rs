//! `DATABASE_URL=postgres://… accounts`: serves on `LISTEN` (default 127.0.0.1:8080) until SIGINT or SIGTERM.

use std::error::Error;
use std::sync::Arc;

use accounts::Service;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let database_url = std::env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL")?;
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());

    let service = Arc::new(Service::connect(PgPool::connect(&database_url).await?).await?);
    let listener = TcpListener::bind(&address).await?;
    tracing::info!(address = %listener.local_addr()?, "accounts is serving");
    let stop = stop_signal()?;
    axum::serve(listener, service.router())
        .with_graceful_shutdown(stop)
        .await?;

    // After the last request: a migration that waits for this instance need not wait for its lease.
    service.close().await?;
    tracing::info!("accounts has stopped");
    Ok(())
}

/// Resolves when the platform or a person at the terminal asks to stop.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
