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
use crate::rehearse::repository::Row;
use crate::rehearse::table::{Group, Kind, Tab};
use crate::rehearse::value::{Value, Values};

impl Maker {
    /// A row of new code out of one of old code: the same values, some that only new knows.
    pub(super) async fn carried_over(
        &self,
        tab: usize,
        form: Form,
        old: &Row,
        random: &mut Random,
    ) -> Result<Option<Row>, DatabaseError> {
        let table = &self.subject.tabs[tab];
        let Some((drawn, ways)) = self.drawn(tab, (form, false), None, random) else {
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
                Kind::Fill | Kind::OldOnly | Kind::NewOnly => {}
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
        let one = std::slice::from_ref(fresh);
        // The row of the version may not even hold it as it is: its check says so.
        let Ok(before) = self.meaning.down(at, one).await else {
            return Ok(false);
        };
        let Ok(again) = self.meaning.up(at, &before).await else {
            return Ok(false);
        };
        if again.len() == 1 && alike(new, &again[0], fresh) {
            return Ok(true);
        }
        // Nothing to say where not even a value that came from old comes back: the load will find that.
        let before = self.meaning.down(at, by_old).await?;
        let by_old_again = self.meaning.up(at, &before).await?;
        if by_old_again.len() == 1 && alike(new, &by_old_again[0], &by_old[0]) {
            let words = format!(
                "{}.{}: old cannot hold {}: by way of old it is {}",
                group.pairs[0].table,
                new.name,
                fresh.shown(),
                again.first().map(Value::shown).unwrap_or_default()
            );
            let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
            losses.entry(new.name.clone()).or_insert(words);
        }
        Ok(false)
    }
}

/// No column that must have a value lacks it.
fn holds(tab: &Tab, form: Form, row: &[Value]) -> bool {
    let columns = tab.side(form).map_or(&[][..], |side| &side.columns);
    let mut both = columns.iter().zip(row);
    both.all(|(column, value)| column.nullable || column.auto || !value.is_null())
}
