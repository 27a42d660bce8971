//! Columns that count the writes of a row, beside the migrations in transition.
//!
//! Comes in: the models, what is in transition. Goes out: the first of them that would be counted twice or not at all.
//! Must not know: what is rendered.

use super::PipelineError;
use super::transitions::InTransition;
use crate::source::Models;

/// A version that is in two columns, or whose row is written through another table, cannot be compared with the one that was read.
pub(super) fn everywhere(
    models: &Models,
    transitions: &[InTransition],
) -> Result<(), PipelineError> {
    for (table, found) in models.schema.tables.iter().zip(&models.models) {
        let Some(version) = &found.version else {
            continue;
        };
        let is_in = |transition: &&InTransition| {
            let (mut moves, mut pairs) = (transition.moves.iter(), transition.pairs.iter());
            moves.any(|moved| [&moved.main, &moved.part].contains(&&table.name))
                || pairs.any(|pair| pair.table == table.name && pair.new.name == *version)
        };
        if let Some(transition) = transitions.iter().find(is_in) {
            return Err(PipelineError::VersionInTransition {
                file: found.file.clone(),
                line: found.line,
                model: found.ident.clone(),
                column: version.clone(),
                migration: transition.manifest.folder(),
            });
        }
    }
    Ok(())
}
