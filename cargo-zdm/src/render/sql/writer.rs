//! Renders the statements of a table's backfill into files.
//!
//! Must not know: which statements there are.

use std::collections::BTreeMap;

use super::backfill::View;
use super::{Identity, header};
use crate::dialect::{Dialect, DialectError};
use crate::plan::Plan;

/// What the files of a table have in common, and those that are written.
pub(super) struct Writer<'a> {
    pub(super) plan: &'a Plan,
    pub(super) dialect: &'a Dialect,
    pub(super) identity: &'a Identity,
    pub(super) folder: &'a str,
    pub(super) texts: BTreeMap<String, String>,
}

impl Writer<'_> {
    /// The path of what was written.
    pub(super) fn write(
        &mut self,
        name: &str,
        about: &str,
        template: &str,
        view: &View,
    ) -> Result<String, DialectError> {
        let path = format!("{}/{name}.sql", self.folder);
        let sql = self.dialect.render(&format!("backfill/{template}"), view)?;
        let header = header(self.plan, self.identity, about);
        let text = format!("{header}\n{}\n", sql.trim_end());
        self.texts.insert(path.clone(), text);
        Ok(path)
    }
}
