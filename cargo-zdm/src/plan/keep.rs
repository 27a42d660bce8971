//! Old columns that contract renames away instead of dropping them, and the trigger that maintains them until they are dropped.
//!
//! Comes in: the pairs of a table, the names that its columns get. Goes out: alterations and what a template needs of them.
//! Must not know: how a dialect spells a trigger, for how long anything is kept.

mod spread;

pub(super) use spread::spread;

use serde::Serialize;
use zdm_model::names;

use super::net::{self, Sides};
use super::{Alteration, Net, Pair};
use crate::dialect::{Dialect, ExpressionError};

/// The columns of a table that are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Before, after; in the order of execution.
    pub renames: Vec<(String, String)>,
    /// What maintains them; `None` where nothing computes any of them.
    pub upkeep: Option<Upkeep>,
    /// What keeps both sides as long as they have their own names, for whoever writes by these.
    pub net: Option<Net>,
}

/// The trigger that computes kept columns from new ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upkeep {
    /// The name of the function, without its schema, unquoted.
    pub name: String,
    /// The trigger, last by its name.
    pub trigger: String,
    /// The pairs, old by the names under which it is kept.
    pub sides: Vec<Sides>,
}

/// What is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeping {
    /// The columns get names under which nobody looks for them.
    Away(Kept),
    /// They get their own back.
    Back(Kept),
    /// What maintains them goes, before they do.
    Leave(Upkeep),
    /// The table gets such a name, or its own back: from, to.
    Table(String, String),
}

/// The same as a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeepStep {
    /// The table.
    pub table: String,
    /// The columns, in the order of execution.
    pub renames: Vec<(String, String)>,
    /// What maintains them.
    pub upkeep: Option<Upkeep>,
    /// What keeps both sides as long as they have their own names.
    pub net: Option<Net>,
    /// What the table is called from then on.
    pub to: Option<String>,
    /// The name in `dialect.toml`.
    #[serde(skip)]
    pub name: &'static str,
}

impl Upkeep {
    /// For the pairs of a table whose old columns are kept, all by the names that they have by then; `None` where nothing computes old.
    fn of(
        dialect: &Dialect,
        (id, name): (&str, String),
        pairs: &[&Pair],
        renames: &[(String, String)],
    ) -> Result<Option<Self>, ExpressionError> {
        let pairs = pairs.iter();
        let computed = pairs.filter(|pair| !pair.is_fill() && !pair.is_one_way() && pair.leads());
        let sides = computed
            .map(|pair| net::sides(dialect, pair, renames))
            .collect::<Result<Vec<_>, _>>()?;
        Ok((!sides.is_empty()).then(|| Self {
            name,
            trigger: format!("zzz_zdm_{id}_kept"),
            sides,
        }))
    }
}

impl Keeping {
    pub(super) fn summary(&self, table: &str) -> String {
        let names = |kept: &Kept| {
            let columns = kept.renames.iter();
            let columns = columns.map(|(from, to)| format!("{table}.{from} as {to}"));
            columns.collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Away(kept) => {
                let goes = match kept.net {
                    Some(_) => ", and drop the one that keeps both sides",
                    None => "",
                };
                match kept.upkeep {
                    Some(_) => format!("keep {}, which a trigger maintains{goes}", names(kept)),
                    None if goes.is_empty() => format!("keep {}", names(kept)),
                    None => format!(
                        "keep {}, and drop the trigger that keeps both sides",
                        names(kept)
                    ),
                }
            }
            Self::Back(kept) => {
                let columns = kept.renames.iter();
                let columns = columns.map(|(from, _)| format!("{table}.{from}"));
                let comes = match kept.net {
                    Some(_) => ", and the trigger that keeps both sides",
                    None => "",
                };
                format!(
                    "bring {} back{comes}",
                    columns.collect::<Vec<_>>().join(", ")
                )
            }
            Self::Leave(_) => format!("drop the trigger on {table} that maintains what is kept"),
            Self::Table(from, to) => format!("call the table {from} {to}"),
        }
    }

    pub(super) fn inverse(&self, table: &str) -> Result<Alteration, String> {
        Ok(Alteration::Keep(match self {
            Self::Away(kept) => Self::Back(kept.clone()),
            Self::Back(kept) => Self::Away(kept.clone()),
            Self::Leave(_) => {
                return Err(format!(
                    "what is kept of {table} is not maintained any more"
                ));
            }
            Self::Table(from, to) => Self::Table(to.clone(), from.clone()),
        }))
    }

    pub(super) fn step(&self, table: &str) -> KeepStep {
        let step = |name| KeepStep {
            table: table.to_owned(),
            renames: Vec::new(),
            upkeep: None,
            net: None,
            to: None,
            name,
        };
        match self.clone() {
            Self::Away(kept) => KeepStep {
                renames: kept.renames,
                upkeep: kept.upkeep,
                net: kept.net,
                ..step("keep_columns")
            },
            Self::Back(kept) => KeepStep {
                renames: back(&kept.renames),
                upkeep: kept.upkeep,
                net: kept.net,
                ..step("bring_back_columns")
            },
            Self::Leave(upkeep) => KeepStep {
                upkeep: Some(upkeep),
                ..step("leave_columns")
            },
            Self::Table(from, to) => KeepStep {
                table: from,
                to: Some(to),
                ..step("keep_table")
            },
        }
    }

    /// The names that columns get: before, after.
    pub(super) fn renames(&self) -> Vec<(String, String)> {
        match self {
            Self::Away(kept) => kept.renames.clone(),
            Self::Back(kept) => back(&kept.renames),
            Self::Leave(_) | Self::Table(..) => Vec::new(),
        }
    }
}

/// The name under which a column or a table is kept. Where it has to be cut, its end tells it from others that begin alike.
pub(crate) fn kept_name(name: &str) -> String {
    let full = format!("{}{name}", names::KEPT);
    if full.len() <= names::LONGEST {
        return full;
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let end = format!("_{}", &hash.as_str()[..8]);
    let stem = full.floor_char_boundary(names::LONGEST - end.len());
    format!("{}{end}", &full[..stem])
}

fn back(renames: &[(String, String)]) -> Vec<(String, String)> {
    let renames = renames.iter().rev();
    renames
        .map(|(from, to)| (to.clone(), from.clone()))
        .collect()
}
