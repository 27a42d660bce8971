//! This process in the control tables: who it is, what its code knows, what it has seen.
//!
//! Comes in: a connection and the code. Goes out: rows of `instance`, `instance_code`, `instance_fence`, `mismatch`.
//! Must not know: when any of it happens.

use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use crate::Error;
use crate::code::Code;
use crate::database::control_connection::sealed::Control;
use crate::database::{DatabaseError, Dialect, Value};

/// How long an instance counts as living after its last sign of life, by the database's clock.
const LEASE_MS: i64 = 10_000;
/// The same on `SQLite` while nothing is under way: every sign of life is a write to the application's file, and any write makes
/// an open transaction that has read fail at its first own one (manual, "Isolation In `SQLite`").
const QUIET_LEASE_MS: i64 = 60_000;

/// The longest name in bytes, which is also the longest of a host.
const LONGEST_NAME: usize = 255;

/// One registration of one handle.
#[derive(Debug)]
pub(crate) struct Instance {
    id: String,
    name: String,
}

impl Instance {
    /// Of this host.
    pub(crate) fn of_host() -> Self {
        Self::called(host())
    }

    /// Of a name that it has after a restart too.
    pub(crate) fn of_name(name: &str) -> Result<Self, Error> {
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Error::NoName {
                name: name.to_owned(),
            });
        }
        Ok(Self::called(name.to_owned()))
    }

    fn called(name: String) -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self {
            id: format!("{:016x}{:016x}", random(), random()),
            name,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// For people.
    fn label(&self) -> String {
        format!("{} (pid {})", self.name, std::process::id())
    }

    /// Registers everything before the first flags are loaded, the fences last: from then on gates count this instance, and by
    /// then they can see what its code knows.
    pub(crate) async fn register<C: Control>(
        &self,
        connection: &mut C,
        code: &Code,
    ) -> Result<(), DatabaseError> {
        connection
            .change(
                "INSERT INTO {zdm}instance (instance, label, started_at, lease_until) VALUES ($1, $2, {now}, {now} + $3) \
                 ON CONFLICT (instance) DO UPDATE SET lease_until = excluded.lease_until",
                &[self.id.as_str().into(), self.label().into(), LEASE_MS.into()],
            )
            .await?;
        let known = code
            .tables
            .iter()
            .flat_map(|table| table.migrations)
            .map(|migration| [migration.id.into(), migration.state.name().into()]);
        self.insert(
            connection,
            "instance_code (instance, migration, code_state)",
            known,
        )
        .await?;
        let tables = code
            .tables
            .iter()
            .map(|table| [table.table.into(), 0.into()]);
        self.insert(
            connection,
            "instance_fence (instance, table_name, epoch)",
            tables,
        )
        .await
    }

    /// Many rows of two values after the instance's id, in statements of a size that every database takes.
    async fn insert<C: Control>(
        &self,
        connection: &mut C,
        into: &str,
        rows: impl Iterator<Item = [Value; 2]>,
    ) -> Result<(), DatabaseError> {
        let rows: Vec<_> = rows.collect();
        for rows in rows.chunks(200) {
            let mut sql = format!("INSERT INTO {{zdm}}{into} VALUES ");
            let mut values = vec![Value::from(self.id.as_str())];
            for [first, second] in rows {
                let at = values.len();
                let comma = if at == 1 { "" } else { ", " };
                let _ = write!(sql, "{comma}($1, ${}, ${})", at + 1, at + 2);
                values.extend([first.clone(), second.clone()]);
            }
            sql.push_str(" ON CONFLICT DO NOTHING");
            connection.change(&sql, &values).await?;
        }
        Ok(())
    }

    /// Prolongs the lease; false where the registration is gone. On `SQLite` it writes only where the lease would end soon, or
    /// is a quiet one and a migration is `moving` by now: then a dead instance is not to be waited for that long.
    pub(crate) async fn renew<C: Control>(
        &self,
        connection: &mut C,
        moving: bool,
    ) -> Result<bool, DatabaseError> {
        let mut lease = LEASE_MS;
        if connection.dialect() == Dialect::Sqlite {
            if !moving {
                lease = QUIET_LEASE_MS;
            }
            match self.lease_left(connection).await? {
                None => return Ok(false),
                Some(left) if (lease / 2..=lease).contains(&left) => return Ok(true),
                Some(_) => {}
            }
        }
        let renewed = connection
            .change(
                "UPDATE {zdm}instance SET lease_until = {now} + $2 WHERE instance = $1",
                &[self.id.as_str().into(), lease.into()],
            )
            .await?;
        Ok(renewed > 0)
    }

    async fn lease_left<C: Control>(
        &self,
        connection: &mut C,
    ) -> Result<Option<i64>, DatabaseError> {
        let rows = connection
            .rows(
                "SELECT lease_until - {now} FROM {zdm}instance WHERE instance = $1",
                &[self.id.as_str().into()],
            )
            .await?;
        Ok(match rows.first().map(Vec::as_slice) {
            Some([Value::Int(left)]) => *left,
            _ => None,
        })
    }

    /// Says that this instance acts on an epoch of a table from now on.
    pub(crate) async fn acknowledge<C: Control>(
        &self,
        connection: &mut C,
        table: &str,
        epoch: i64,
    ) -> Result<(), DatabaseError> {
        connection
            .change(
                "UPDATE {zdm}instance_fence SET epoch = $3 WHERE instance = $1 AND table_name = $2",
                &[self.id.as_str().into(), table.into(), epoch.into()],
            )
            .await?;
        Ok(())
    }

    /// Says by which name this instance is in a share of instances or not.
    pub(crate) async fn say_name<C: Control>(
        &self,
        connection: &mut C,
    ) -> Result<(), DatabaseError> {
        connection
            .change(
                "UPDATE {zdm}instance SET name = $2 WHERE instance = $1",
                &[self.id.as_str().into(), self.name.as_str().into()],
            )
            .await?;
        Ok(())
    }

    /// Says what holds this instance's readers of a migration back, or that nothing does.
    pub(crate) async fn hold<C: Control>(
        &self,
        connection: &mut C,
        migration: &str,
        held: Option<&str>,
    ) -> Result<(), DatabaseError> {
        connection
            .change(
                "UPDATE {zdm}instance_code SET held = $3 WHERE instance = $1 AND migration = $2",
                &[
                    self.id.as_str().into(),
                    migration.into(),
                    Value::Text(held.map(str::to_owned)),
                ],
            )
            .await?;
        Ok(())
    }

    /// Adds to the count of rows whose sides were seen to differ.
    pub(crate) async fn report_mismatches<C: Control>(
        &self,
        connection: &mut C,
        migration: &str,
        count: i64,
    ) -> Result<(), DatabaseError> {
        connection
            .change(
                "INSERT INTO {zdm}mismatch AS seen (migration, instance, mismatches) VALUES ($1, $2, $3) \
                 ON CONFLICT (migration, instance) DO UPDATE SET mismatches = seen.mismatches + excluded.mismatches",
                &[migration.into(), self.id.as_str().into(), count.into()],
            )
            .await?;
        Ok(())
    }

    /// Takes the registration away, the fences first: gates forget this instance before they forget what it knows.
    pub(crate) async fn deregister<C: Control>(&self, connection: &mut C) -> Result<(), Error> {
        for sql in [
            "DELETE FROM {zdm}instance_fence WHERE instance = $1",
            "DELETE FROM {zdm}instance_code WHERE instance = $1",
            "DELETE FROM {zdm}instance WHERE instance = $1",
        ] {
            connection.change(sql, &[self.id.as_str().into()]).await?;
        }
        Ok(())
    }
}

/// The host's name. Shells know it as `HOSTNAME` and do not always pass it on.
fn host() -> String {
    let of_shell = std::env::var("HOSTNAME").ok();
    let of_kernel = || fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = of_shell.or_else(of_kernel).unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_line_of_text() {
        for name in ["web-1", "Büro 3", "a,b"] {
            assert_eq!(Instance::of_name(name).unwrap().name(), name);
        }
        for name in ["", "two\nlines", &"x".repeat(256)] {
            let error = Instance::of_name(name).unwrap_err();
            assert!(matches!(error, Error::NoName { .. }), "{error}");
        }
    }

    #[test]
    fn every_handle_of_a_host_has_the_same_name_and_an_id_of_its_own() {
        let (one, other) = (Instance::of_host(), Instance::of_host());
        assert_eq!(one.name(), other.name());
        assert!(!one.name().is_empty());
        assert_ne!(one.id(), other.id());
    }
}
