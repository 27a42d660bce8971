//! A table as the code before a version and the code after it know it, and which columns of both mean the same.
//!
//! Comes in: the version. Goes out: [`Tab`]s with the statements of every form of the code.
//! Must not know: any database, what values there are.

use std::collections::BTreeMap;

use zdm_model::{Column, ForeignKey, LogicalType, Table};

use crate::pipeline::rehearsed::{Form, Rehearsed};
use crate::plan::Pair;
use crate::render::rust::calls::Calls;

/// What the code of one form knows of the table.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) table: Table,
    /// Those that are written, in their order: the order of a row's values.
    pub(super) columns: Vec<Column>,
}

/// Which columns of old and new belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The same column.
    Plain,
    /// Sides of pairs.
    Pairs,
    /// New without an old side: `up` over the row gives the first value.
    Fill,
    /// Old code alone knows it.
    OldOnly,
    /// New code alone knows it.
    NewOnly,
    /// One code knows it here, the other one in another table.
    Moved,
}

/// Columns whose values are written and compared together, by their places in the rows of both sides.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) kind: Kind,
    pub(super) old: Vec<usize>,
    pub(super) new: Vec<usize>,
    /// Of each new column.
    pub(super) pairs: Vec<Pair>,
}

/// A table of the rehearsal.
#[derive(Debug)]
pub(super) struct Tab {
    /// Its name after the version, or before it where it goes.
    pub(super) name: String,
    pub(super) old: Option<Side>,
    pub(super) new: Option<Side>,
    pub(super) groups: Vec<Group>,
    /// The places of the columns by which a row is known, in rows of old code and in those of new code.
    pub(super) identity: [Vec<usize>; 2],
    pub(super) calls: BTreeMap<Form, Calls>,
    /// Other tables refer to its rows.
    pub(super) referenced: bool,
    /// Rows are written and read under load; where not, they are there for others to refer to.
    pub(super) driven: bool,
}

impl Tab {
    /// The table as code of this form knows it.
    pub(super) fn side(&self, form: Form) -> Option<&Side> {
        match form {
            Form::Old => self.old.as_ref(),
            Form::New | Form::Final => self.new.as_ref(),
        }
    }

    /// The places of the columns by which a row is known.
    pub(super) fn identity(&self, form: Form) -> &[usize] {
        &self.identity[usize::from(form != Form::Old)]
    }

    /// A column as this form has it, and as the other one does where that is the same column or its only other side.
    pub(super) fn both(
        &self,
        form: Form,
        place: usize,
    ) -> impl Iterator<Item = (Form, &Side, usize)> {
        let other = if form == Form::Old {
            Form::New
        } else {
            Form::Old
        };
        let mut groups = self.groups.iter();
        let group = groups.find(|group| group.places(form) == [place]);
        let across = group.and_then(|group| match group.places(other) {
            [across] => Some(*across),
            _ => None,
        });
        let own = self.side(form).map(|side| (form, side, place));
        let across = across.and_then(|across| Some((other, self.side(other)?, across)));
        own.into_iter().chain(across)
    }

    /// Whether a write of this column alone can be followed: it is a group of its own, and nothing is filled from it.
    pub(super) fn is_set_alone(&self, form: Form, place: usize) -> bool {
        let fills = |group: &Group, name: &str| {
            let mut inputs = group.pairs.iter().flat_map(|pair| &pair.inputs);
            group.kind == Kind::Fill && inputs.any(|input| input.name == name)
        };
        let Some(column) = self.side(form).and_then(|side| side.columns.get(place)) else {
            return false;
        };
        let mut groups = self.groups.iter();
        let alone = groups.any(|group| {
            group.places(form) == [place] && group.old.len() < 2 && group.new.len() < 2
        });
        let mut both = self.both(form, place);
        alone
            && !self.names_rows(form, place)
            && !self.groups.iter().any(|group| fills(group, &column.name))
            && !both.any(|(_, side, place)| side.is_bound_to_others(place))
    }
}

impl Group {
    /// The places of its columns in the rows of this form.
    pub(super) fn places(&self, form: Form) -> &[usize] {
        match form {
            Form::Old => &self.old,
            Form::New | Form::Final => &self.new,
        }
    }

    /// The values of a row that belong to it.
    pub(super) fn of<T: Clone>(&self, form: Form, row: &[T]) -> Vec<T> {
        let places = self.places(form).iter();
        places
            .filter_map(|place| row.get(*place).cloned())
            .collect()
    }

