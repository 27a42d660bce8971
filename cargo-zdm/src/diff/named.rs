//! Which index, constraint or key of before is which of after. Names pair them; what goes and what comes with the same
//! definition has another name.

use zdm_model::{Check, Exclusion, ForeignKey, Index, Table, Unique};

use super::{Delta, Part, Place, place};

/// What has a name of its own.
pub(super) trait Named: Clone + PartialEq {
    const PART: Part;
    fn name(&self) -> &str;
    fn called(&self, name: &str) -> Self;
    fn added(at: Place, new: Self) -> Delta;
    fn removed(at: Place, old: Self) -> Delta;
    fn changed(at: Place, old: Self, new: Self) -> Delta;
}

macro_rules! named {
    ($($part:ident: $added:ident $removed:ident $changed:ident,)*) => {$(
        impl Named for $part {
            const PART: Part = Part::$part;

            fn name(&self) -> &str {
                &self.name
            }

            fn called(&self, name: &str) -> Self {
                Self {
                    name: name.to_owned(),
                    ..self.clone()
                }
            }

            fn added(at: Place, new: Self) -> Delta {
                Delta::$added(at, new)
            }

            fn removed(at: Place, old: Self) -> Delta {
                Delta::$removed(at, old)
            }

            fn changed(at: Place, old: Self, new: Self) -> Delta {
                Delta::$changed(at, old, new)
            }
        }
    )*};
}

named! {
    Index: IndexAdded IndexRemoved IndexChanged,
    Unique: UniqueAdded UniqueRemoved UniqueChanged,
    Check: CheckAdded CheckRemoved CheckChanged,
    Exclusion: ExclusionAdded ExclusionRemoved ExclusionChanged,
    ForeignKey: ForeignKeyAdded ForeignKeyRemoved ForeignKeyChanged,
}

/// Those that go, changed or are renamed first, then those that come.
pub(super) fn compare<T: Named>(table: &Table, before: &[T], after: &[T], deltas: &mut Vec<Delta>) {
    let is_in = |parts: &[T], part: &T| parts.iter().any(|other| other.name() == part.name());
    let gone: Vec<&T> = before.iter().filter(|old| !is_in(after, old)).collect();
    let new: Vec<&T> = after.iter().filter(|new| !is_in(before, new)).collect();
    let renamed: Vec<(&T, &T)> = gone
        .iter()
        .copied()
        .filter_map(|old| Some((old, renamed(old, &gone, &new)?)))
        .collect();
    for old in before {
        let same_name = after.iter().find(|new| new.name() == old.name());
        let other_name = renamed.iter().find(|(from, _)| from.name() == old.name());
        match (same_name, other_name) {
            (Some(new), _) if new == old => {}
            (Some(new), _) => deltas.push(T::changed(place(table), old.clone(), new.clone())),
            (None, Some((from, to))) => deltas.push(Delta::Renamed(
                place(table),
                T::PART,
                from.name().to_owned(),
                to.name().to_owned(),
            )),
            (None, None) => deltas.push(T::removed(place(table), old.clone())),
        }
    }
    let comes = |new: &&&T| !renamed.iter().any(|(_, to)| to.name() == new.name());
    let added = new.iter().filter(comes).map(|new| (*new).clone());
    deltas.extend(added.map(|new| T::added(place(table), new)));
}

/// The only one of the same definition that comes, where no other of it goes.
fn renamed<'a, T: Named>(old: &T, gone: &[&'a T], new: &[&'a T]) -> Option<&'a T> {
    let alike = |parts: &[&'a T]| -> Vec<&'a T> {
        let parts = parts.iter().copied();
        parts
            .filter(|part| part.called(old.name()) == *old)
            .collect()
    };
    match (alike(gone).as_slice(), alike(new).as_slice()) {
        ([_], [only]) => Some(only),
        _ => None,
    }
}
