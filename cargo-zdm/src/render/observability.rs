//! What watches a migration: a dashboard for Grafana and alert rules for Prometheus, over the metrics of zdm-runtime.
//!
//! Comes in: a version's manifest. Goes out: JSON, YAML.
//! Must not know: where they are put.

use minijinja::context;
use zdm_runtime::Stage;
use zdm_runtime::manifest::Manifest;

use crate::dialect::environment;

const TEMPLATES: [(&str, &str); 2] = [
    (
        "dashboard.json",
        include_str!("../../templates/observability/dashboard.json.j2"),
    ),
    (
        "alerts.yml",
        include_str!("../../templates/observability/alerts.yml.j2"),
    ),
];

/// A dashboard that Grafana imports.
pub(crate) fn dashboard(manifest: &Manifest) -> Result<String, minijinja::Error> {
    rendered("dashboard.json", manifest)
}

/// A file of alert rules.
pub(crate) fn alerts(manifest: &Manifest) -> Result<String, minijinja::Error> {
    rendered("alerts.yml", manifest)
}

fn rendered(template: &str, manifest: &Manifest) -> Result<String, minijinja::Error> {
    let mut environment = environment()?;
    environment.add_filter("tojson", |text: &str| {
        serde_json::Value::from(text).to_string()
    });
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    environment.get_template(template)?.render(context! {
        folder => manifest.folder(),
        id => &manifest.id,
        name => &manifest.name,
        stages => Stage::ALL.map(Stage::name),
        selector => format!("{{migration={:?}}}", manifest.name),
        of_tables => format!("{{table=~{:?}}}", tables(manifest)),
    })
}

/// The tables as a regular expression of Prometheus.
fn tables(manifest: &Manifest) -> String {
    let escaped = manifest.tables.iter().map(|table| {
        let special = |c: char| !c.is_alphanumeric() && c != '_';
        let escape = |c: char| match c {
            c if special(c) => format!("\\{c}"),
            c => c.to_string(),
        };
        table.chars().map(escape).collect::<String>()
    });
    escaped.collect::<Vec<_>>().join("|")
}
