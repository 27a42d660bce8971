//! What a rehearsal drives: the tables of the version and those that their rows refer to; and what it leaves out, by name.
//!
//! Comes in: the version. Goes out: [`Subject`]. Must not know: any database.

use std::collections::BTreeSet;

use serde::Serialize;
use zdm_model::{ForeignKey, Table};
use zdm_runtime::manifest::Route;

use super::couple::{self, Couple};
use super::identity;
use super::table::{self, Tab};
use super::value::Value;
use crate::pipeline::rehearsed::{Form, Rehearsed};
use crate::render::rust::calls;
use crate::render::rust::{RenderError, Templates};

/// A table that is not driven.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Left {
    pub(super) table: String,
    pub(super) reason: String,
}

/// The version and its tables, those before others that refer to them.
pub(super) struct Subject {
    pub(super) rehearsed: Rehearsed,
    pub(super) tabs: Vec<Tab>,
    pub(super) left: Vec<Left>,
    couples: Vec<Couple>,
}

impl Subject {
    pub(super) fn of(rehearsed: Rehearsed) -> Result<Self, RenderError> {
        let mut left = Vec::new();
        let concerned = concerned(&rehearsed);
        let mut names = Vec::new();
        for name in &concerned {
            match obstacle(&rehearsed, name) {
                Some(reason) => left.push(Left {
                    table: name.clone(),
                    reason,
                }),
                None => {
                    with_parents(&rehearsed, name, &mut Vec::new(), &mut names, &mut left);
                }
            }
        }
        let mut tabs: Vec<Tab> = names.iter().map(|name| tab(&rehearsed, name)).collect();
        for at in 0..tabs.len() {
            let name = &tabs[at].name;
            let refers = |tab: &Tab| {
                // What becomes of its row with this one's is what is rehearsed.
                let belongs = |key: &ForeignKey| {
                    let mut moved = rehearsed.manifest().moved.iter();
                    moved.any(|moved| moved.part == tab.name && couple::joins(key, moved))
                };
                let mut sides = [&tab.old, &tab.new].into_iter().flatten();
                sides.any(|side| {
                    let mut keys = side.table.foreign_keys.iter();
                    keys.any(|key| {
                        let names = [name.as_str(), rehearsed.name_before(name)];
                        names.contains(&&*key.references) && !belongs(key)
                    })
                })
            };
            let referenced = tabs.iter().any(refers);
            tabs[at].referenced = referenced;
            tabs[at].driven = concerned.contains(&tabs[at].name);
        }
        let couples = couples(&rehearsed, &mut tabs, &mut left);
        render(&rehearsed, &mut tabs)?;
        Ok(Self {
            rehearsed,
            tabs,
            left,
            couples,
        })
    }

    /// The two tables of which this is one, where columns move between them.
    pub(super) fn couple(&self, tab: usize) -> Option<&Couple> {
        let mut couples = self.couples.iter();
        couples.find(|couple| couple.main == tab || couple.part == tab)
    }

    /// The two tables of which this is the one that has a row for each row of the other.
    pub(super) fn couple_of_main(&self, tab: usize) -> Option<&Couple> {
        self.couple(tab).filter(|couple| couple.main == tab)
    }

    /// The two tables of which this is the other one.
    pub(super) fn couple_of_part(&self, tab: usize) -> Option<&Couple> {
        self.couple(tab).filter(|couple| couple.part == tab)
    }

    /// Takes out of a row what its other table could not hold.
    pub(super) fn make_whole(&self, at: usize, form: Form, row: &mut [Value]) {
        if let Some(couple) = self.couple_of_main(at) {
            couple.make_whole(&self.tabs[at], form, row);
        }
    }

    /// Whether a write of this column alone can be followed.
    pub(super) fn is_set_alone(&self, at: usize, form: Form, place: usize) -> bool {
        let tab = &self.tabs[at];
        let couple = self.couple_of_main(at);
        tab.is_set_alone(form, place)
            && couple.is_none_or(|couple| couple.is_set_alone(tab, form, place))
    }

    /// Its route.
    pub(super) fn route(&self) -> Route {
        self.rehearsed.manifest().route
    }

    /// The forms of the code that there are of this version.
    pub(super) fn forms(&self) -> &'static [Form] {
        if self.route().has_final_code() {
            &[Form::Old, Form::New, Form::Final]
        } else {
            &[Form::Old, Form::New]
        }
    }

    /// The tables that code of a form knows here, by the names that it has for them.
    pub(super) fn known(&self, form: Form) -> Vec<&str> {
        let sides = self.tabs.iter().filter_map(|tab| tab.side(form));
        sides.map(|side| side.table.name.as_str()).collect()
    }
}

/// The tables of the version by the names after it, or before it where they go.
fn concerned(rehearsed: &Rehearsed) -> Vec<String> {
    let manifest = rehearsed.manifest();
    let tables = manifest.tables.iter().map(|name| {
        let renamed = manifest.renames.get(name);
        renamed
            .filter(|_| rehearsed.after.table(name).is_none())
            .unwrap_or(name)
    });
    let names: BTreeSet<String> = tables.cloned().collect();
    names.into_iter().collect()
}

