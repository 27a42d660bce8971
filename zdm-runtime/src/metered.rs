//! What this process knows of its tables, as metrics of the application's own recorder (crate `metrics`).
//!
//! Comes in: a table with its flags, once per sign of life. Goes out: gauges and counters, see [`describe`].
//! Must not know: who collects them.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::bucket;
use crate::served::Served;
use crate::{Flags, Stage};

/// Says once what each metric means.
pub(crate) fn describe() {
    describe_gauge!(
        "zdm_stage",
        "Where this instance sees the migration: 0 off, 1 dual_write, 2 shadow, 3 live, 4 ramp_down, 5 complete"
    );
    describe_gauge!(
        "zdm_reads_new_ratio",
        "The share of keys that this instance reads from the new side, 0 to 1"
    );
    describe_gauge!(
        "zdm_epoch",
        "The epoch of the table's fence as this instance knows it"
    );
    describe_gauge!(
        "zdm_ready",
        "1 where this code can serve the table, 0 where it refuses"
    );
    describe_gauge!(
        "zdm_last_beat_timestamp_seconds",
        Unit::Seconds,
        "When this instance last read the control tables, since 1970"
    );
    describe_counter!(
        "zdm_beats_failed_total",
        "Signs of life that the database did not take"
    );
    describe_counter!(
        "zdm_mismatches_total",
        "Rows that this instance read and whose sides were not consistent"
    );
    describe_counter!(
        "zdm_compared_total",
        "Rows of which a repository compared both sides while they were read; not counted where columns move between tables or several migrations are in transition"
    );
    describe_counter!(
        "zdm_ignored_total",
        "Mismatches among them that the application knows of"
    );
    describe_counter!(
        "zdm_refreshes_total",
        "How often a statement found nothing, or a row of another epoch, and asked for the stage"
    );
}

/// A table and the migrations that its code follows.
pub(crate) fn table(table: &Served) {
    let (name, flags) = (table.code.table, table.flags.load());
    gauge!("zdm_epoch", "table" => name).set(number(flags.epoch()));
    gauge!("zdm_ready", "table" => name).set(f64::from(u8::from(table.is_ready())));
    counter!("zdm_refreshes_total", "table" => name).increment(table.refreshes.unmeasured());
    counter!("zdm_compared_total", "table" => name).increment(table.compared.unmeasured());
    counter!("zdm_ignored_total", "table" => name).increment(table.ignored.unmeasured());
    for (turn, (migration, mismatches)) in table.followed_migrations().enumerate() {
        let labels = [("table", name), ("migration", migration)];
        let flags = table.limited(flags.of(turn));
        gauge!("zdm_stage", &labels).set(f64::from(flags.stage() as u8));
        gauge!("zdm_reads_new_ratio", &labels).set(share(flags));
        counter!("zdm_mismatches_total", &labels).increment(mismatches.unmeasured());
    }
}

/// Nobody asks for these tables here any more: what was true of them is no alarm.
pub(crate) fn closed(tables: &[Served]) {
    gauge!("zdm_last_beat_timestamp_seconds").set(f64::NAN);
    for table in tables {
        let name = table.code.table;
        gauge!("zdm_epoch", "table" => name).set(f64::NAN);
        gauge!("zdm_ready", "table" => name).set(f64::NAN);
        for (migration, _) in table.followed_migrations() {
            let labels = [("table", name), ("migration", migration)];
            gauge!("zdm_stage", &labels).set(f64::NAN);
            gauge!("zdm_reads_new_ratio", &labels).set(f64::NAN);
        }
    }
}

/// The control tables were read, or could not be.
pub(crate) fn beat(succeeded: bool) {
    let failed = counter!("zdm_beats_failed_total");
    if succeeded {
        let now = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default();
        gauge!("zdm_last_beat_timestamp_seconds").set(now.as_secs_f64());
        failed.increment(0);
    } else {
        failed.increment(1);
    }
}

fn share(flags: Flags) -> f64 {
    match flags.stage() {
        Stage::Off | Stage::DualWrite | Stage::Shadow => 0.0,
        Stage::Live => f64::from(flags.basis_points()) / f64::from(bucket::ALL),
        Stage::RampDown | Stage::Complete => 1.0,
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "an epoch counts hops, and there are no 2^53 of them"
)]
fn number(epoch: i64) -> f64 {
    epoch as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_all_reads() {
        let of = |stage, points| share(Flags::new(1, 0, stage, points));
        let shares = [
            of(Stage::Shadow, 0),
            of(Stage::Live, 2_500),
            of(Stage::RampDown, 0),
        ];
        assert!(
            shares
                .iter()
                .zip([0.0, 0.25, 1.0])
                .all(|(share, wanted)| (share - wanted).abs() < f64::EPSILON)
        );
    }
}
