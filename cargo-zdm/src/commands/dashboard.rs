//! `dashboard [MIGRATION]`: what watches a migration in Grafana and Prometheus.

use zdm_runtime::manifest::{Manifest, Route};
use zdm_runtime::migration::Migration;

use crate::choose;
use crate::context::Context;
use crate::error::Failure;
use crate::render::observability;
use crate::terminal::Answer;

/// Print a Grafana dashboard of a migration as JSON to import, or its alert rules for Prometheus
///
/// Both are over the metrics of an application whose zdm-runtime has the feature `metrics`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm dashboard users_full_name > dashboard.json
  cargo zdm dashboard --alerts > /etc/prometheus/rules/zdm.yml")]
pub(crate) struct Dashboard {
    /// Number, folder, name or id; default: the last version
    migration: Option<String>,
    /// The alert rules instead
    #[arg(long)]
    alerts: bool,
}

impl Dashboard {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let project = context.project()?;
        let migrations = Migration::load_all(project.versions())?;
        let manifests: Vec<&Manifest> = migrations.iter().map(Migration::manifest).collect();
        let place = choose::named_or_last(&manifests, self.migration.as_deref())?;
        let Some(manifest) = place.and_then(|place| manifests.get(place)) else {
            return Err(Failure::findings(
                "there is no version yet, so there is nothing to watch",
                "run `cargo zdm generate`",
            ));
        };
        // Instances follow five phases alone: at a rename most panels and alerts would stay empty.
        if manifest.route != Route::FivePhases {
            return Err(Failure::findings(
                format!(
                    "{} has no stages that instances follow, so there is nothing to watch",
                    manifest.folder()
                ),
                "name a version that replaces columns or moves them",
            ));
        }
        let rendered = |text: Result<String, minijinja::Error>| {
            text.map_err(|error| Failure::environment(error, "report this as a bug of cargo zdm"))
        };
        let dashboard = rendered(observability::dashboard(manifest))?;
        let alerts = rendered(observability::alerts(manifest))?;
        let object = serde_json::json!({
            "migration": manifest.folder(),
            "dashboard": serde_json::from_str::<serde_json::Value>(&dashboard)
                .map_err(|error| Failure::environment(error, "report this as a bug of cargo zdm"))?,
            "alerts": alerts,
        });
        Answer::done(if self.alerts { alerts } else { dashboard }, object)
    }
}
