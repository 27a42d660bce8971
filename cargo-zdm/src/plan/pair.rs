//! Old and new side of a column, as three SQL expressions of the dialect: dual write, backfill, verification and
//! shadow reads are all built from them.
//!
//! Must not know: how the expressions were declared, what is rendered from them.

use zdm_model::{Column, FinalName, Function, OnInvalid};
use zdm_runtime::manifest::{BuiltIn, Measured};

use crate::dialect::{Addresses, Dialect};

/// What replaces what while both are written. Expressions name columns bare, so that `Dialect::bind` can put a
/// qualified name, `excluded.…` or a parameter in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The table, unquoted.
    pub table: String,
    /// Its key columns, in key order; where nothing tells rows apart, where they stand.
    pub key: Vec<Column>,
    /// Nothing tells rows apart: `key` is their address, which is theirs only until somebody moves them.
    pub addresses: Option<Addresses>,
    /// The column that comes.
    pub new: Column,
    /// The view through which statements reach the row as long as the pair is in transition: the name without its schema,
    /// unquoted. `None`: the table itself.
    pub view: Option<String>,
    /// The columns that it replaces; none for a fill, whose `up` reads the other columns of the row.
    pub old: Vec<Column>,
    /// All that the old column is split into, in the order of the struct and with this one; none where it is not split.
    pub split: Vec<Part>,
    /// f: the new value over the old columns; for a fill, over the row. Total: it never fails.
    pub up: String,
    /// g: per old column, in the order of `old`, its value over the new column, or over all columns of `split`; none where the
    /// pair is one-way.
    pub down: Vec<String>,
    /// Whether a row's sides agree, over old and new columns; never NULL, never fails. For a fill: new is there.
    pub consistent: String,
    /// What becomes of a row that `up` cannot convert; `None` where it converts everything.
    pub on_invalid: Option<OnInvalid>,
    /// `up` before it was made total: it may fail where `on_invalid` says what then.
    pub declared_up: String,
    /// The condition under which `declared_up` gives the right value.
    pub valid_if: Option<String>,
    /// The columns that `declared_up` and `valid_if` may read.
    pub inputs: Vec<Column>,
    /// The Rust function of the application that gives the new column its value, over `inputs`: `up` is NULL then, for SQL has no
    /// word for it.
    pub with: Option<Function>,
    /// The column beside new that says whether its sides agree, where only a function could compute the one from the other:
    /// what both were when somebody last wrote both.
    pub seal: Option<String>,
    /// What is proved of a conversion whose both halves are built in.
    pub built_in: Option<BuiltIn>,
    /// The new column may be NULL.
    pub optional: bool,
    /// What a database told about its rows before the version was written; it decides nothing.
    pub measured: Option<Measured>,
}

/// One of the new columns that an old one is split into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The column that comes.
    pub column: Column,
    /// f: its value over the old column, as it is declared: a part takes every value.
    pub up: String,
}

impl Pair {
    /// Of the columns that an old one is split into, the first stands for the old one.
    pub fn leads(&self) -> bool {
        let first = self.split.first();
        first.is_none_or(|part| part.column.name == self.new.name)
    }

    /// A new column that no old one stands behind: `up` gives existing rows their value.
    pub fn is_fill(&self) -> bool {
        self.old.is_empty()
    }

    /// Nothing computes old from new: writes take both values.
    pub fn is_one_way(&self) -> bool {
        !self.is_fill() && self.down.is_empty()
    }

    /// Its names, where the new column takes over that of an old one.
    pub fn final_name(&self) -> Option<&FinalName> {
        self.new.transition.as_ref()?.final_name.as_ref()
    }

    /// The function that makes a value of new of its text, where the name of new's type goes over to another.
    pub fn cast(&self) -> Option<&str> {
        self.new.transition.as_ref()?.cast.as_deref()
    }

    /// A trigger keeps the two sides of a key's column that grows: code reads and writes the key, whichever has its name.
    pub fn is_of_key(&self) -> bool {
        self.final_name()
            .is_some_and(|names| self.key.iter().any(|key| key.name == names.last))
    }

    /// The seal of these values: of the old columns, in their order, and of new.
    pub fn seal_of(&self, dialect: &Dialect, value: &dyn Fn(&Column) -> String) -> String {
        let sides = self.old.iter().chain([&self.new]);
        let values: Vec<_> = sides.map(|column| (column, value(column))).collect();
        dialect.seal(&values)
    }

    /// The seal of what the row has.
    pub fn seal_of_row(&self, dialect: &Dialect) -> String {
        self.seal_of(dialect, &|column| dialect.ident(&column.name))
    }

    /// Whether the row's sides are what they were when somebody last wrote both; never NULL, never fails. `None` where SQL can
    /// compute the one from the other.
    pub fn sealed(&self, dialect: &Dialect) -> Option<String> {
        let seal = dialect.ident(self.seal.as_ref()?);
        Some(format!(
            "{seal} IS NOT DISTINCT FROM {}",
            self.seal_of_row(dialect)
        ))
    }

    /// The word for what becomes of a row that `up` cannot convert; `total` where it converts everything.
    pub fn rule(&self) -> &'static str {
        match &self.on_invalid {
            None => "total",
            Some(OnInvalid::Default(_)) => "default",
            Some(OnInvalid::Null) => "null",
            Some(OnInvalid::Quarantine) => "quarantine",
            Some(OnInvalid::Reject) => "reject",
        }
    }

    /// The new side is the old one under another name, and sides that agree are the same bytes: either may be copied to
    /// the other and nothing is lost.
    pub fn is_copy(&self, dialect: &Dialect) -> bool {
        let [old] = &self.old[..] else {
            return false;
        };
        self.up == dialect.ident(&old.name)
            && self.down == [dialect.ident(&self.new.name)]
            && self.consistent == dialect.identical(old, &self.new)
    }
}
