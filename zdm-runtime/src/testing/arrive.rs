//! The versions up to the one that is tested, put into an empty database: those before it as they are when they are over.
//!
//! Comes in: the versions' folder. Goes out: the tables as old code knows them, beside what expand has brought.
//! Must not know: what is tested.

use std::collections::BTreeSet;
use std::path::Path;

use super::TestError;
use crate::database::{Connection, Dialect, control};
use crate::executor::{self, ExecutorOptions};
use crate::history;
use crate::losses::quoted;
use crate::manifest::{Direction, Manifest};
use crate::migration::Migration;
use crate::phase::Section;
use crate::{Code, CodeState};

/// In whose name the tests act.
pub(super) const ACTOR: &str = "cargo test";

/// The versions as they are checked in.
#[derive(Debug)]
pub(super) struct Versions {
    all: Vec<Migration>,
    place: usize,
}

impl Versions {
    /// Reads them; every file has the hash that its plan names.
    pub(super) fn load(folder: &Path, version: &str) -> Result<Self, TestError> {
        let all = Migration::load_all(folder)?;
        let place = all
            .iter()
            .position(|found| found.manifest().folder() == version);
        let place = place.ok_or_else(|| {
            TestError::Unprepared(format!(
                "there is no version {version} in {}: run `cargo zdm generate`, which writes the tests of those that there are",
                folder.display()
            ))
        })?;
        Ok(Self { all, place })
    }

    /// The one that is tested.
    pub(super) fn tested(&self) -> &Migration {
        &self.all[self.place]
    }

    /// What it was generated for.
    pub(super) fn dialect(&self) -> Result<Dialect, TestError> {
        let name = &self.tested().manifest().dialect;
        let known = [Dialect::Postgres, Dialect::Sqlite];
        let found = known.into_iter().find(|dialect| dialect.name() == name);
        found.ok_or_else(|| TestError::Unprepared(format!("no test is known for {name}")))
    }

    /// Those after it.
    pub(super) fn later(&self) -> &[Migration] {
        &self.all[self.place + 1..]
    }

    /// All before it, and its own expand. What this code still serves in transition is begun, what it knows in its final form alone is
    /// over.
    pub(super) async fn expand(
        &self,
        connection: &mut Connection,
        code: &Code,
    ) -> Result<(), TestError> {
        control::install(connection).await?;
        for migration in &self.all[..self.place] {
            if !is_over(migration, code) {
                expanded(connection, migration).await?;
                continue;
            }
            for section in Section::ALL {
                section_up(connection, migration, section).await?;
            }
            let (manifest, hash) = (migration.manifest(), migration.content_hash());
            history::adopted(connection, manifest, hash, ACTOR).await?;
        }
        expanded(connection, self.tested()).await
    }
}

/// No code of before it is left, so that old is gone.
fn is_over(migration: &Migration, code: &Code) -> bool {
    let known = code.tables.iter().flat_map(|table| table.migrations);
    let mut known = known.filter(|known| known.id == migration.id());
    migration.manifest().route.has_final_code()
        && known.all(|known| known.state == CodeState::Final)
}

/// What the machinery says of a step.
pub(super) fn failed(what: &str, why: &dyn std::fmt::Display) -> TestError {
    TestError::Failed {
        what: what.to_owned(),
        why: why.to_string(),
    }
}

/// Puts a version into effect beside the code that is there.
pub(super) async fn expanded(
    connection: &mut Connection,
    migration: &Migration,
) -> Result<(), TestError> {
    section_up(connection, migration, Section::Expand).await?;
    let (manifest, hash) = (migration.manifest(), migration.content_hash());
    Ok(history::expanded(connection, manifest, hash, ACTOR).await?)
}

/// A folder of reviewed SQL.
pub(super) async fn section_up(
    connection: &mut Connection,
    migration: &Migration,
    section: Section,
) -> Result<(), TestError> {
    if section == Section::Expand {
        schemas(connection, migration.manifest()).await?;
    }
    let options = ExecutorOptions::of(ACTOR);
    let run = executor::run(
        connection,
        migration,
        section,
        Direction::Up,
        &options,
        &mut |_| {},
    )
    .await;
    run.map(drop).map_err(|source| TestError::Section {
        folder: migration.manifest().folder(),
        source: Box::new(source),
    })
}

/// The schemas that tables are named with: no version creates one.
async fn schemas(connection: &mut Connection, manifest: &Manifest) -> Result<(), TestError> {
    if connection.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let tables = manifest.created_tables();
    let schemas = tables.filter_map(|table| table.split_once('.').map(|(schema, _)| schema));
    for schema in schemas.collect::<BTreeSet<_>>() {
        let create = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema));
        connection.run_file(&create).await?;
    }
    Ok(())
}
