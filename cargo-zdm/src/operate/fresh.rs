//! Whether a database is fresh: it may then be created at the last finalized schema, with nothing in between.
//!
//! Comes in: the session. Goes out: yes or no.
//! Must not know: what is created.

use zdm_runtime::database::catalogue;

use super::rights;
use super::session::Session;
use crate::error::Failure;

impl Session {
    /// No table of the versions is there; or the creation was interrupted: the tool's own tables are there, no instance
    /// has ever registered, and no table holds a row.
    pub(crate) async fn is_fresh(&mut self, was_installed: bool) -> Result<bool, Failure> {
        let tables = self.existing_tables().await?;
        if tables.is_empty() {
            return Ok(true);
        }
        if !was_installed || self.finds("SELECT 1 FROM {zdm}instance LIMIT 1").await? {
            return Ok(false);
        }
        rights::to_alter(&mut self.connection, &tables).await?;
        for table in tables {
            if catalogue::holds_rows(&mut self.connection, &table).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn existing_tables(&mut self) -> Result<Vec<String>, Failure> {
        let mut named: Vec<String> = self
            .migrations
            .iter()
            .flat_map(|migration| migration.manifest().tables.clone())
            .collect();
        named.sort();
        named.dedup();
        let mut existing = Vec::new();
        for table in named {
            let found = catalogue::columns(&mut self.connection, &table).await?;
            if !found.is_empty() {
                existing.push(table);
            }
        }
        Ok(existing)
    }

    async fn finds(&mut self, sql: &str) -> Result<bool, Failure> {
        Ok(!self.connection.query(sql, &[]).await?.is_empty())
    }
}
