//! What handwritten statements are made of.

use zdm_model::Column;
use zdm_runtime::Writes;

use super::{Statements, numbered};
use crate::plan::Pair;
use crate::render::rust::RenderError;

impl<'a> Statements<'a> {
    /// The assignments of one column, for handwritten statements with a parameter of any name.
    pub(in crate::render::rust) fn fragment(
        &self,
        writes: Writes,
        column: &'a Column,
        value: &str,
        given: &[(&'a Column, String)],
    ) -> Result<String, RenderError> {
        let value = vec![(column, value.to_owned())];
        let assigned = self.assigned(writes.into(), &value, given, false)?;
        Ok(assigned.join(", "))
    }

    /// What such a statement demands of both values, where the column's pair is one-way.
    pub(in crate::render::rust) fn demand(
        &self,
        writes: Writes,
        column: &'a Column,
        value: &str,
        given: &[(&'a Column, String)],
    ) -> Result<String, RenderError> {
        let value = vec![(column, value.to_owned())];
        let demanded = self.bound(self.sides.demanded(writes.into(), &value, given))?;
        Ok(demanded.join(" AND "))
    }

    /// Whether the values `$1` for new and from `$2` on for old agree, asked of the parameters alone; where a function computes new,
    /// `$2` is what it makes of old.
    pub(in crate::render::rust) fn agree(&self, pair: &'a Pair) -> Result<String, RenderError> {
        let given = if pair.seal.is_some() {
            numbered([&pair.new].into_iter(), 2)
        } else {
            numbered(pair.old.iter(), 2)
        };
        let agreement = self.bound(self.sides.agreement(pair, "$1", &given))?;
        Ok(format!("SELECT {agreement}"))
    }

    /// What every update of a row counts.
    pub(in crate::render::rust) fn next_version(&self) -> Option<String> {
        let (column, next) = self.sides.next_version(false)?;
        Some(format!("{column} = {next}"))
    }
}
