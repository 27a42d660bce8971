//! The Rust code that is generated: a repository per table, a folder per migration in transition, the module above them.
//!
//! Comes in: tables, pairs, what each table's code knows. Goes out: unformatted Rust by its path below the code folder.
//! Must not know: how pairs came to be, the disk, rustfmt.

mod built_in;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod calls;
mod client;
mod error;
mod format;
mod layout;
mod merged;
mod moved;
mod names;
mod own_tests;
mod sides;
mod statements;
mod templates;
mod view;
mod words;

pub use built_in::{BuiltIn, CLIENTS, Client, Override, Standing, ejectable};
pub use client::check;
pub use error::RenderError;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use format::all_formatted;
pub use format::{FormatError, State, formatted, state};
pub use layout::Form;
pub use own_tests::{Tests, tests};
pub use templates::Templates;

use std::borrow::Cow;
use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use minijinja::value::Serde;
use minijinja::{Value, context};
use zdm_model::{Column, Table};
use zdm_runtime::CodeState;

use crate::dialect::Dialect;
use crate::plan::{Move, Pair};

/// A model with what its code is generated from.
#[derive(Debug, Clone)]
pub struct Model<'a> {
    /// The table as the struct declares it, by the names that its columns have in transition.
    pub table: Cow<'a, Table>,
    /// The struct's path, `crate::models::User`.
    pub path: String,
    /// The fingerprint of the table.
    pub fingerprint: u64,
    /// Fields of the struct that are no columns.
    pub skipped: Vec<String>,
    /// The column that counts the writes of a row.
    pub version: Option<String>,
    /// The `cfg` conditions under which the struct is there.
    pub conditions: Vec<String>,
    /// The view by which the table is reached as long as columns of its key have other names there.
    pub view: Option<String>,
    /// The migration of this table that is in transition, of several the last.
    pub transition: Option<Transition<'a>>,
    /// Those that are in transition before it, in their turn.
    pub earlier: Vec<Transition<'a>>,
    /// Where the code follows the stages of several migrations on this table, their folders in their turn, also of those that
    /// have no pairs here.
    pub turns: Vec<String>,
}

impl<'a> Model<'a> {
    /// `User`
    fn name(&self) -> &str {
        let last = self.path.rsplit_once("::");
        last.map_or(self.path.as_str(), |(_, name)| name)
    }

    /// The migrations that are in transition, in their turn.
    fn transitions(&self) -> impl Iterator<Item = &Transition<'a>> {
        self.earlier.iter().chain(self.transition())
    }

    /// The migration whose pairs or moves its code writes.
    fn transition(&self) -> Option<&Transition<'a>> {
        let written = |found: &&Transition<'_>| !found.pairs.iter().any(Pair::is_of_key);
        self.transition.as_ref().filter(written)
    }

    /// The column of the key that grows: the database has it as the narrow type or the wide one.
    fn growing(&self) -> Option<&str> {
        let mut pairs = self.transition.iter().flat_map(|found| &found.pairs);
        let pair = pairs.find(|pair| pair.is_of_key())?;
        pair.final_name().map(|names| names.last.as_str())
    }
}

/// A migration in transition, as far as the code of one table needs it.
#[derive(Debug, Clone)]
pub struct Transition<'a> {
    /// Stable id.
    pub id: &'a str,
    /// Folder of the version: `0002_users_full_name`.
    pub folder: String,
    /// Folder of the version before.
    pub parent: Option<String>,
    /// The versions' folder, `zdm`.
    pub versions: String,
    /// The pairs of this table.
    pub pairs: Vec<Pair>,
    /// The columns that came to this table out of another.
    pub moved: Option<Move>,
    /// What happens, one line per change.
    pub changes: &'a [String],
    /// The migration has pairs on other tables too.
    pub shared: bool,
    /// What the binary holds of the version, where a function of the application fills a column.
    pub embedded: Embedded,
    /// Tests are generated beside it.
    pub tests: Option<Tests<'a>>,
}

/// Files of a version that generated code includes.
#[derive(Debug, Clone, Default)]
pub struct Embedded {
    /// The version's folder, as seen from the code's.
    pub folder: String,
    /// The files of the table's backfill, below the version's folder.
    pub files: Vec<String>,
}

impl Transition<'_> {
    /// `m0002_users_full_name`
    pub fn module(&self) -> String {
        format!("m{}", self.folder)
    }

    /// `users_full_name`
    fn name(&self) -> &str {
        self.folder.split_once('_').map_or("", |(_, name)| name)
    }

    /// `0002`
    fn number(&self) -> &str {
        self.folder.split_once('_').map_or("", |(number, _)| number)
    }

    /// Where the files of a table are, which has this module.
    fn files(&self, table: &str) -> String {
        if self.shared {
            format!("{}/{table}", self.module())
        } else {
            self.module()
        }
    }
}

