//! What the roles of a `PostgreSQL` database need of the control tables. The role that owns them needs nothing more.
//!
//! Comes in: nothing. Goes out: tables with their rights, as `GRANT` spells them. Must not know: who gives them.

/// The version of the control tables that these rights are on, which is the one that this runtime installs.
pub const CONTROL_VERSION: i64 = 8;

/// A control table, and a right on it.
pub type Right = (&'static str, &'static str);

/// An application: it looks where migrations stand, and says of itself what it is.
pub const APPLICATION: [Right; 20] = [
    ("fence", "SELECT"),
    ("instance", "SELECT"),
    ("instance", "INSERT"),
    ("instance", "UPDATE"),
    ("instance", "DELETE"),
    ("instance_code", "SELECT"),
    ("instance_code", "INSERT"),
    ("instance_code", "UPDATE"),
    ("instance_code", "DELETE"),
    ("instance_fence", "SELECT"),
    ("instance_fence", "INSERT"),
    ("instance_fence", "UPDATE"),
    ("instance_fence", "DELETE"),
    ("meta", "SELECT"),
    ("migration", "SELECT"),
    ("mismatch", "SELECT"),
    ("mismatch", "INSERT"),
    ("mismatch", "UPDATE"),
    ("stage", "SELECT"),
    ("stage_table", "SELECT"),
];

/// Who backfills, verifies, works on the quarantine or approves, beside looking at everything: it moves no migration. Of `stage` it locks a
/// row, for which the right on a column will do that decides nothing but which keys are read first.
pub const BACKFILL: [Right; 12] = [
    ("audit", "INSERT"),
    ("chunk", "INSERT"),
    ("chunk", "UPDATE"),
    ("chunk", "DELETE"),
    ("meta", "UPDATE (audit_entries, audit_hash)"),
    ("operator", "INSERT"),
    ("operator", "UPDATE"),
    ("quarantine", "INSERT"),
    ("quarantine", "UPDATE"),
    ("stage", "UPDATE (salt)"),
    ("verification", "INSERT"),
    ("verification", "UPDATE"),
];

/// The rights by table: `("chunk", "INSERT, UPDATE, DELETE")`.
pub fn by_table(rights: &[Right]) -> Vec<(&'static str, String)> {
    let mut tables: Vec<(&'static str, String)> = Vec::new();
    for (table, right) in rights {
        match tables.last_mut() {
            Some((last, given)) if last == table => {
                given.push_str(", ");
                given.push_str(right);
            }
            _ => tables.push((table, (*right).to_owned())),
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_on_a_table_stand_together() {
        for rights in [&APPLICATION[..], &BACKFILL] {
            let tables: Vec<_> = by_table(rights)
                .into_iter()
                .map(|(table, _)| table)
                .collect();
            assert!(
                tables.is_sorted_by(|before, after| before < after),
                "{tables:?}"
            );
        }
    }
}
