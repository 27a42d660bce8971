//! What a write means for what is known of its row, and of the row of another table that belongs to it.

use super::{Shared, Write};
use crate::pipeline::rehearsed::Form;
use crate::rehearse::compare::{self, Known};
use crate::rehearse::couple::Couple;
use crate::rehearse::error::WorkError;
use crate::rehearse::handle::Handle;
use crate::rehearse::instance::Instance;
use crate::rehearse::line::Line;
use crate::rehearse::oracle;
use crate::rehearse::repository::Row;
use crate::rehearse::table::{Side, Tab};
use crate::rehearse::value::{Value, Values, shown};

impl Shared {
    /// Records a write in its transaction. Returns how often the row was written.
    pub(super) async fn record(
        &self,
        line: &mut Line,
        at: usize,
        instance: &Instance,
        row: &Handle,
        write: &Write,
    ) -> Result<i64, WorkError> {
        let tab = &self.subject.tabs[at];
        let name = row.name();
        let Some(couple) = self.subject.couple(at) else {
            let before = oracle::one(&mut line.connection, at, &name).await?;
            let known = known_after(tab, instance.form, (row, write), before);
            return oracle::keep(&mut line.connection, (at, &name), known).await;
        };
        // In this order: writers of the two tables do not wait for each other.
        let main = oracle::locked(&mut line.connection, couple.main, &name).await?;
        let part = oracle::locked(&mut line.connection, couple.part, &name).await?;
        let known = if at == couple.main {
            let main = known_after(tab, instance.form, (row, write), main);
            let part = couple.after_main(&self.subject.tabs, main.as_deref(), part);
            (main, part)
        } else {
            let known = known_after(tab, instance.form, (row, write), part);
            self.after_part(line, couple, instance, row, (main, known))
                .await?
        };
        let (own, other) = if at == couple.main {
            known
        } else {
            (known.1, known.0)
        };
        oracle::keep(&mut line.connection, (couple.other(at), &name), other).await?;
        oracle::keep(&mut line.connection, (at, &name), own).await
    }

    /// What is known of both rows after part's was written.
    async fn after_part(
        &self,
        line: &mut Line,
        couple: &Couple,
        instance: &Instance,
        row: &Handle,
        (main, part): (Option<Vec<Known>>, Option<Vec<Known>>),
    ) -> Result<(Option<Vec<Known>>, Option<Vec<Known>>), WorkError> {
        if instance.form == Form::Old || !couple.part_stays() {
            let main = couple.after_part(part.as_deref(), main);
            return Ok((main, part));
        }
        Ok(match (main, part) {
            (Some(main), Some(mut part)) => {
                couple.take_from_main(&main, &mut part);
                (Some(main), Some(part))
            }
            (Some(main), None) => {
                let left = self.left_in_main(line, couple, instance, row, &main);
                (Some(left.await?), None)
            }
            (None, part) => (None, part),
        })
    }

    /// What main's row holds of the columns that have moved, after part's was deleted. Whether they have gone with that depends on
    /// whether contract was there.
    async fn left_in_main(
        &self,
        line: &mut Line,
        couple: &Couple,
        instance: &Instance,
        row: &Handle,
        main: &[Known],
    ) -> Result<Vec<Known>, WorkError> {
        let (tab, form) = (&self.subject.tabs[couple.main], instance.form);
        let key = tab.handle(row.identity.clone());
        let read = match (self.repository(instance, couple.main), key.key(form)) {
            (Some(repository), Some(key)) => repository.get(line, key).await?,
            _ => None,
        };
        let Some(read) = read else {
            return Ok(main.to_vec());
        };
        couple
            .left_in_main(tab, form, &read, main)
            .map_err(|values| {
                WorkError::Answer(format!(
                    "{} ({}) has ({}) of the columns that have moved, which it had never",
                    tab.name,
                    shown(&row.identity),
                    shown(&values)
                ))
            })
    }

    /// A row with the key that it was given.
    pub(super) fn inserted(
        &self,
        at: usize,
        instance: &Instance,
        row: &Row,
        key: &[Value],
    ) -> Handle {
        let (tab, form) = (&self.subject.tabs[at], instance.form);
        tab.handle_of_new(form, &with_key(tab, form, row, key))
    }
}

fn known_after(
    tab: &Tab,
    form: Form,
    (handle, write): (&Handle, &Write),
    before: Option<Vec<Known>>,
) -> Option<Vec<Known>> {
    match write {
        Write::Insert(row) => {
            let key = handle.key(form).map_or(&[][..], Vec::as_slice);
            let row = Row {
                values: with_key(tab, form, row, key),
                given: row.given.clone(),
            };
            let mut known = compare::written(tab, form, &row, None);
            for (group, known) in tab.groups.iter().zip(&mut known) {
                let untold =
                    |place: &usize| tab.is_counted(form, *place) && !tab.names_rows(form, *place);
                if group.places(form).iter().any(untold) {
                    *known = Known::default();
                }
            }
            Some(known)
        }
        Write::Upsert(row) | Write::Update(row) => {
            Some(compare::written(tab, form, row, before.as_deref()))
        }
        Write::Set(_, place, _, value) => before.map(|mut known| {
            compare::set(tab, form, *place, value, &mut known);
            known
        }),
        Write::Delete(_) => None,
    }
}

/// The key that the database has assigned in the place of the one that was drawn.
fn with_key(tab: &Tab, form: Form, row: &Row, key: &[Value]) -> Values {
    let mut values = row.values.clone();
    let places = tab.side(form).map(Side::key);
    for (place, value) in places.unwrap_or_default().into_iter().zip(key) {
        values[place] = value.clone();
    }
    values
}
