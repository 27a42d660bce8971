//! What a way back that has not ended leaves, and forward takes along.

use zdm_runtime::phase::Section;

use super::Lowering;
use super::in_place::not_null_name;
use crate::plan::{Statement, Undo};

impl Lowering<'_> {
    /// What an undo of several statements comes to on its way goes with the rest, so that forward leads over one that has not ended.
    pub(super) fn take_along(&self, table: &str, statement: &mut Statement, undo: &Undo) {
        let Undo::By { actions, .. } = undo else {
            return;
        };
        // From there nothing leads back.
        if self.section >= Section::Drop {
            return;
        }
        match statement {
            Statement::DropNotNull(nullable) if actions.len() > 1 => {
                let check = not_null_name(table, &nullable.column);
                let shape = self.shapes.table(table);
                let mut checks = shape.into_iter().flat_map(|shape| &shape.checks);
                let is_other = checks.any(|other| other.name == check);
                nullable.check = (!is_other).then_some(check);
            }
            Statement::DropConstraint {
                constraint, index, ..
            } => {
                *index = actions.iter().any(|action| {
                    matches!(&action.statement, Statement::CreateIndex { index, .. } if index.name == *constraint)
                });
            }
            _ => {}
        }
    }
}
