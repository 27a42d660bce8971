//! What the database, the checks and `up` say of a row of old code, before it is stored.
//!
//! Must not know: how its values were made.

use std::collections::BTreeMap;

use zdm_model::OnInvalid;
use zdm_runtime::database::DatabaseError;

use super::Maker;
use crate::pipeline::rehearsed::Form;
use crate::rehearse::meaning::{Converted, olds};
use crate::rehearse::table::{Group, Kind, Tab};
use crate::rehearse::value::{Value, Values};

/// Why a row was not taken.
pub(super) enum Refused {
    /// By what these columns hold.
    By(Vec<usize>),
    /// By all of it.
    All,
}

impl Maker {
    /// What the database, the checks of old and new, and `up` say of an old row.
    pub(super) async fn judged(
        &self,
        tab: usize,
        row: &[Value],
        invalid: bool,
    ) -> Result<Result<Values, Refused>, DatabaseError> {
        let table = &self.subject.tabs[tab];
        let Ok(judged) = self.meaning.judge(tab, Form::Old, row).await else {
            return Ok(Err(Refused::All));
        };
        if !judged.refused.is_empty() {
            return Ok(Err(Refused::All));
        }
        let mut after = Some(BTreeMap::new());
        for (at, group) in table.groups.iter().enumerate() {
            let inputs = inputs(table, group, Form::Old, &judged.values);
            match group.kind {
                Kind::Plain => {
                    let value = judged.values[group.old[0]].clone();
                    if let Some(after) = &mut after {
                        after.insert(group.new[0], value);
                    }
                }
                Kind::Pairs | Kind::Fill => {
                    let Some(inputs) = inputs else { continue };
                    let converted = self.meaning.declared((tab, at), &inputs).await?;
                    match accepts(group, converted, invalid) {
                        Accepted::As(values) => {
                            if let Some(after) = &mut after {
                                after.extend(group.new.iter().copied().zip(values));
                            }
                        }
                        Accepted::AsAnything => after = None,
                        Accepted::Not => return Ok(Err(Refused::By(group.old.clone()))),
                    }
                }
                Kind::OldOnly | Kind::NewOnly | Kind::Moved => {}
            }
        }
        let Some((after, new)) = after.zip(table.new.as_ref()) else {
            return Ok(Ok(judged.values));
        };
        let row: Option<Values> = (0..new.columns.len())
            .map(|at| after.get(&at).cloned())
            .collect();
        if let Some(row) = row {
            match self.meaning.judge(tab, Form::New, &row).await {
                Ok(after) if after.refused.is_empty() => {}
                _ => return Ok(Err(Refused::All)),
            }
        }
        Ok(Ok(judged.values))
    }
}

/// What becomes of a row by what its values convert to.
enum Accepted {
    /// It is made; these are its new values.
    As(Values),
    /// It is made, and nobody knows its new values yet.
    AsAnything,
    /// It is not.
    Not,
}

fn accepts(group: &Group, converted: Converted, invalid: bool) -> Accepted {
    let provided = |rule: &Option<OnInvalid>| {
        matches!(
            rule,
            Some(OnInvalid::Quarantine | OnInvalid::Null | OnInvalid::Default(_))
        )
    };
    match converted {
        Converted::Unknown => Accepted::AsAnything,
        Converted::Not => {
            let mut pairs = group.pairs.iter();
            if invalid && pairs.all(|pair| provided(&pair.on_invalid)) {
                Accepted::AsAnything
            } else {
                Accepted::Not
            }
        }
        Converted::To(values) => {
            let mut pairs = group.pairs.iter().zip(&values);
            if pairs.all(|(pair, value)| pair.optional || !value.is_null()) {
                Accepted::As(values)
            } else {
                Accepted::Not
            }
        }
    }
}

/// What a group's `up` reads, of a row of this form; `None` where that code does not know all of it.
pub(in crate::rehearse) fn inputs(
    tab: &Tab,
    group: &Group,
    form: Form,
    row: &[Value],
) -> Option<Values> {
    let side = tab.side(form)?;
    let value = |name: &str| Some(row.get(side.place(name)?)?.clone());
    if group.kind == Kind::Fill {
        let inputs = group.pairs.iter().flat_map(|pair| &pair.inputs);
        return inputs.map(|column| value(&column.name)).collect();
    }
    olds(group)
        .iter()
        .map(|column| value(&column.name))
        .collect()
}
