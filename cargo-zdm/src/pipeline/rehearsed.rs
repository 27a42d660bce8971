//! A version with the code of before it, of its transition and of after it: what a rehearsal runs beside each other.
//!
//! Comes in: the models, the history, perhaps a name. Goes out: models to render statements from, and what each code knows.
//! Must not know: any database, how statements are executed.

use std::collections::{BTreeMap, BTreeSet};

use zdm_model::{Schema, Table, names};
use zdm_runtime::CodeState;
use zdm_runtime::manifest::Manifest;

use super::transitions::{self, InTransition};
use super::{Options, PipelineError, code};
use crate::dialect::Dialect;
use crate::plan::{Pair, interim};
use crate::render::rust::Model;
use crate::source;
use crate::versions::{History, Snapshot, State};

/// Which code an instance runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Form {
    /// From before the version.
    Old,
    /// Generated with it: where it goes through several phases, the code of its transition.
    New,
    /// After `finalize`.
    Final,
}

/// What the code of one table knows: its migrations from the first, by id and name.
pub(crate) type Known = (String, Vec<(String, String, CodeState)>);

/// A version that is to be rehearsed.
pub(crate) struct Rehearsed {
    pub(crate) options: Options,
    pub(crate) dialect: Dialect,
    pub(crate) history: History,
    /// Its place among the versions.
    pub(crate) place: usize,
    /// The schema before it, and the one after.
    pub(crate) before: Schema,
    pub(crate) after: Schema,
    /// Its pairs and moves, where its code has any.
    pub(crate) transition: Option<InTransition>,
}

/// The version, by its number, folder, name or id; without one the last.
pub(crate) fn rehearsed(options: &Options, place: usize) -> Result<Rehearsed, PipelineError> {
    let history = options.history()?;
    options.check_dialect(&history)?;
    let dialect = Dialect::named(&options.dialect)?;
    let models = source::read(&options.source)?;
    let declared = Snapshot::of(&models.schema)?;
    let manifest = history.versions()[place].clone();
    let schema = |version: &Manifest| -> Result<Schema, PipelineError> {
        Ok(history.after(version, &declared)?.schema())
    };
    let before = history.before(&manifest).map(schema).transpose()?;
    let after = schema(&manifest)?;
    let all = transitions::of(&history, &declared, &dialect)?.into_iter();
    let transition = { all }.find(|found| found.manifest.id == manifest.id);
    Ok(Rehearsed {
        options: options.clone(),
        dialect,
        place,
        before: before.unwrap_or_default(),
        after,
        transition,
        history,
    })
}

impl Rehearsed {
    /// The version.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.history.versions()[self.place]
    }

    /// The name of a table before the version, by that after it.
    pub(crate) fn name_before<'a>(&'a self, table: &'a str) -> &'a str {
        let mut renames = self.manifest().renames.iter();
        renames
            .find(|(_, after)| after.as_str() == table)
            .map_or(table, |(before, _)| before.as_str())
    }

    /// The schema that code of this form knows.
    pub(crate) fn schema(&self, form: Form) -> &Schema {
        match form {
            Form::Old => &self.before,
            Form::New | Form::Final => &self.after,
        }
    }

    /// The schemas that tables and enums are in, by their quoted names.
    pub(crate) fn schemas(&self) -> BTreeSet<String> {
        let versions = self.history.versions()[..=self.place].iter();
        let names = versions.flat_map(|version| version.tables.iter().chain(&version.enums));
        let enums = [&self.before, &self.after]
            .into_iter()
            .flat_map(|schema| &schema.enums);
        let names = names.chain(enums.map(|found| &found.name));
        let schemas = names.filter_map(|name| names::schema_of(name));
        schemas.map(|schema| self.dialect.ident(schema)).collect()
    }

    /// The pairs of a table that code writes.
    pub(crate) fn pairs(&self, table: &str) -> Vec<&Pair> {
        let pairs = self.transition.iter().flat_map(|found| &found.pairs);
        pairs
            .filter(|pair| pair.table == table && !pair.is_of_key())
            .collect()
    }

    /// What the statements of a table are rendered from.
    pub(crate) fn model<'a>(&'a self, form: Form, table: &'a Table) -> Model<'a> {
        let followed = self.transition.as_ref().filter(|_| form == Form::New);
        let part = followed.and_then(|found| code::part(&self.options, found, &table.name));
        let pairs = part.as_ref().map_or(&[][..], |part| &part.pairs);
        Model {
            table: interim::table(table, pairs),
            path: String::new(),
            fingerprint: 0,
            skipped: Vec::new(),
            version: None,
            conditions: Vec::new(),
            view: followed
                .and_then(|found| code::renamed(std::slice::from_ref(found), &table.name)),
            transition: part,
            earlier: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// What code of this form knows of these tables. Whatever came before the version is finished.
    pub(crate) fn known(&self, form: Form, tables: &[&str]) -> Vec<Known> {
        let mut known: BTreeMap<&str, Vec<_>> =
            tables.iter().map(|table| (*table, Vec::new())).collect();
        let last = match form {
            Form::Old => self.place,
            Form::New | Form::Final => self.place + 1,
        };
        for (at, version) in self.history.versions()[..last].iter().enumerate() {
            let state = match self.history.code().of(&version.id) {
                Some(State::Baseline) => continue,
                _ if !version.route.has_final_code() => CodeState::Transition,
                _ if at == self.place && form == Form::New => CodeState::Transition,
                _ => CodeState::Final,
            };
            for table in &version.tables {
                if let Some(migrations) = known.get_mut(table.as_str()) {
                    migrations.push((version.id.clone(), version.name.clone(), state));
                }
            }
        }
        let known = known.into_iter();
        known
            .map(|(table, migrations)| (table.to_owned(), migrations))
            .collect()
    }
}