    /// Nothing computes old from new, so that writes take both.
    pub(super) fn is_one_way(&self) -> bool {
        self.pairs.iter().any(Pair::is_one_way)
    }
}

impl Side {
    fn of(table: &Table) -> Self {
        Self {
            columns: table.written_columns().cloned().collect(),
            table: table.clone(),
        }
    }

    /// The places of the key's columns.
    pub(super) fn key(&self) -> Vec<usize> {
        let key = self.table.key_columns();
        key.filter_map(|key| self.place(&key.name)).collect()
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The foreign key that a column belongs to, with its place there: of several the one with the most columns, whose rows refer to
    /// those of the others in their turn.
    pub(super) fn foreign_key(&self, place: usize) -> Option<(&ForeignKey, usize)> {
        let name = &self.columns.get(place)?.name;
        let keys = self.table.foreign_keys.iter().rev();
        let found = keys.filter_map(|key| {
            let at = key.columns.iter().position(|column| column == name)?;
            Some((key, at))
        });
        found.max_by_key(|(key, _)| key.columns.len())
    }

    /// Every list of columns whose values no two rows share, but the key's.
    pub(super) fn unique(&self) -> Vec<Vec<usize>> {
        let table = &self.table;
        let of_indexes = table.indexes.iter().filter(|index| index.unique);
        let of_indexes = of_indexes.map(|index| {
            let mut names = index.columns.clone();
            for element in &index.elements {
                let mentioned = table.columns.iter();
                let mentioned = mentioned.filter(|column| element.contains(column.name.as_str()));
                names.extend(mentioned.map(|column| column.name.clone()));
            }
            names
        });
        let of_constraints = table.uniques.iter().map(|unique| unique.columns.clone());
        // What excludes other rows by more than equality does so by that as well.
        let exclusions = table.exclusions.iter().map(|exclusion| {
            let named = |column: &&Column| {
                let mut elements = exclusion.elements.iter();
                elements.any(|element| element.contains(column.name.as_str()))
            };
            { table.columns.iter().filter(named) }
                .map(|column| column.name.clone())
                .collect()
        });
        let lists = of_indexes.chain(of_constraints).chain(exclusions);
        let places = lists.map(|names| names.iter().filter_map(|name| self.place(name)).collect());
        places.collect()
    }

    /// The column refers to a row of another table that no other row may refer to: so do all columns of a list that is unique.
    pub(super) fn refers_alone(&self, place: usize) -> bool {
        let mut lists = self.unique();
        lists.push(self.key());
        let refers = |place: &usize| self.foreign_key(*place).is_some();
        refers(&place)
            && lists
                .iter()
                .any(|list| list.contains(&place) && list.iter().all(refers))
    }

    /// NULL is a value like others where no two rows may have the same.
    pub(super) fn has_one_null(&self, place: usize) -> bool {
        let name = self.columns.get(place).map(|column| &column.name);
        let has = |columns: &[String]| columns.iter().any(|column| Some(column) == name);
        let mut indexes = self.table.indexes.iter();
        let mut uniques = self.table.uniques.iter();
        indexes.any(|index| index.nulls_not_distinct && has(&index.columns))
            || uniques.any(|unique| unique.nulls_not_distinct && has(&unique.columns))
    }

    /// A check or a foreign key is about this column and others: a value for it alone may not be allowed.
    fn is_bound_to_others(&self, place: usize) -> bool {
        let named = |expression: &str| {
            let columns = self.columns.iter().enumerate();
            let named = columns.filter(|(_, column)| expression.contains(column.name.as_str()));
            named.map(|(at, _)| at).collect::<Vec<_>>()
        };
        let mut checks = self.table.checks.iter().map(|check| named(&check.expr));
        let shared = |places: Vec<usize>| places.len() > 1 && places.contains(&place);
        let key = self.foreign_key(place);
        checks.any(shared) || key.is_some_and(|(key, _)| key.columns.len() > 1)
    }

    /// The column's value is one of a list of these columns that no two rows share.
    pub(super) fn is_unique(&self, place: usize) -> bool {
        self.key().contains(&place) || self.unique().iter().any(|list| list.contains(&place))
    }
}

/// The tables of these names as both forms know them; statements are rendered later.
pub(super) fn tab(rehearsed: &Rehearsed, name: &str) -> Tab {
    let new = rehearsed.after.table(name);
    let old = rehearsed.before.table(rehearsed.name_before(name));
    let (old, new) = (old.map(Side::of), new.map(Side::of));
    let groups = groups(rehearsed, name, old.as_ref(), new.as_ref());
    let key = |side: &Option<Side>| side.as_ref().map(Side::key).unwrap_or_default();
    Tab {
        name: name.to_owned(),
        groups,
        identity: [key(&old), key(&new)],
        old,
        new,
        calls: BTreeMap::new(),
        referenced: false,
        driven: true,
    }
}

fn groups(rehearsed: &Rehearsed, name: &str, old: Option<&Side>, new: Option<&Side>) -> Vec<Group> {
    let place = |side: Option<&Side>, name: &str| side.and_then(|side| side.place(name));
    let mut groups: Vec<Group> = Vec::new();
    for pair in rehearsed.pairs(name) {
        let last = pair
            .final_name()
            .map_or(&pair.new.name, |names| &names.last);
        let Some(at) = place(new, last) else { continue };
        let mut olds: Vec<usize> = pair
            .old
            .iter()
            .filter_map(|c| place(old, &c.name))
            .collect();
        let kind = if pair.is_fill() {
            // It may have been there before, and hold NULL.
            olds.extend(place(old, last));
            Kind::Fill
        } else {
            Kind::Pairs
        };
        let mut shared = groups.iter_mut();
        let shared = shared.find(|group| group.old.iter().any(|place| olds.contains(place)));
        if let Some(group) = shared {
            olds.retain(|place| !group.old.contains(place));
            group.old.extend(&olds);
            group.new.push(at);
            group.pairs.push(pair.clone());
        } else {
            let (new, pairs) = (vec![at], vec![pair.clone()]);
            groups.push(Group {
                kind,
                old: olds,
                new,
                pairs,
            });
        }
    }
    let plain = |kind, old, new| Group {
        kind,
        old,
        new,
        pairs: Vec::new(),
    };
    let taken = |groups: &[Group], form: Form, at: usize| {
        groups.iter().any(|group| group.places(form).contains(&at))
    };
    let moving = moving(rehearsed, name);
    let moves = |column: &Column| moving.contains(&column.name.as_str());
    for (at, column) in columns(old) {
        if taken(&groups, Form::Old, at) {
            continue;
        }
        if moves(column) {
            groups.push(plain(Kind::Moved, vec![at], vec![]));
            continue;
        }
        let after = name_after(rehearsed, name, &column.name);
        match place(new, after).filter(|new| !taken(&groups, Form::New, *new)) {
            Some(new) => groups.push(plain(Kind::Plain, vec![at], vec![new])),
            None => groups.push(plain(Kind::OldOnly, vec![at], vec![])),
        }
    }
    for (at, column) in columns(new) {
        if !taken(&groups, Form::New, at) {
            let kind = if moves(column) {
                Kind::Moved
            } else {
                Kind::NewOnly
            };
            groups.push(plain(kind, vec![], vec![at]));
        }
    }
    groups
}

/// The columns that move between the table and another one.
fn moving<'a>(rehearsed: &'a Rehearsed, name: &str) -> Vec<&'a str> {
    let moved = rehearsed.manifest().moved.iter();
    let columns = moved.flat_map(|moved| {
        let columns = moved.columns.iter();
        columns.filter_map(move |(of_main, of_part)| match name {
            _ if name == moved.main => Some(of_main.as_str()),
            _ if name == moved.part => Some(of_part.as_str()),
            _ => None,
        })
    });
    columns.collect()
}

fn columns(side: Option<&Side>) -> impl Iterator<Item = (usize, &Column)> {
    side.into_iter()
        .flat_map(|side| side.columns.iter().enumerate())
}

/// What a column is called after the version that gives columns of keys other names.
pub(super) fn name_after<'a>(rehearsed: &'a Rehearsed, table: &str, column: &'a str) -> &'a str {
    let keys = &rehearsed.manifest().renamed_keys;
    let names = [table, rehearsed.name_before(table)];
    let of_table = names.iter().find_map(|name| keys.get(*name));
    let mut renamed = of_table.into_iter().flatten();
    renamed
        .find(|(before, _)| before == column)
        .map_or(column, |(_, after)| after.as_str())
}

/// Whether two values of the column are the same for a program that reads them: numbers may be spelled in more than one way.
pub(super) fn is_number(column: &Column) -> bool {
    use LogicalType::{Custom, Float4, Float8, Int2, Int4, Int8};
    let spelled = column
        .sql_type
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    match column.logical_type {
        Int2 | Int4 | Int8 | Float4 | Float8 => true,
        Custom => spelled.starts_with("numeric") || spelled.starts_with("decimal"),
        _ => false,
    }
}
