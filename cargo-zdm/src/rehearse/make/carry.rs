//! Rows of new code out of those of old code: the same values on the other side, and some that only new knows.
//!
//! Must not know: how a row of old code came about.

use std::sync::PoisonError;

use zdm_runtime::database::DatabaseError;

use super::Maker;
use super::judge::Refused;
use crate::load::random::Random;
use crate::pipeline::rehearsed::Form;
use crate::rehearse::compare::alike;
use crate::rehearse::handle::Handle;
use crate::rehearse::repository::Row;
use crate::rehearse::table::{Group, Kind, Tab};
use crate::rehearse::value::{Value, Values};

impl Maker {
    /// A row of new code out of one of old code: the same values, some that only new knows.
    pub(super) async fn carried_over(
        &self,
        (tab, form): (usize, Form),
        (old, known): (&Row, Option<&Handle>),
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let table = &self.subject.tabs[tab];
        let Some((drawn, ways)) = self.drawn(tab, (form, false), known, random) else {
            return Ok(None);
        };
        // What nothing says otherwise about is drawn; what the database takes such a value for, it says.
        let mut row = drawn.clone();
        let mut given = Values::new();
        for (at, group) in table.groups.iter().enumerate() {
            match group.kind {
                Kind::Plain => row[group.new[0]] = old.values[group.old[0]].clone(),
                Kind::Pairs => {
                    let before = group.of(Form::Old, &old.values);
                    let values = self.meaning.up((tab, at), &before).await?;
                    for (place, value) in group.new.iter().zip(&values) {
                        row[*place] = value.clone();
                    }
                    if group.is_one_way() {
                        given.extend(before);
                    } else if let [place] = group.new[..]
                        && random.below(3) == 0
                        && !drawn[place].is_null()
                    {
                        let fresh = &drawn[place];
                        if self.comes_back((tab, at), group, fresh, &values).await? {
                            row[place] = fresh.clone();
                        }
                    }
                }
                Kind::Fill | Kind::OldOnly | Kind::NewOnly | Kind::Moved => {}
            }
        }
        let judged = self.meaning.judge(tab, form, &row).await;
        match judged {
            Ok(judged) if judged.refused.is_empty() && holds(table, form, &judged.values) => {
                self.learn(tab, form, &ways, None);
                Ok(Some(Row {
                    values: judged.values,
                    given,
                }))
            }
            _ => {
                self.learn(tab, form, &ways, Some(&Refused::All));
                Ok(None)
            }
        }
    }

    /// Whether old can hold a value of new, so that it is read again by way of old. What it makes of others is kept in words.
    async fn comes_back(
        &self,
        at: (usize, usize),
        group: &Group,
        fresh: &Value,
        by_old: &[Value],
    ) -> Result<bool, DatabaseError> {
        let new = &group.pairs[0].new;
        let again = self.by_way_of_old(at, std::slice::from_ref(fresh)).await;
        if again.as_ref().is_ok_and(|again| alike(new, again, fresh)) {
            return Ok(true);
        }
        // Nothing to say where not even a value that came from old comes back: the load will find that.
        let known = self.by_way_of_old(at, by_old).await;
        if known.is_ok_and(|known| alike(new, &known, &by_old[0])) {
            let becomes = match again {
                Ok(again) => format!("by way of old it is {}", again.shown()),
                Err(error) => format!("its `down` fails: {error}"),
            };
            let column = format!("{}.{}", group.pairs[0].table, new.name);
            let words = format!("{column}: old cannot hold {}: {becomes}", fresh.shown());
            let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
            losses.entry(column).or_insert(words);
        }
        Ok(false)
    }

    /// What is read of a new value where old has it.
    async fn by_way_of_old(
        &self,
        at: (usize, usize),
        value: &[Value],
    ) -> Result<Value, DatabaseError> {
        let old = self.meaning.down(at, value).await?;
        let new = self.meaning.up(at, &old).await?;
        Ok(new.into_iter().next().unwrap_or(Value::Null))
    }
}

/// No column that must have a value lacks it.
fn holds(tab: &Tab, form: Form, row: &[Value]) -> bool {
    let columns = tab.side(form).map_or(&[][..], |side| &side.columns);
    let mut both = columns.iter().zip(row);
    both.all(|(column, value)| column.nullable || column.auto || !value.is_null())
}