/// Puts the table behind those that it refers to.
fn with_parents(
    rehearsed: &Rehearsed,
    name: &str,
    above: &mut Vec<String>,
    names: &mut Vec<String>,
    left: &mut Vec<Left>,
) -> bool {
    if names.iter().any(|known| known == name) {
        return true;
    }
    if left.iter().any(|known| known.table == name) {
        return false;
    }
    above.push(name.to_owned());
    let mut missing = None;
    for table in both(rehearsed, name) {
        for key in &table.foreign_keys {
            let parent = name_after(rehearsed, &key.references);
            // A circle is closed with NULL.
            if above.contains(&parent) {
                continue;
            }
            let there = obstacle(rehearsed, &parent).is_none()
                && with_parents(rehearsed, &parent, above, names, left);
            let must = key.columns.iter().any(|column| {
                let column = table.column(column);
                column.is_some_and(|column| !column.nullable)
            });
            if must && !there {
                missing = Some(format!("{parent}, of which no rows can be made"));
            } else if must && !is_of_key(rehearsed, key) {
                let columns = key.referenced_columns.join(", ");
                missing = Some(format!(
                    "{parent} by {columns}, which is not its key and may change"
                ));
            }
        }
    }
    above.pop();
    if let Some(missing) = missing {
        let reason = format!("its rows refer to {missing}");
        left.push(Left {
            table: name.to_owned(),
            reason,
        });
        return false;
    }
    names.push(name.to_owned());
    true
}

fn name_after(rehearsed: &Rehearsed, name: &str) -> String {
    let renamed = rehearsed.manifest().renames.get(name);
    renamed.cloned().unwrap_or_else(|| name.to_owned())
}

fn both<'a>(rehearsed: &'a Rehearsed, name: &'a str) -> impl Iterator<Item = &'a Table> {
    let old = rehearsed.before.table(rehearsed.name_before(name));
    old.into_iter().chain(rehearsed.after.table(name))
}

/// Why the rows of a table are not driven.
fn obstacle(rehearsed: &Rehearsed, name: &str) -> Option<String> {
    let mut tables = both(rehearsed, name);
    if tables.any(|table| table.primary_key.is_empty()) {
        return Some("it has no key by which a row is found again".to_owned());
    }
    if keys_differ(rehearsed, name) && !identity::by_a_key_of_both(&mut table::tab(rehearsed, name))
    {
        let reason =
            "its key is another one after the version, and no code knows the columns of both";
        return Some(reason.to_owned());
    }
    None
}

/// The tables between which columns move; where one of the two is not driven, the other is not either.
fn couples(rehearsed: &Rehearsed, tabs: &mut [Tab], left: &mut Vec<Left>) -> Vec<Couple> {
    let mut couples = Vec::new();
    for moved in &rehearsed.manifest().moved {
        if let Some(part) = tabs.iter_mut().find(|tab| tab.name == moved.part) {
            identity::by_the_key_of_main(part, moved);
        }
        if let Some(couple) = Couple::of(tabs, moved) {
            // A row that goes takes along the one that belongs to it.
            tabs[couple.main].referenced |= tabs[couple.part].referenced;
            couples.push(couple);
            continue;
        }
        for (name, other) in [(&moved.main, &moved.part), (&moved.part, &moved.main)] {
            if let Some(tab) = tabs.iter_mut().find(|tab| tab.name == *name) {
                tab.driven = false;
                left.push(Left {
                    table: name.clone(),
                    reason: format!("columns move between it and {other}, which is not driven"),
                });
            }
        }
    }
    couples
}

/// The table with what its rows are known by.
fn tab(rehearsed: &Rehearsed, name: &str) -> Tab {
    let mut tab = table::tab(rehearsed, name);
    if keys_differ(rehearsed, name) {
        // That there is one was asked before.
        identity::by_a_key_of_both(&mut tab);
    }
    tab
}

/// Rows are referred to by what they are found by.
fn is_of_key(rehearsed: &Rehearsed, key: &ForeignKey) -> bool {
    let tables = [&rehearsed.before, &rehearsed.after].into_iter();
    let mut tables = tables.filter_map(|schema| schema.table(&key.references));
    tables.any(|table| {
        let mut columns = key.referenced_columns.iter();
        columns.all(|column| table.primary_key.contains(column))
    })
}

/// The key has other columns, not only other names for them.
fn keys_differ(rehearsed: &Rehearsed, name: &str) -> bool {
    let old = rehearsed.before.table(rehearsed.name_before(name));
    old.zip(rehearsed.after.table(name))
        .is_some_and(|(old, new)| {
            let key = old.primary_key.iter();
            let key: Vec<_> = key
                .map(|column| table::name_after(rehearsed, name, column))
                .collect();
            key != new.primary_key
        })
}

fn render(rehearsed: &Rehearsed, tabs: &mut [Tab]) -> Result<(), RenderError> {
    let templates = Templates::sqlx()?;
    for tab in tabs {
        for form in [Form::Old, Form::New, Form::Final] {
            let Some(side) = tab.side(form) else { continue };
            let model = rehearsed.model(form, &side.table);
            let calls = calls::calls(&templates, &rehearsed.dialect, &model)?;
            tab.calls.insert(form, calls);
        }
    }
    Ok(())
}
