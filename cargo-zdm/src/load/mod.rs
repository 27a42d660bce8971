//! What every load on a database is made of, the demo's and a rehearsal's.
//!
//! Must not know: which statements run, which migration moves.

pub(crate) mod random;

/// Ctrl-C, or the request to end that service managers send.
pub(crate) async fn interrupted() {
    let asked = async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            if let Ok(mut terminate) = signal(SignalKind::terminate()) {
                terminate.recv().await;
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = asked => {}
    }
}
