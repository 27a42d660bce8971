//! A version that is planned and not written down yet: the place where facts about a live database come in.
//!
//! Must not know: how they are measured.

use zdm_runtime::manifest::Measured;

use super::transitions::InTransition;
use super::version::Planned;
use crate::dialect::Dialect;
use crate::plan::{Computed, Pair};
use crate::source::Models;
use crate::versions::History;

/// What the stages up to the plan have made.
#[derive(Debug)]
pub struct Draft {
    pub(crate) models: Models,
    pub(crate) dialect: Dialect,
    pub(crate) history: History,
    pub(crate) in_transition: Vec<InTransition>,
    pub(crate) planned: Option<Planned>,
}

impl Draft {
    /// The dialect whose SQL the pairs are written in.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// The pairs of the version that is planned; none where the structs are as the last version left them.
    pub fn pairs(&self) -> &[Pair] {
        self.planned
            .as_ref()
            .map_or(&[], |planned| &planned.plan.pairs)
    }

    /// The columns that the database will compute at once for the rows that are there.
    pub(crate) fn computed(&self) -> Vec<Computed> {
        let planned = self.planned.as_ref();
        planned.map_or_else(Vec::new, |planned| planned.plan.computed(&self.dialect))
    }

    /// Records in the plan what a database told about a pair.
    pub fn record(&mut self, table: &str, column: &str, measured: &Measured) {
        let pairs = self
            .planned
            .iter_mut()
            .flat_map(|planned| &mut planned.plan.pairs);
        for pair in pairs.filter(|pair| pair.table == table && pair.new.name == column) {
            pair.measured = Some(measured.clone());
        }
    }
}
