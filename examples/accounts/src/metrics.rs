//! What this process knows of its migrations, as Prometheus reads it.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Makes Prometheus the one recorder of the process, before anything is recorded.
pub(crate) fn install() {
    RECORDER.get_or_init(|| {
        PrometheusBuilder::new()
            .install_recorder()
            .expect("nobody else in this process installs a recorder")
    });
}

/// `GET /metrics`
pub(crate) async fn metrics() -> String {
    RECORDER
        .get()
        .map(PrometheusHandle::render)
        .unwrap_or_default()
}
