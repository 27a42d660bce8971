//! A version's names beside what the database really has: nothing is taken for the tool's own that it did not make, and
//! nothing is recorded that is not there.
//!
//! Comes in: the session, a version. Goes out: a failure that names every object, or nothing.
//! Must not know: what is on record about other versions.

use zdm_runtime::database::{Dialect, catalogue};
use zdm_runtime::losses::{self, Loss};
use zdm_runtime::manifest::{Direction, NamesByTable};
use zdm_runtime::phase::Section;

use super::position::Position;
use super::rights;
use super::session::Session;
use crate::error::Failure;

/// What such a view says (manual, "CREATE VIEW", `security_invoker`), and the server that understands it.
const INVOKER: &str = "security_invoker";
const INVOKED_SINCE: i64 = 150_000;
/// The server that scans a range of addresses without the rest of the table (its release notes, "TID range scan").
const RANGES_SINCE: i64 = 140_000;

impl Session {
    /// Refuses where something has a name that the version brings, and no step on record has made it.
    pub(crate) async fn must_be_free(&mut self, place: usize) -> Result<(), Failure> {
        if self.position(place).await? != Position::Absent {
            return Ok(());
        }
        let taken = self.existing(place).await?;
        if taken.is_empty() {
            return Ok(());
        }
        Err(Failure::environment(
            format!(
                "{} would create {}, which is there already, and nothing on record has made it",
                self.folder(place),
                taken.join(" and ")
            ),
            "find out whose it is: rename or remove what nobody needs. Tables of the project from before are taken over by \
             `cargo zdm init --baseline`, in place of a plain `init`",
        )
        .safe("nothing of this version was executed"))
    }

    /// Refuses, before anything is executed, a view that this server cannot let run with the rights of its user.
    pub(crate) async fn must_have_views(&mut self, place: usize) -> Result<(), Failure> {
        let migration = &self.migrations[place];
        let mut steps = migration
            .manifest()
            .steps_of(Section::Expand, Direction::Up);
        if !steps.any(|step| migration.sql(step).contains(INVOKER)) {
            return Ok(());
        }
        let version = catalogue::server_version(&mut self.connection).await?;
        let Some(version) = version.filter(|version| *version < INVOKED_SINCE) else {
            return Ok(());
        };
        Err(Failure::environment(
            format!(
                "{} changes names behind a view that runs with the rights of its user, which PostgreSQL has from version 15 on; this is {}",
                self.folder(place),
                version / 10_000
            ),
            "upgrade the server, then run the command again; or let the column or the table keep its name under the new one of the field or the struct (`column = \"…\"`, `table = \"…\"`) and `cargo zdm generate --amend`",
        )
        .safe("nothing of this version was executed"))
    }

    /// Refuses, before anything is executed, a table without a key whose rows this server cannot go through by where they stand, or which
    /// is made of several, in each of which a row may stand at the same place.
    pub(crate) async fn must_have_addresses(&mut self, place: usize) -> Result<(), Failure> {
        let folder = self.folder(place);
        let backfills = self.migrations[place].manifest().backfills.iter();
        let addressed = backfills.filter(|backfill| backfill.address.is_some());
        let tables: Vec<String> = addressed.map(|backfill| backfill.table.clone()).collect();
        let version = catalogue::server_version(&mut self.connection).await?;
        let (Some(first), Some(version)) = (tables.first(), version) else {
            return Ok(());
        };
        if version < RANGES_SINCE {
            return Err(Failure::environment(
                format!(
                    "{folder} goes through {first}, in which nothing tells rows apart, by ranges of blocks, which PostgreSQL reads by \
                     themselves from version 14 on; this is {}, which would read the whole table for every batch",
                    version / 10_000
                ),
                "upgrade the server, then run the command again; or give the table a key in a version before",
            )
            .safe("nothing of this version was executed"));
        }
        for table in tables {
            if catalogue::is_of_parts(&mut self.connection, &table).await? {
                return Err(Failure::environment(
                    format!(
                        "{folder} goes through {table}, in which nothing tells rows apart, by where they stand, and the table has partitions \
                         or children, in each of which a row stands at the same place"
                    ),
                    "give the table a primary key, or a unique key and `row_key(…)`, in a version before",
                )
                .safe("nothing of this version was executed"));
            }
        }
        Ok(())
    }

    /// Refuses to record what is not there.
    pub(crate) async fn must_be_there(&mut self, place: usize) -> Result<(), Failure> {
        let (_, mut missing) = self.compared(place).await?;
        let tables: Vec<String> = self
            .manifest(place)
            .created_tables()
            .map(str::to_owned)
            .collect();
        for table in tables {
            let kind = catalogue::instead_of_table(&mut self.connection, &table).await?;
            missing.extend(kind.map(|kind| format!("the table {table} ({table} is a {kind})")));
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::findings(
            format!(
                "{} cannot be recorded as there already: this database lacks {}",
                self.folder(place),
                missing.join(" and ")
            ),
            "bring the database to what the structs say, or the structs to what is there (`cargo zdm generate --amend`), then \
             run `cargo zdm expand` again",
        )
        .safe("nothing was recorded"))
    }

    /// What the version creates and the database has.
    pub(crate) async fn existing(&mut self, place: usize) -> Result<Vec<String>, Failure> {
        Ok(self.compared(place).await?.0)
    }

    /// What the undo of the version's expand would take away for good.
    pub(crate) async fn losses(&mut self, place: usize) -> Result<Vec<Loss>, Failure> {
        let manifest = self.migrations[place].manifest();
        let tables: Vec<String> = manifest.creates.keys().cloned().collect();
        rights::to_alter(&mut self.connection, &tables).await?;
        Ok(losses::of_undo(&mut self.connection, manifest).await?)
    }

    /// The tables and columns that the version creates: those that are there, and those that are not. Of a table that it
    /// creates, what is missing are the columns, if the table itself is there.
    async fn compared(&mut self, place: usize) -> Result<(Vec<String>, Vec<String>), Failure> {
        let creates: NamesByTable = self.manifest(place).creates.clone();
        let ignores_case = self.connection.dialect() == Dialect::Sqlite;
        let (mut there, mut missing) = (Vec::new(), Vec::new());
        for (table, names) in creates {
            let found = catalogue::columns(&mut self.connection, &table).await?;
            if names.table && found.is_empty() {
                missing.push(format!("the table {table}"));
                continue;
            }
            if names.table {
                there.push(format!("the table {table}"));
            }
            for column in names.columns {
                let is_there = found.iter().any(|name| {
                    *name == column || (ignores_case && name.eq_ignore_ascii_case(&column))
                });
                match (is_there, names.table) {
                    (false, _) => missing.push(format!("the column {table}.{column}")),
                    (true, false) => there.push(format!("the column {table}.{column}")),
                    (true, true) => {}
                }
            }
        }
        Ok((there, missing))
    }
}
