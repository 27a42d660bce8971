//! Asks what became of a column that is gone while others came, and writes the answer into the struct.
//!
//! Comes in: why `generate` stops. Goes out: whether it may try again.
//! Must not know: how the attribute gets to its place.

use crate::context::Context;
use crate::diff::{DiffError, Problem};
use crate::error::Failure;
use crate::pipeline::{Fate, Options, PipelineError};
use crate::plan::BuildError;

/// An undeclared rename or drop.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Undeclared<'a> {
    table: &'a str,
    column: &'a str,
    candidates: &'a [String],
}

/// Asks about the first such column and writes the answer down. False: there is none, nobody is there to ask, or nothing
/// was chosen.
pub(super) fn asked(
    context: &Context,
    options: &Options,
    stopped: &PipelineError,
) -> Result<bool, Failure> {
    let Some(undeclared) = undeclared(stopped).filter(|_| context.terminal.may_ask()) else {
        return Ok(false);
    };
    let fates = undeclared.fates();
    let choices: Vec<String> = fates.iter().map(|fate| undeclared.choice(fate)).collect();
    let Some(chosen) = context
        .terminal
        .ask(&undeclared.question(), &choices)
        .and_then(|chosen| fates.get(chosen))
    else {
        return Ok(false);
    };
    let files = crate::declare(options, (undeclared.table, undeclared.column), chosen)?;
    for (path, _) in files.write(&options.root)? {
        context.terminal.say(&format!("  changed  {path}"));
    }
    Ok(true)
}

fn undeclared(stopped: &PipelineError) -> Option<Undeclared<'_>> {
    let PipelineError::Plan(BuildError::Diff(DiffError(problems))) = stopped else {
        return None;
    };
    problems.iter().find_map(|problem| match problem {
        Problem::Ambiguity {
            at,
            removed,
            candidates,
        } => Some(Undeclared {
            table: &at.table,
            column: removed,
            candidates,
        }),
        _ => None,
    })
}

impl Undeclared<'_> {
    fn question(&self) -> String {
        format!(
            "`{}.{}` is gone, and new are: {}. What became of its values?",
            self.table,
            self.column,
            self.candidates.join(", ")
        )
    }

    fn fates(&self) -> Vec<Fate> {
        let renamed = self.candidates.iter().cloned().map(Fate::RenamedTo);
        renamed.chain([Fate::Dropped]).collect()
    }

    fn choice(&self, fate: &Fate) -> String {
        let attribute = fate.attribute(self.column);
        match fate {
            Fate::RenamedTo(field) => format!("`{field}` holds them: {attribute} on the field"),
            Fate::Dropped => format!("they go: {attribute} on the struct"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Place;

    #[test]
    fn every_candidate_and_the_drop_are_offered() {
        let at = Place {
            table: "users".to_owned(),
            source: "src/models.rs:4".to_owned(),
        };
        let stopped = PipelineError::Plan(BuildError::Diff(DiffError(vec![Problem::Ambiguity {
            at,
            removed: "name".to_owned(),
            candidates: vec!["full_name".to_owned(), "nick".to_owned()],
        }])));
        let undeclared = undeclared(&stopped).unwrap();
        let fates = undeclared.fates();
        let choices: Vec<_> = fates.iter().map(|fate| undeclared.choice(fate)).collect();
        assert_eq!(
            choices,
            [
                "`full_name` holds them: #[zdm(renamed_from = \"name\")] on the field",
                "`nick` holds them: #[zdm(renamed_from = \"name\")] on the field",
                "they go: #[zdm(drops(\"name\"))] on the struct",
            ]
        );
    }
}
