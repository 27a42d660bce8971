//! What a rehearsal drives: the tables of the version and those that their rows refer to; and what it leaves out, by name.
//!
//! Comes in: the version. Goes out: [`Subject`]. Must not know: any database.

use std::collections::BTreeSet;

use serde::Serialize;
use zdm_model::{ForeignKey, Table};
use zdm_runtime::manifest::Route;

use super::table::{self, Tab};
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
        let mut tabs: Vec<Tab> = names
            .iter()
            .map(|name| table::tab(&rehearsed, name))
            .collect();
        for at in 0..tabs.len() {
            let name = &tabs[at].name;
            let refers = |tab: &Tab| {
                [&tab.old, &tab.new].into_iter().flatten().any(|side| {
                    let mut keys = side.table.foreign_keys.iter();
                    keys.any(|key| {
                        [name.as_str(), rehearsed.name_before(name)].contains(&&*key.references)
                    })
                })
            };
            let referenced = tabs.iter().any(refers);
            tabs[at].referenced = referenced;
            tabs[at].driven = concerned.contains(&tabs[at].name);
        }
        render(&rehearsed, &mut tabs)?;
        Ok(Self {
            rehearsed,
            tabs,
            left,
        })
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
    if keys_differ(rehearsed, name) {
        return Some("its key is another one after the version, so that code before and after it finds rows by different values".to_owned());
    }
    let mut moves = rehearsed.transition.iter().flat_map(|found| &found.moves);
    if moves.any(|moved| moved.main == name || moved.part == name) {
        return Some(
            "columns move between it and another table; rows of two tables at once are not driven"
                .to_owned(),
        );
    }
    None
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
