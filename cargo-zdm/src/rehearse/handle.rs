//! Rows as the load knows them: by what never changes of them, and by the keys with which each code finds them.
//!
//! Where a version leaves the key alone the two are the same. Where it gives a table another key, and where columns move between two
//! tables of which one has a key of its own, they are not.
//! Must not know: values of other columns, what is stored.

use std::collections::HashMap;

use super::table::{Side, Tab};
use super::value::{Value, Values, identity};
use crate::pipeline::rehearsed::Form;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Handle {
    /// What tells it from all others, whichever code has written it.
    pub(super) identity: Values,
    /// By what old code and new code find it; `None` as long as nobody has seen that.
    keys: [Option<Values>; 2],
}

impl Handle {
    /// By what code of this form finds the row.
    pub(super) fn key(&self, form: Form) -> Option<&Values> {
        self.keys[side(form)].as_ref()
    }

    /// What the oracle calls it.
    pub(super) fn name(&self) -> String {
        identity(&self.identity)
    }
}

impl Tab {
    /// A row of which the identity alone is known.
    pub(super) fn handle(&self, identity: Values) -> Handle {
        let key = |form: Form| {
            let (key, named) = (self.side(form)?.key(), self.identity(form));
            let value = |place: &usize| {
                let at = named.iter().position(|named| named == place)?;
                identity.get(at).cloned()
            };
            key.iter().map(value).collect()
        };
        Handle {
            keys: [key(Form::Old), key(Form::New)],
            identity,
        }
    }

    /// A row that code of this form has written or read.
    pub(super) fn handle_of(&self, form: Form, row: &[Value]) -> Handle {
        let values = |places: &[usize]| -> Option<Values> {
            places
                .iter()
                .map(|place| row.get(*place).cloned())
                .collect()
        };
        let mut handle = self.handle(values(self.identity(form)).unwrap_or_default());
        for of in [Form::Old, Form::New] {
            let seen = self.key_in(form, of).and_then(|places| values(&places));
            let key = &mut handle.keys[side(of)];
            if key.is_none() {
                *key = seen;
            }
        }
        handle
    }

    /// A row that code of this form has stored. What the database counts besides its key was not told.
    pub(super) fn handle_of_new(&self, form: Form, row: &[Value]) -> Handle {
        let mut handle = self.handle_of(form, row);
        let own = self.side(form).map(Side::key).unwrap_or_default();
        for of in [Form::Old, Form::New] {
            let key = self.key_in(form, of).unwrap_or_default();
            let untold = |place: &usize| self.is_counted(form, *place) && !own.contains(place);
            if key.iter().any(untold) {
                handle.keys[side(of)] = None;
            }
        }
        handle
    }

    /// The database gives the column its values.
    pub(super) fn is_counted(&self, form: Form, place: usize) -> bool {
        let columns = self.side(form).map_or(&[][..], |side| &side.columns);
        columns.get(place).is_some_and(|column| column.auto)
    }

    /// The places in rows of one form of the key by which code of another form finds them; `None` where that does not know them.
    pub(super) fn key_in(&self, form: Form, of: Form) -> Option<Vec<usize>> {
        let key = self.side(of)?.key();
        if side(form) == side(of) {
            return Some(key);
        }
        key.iter().map(|place| self.across(of, *place)).collect()
    }

    /// The place of the same column in rows of the other form.
    pub(super) fn across(&self, form: Form, place: usize) -> Option<usize> {
        let mut both = self.both(form, place);
        both.find_map(|(other, _, place)| (side(other) != side(form)).then_some(place))
    }

    /// What a row of this form must hold to be that row, as far as it is known.
    pub(super) fn fixed(&self, form: Form, handle: &Handle) -> Vec<(usize, Value)> {
        let named = self.identity(form).iter().copied();
        let mut fixed: Vec<_> = named.zip(handle.identity.iter().cloned()).collect();
        for of in [Form::Old, Form::New] {
            if let Some((places, key)) = self.key_in(form, of).zip(handle.key(of)) {
                fixed.extend(places.into_iter().zip(key.iter().cloned()));
            }
        }
        fixed
    }

    /// Whether code of this form knows by what the row is found, and every other key that it has.
    pub(super) fn is_found(&self, form: Form, handle: &Handle) -> bool {
        let known = |of: Form| self.key_in(form, of).is_none() || handle.key(of).is_some();
        handle.key(form).is_some() && known(Form::Old) && known(Form::New)
    }

    /// Whether a column of this form is what a row is known by.
    pub(super) fn names_rows(&self, form: Form, place: usize) -> bool {
        let of_key = |of: Form| {
            self.key_in(form, of)
                .is_some_and(|key| key.contains(&place))
        };
        self.identity(form).contains(&place) || of_key(Form::Old) || of_key(Form::New)
    }

    /// Whether code of this form finds rows by nothing else than what they are known by.
    pub(super) fn is_known_by_its_key(&self, form: Form) -> bool {
        let key = self.side(form).map(Side::key).unwrap_or_default();
        key.iter().all(|place| self.identity(form).contains(place))
    }

    /// Whether rows are found by something else than what they are known by, so that it has to be seen first.
    pub(super) fn has_other_keys(&self) -> bool {
        !self.is_known_by_its_key(Form::Old) || !self.is_known_by_its_key(Form::New)
    }
}

fn side(form: Form) -> usize {
    usize::from(form != Form::Old)
}

/// Rows that were written once, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Pool {
    handles: Vec<Handle>,
    places: HashMap<String, usize>,
}

impl Pool {
    /// Takes a row up, or what was seen of its keys since.
    pub(super) fn put(&mut self, handle: Handle) {
        let name = handle.name();
        let Some(at) = self.places.get(&name) else {
            self.places.insert(name, self.handles.len());
            self.handles.push(handle);
            return;
        };
        for (known, seen) in self.handles[*at].keys.iter_mut().zip(handle.keys) {
            if seen.is_some() {
                *known = seen;
            }
        }
    }

    pub(super) fn at(&self, place: usize) -> Option<&Handle> {
        self.handles.get(place)
    }

    pub(super) fn named(&self, name: &str) -> Option<&Handle> {
        self.handles.get(*self.places.get(name)?)
    }

    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }
}
