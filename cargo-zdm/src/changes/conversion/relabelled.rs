//! The pair of a column whose enum gets other values: both sides are texts in between, and no expression names a type, for
//! the types exchange their names while statements run.

use zdm_runtime::manifest::BuiltIn;

use super::{Conversion, Way, total};
use crate::changes::{ChangeError, Context};
use crate::plan::{Cast, Exchange, Pair};

/// The functions that make values of both types: of the new one, then of the old one.
pub(in crate::changes) fn casts(context: &Context<'_>, exchange: &Exchange) -> [Cast; 2] {
    let cast = |enumeration: &str, ending: &str| Cast {
        name: total::own_name(context.id, &exchange.new.name, ending),
        enumeration: enumeration.to_owned(),
    };
    [
        cast(&exchange.interim(), "_new"),
        cast(&exchange.old.name, "_old"),
    ]
}

impl Way<'_> {
    /// The pair, where the column is one of an enum that gets other values.
    pub(super) fn relabelled(&self) -> Result<Option<Conversion>, ChangeError> {
        let [old] = self.old else {
            return Ok(None);
        };
        let mut exchanges = self.context.exchanges.iter();
        let Some(exchange) = exchanges.find(|found| found.has(&self.table.name, &old.name)) else {
            return Ok(None);
        };
        let [new_cast, old_cast] = casts(self.context, exchange);
        let up = self.value_of(&new_cast, &old.name, &exchange.up);
        let down = self.value_of(&old_cast, &self.new.name, &exchange.down);
        let consistent = format!("{} IS NOT DISTINCT FROM {up}", self.ident(&self.new.name));
        let mut pair = Pair {
            down: vec![down],
            consistent,
            inputs: vec![old.clone()],
            built_in: Some(BuiltIn {
                refuses: false,
                down_loses: None,
                up_loses: told_apart(exchange),
            }),
            ..self.pair(up)?
        };
        if let Some(transition) = &mut pair.new.transition {
            transition.cast = Some(new_cast.name);
        }
        Ok(Some(Conversion {
            pair,
            function: None,
        }))
    }

    fn value_of(&self, cast: &Cast, column: &str, becomes: &[(String, String)]) -> String {
        let dialect = self.context.dialect;
        let text = format!("CAST({} AS text)", self.ident(column));
        let others = becomes.iter().filter(|(from, to)| from != to);
        let whens: Vec<String> = others
            .map(|(from, to)| {
                let (from, to) = (dialect.literal(from), dialect.literal(to));
                format!(" WHEN {from} THEN {to}")
            })
            .collect();
        let value = if whens.is_empty() {
            text
        } else {
            format!("CASE {text}{} ELSE {text} END", whens.concat())
        };
        format!("{}({value})", dialect.own(&cast.name))
    }
}

/// Which values nobody knows any more once old is dropped.
fn told_apart(exchange: &Exchange) -> Option<String> {
    let merged = exchange.merged();
    let groups: Vec<String> = merged
        .into_iter()
        .map(|value| {
            let ups = exchange.up.iter().filter(|(_, to)| to == value);
            let from: Vec<String> = ups.map(|(from, _)| format!("`{from}`")).collect();
            format!(
                "which of {} a row had that has `{value}` now",
                from.join(", ")
            )
        })
        .collect();
    (!groups.is_empty()).then(|| groups.join("; "))
}
