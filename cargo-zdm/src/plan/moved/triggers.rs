//! The triggers that keep the two tables of a move together.
//!
//! Must not know: how a dialect spells them.

use serde::Serialize;
use zdm_model::Column;

use super::{Ends, Move};
use crate::dialect::Dialect;
use crate::plan::Origin;

/// Triggers that write what a statement has written to their table to the other one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Triggers {
    /// Which of the two tables fires.
    pub on: Ends,
    /// The table that fires, unquoted.
    pub table: String,
    /// The other.
    pub other: String,
    /// Their name, or what their names begin with.
    pub name: String,
    /// The key: the column here, the column there.
    pub key: Vec<(String, String)>,
    /// What moves: the column here, the column there.
    pub columns: Vec<(String, String)>,
    /// The row of main has one in part: of main's `NEW`, or of the row of main that a statement meets.
    pub present: String,
    /// The same of main's row, `zdm_main`.
    pub held: String,
    /// The other table's row holds the same already: as an insert that meets it, or as part's row does, `zdm_now`.
    pub same: String,
    /// A row's key or a column that moves is another than before.
    pub changed: String,
    /// What triggers on main need besides where columns come into it.
    pub merging: Option<Merging>,
    /// Part stays, so that none of its rows comes or goes with what main holds.
    pub part_stays: bool,
}

/// Main's row may hold nothing yet of what part holds, and a write that does not change a column says nothing about it. All but
/// `refusal` are conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merging {
    /// Main's `NEW` holds no value that moves.
    pub nothing: String,
    /// Main's `OLD` has a row in part.
    pub was_present: String,
    /// Part's row holds what main's `NEW` does.
    pub same: String,
    /// Column by column: main's `NEW` holds what `OLD` did.
    pub kept: Vec<String>,
    /// What is said to a row that has some of the values that part demands, or values without a row in part that stays.
    pub refusal: String,
}

impl Move {
    /// The triggers on main, which keep part.
    pub fn of_main(&self, dialect: &Dialect, id: &str) -> Triggers {
        // Where columns come into main, its row may have nothing yet: then another key is no reason to take part's row away, which
        // has it by then.
        let own = self.key.iter().take_while(|_| self.to == Ends::Part);
        Triggers {
            on: Ends::Main,
            merging: self.merging(dialect, id),
            part_stays: self.part_stays,
            table: self.main.clone(),
            other: self.part.clone(),
            name: format!("zdm_{id}_main"),
            key: names(&self.key),
            columns: names(&self.columns),
            present: self.present(dialect, "NEW."),
            held: self.present(dialect, "zdm_main."),
            same: self.same_as_inserted(dialect),
            changed: changed(dialect, own.chain(&self.columns).map(|(main, _)| main)),
        }
    }

    /// Where the columns of a new part come from.
    pub fn origin(&self) -> Origin {
        Origin {
            table: self.main.clone(),
            key: names(&self.key),
            columns: names(&self.columns),
            policy: Some(format!("row_of_{}", self.main.replace('.', "_"))),
        }
    }

    /// The triggers on part, which keep main.
    pub fn of_part(&self, dialect: &Dialect, id: &str) -> Triggers {
        let (main, _) = self.prefixes(dialect);
        let reversed = |pairs: &[(Column, Column)]| -> Vec<(String, String)> {
            let names = names(pairs).into_iter();
            names.map(|(main, part)| (part, main)).collect()
        };
        Triggers {
            on: Ends::Part,
            table: self.part.clone(),
            other: self.main.clone(),
            name: format!("zdm_{id}_part"),
            key: reversed(&self.key),
            columns: reversed(&self.columns),
            present: self.present(dialect, ""),
            held: self.present(dialect, "zdm_main."),
            merging: self.merging(dialect, id),
            part_stays: self.part_stays,
            same: self.same(dialect, &main, "zdm_now."),
            changed: changed(
                dialect,
                self.key.iter().chain(&self.columns).map(|(_, part)| part),
            ),
        }
    }

    fn merging(&self, dialect: &Dialect, id: &str) -> Option<Merging> {
        let (_, part_prefix) = self.prefixes(dialect);
        let kept = |(main, _): &(Column, Column)| {
            let name = dialect.ident(&main.name);
            dialect.same_bytes(main, &format!("OLD.{name}"), &format!("NEW.{name}"))
        };
        (self.to == Ends::Main).then(|| Merging {
            nothing: self.nothing(dialect, "NEW."),
            was_present: self.present(dialect, "OLD."),
            same: self.same(dialect, "NEW.", &part_prefix),
            kept: self.columns.iter().map(kept).collect(),
            refusal: self.refusal(id),
        })
    }

    fn refusal(&self, id: &str) -> String {
        let (main, part) = (&self.main, &self.part);
        let named = |columns: Vec<&str>| columns.join(", ");
        let columns = self.columns.iter();
        let demanded = columns.clone().filter(|(_, part)| !part.nullable);
        let all = named(columns.map(|(main, _)| main.name.as_str()).collect());
        let why =
            format!("nothing is written: as long as {part} holds them as well (migration {id})");
        if self.part_stays {
            return format!(
                "{why}, a row of {main} that has none in {part} has none of ({all}); store the row of {part} first"
            );
        }
        let demanded = named(demanded.map(|(main, _)| main.name.as_str()).collect());
        format!(
            "{why}, a row of {main} has all of ({demanded}) or none of ({all}); give or take them in one statement"
        )
    }
}

fn changed<'a>(dialect: &Dialect, columns: impl Iterator<Item = &'a Column>) -> String {
    let kept: Vec<String> = columns
        .map(|column| {
            let name = dialect.ident(&column.name);
            dialect.same_bytes(column, &format!("OLD.{name}"), &format!("NEW.{name}"))
        })
        .collect();
    format!("NOT ({})", kept.join(" AND "))
}

fn names(pairs: &[(Column, Column)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(main, part)| (main.name.clone(), part.name.clone()))
        .collect()
}
