//! The views of the modules above the tables: of all, and of a migration that several share.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Value, context};
use zdm_runtime::CodeState;

use super::Header;
use crate::dialect::Dialect;
use crate::render::rust::names;
use crate::render::rust::{KnownTable, Model, Transition};

/// The view of the module above all tables.
pub(in crate::render::rust) fn module(models: &[Model<'_>], known: &[KnownTable]) -> Value {
    let mut tables: Vec<_> = models
        .iter()
        .map(|model| (names::module(&model.table.name), &model.conditions))
        .collect();
    tables.sort();
    let tables: Vec<_> = tables
        .into_iter()
        .map(|(module, conditions)| context! { module, conditions => conditions.clone() })
        .collect();
    let mut migrations: Vec<_> = models
        .iter()
        .flat_map(|model| {
            model
                .transitions()
                .map(move |transition| (model, transition))
        })
        .map(|(model, transition)| {
            // A folder that several tables share has its conditions inside.
            let conditions = if transition.shared {
                &[][..]
            } else {
                &model.conditions
            };
            (transition.module(), conditions)
        })
        .collect();
    migrations.sort();
    migrations.dedup();
    let migrations: Vec<_> = migrations
        .into_iter()
        .map(|(module, conditions)| context! { module, conditions => conditions.to_vec() })
        .collect();
    let code: Vec<_> = known
        .iter()
        .map(|table| {
            let migrations: Vec<_> = table
                .migrations
                .iter()
                .map(|(id, name, state)| {
                    let state = match state {
                        CodeState::Transition => "Transition",
                        CodeState::Final => "Final",
                    };
                    context! { id, name, state }
                })
                .collect();
            context! { name => table.table.as_str(), conditions => table.conditions.clone(), migrations }
        })
        .collect();
    let states = known.iter().any(|table| !table.migrations.is_empty());
    let header = Header {
        source: "the models".to_owned(),
        regenerate: "change the structs and run `cargo zdm generate`",
        versions: None,
    };
    context! { header => Value::from(Serde(header)), tables, migrations, code, states }
}

/// Folder and view of the migrations in transition on several tables.
pub(in crate::render::rust) fn shared_migrations(
    dialect: &Dialect,
    models: &[Model<'_>],
) -> Vec<(String, Value)> {
    let mut shared: BTreeMap<String, (&Transition<'_>, Vec<&Model<'_>>)> = BTreeMap::new();
    for model in models {
        for transition in model.transitions().filter(|found| found.shared) {
            let (_, models) = shared
                .entry(transition.module())
                .or_insert((transition, Vec::new()));
            models.push(model);
        }
    }
    shared
        .into_iter()
        .map(|(folder, (transition, models))| {
            let header = Header {
                source: "the models".to_owned(),
                regenerate: "change the structs and run `cargo zdm generate`",
                versions: None,
            };
            let modules: Vec<_> = models
                .iter()
                .map(|model| {
                    let name = names::module(&model.table.name);
                    context! { name, conditions => model.conditions.clone() }
                })
                .collect();
            let migration = context! {
                folder => transition.folder.as_str(),
                changes => transition.changes.to_vec(),
            };
            let header = Value::from(Serde(header));
            let has_tests = super::own_tests::are_there(dialect, &models, &folder);
            (
                folder,
                context! { header, modules, migration, tests => has_tests, statements_in => () },
            )
        })
        .collect()
}
