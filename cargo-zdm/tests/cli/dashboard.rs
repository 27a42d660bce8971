//! What watches a migration: JSON that Grafana imports, rules that Prometheus reads.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::database::{HASTY, on_sqlite};
use crate::generate::{BEFORE, user_crate};
use crate::project::Project;
use crate::versions;

/// What zdm-runtime tells a recorder.
const METERED: &str = include_str!("../../../zdm-runtime/src/metered.rs");

#[test]
fn a_dashboard_is_of_one_migration() {
    let project = Project::sqlite("");
    let nothing = project.zdm(&["dashboard"]);
    assert_eq!(nothing.code, 1, "{nothing:#?}");
    nothing.says("there is no version yet");

    versions::write(&project.path("zdm"), "sqlite");
    let text = project.done(&["dashboard", "users_full_name"]).out;
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(dashboard["title"], "Migration 0002_users_full_name");
    let panels = dashboard["panels"].as_array().unwrap();
    let expressions: Vec<_> = panels
        .iter()
        .map(|panel| panel["targets"][0]["expr"].as_str().unwrap())
        .collect();
    assert!(expressions[0].contains(r#"zdm_stage{migration="users_full_name"}"#));
    let stages = &panels[0]["fieldConfig"]["defaults"]["mappings"][0]["options"];
    assert_eq!(stages["3"]["text"], "live");

    let alerts = project.done(&["dashboard", "--alerts"]).out;
    assert!(alerts.contains("ZdmRowsDiffer"), "{alerts}");
    assert!(
        alerts.contains("cargo zdm rollback users_full_name --to dual_write"),
        "{alerts}"
    );

    // Two environments in one Prometheus stand where they stand.
    assert!(
        alerts.contains("max by (job, table) (zdm_stage") && !alerts.contains("by (table)"),
        "{alerts}"
    );

    let object = project
        .done(&["dashboard", "users_full_name", "--format", "json"])
        .object();
    assert_eq!(object["dashboard"], dashboard);
    assert_eq!(object["alerts"].as_str().unwrap().trim(), alerts.trim());

    // Nobody records what is asked for otherwise.
    let asked: BTreeSet<_> = expressions
        .iter()
        .copied()
        .chain(alerts.lines())
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| word.starts_with("zdm_"))
        .collect();
    assert!(asked.len() > 4, "{asked:?}");
    for metric in asked {
        assert!(METERED.contains(&format!("\"{metric}\"")), "{metric}");
    }
}

#[test]
fn status_tells_prometheus_what_the_control_tables_hold() {
    on_sqlite(HASTY, |project| {
        let samples = || project.done(&["status", "--metrics"]).out;
        let says = |text: &str, line: &str| {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        };
        project.done(&["expand"]);
        project.fill();
        project.done(&["switch", "--to", "dual_write"]);
        project.done(&["backfill"]);
        project.done(&["verify"]);
        let text = samples();
        for line in [
            r#"zdm_migration_stage_info{migration="users_full_name",stage="dual_write"} 1"#,
            r#"zdm_migration_done{migration="users_full_name"} 0"#,
            r#"zdm_migration_reads_new_ratio{migration="users_full_name"} 0"#,
            r#"zdm_migration_gate_open{migration="users_full_name",gate="verified"} 1"#,
            r#"zdm_backfill_rows{migration="users_full_name"} 3"#,
            r#"zdm_quarantine_rows{migration="users_full_name",state="waiting"} 0"#,
            r#"zdm_verification_mismatches{migration="users_full_name"} 0"#,
            "# TYPE zdm_backfill_rows gauge",
        ] {
            says(&text, line);
        }
        project.done(&["switch", "--to", "shadow"]);
        project.done(&["switch", "--to", "25%"]);
        let text = samples();
        says(
            &text,
            r#"zdm_migration_reads_new_ratio{migration="users_full_name"} 0.25"#,
        );
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(name.starts_with("zdm_") && name.ends_with('}'), "{line}");
        }
    });
}

#[test]
fn a_version_that_no_instance_follows_has_no_dashboard() {
    let project = Project::sqlite("");
    user_crate(&project);
    project.done(&["init", "--dialect", "postgres"]);
    let renamed = BEFORE
        .replace(
            "#[zdm(primary_key, auto)]",
            "#[zdm(primary_key, auto, renamed_from = \"id\")]",
        )
        .replace("pub id:", "pub number:");
    project.write("src/models.rs", &renamed);
    project.done(&["generate", "number"]);
    let route = std::fs::read_to_string(project.path("zdm/0002_number/plan.toml")).unwrap();
    assert!(route.contains("route = \"rename\""), "{route}");
    let refused = project.zdm(&["dashboard"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    refused.says("0002_number has no stages that instances follow");
}
