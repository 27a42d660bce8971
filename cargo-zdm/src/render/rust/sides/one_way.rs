//! Writes of one-way pairs, which take the values of both sides: what they demand of them, and what they say of them.

use zdm_model::Column;
use zdm_runtime::Writes;

use super::{Sides, Written};
use crate::dialect::ExpressionError;
use crate::plan::Pair;

impl Sides<'_> {
    /// What a write of both sides says of them, where only a function can tell whether they agree: a value for new, and the given ones
    /// for old.
    pub(super) fn sealed(
        &self,
        pair: &Pair,
        value: &str,
        given: &[(&Column, String)],
    ) -> Option<(String, String)> {
        let seal = pair.seal.as_ref()?;
        let of = |column: &Column| {
            let mut given = of_pair(pair, given);
            let old = given.find(|(old, _)| old.name == column.name);
            let parameter = old.map_or(value, |(_, parameter)| parameter);
            self.words.stored_parameter(column, parameter)
        };
        Some((
            self.words.ident(seal),
            pair.seal_of(self.words.dialect(), &of),
        ))
    }

    /// What a write demands of the values that it takes for one-way pairs: a row whose sides do not agree would read
    /// differently at every stage. Where old is not written any more, its parameters are named nevertheless, so that a
    /// write's versions have the same ones.
    pub(in crate::render::rust) fn demanded(
        &self,
        written: Written,
        columns: &[(&Column, String)],
        given: &[(&Column, String)],
    ) -> Result<Vec<String>, ExpressionError> {
        let mut demanded = Vec::new();
        for (column, parameter) in columns {
            let pair = self.written(written, column);
            let Some((pair, writes)) = pair.filter(|(pair, _)| pair.is_one_way()) else {
                continue;
            };
            if writes == Writes::New {
                let computed = computed_of(pair, given).map(|parameter| (&pair.new, parameter));
                let unused = of_pair(pair, given).chain(computed);
                demanded.extend(unused.map(|(column, parameter)| {
                    let parameter = self.words.typed_parameter(column, parameter);
                    format!("({parameter} IS NULL OR TRUE)")
                }));
            } else {
                demanded.push(self.agreement(pair, parameter, given)?);
            }
        }
        Ok(demanded)
    }

    /// Whether a value for new and those for old agree; where a function computes it, the value and what that makes of them.
    pub(in crate::render::rust) fn agreement(
        &self,
        pair: &Pair,
        value: &str,
        given: &[(&Column, String)],
    ) -> Result<String, ExpressionError> {
        if let Some(computed) = computed_of(pair, given) {
            let stored = |parameter| self.words.stored_parameter(&pair.new, parameter);
            return Ok(self
                .words
                .agrees(&pair.new, &stored(value), &stored(computed)));
        }
        let stored: Vec<(&str, String)> = of_pair(pair, given)
            .map(|(old, parameter)| {
                let stored = self.words.stored_parameter(old, parameter);
                (old.name.as_str(), stored)
            })
            .collect();
        let replacements: Vec<(&str, &str)> = stored
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        let up = self.words.bind(&pair.up, &replacements)?;
        let value = self.words.stored_parameter(&pair.new, value);
        Ok(self.words.agrees(&pair.new, &value, &format!("({up})")))
    }
}

/// The given old columns that belong to a pair, in its order.
pub(super) fn of_pair<'g, 'c>(
    pair: &Pair,
    given: &'g [(&'c Column, String)],
) -> impl Iterator<Item = (&'c Column, &'g str)> {
    given
        .iter()
        .filter(|(old, _)| pair.is_one_way() && pair.old.iter().any(|of| of.name == old.name))
        .map(|(old, parameter)| (*old, parameter.as_str()))
}

/// What stands for what the function makes of the given old values.
fn computed_of<'g>(pair: &Pair, given: &'g [(&Column, String)]) -> Option<&'g str> {
    let mut given = given.iter().filter(|_| pair.seal.is_some());
    let found = given.find(|(column, _)| column.name == pair.new.name)?;
    Some(&found.1)
}
