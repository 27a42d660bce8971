//! What `status` tells, as Prometheus reads it from a file: for a job that writes it beside a node's exporter.
//!
//! Comes in: the object of `status`. Goes out: text. Must not know: where its numbers come from.

use std::fmt::Write as _;

use serde_json::Value;

/// The samples of one metric, each with its labels behind that of the migration.
struct Metric {
    name: &'static str,
    help: &'static str,
    samples: fn(&Value) -> Vec<(String, f64)>,
}

const METRICS: [Metric; 13] = [
    Metric {
        name: "zdm_migration_stage_info",
        help: "Where the migration stands, as the label stage: 1",
        samples: |status| {
            let stage = status["stage"].as_str().unwrap_or_default();
            vec![(format!(",stage={stage:?}"), 1.0)]
        },
    },
    Metric {
        name: "zdm_migration_done",
        help: "1 where nothing is left to do",
        samples: |status| of(&status["done"]),
    },
    Metric {
        name: "zdm_migration_reads_new_ratio",
        help: "The share of reads that go to new, 0 to 1",
        samples: |status| scaled(&status["reads_basis_points"], 10_000.0),
    },
    Metric {
        name: "zdm_migration_gate_open",
        help: "1 where the gate before the next step is open, 0 where it is shut",
        samples: |status| {
            let gates = status["gates"].as_array().into_iter().flatten();
            gates
                .flat_map(|gate| labelled("gate", &gate["gate"], of(&gate["open"])))
                .collect()
        },
    },
    Metric {
        name: "zdm_migration_instances",
        help: "Instances that know the migration's tables, by whether they were heard of lately",
        samples: |status| {
            let living = |wanted: bool| count(status, |instance| instance["living"] == wanted);
            vec![
                (",living=\"true\"".to_owned(), living(true)),
                (",living=\"false\"".to_owned(), living(false)),
            ]
        },
    },
    Metric {
        name: "zdm_migration_instances_behind",
        help: "Living instances that have not acknowledged the last hop",
        samples: |status| {
            // As the gate counts: the silent are kept for days after they ended.
            let behind = count(status, |instance| {
                instance["living"] == true && instance["behind"] != 0
            });
            vec![(String::new(), behind)]
        },
    },
    Metric {
        name: "zdm_backfill_rows",
        help: "Rows behind the backfill's cursors",
        samples: |status| of(&status["backfill"]["rows"]),
    },
    Metric {
        name: "zdm_backfill_rows_estimated",
        help: "Rows of the tables that are filled, as the database reckons",
        samples: |status| of(&status["backfill"]["total"]),
    },
    Metric {
        name: "zdm_backfill_throttled",
        help: "1 where a worker is slower than it could be, 0 where none is",
        samples: |status| {
            let backfill = status["backfill"].as_object();
            let throttled = backfill.map(|found| found.contains_key("throttle"));
            of(&throttled.map_or(Value::Null, Value::Bool))
        },
    },
    Metric {
        name: "zdm_quarantine_rows",
        help: "Rows that could not be converted, by what becomes of them",
        samples: |status| {
            let states = ["waiting", "waived"];
            let rows = |state| {
                labelled(
                    "state",
                    &Value::from(state),
                    of(&status["quarantine"][state]),
                )
            };
            states.into_iter().flat_map(rows).collect()
        },
    },
    Metric {
        name: "zdm_verification_rows",
        help: "Rows that the last verification compared",
        samples: |status| of(&status["verification"]["rows"]),
    },
    Metric {
        name: "zdm_verification_mismatches",
        help: "Rows that the last verification found to differ",
        samples: |status| of(&status["verification"]["mismatches"]),
    },
    Metric {
        name: "zdm_verification_finished_timestamp_seconds",
        help: "When the last verification ended, since 1970",
        samples: |status| scaled(&status["verification"]["finished_at"], 1_000.0),
    },
];

/// Of every migration of the object.
pub(crate) fn of_status(object: &Value) -> String {
    let migrations: Vec<_> = object["migrations"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let mut text = String::new();
    for Metric {
        name,
        help,
        samples,
    } in METRICS
    {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        for status in &migrations {
            let folder = status["migration"].as_str().unwrap_or_default();
            let migration = folder.split_once('_').map_or(folder, |(_, name)| name);
            for (labels, value) in samples(status) {
                let _ = writeln!(text, "{name}{{migration={migration:?}{labels}}} {value}");
            }
        }
    }
    text
}

/// A number, or 1 for true and 0 for false; nothing where there is none.
fn of(value: &Value) -> Vec<(String, f64)> {
    scaled(value, 1.0)
}

fn scaled(value: &Value, by: f64) -> Vec<(String, f64)> {
    let truth = value.as_bool().map(|truth| f64::from(u8::from(truth)));
    let number = value.as_f64().or(truth);
    number
        .map(|number| (String::new(), number / by))
        .into_iter()
        .collect()
}

fn labelled(label: &str, value: &Value, samples: Vec<(String, f64)>) -> Vec<(String, f64)> {
    let value = value.as_str().unwrap_or_default();
    let samples = samples.into_iter();
    samples
        .map(|(_, number)| (format!(",{label}={value:?}"), number))
        .collect()
}

#[allow(clippy::cast_precision_loss, reason = "there are no 2^53 instances")]
fn count(status: &Value, of: impl Fn(&Value) -> bool) -> f64 {
    let instances = status["instances"].as_array().into_iter().flatten();
    instances.filter(|instance| of(instance)).count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_is_not_behind() {
        let instance =
            |living: bool, behind: u8| serde_json::json!({ "living": living, "behind": behind });
        let instances = [instance(true, 0), instance(true, 1), instance(false, 2)];
        let status = serde_json::json!({ "migration": "0002_a", "instances": instances });
        let text = of_status(&serde_json::json!({ "migrations": [status] }));
        let line = "zdm_migration_instances_behind{migration=\"a\"} 1";
        assert!(text.lines().any(|found| found == line), "{text}");
    }
}