/// What the code of one table knows: `CODE` in the module.
#[derive(Debug, Clone)]
pub struct KnownTable {
    /// Its name.
    pub table: String,
    /// The `cfg` conditions under which its struct is there.
    pub conditions: Vec<String>,
    /// Id, name and state of its migrations, from the first.
    pub migrations: Vec<(String, String, CodeState)>,
}

/// An unformatted file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustFile {
    /// Below the code folder.
    pub path: Utf8PathBuf,
    /// The text after the header's hash line.
    pub text: String,
    /// What it consists of.
    pub form: Form,
}

/// The files of one table: its repository, and its part of the migration in transition.
pub fn table(
    templates: &Templates,
    dialect: &Dialect,
    model: &Model<'_>,
) -> Result<Vec<RustFile>, RenderError> {
    let view = view::table(templates, dialect, model)?;
    let mut files = vec![file(
        format!("{}.rs", view.module),
        templates.file("repository", &view)?,
    )];
    // Only of what the built-in template makes it is known how rustfmt lays it out.
    if model.transition().is_none() && templates.own().next().is_none() {
        files[0].form = Form::Repository;
    }
    if let Some(transition) = model.transition() {
        let folder = transition.files(&view.module);
        let mut modules = vec!["backfill", "switch_reads"];
        if view.dual || view.merged {
            modules.insert(1, "dual_write");
        }
        for module in &modules {
            let own = transition.moved.is_some() && *module != "backfill";
            let template = match *module {
                "dual_write" if view.merged => "dual_write_merged".to_owned(),
                module if own => format!("{module}_moved"),
                module if view.in_turn.is_some() && module != "backfill" => {
                    format!("{module}_in_turn")
                }
                module => module.to_owned(),
            };
            files.push(file(
                format!("{folder}/{module}.rs"),
                templates.file(&template, &view)?,
            ));
        }
        files.push(folder_module(
            templates,
            &folder,
            &modules,
            view::has_own_tests(dialect, transition),
            Value::from(Serde(&view)),
        )?);
    }
    for (transition, view) in model.earlier.iter().zip(&view.earlier) {
        let folder = transition.files(&names::module(&model.table.name));
        files.push(file(
            format!("{folder}/backfill.rs"),
            templates.file("backfill", view)?,
        ));
        files.push(folder_module(
            templates,
            &folder,
            &["backfill"],
            view::has_own_tests(dialect, transition),
            Value::from(Serde(view)),
        )?);
    }
    Ok(files)
}

/// The module above what a migration has of a table.
fn folder_module(
    templates: &Templates,
    folder: &str,
    modules: &[&str],
    tests: bool,
    view: Value,
) -> Result<RustFile, RenderError> {
    let modules: Vec<_> = modules
        .iter()
        .map(|name| context! { name => *name, conditions => Vec::<String>::new() })
        .collect();
    Ok(file(
        format!("{folder}/mod.rs"),
        templates.file("migration", context! { modules, tests, ..view })?,
    ))
}

/// The module above all tables, and the modules of migrations that several tables share.
pub fn module(
    templates: &Templates,
    dialect: &Dialect,
    models: &[Model<'_>],
    known: &[KnownTable],
) -> Result<Vec<RustFile>, RenderError> {
    let mut files_of: BTreeMap<String, &str> = BTreeMap::new();
    for model in models {
        let module = names::module(&model.table.name);
        if let Some(first) = files_of.insert(module.clone(), &model.table.name) {
            return Err(RenderError::SameModule {
                first: first.to_owned(),
                second: model.table.name.clone(),
                module,
            });
        }
    }
    let mut files = vec![file(
        "mod.rs",
        templates.file("module", view::module(models, known))?,
    )];
    for (folder, view) in view::shared_migrations(dialect, models) {
        files.push(file(
            format!("{folder}/mod.rs"),
            templates.file("migration", view)?,
        ));
    }
    Ok(files)
}

/// The module of a table's code: `users`.
pub(crate) fn module_of(table: &str) -> String {
    names::module(table)
}

/// A stored value in a select list, as the field's type is decoded from it.
pub(crate) fn listed(dialect: &Dialect, column: &Column) -> String {
    match words::Words::of(dialect) {
        Some(words) => words.listed(column),
        None => dialect.ident(&column.name),
    }
}

/// A value as its column would hold it.
pub(crate) fn stored(dialect: &Dialect, column: &Column, value: &str) -> String {
    match words::Words::of(dialect) {
        Some(words) => words.stored_parameter(column, value),
        None => value.to_owned(),
    }
}

/// The type that a field's value is sent as.
pub(crate) fn encoded_type(dialect: &Dialect, column: &Column) -> String {
    match words::Words::of(dialect) {
        Some(words) => words.encoded_type(column),
        None => dialect.type_of(column),
    }
}

fn file(path: impl Into<Utf8PathBuf>, text: String) -> RustFile {
    RustFile {
        path: path.into(),
        text,
        form: Form::Other,
    }
}
