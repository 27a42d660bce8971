//! The trigger that keeps the other side of a row, whoever writes one side alone.
//!
//! Comes in: the pairs of a table. Goes out: their expressions over a trigger's rows.
//! Must not know: how a dialect spells a trigger, when it comes and goes.

mod spread;

pub(super) use spread::spread;

use serde::Serialize;
use zdm_model::Column;

use super::{Alteration, Pair, column_shape};
use crate::dialect::{Dialect, ExpressionError};

/// What the trigger of one table keeps. All texts but names are SQL over its rows `NEW` and `OLD`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Net {
    /// The name of the function, and of the sequence that counts: without their schema, unquoted.
    pub name: String,
    /// The trigger, last by its name.
    pub trigger: String,
    /// The migration's id.
    pub migration: String,
    /// The pairs with two sides; columns that share their old one stand together.
    pub sides: Vec<Sides>,
    /// The columns that the row itself fills.
    pub fills: Vec<Derived>,
}

/// What is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Netting {
    /// The trigger comes.
    Keep(Net),
    /// It goes.
    Leave(Net),
}

/// The same as a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NetStep {
    /// The table.
    pub table: String,
    /// The net.
    pub net: Net,
    /// It goes.
    #[serde(skip)]
    pub goes: bool,
}

/// Two sides of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sides {
    /// What stands before.
    pub old: Side,
    /// What comes.
    pub new: Side,
    /// The sides of the row agree.
    pub agree: String,
    /// They did before the statement.
    pub agreed: String,
    /// Nothing gives old its value.
    pub one_way: bool,
    /// Whether an insert has given one of the sides is told by the other alone.
    pub guessed: bool,
}

/// The columns of one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// The columns.
    pub columns: Vec<Derived>,
    /// An insert has given a value: there is one, and it is not the column's default.
    pub given: String,
    /// One of them has a value.
    pub there: String,
    /// The statement has left all of them as they were.
    pub kept: String,
    /// The row has in all of them what `zdm_row` holds, and a value in one.
    pub held: String,
}

/// A column, and what gives it its value out of the other side; no value where nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Derived {
    /// Unquoted.
    pub name: String,
    /// Its value.
    pub value: Option<String>,
    /// The same, where there is none for it too.
    pub plain: Option<String>,
    /// The value that it had to have before the statement.
    pub before: Option<String>,
    /// The statement has left it as it was.
    pub kept: String,
    /// The row has in it what `zdm_row` holds.
    pub held: String,
}

impl Net {
    /// The net under these pairs of a table, whose columns are called otherwise by then: from, to. `None` where none has two
    /// sides that code writes. What a `generated` column holds is not known yet when the trigger is called: what is filled out of it
    /// is left to the backfill.
    pub fn of(
        dialect: &Dialect,
        (id, name): (&str, &str),
        pairs: &[&Pair],
        generated: &[&str],
        renames: &[(String, String)],
    ) -> Result<Option<Self>, ExpressionError> {
        let rows = Rows { dialect, renames };
        let pairs = || pairs.iter().filter(|pair| !pair.is_of_key());
        let sides = pairs().filter(|pair| !pair.is_fill() && pair.leads());
        let sides = sides
            .map(|pair| rows.sides(pair))
            .collect::<Result<Vec<_>, _>>()?;
        let mut fills = Vec::new();
        for pair in pairs().filter(|pair| pair.is_fill() && pair.with.is_none()) {
            let reads = dialect.columns_in(&pair.up)?;
            if !reads
                .iter()
                .any(|column| generated.contains(&column.as_str()))
            {
                fills.push(pair);
            }
        }
        let fills = fills
            .into_iter()
            .map(|pair| rows.kept(&pair.new, Some(&pair.up), None))
            .collect::<Result<Vec<_>, _>>()?;
        Ok((!sides.is_empty() || !fills.is_empty()).then(|| Self {
            name: name.to_owned(),
            trigger: format!("zzz_zdm_{id}"),
            migration: id.to_owned(),
            sides,
            fills,
        }))
    }
}

impl Netting {
    pub(super) fn summary(&self, table: &str) -> String {
        match self {
            Self::Keep(_) => {
                format!("let a trigger on {table} keep both sides, whoever writes one")
            }
            Self::Leave(_) => format!("drop the trigger on {table} that keeps both sides"),
        }
    }

    pub(super) fn inverse(&self) -> Alteration {
        Alteration::Net(match self.clone() {
            Self::Keep(net) => Self::Leave(net),
            Self::Leave(net) => Self::Keep(net),
        })
    }

    pub(super) fn step(&self, table: &str) -> NetStep {
        let (Self::Keep(net) | Self::Leave(net)) = self;
        NetStep {
            table: table.to_owned(),
            net: net.clone(),
            goes: matches!(self, Self::Leave(_)),
        }
    }
}

/// The two sides of a pair over the rows of a trigger, by the names that its columns have by then: from, to.
pub(super) fn sides(
    dialect: &Dialect,
    pair: &Pair,
    renames: &[(String, String)],
) -> Result<Sides, ExpressionError> {
    Rows { dialect, renames }.sides(pair)
}

/// Expressions over columns, as expressions over the rows of a trigger.
struct Rows<'a> {
    dialect: &'a Dialect,
    renames: &'a [(String, String)],
}

