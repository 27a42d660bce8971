//! From a transition's attributes to the three expressions of a pair: `up`, `down` and whether a row's sides agree.
//!
//! Comes in: a column on its way from old to new. Goes out: [`Conversion`], or what its attributes lack.
//! Must not know: statements.

mod agreement;
mod built_in;
mod function;
mod relabelled;
mod split;
mod total;
mod unkeyed;

use zdm_model::{Column, Expression, LogicalType, Table, Transition};

pub(super) use relabelled::casts;
pub(crate) use total::own_name;

use super::expressions::Written;
use super::{ChangeError, Context};
use crate::diff::{self, Place};
use crate::plan::{Function, Pair};

/// A pair, and the function that its `up` calls.
pub(super) struct Conversion {
    pub(super) pair: Pair,
    pub(super) function: Option<Function>,
}

/// One column on its way from old to new.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) at: &'a Place,
    pub(super) table: &'a Table,
    pub(super) old: &'a [Column],
    pub(super) new: &'a Column,
    pub(super) transition: &'a Transition,
}

impl Way<'_> {
    /// The pair of a column that replaces others.
    pub(super) fn replacing(self) -> Result<Conversion, ChangeError> {
        if let Some(function) = &self.transition.with {
            return self.sealing(function);
        }
        if let Some(relabelled) = self.relabelled()? {
            return Ok(relabelled);
        }
        let sharing = self.sharing();
        if let ([old], [_, _, ..]) = (self.old, &sharing[..]) {
            return self.splitting(old, &sharing);
        }
        let built_in = self.built_in();
        let up = match self.declared("up", self.transition.up.as_ref())? {
            Some(up) => self.typed(up)?,
            None => self.built_in_half(built_in.as_ref().map(|halves| halves.up.as_str()))?,
        };
        let names: Vec<&str> = self.old.iter().map(|column| column.name.as_str()).collect();
        self.check("up", &up, &names)?;
        let mut down = Vec::new();
        let written_back = if self.transition.one_way {
            &[][..]
        } else {
            self.old
        };
        for (index, old) in written_back.iter().enumerate() {
            let attribute = format!("down({} = …)", old.name);
            let declared = self
                .transition
                .down
                .iter()
                .find(|(name, _)| *name == old.name);
            let text =
                if let Some(text) = self.declared(&attribute, declared.map(|(_, text)| text))? {
                    text.to_owned()
                } else {
                    let half = built_in.as_ref().and_then(|halves| halves.down.get(index));
                    self.built_in_half(half.map(String::as_str))?
                };
            self.check(&attribute, &text, &[&self.new.name])?;
            down.push(self.typed_back(old, text));
        }
        if let Some((name, _)) = self
            .transition
            .down
            .iter()
            .find(|(name, _)| !names.contains(&name.as_str()))
        {
            return Err(self.mistake(
                format!("`down` gives a value for `{name}`, which it does not replace"),
                format!("It replaces `{}`", names.join("`, `")),
            ));
        }
        let proved = built_in
            .as_ref()
            .and_then(|halves| self.proved(halves, &up, &down));
        let declared_up = up.clone();
        let (up, function) = self.total(up)?;
        let consistent = match built_in {
            Some(halves) if halves.up == declared_up && halves.down == down => halves.consistent,
            _ if self.transition.one_way => self.one_way(&up),
            _ => self.either_way(&up, &down),
        };
        Ok(Conversion {
            pair: Pair {
                up,
                down,
                consistent,
                built_in: proved,
                inputs: self.old.to_vec(),
                ..self.pair(declared_up)?
            },
            function,
        })
    }

    /// The pair of a column that `up` fills.
    pub(super) fn filling(self) -> Result<Conversion, ChangeError> {
        if let Some(function) = &self.transition.with {
            return self.computing(function);
        }
        let Some(up) = self.declared("up", self.transition.up.as_ref())? else {
            return Err(self.mistake(
                "nothing says what existing rows carry".to_owned(),
                "Give it `up = \"…\"` over the columns of the row".to_owned(),
            ));
        };
        if self.new.nullable {
            return Err(self.mistake(
                "`up` fills an `Option`: a NULL that code writes could not be told from a row that waits to be filled"
                    .to_owned(),
                "Make the field no `Option`, or leave `up` out and let existing rows be NULL".to_owned(),
            ));
        }
        let stays: Vec<&str> = self
            .table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| !self.context.goes(&self.table.name, name))
            .collect();
        let mut named = self.check("up", up, &stays)?;
        let declared_up = self.typed(up)?;
        let (up, function) = self.total(declared_up.clone())?;
        let pair = self.pair(declared_up)?;
        if let Some(valid_if) = &pair.valid_if {
            named.extend(self.check("valid_if", valid_if, &stays)?);
        }
        let columns = self.table.columns.iter();
        let inputs = columns.filter(|column| named.contains(&column.name));
        let consistent = format!("{} IS NOT NULL", self.ident(&self.new.name));
        Ok(Conversion {
            pair: Pair {
                up,
                consistent,
                inputs: inputs.cloned().collect(),
                ..pair
            },
            function,
        })
    }

    /// The pair as it is declared, to be completed.
    fn pair(&self, declared_up: String) -> Result<Pair, ChangeError> {
        self.key_is_exact()?;
        let addresses = self.addresses()?;
        let address = addresses.iter().map(|addresses| &addresses.column);
        let valid_if = self.declared("valid_if", self.transition.valid_if.as_ref())?;
        Ok(Pair {
            table: self.table.name.clone(),
            key: self.table.key_columns().chain(address).cloned().collect(),
            addresses,
            new: self.new.clone(),
            view: self.view(),
            old: self.old.to_vec(),
            split: Vec::new(),
            up: declared_up.clone(),
            down: Vec::new(),
            consistent: String::new(),
            on_invalid: self.transition.on_invalid.clone(),
            declared_up,
            valid_if: valid_if.map(str::to_owned),
            inputs: Vec::new(),
            with: None,
            seal: None,
            built_in: None,
            optional: self.new.nullable,
            measured: None,
        })
    }

    /// `up` with a cast to the new column's type, where its own type may be another: what is read is then what a write
    /// stores. Texts are not cast, because a cast cuts what is too long and a write refuses it.
    fn typed(&self, up: &str) -> Result<String, ChangeError> {
        let dialect = self.context.dialect;
        if !dialect.capabilities().typed_columns || self.new.logical_type == LogicalType::Text {
            return Ok(up.to_owned());
        }
        let wanted = dialect.uncollated_type_of(self.new);
        let of_old = |old: &Column| (old.name.clone(), dialect.uncollated_type_of(old));
        let columns: Vec<(String, String)> = self.table.columns.iter().map(of_old).collect();
        let subject = self.subject();
        let written = Written {
            at: self.at,
            subject: &subject,
            attribute: "up",
            text: up,
        };
        let has_it = dialect
            .has_type(up, &wanted, &columns)
            .map_err(|source| written.mistaken(source))?;
        Ok(if has_it {
            up.to_owned()
        } else {
            format!("CAST({up} AS {wanted})")
        })
    }

    /// `down` with a cast to the old column's enum: a text, such as a CASE over literals, is none of its values.
    fn typed_back(&self, old: &Column, down: String) -> String {
        let dialect = self.context.dialect;
        if old.logical_type == LogicalType::Enum && dialect.capabilities().typed_columns {
            format!("CAST({down} AS {})", dialect.type_of(old))
        } else {
            down
        }
    }

    /// The backfill walks along the key, and keys travel as text.
    fn key_is_exact(&self) -> Result<(), ChangeError> {
        let mut keys = self.table.key_columns();
        let inexact =
            |key: &&Column| matches!(key.logical_type, LogicalType::Float4 | LogicalType::Float8);
        let Some(key) = keys.find(inexact) else {
            return Ok(());
        };
        Err(self.mistake(
            format!(
                "the backfill walks along the key of {}, and its `{}` is a floating-point number, which not every text \
                 gives back exactly: rows would be skipped",
                self.table.name, key.name
            ),
            "Add the column as an `Option` without `from` and `up`, and let the application fill it; or let a new table \
             with another key take the rows over"
                .to_owned(),
        ))
    }

    /// A table whose columns exchange their names is reached through a view, by this or any other pair.
    fn view(&self) -> Option<String> {
        let after = self.context.to.table(&self.table.name)?;
        let exchanges = after.columns.iter().any(|column| {
            let transition = column.transition.as_ref();
            transition.is_some_and(|transition| transition.final_name.is_some())
                && diff::is_under_way(self.table, column)
        });
        exchanges.then(|| own_name(self.context.id, &self.table.name, ""))
    }

    fn ident(&self, name: &str) -> String {
        self.context.dialect.ident(name)
    }

    fn subject(&self) -> String {
        format!("{}.{}", self.table.name, self.new.name)
    }

    fn mistake(&self, problem: String, way_on: String) -> ChangeError {
        ChangeError::Declaration {
            at: Box::new(self.at.clone()),
            subject: self.subject(),
            problem,
            way_on,
        }
    }

    fn check(
        &self,
        attribute: &str,
        text: &str,
        allowed: &[&str],
    ) -> Result<Vec<String>, ChangeError> {
        let subject = self.subject();
        let written = Written {
            at: self.at,
            subject: &subject,
            attribute,
            text,
        };
        written.is_steady(self.context.dialect)?;
        written.names_only(self.context.dialect, allowed)
    }

    fn declared<'b>(
        &self,
        attribute: &str,
        expression: Option<&'b Expression>,
    ) -> Result<Option<&'b str>, ChangeError> {
        let dialect = self.context.dialect.name();
        match expression {
            None => Ok(None),
            Some(expression) => expression.for_dialect(dialect).map(Some).ok_or_else(|| {
                self.mistake(
                    format!("`{attribute}` is not given for {dialect}"),
                    format!("Add `{dialect} = \"…\"` to it"),
                )
            }),
        }
    }
}
