//! Declarations that do not say what happened.

use std::fmt;

use super::Place;

/// All declarations of a schema that do not say what happened, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffError(pub Vec<Problem>);

impl std::error::Error for DiffError {}

impl fmt::Display for DiffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: {problem}", problem.place().source)?;
        }
        Ok(())
    }
}

/// A declaration that does not say what happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A column went while others came.
    #[error("`{}.{removed}` is gone and {} new: is it a rename? Nothing is guessed. Choose one:\n{}", .at.table, are(.candidates), choices(.removed, .candidates))]
    Ambiguity {
        /// Where.
        at: Place,
        /// The column that went.
        removed: String,
        /// The fields that it could have become.
        candidates: Vec<String>,
    },
    /// A transition names a column that was never there.
    #[error("`{}.{column}` comes from `{from}`, but the last version of the table has no such column; it has {}", .at.table, .known.join(", "))]
    UnknownSource {
        /// Where.
        at: Place,
        /// The column that comes.
        column: String,
        /// What it says that it comes from.
        from: String,
        /// The columns that there are.
        known: Vec<String>,
    },
    /// A transition names a column that stays.
    #[error("`{}.{column}` replaces `{from}`, but `{from}` is still declared: remove the old field (its column stays until contract), or remove the transition and give the new column a `default` or an `up` of its own", .at.table)]
    SourceStays {
        /// Where.
        at: Place,
        /// The column that comes.
        column: String,
        /// What it replaces.
        from: String,
    },
    /// Two transitions name the same column.
    #[error("`{0}.{1}` and `{0}.{2}` both replace `{from}`, but not in the same way: to split it, let both say `from(\"{from}\")` and no other column, each with its `up`; to merge it with others, do that in a version of its own", .at.table, .columns[0], .columns[1])]
    SharedSource {
        /// Where.
        at: Place,
        /// The columns that come.
        columns: [String; 2],
        /// What both replace.
        from: String,
    },
}

impl Problem {
    /// Where the declaration stands.
    pub fn place(&self) -> &Place {
        match self {
            Self::Ambiguity { at, .. }
            | Self::UnknownSource { at, .. }
            | Self::SourceStays { at, .. }
            | Self::SharedSource { at, .. } => at,
        }
    }
}

fn are(candidates: &[String]) -> String {
    let names = candidates
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let verb = if candidates.len() == 1 { "is" } else { "are" };
    format!("{names} {verb}")
}

fn choices(removed: &str, candidates: &[String]) -> String {
    let mut lines: Vec<String> = candidates
        .iter()
        .map(|field| format!("    #[zdm(renamed_from = \"{removed}\")]  on `{field}`, if it holds the same values"))
        .collect();
    lines.push(format!(
        "    #[zdm(drops(\"{removed}\"))]  on the struct, if its values go"
    ));
    lines.join("\n")
}