impl Rows<'_> {
    fn sides(&self, pair: &Pair) -> Result<Sides, ExpressionError> {
        let down = |position: usize| pair.down.get(position).map(String::as_str);
        let old = pair.old.iter().enumerate();
        let old = old
            .map(|(position, column)| self.kept(column, down(position), None))
            .collect::<Result<Vec<_>, _>>()?;
        let split = pair.split.iter();
        let mut new = split
            .map(|part| self.kept(&part.column, Some(&part.up), None))
            .collect::<Result<Vec<_>, _>>()?;
        let mut comes: Vec<&Column> = pair.split.iter().map(|part| &part.column).collect();
        if comes.is_empty() {
            // The verification finds a value that went stale, and the backfill takes it into quarantine.
            let unless = (pair.rule() == "quarantine")
                .then(|| self.there(&pair.old.iter().collect::<Vec<_>>()));
            new.push(self.kept(&pair.new, Some(&pair.up), unless)?);
            comes.push(&pair.new);
        }
        let goes: Vec<&Column> = pair.old.iter().collect();
        let (of_old, of_new) = self.given(&goes, &comes);
        Ok(Sides {
            guessed: self.known(&goes).is_none() || self.known(&comes).is_none(),
            old: side(old, of_old, self.there(&goes)),
            new: side(new, of_new, self.there(&comes)),
            agree: self.over("NEW", &pair.consistent)?,
            agreed: self.over("OLD", &pair.consistent)?,
            one_way: pair.is_one_way(),
        })
    }

    /// Where there is no value for it, a column that has to have one keeps its own; any other one under that condition.
    fn kept(
        &self,
        column: &Column,
        value: Option<&str>,
        unless: Option<String>,
    ) -> Result<Derived, ExpressionError> {
        let over = |row| value.map(|value| self.over(row, value)).transpose();
        let own = self.of("NEW", column);
        let kept = match unless {
            _ if !column.nullable => Some(own),
            Some(condition) => Some(format!("CASE WHEN {condition} THEN {own} END")),
            None => None,
        };
        let or_kept = |value: String| match &kept {
            Some(kept) => format!("coalesce({value}, {kept})"),
            None => value,
        };
        Ok(Derived {
            name: self.called(&column.name).to_owned(),
            plain: over("NEW")?,
            value: over("NEW")?.map(or_kept),
            before: over("OLD")?,
            kept: self
                .dialect
                .same_bytes(column, &self.of("OLD", column), &self.of("NEW", column)),
            held: self.dialect.same_bytes(
                column,
                &self.of("zdm_row", column),
                &self.of("NEW", column),
            ),
        })
    }

    /// Whether an insert has given old, and new. What a default gives anew at every call cannot be told from what was given: then
    /// the other side tells.
    fn given(&self, old: &[&Column], new: &[&Column]) -> (String, String) {
        match (self.known(old), self.known(new)) {
            (None, Some(new)) => (format!("NOT ({new})"), new),
            (Some(old), None) => (old.clone(), format!("NOT ({old})")),
            (of_old, of_new) => (
                of_old.unwrap_or_else(|| self.there(old)),
                of_new.unwrap_or_else(|| self.there(new)),
            ),
        }
    }

    /// One of the columns has a value that is not its default; `None` where a default cannot be compared with.
    fn known(&self, columns: &[&Column]) -> Option<String> {
        let given = columns.iter().map(|column| {
            let value = self.of("NEW", column);
            let Some(default) = column_shape(column, self.dialect).default else {
                return Some(format!("{value} IS NOT NULL"));
            };
            let comparable = matches!(self.dialect.is_stored_once(&default), Ok(true));
            let is_default = self.dialect.agrees(column, &value, &format!("({default})"));
            comparable.then(|| format!("({value} IS NOT NULL AND NOT ({is_default}))"))
        });
        Some(given.collect::<Option<Vec<_>>>()?.join(" OR "))
    }

    fn there(&self, columns: &[&Column]) -> String {
        let there = columns
            .iter()
            .map(|column| format!("{} IS NOT NULL", self.of("NEW", column)));
        there.collect::<Vec<_>>().join(" OR ")
    }

    fn over(&self, row: &str, expression: &str) -> Result<String, ExpressionError> {
        let columns = self.dialect.columns_in(expression)?;
        let bound: Vec<(&str, String)> = columns
            .iter()
            .map(|name| {
                (
                    name.as_str(),
                    format!("{row}.{}", self.dialect.ident(self.called(name))),
                )
            })
            .collect();
        let bound: Vec<(&str, &str)> = bound
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        self.dialect.bind(expression, &bound)
    }

    fn of(&self, row: &str, column: &Column) -> String {
        format!("{row}.{}", self.dialect.ident(self.called(&column.name)))
    }

    /// What the table calls a column by then. A name that goes over and is taken again is followed once.
    fn called<'b>(&'b self, name: &'b str) -> &'b str {
        let renamed = self.renames.iter().find(|(from, _)| from == name);
        renamed.map_or(name, |(_, to)| to)
    }
}

fn side(columns: Vec<Derived>, given: String, there: String) -> Side {
    let all = |text: fn(&Derived) -> &str| {
        let texts: Vec<&str> = columns.iter().map(text).collect();
        texts.join(" AND ")
    };
    Side {
        kept: all(|column| &column.kept),
        held: format!("(({there}) AND {})", all(|column| &column.held)),
        there,
        columns,
        given,
    }
}
