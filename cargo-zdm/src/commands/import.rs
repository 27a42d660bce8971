//! `import`: an existing database as structs, with `zdm.toml` and the baseline.
//!
//! Comes in: the arguments. Goes out: files, all of them or none, and what the models do not say.
//! Must not know: catalogues, how a struct is written.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use super::init::{self, BASELINE_NEXT};
use super::project::put;
use crate::catalogue::needed::{self, Needed};
use crate::catalogue::{self, Catalogue, CatalogueError, Schemas};
use crate::config::{Config, FILE};
use crate::context::{Context, shown_url};
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::import::{self, Imported, LEFT_OUT, Layout};
use crate::operate::{self, session};
use crate::pipeline::{Options, PipelineError, Raw, module_line};
use crate::render::rust::{self, Form, RustFile};
use crate::source;
use crate::terminal::Answer;

/// Take an existing database over: structs for its tables, zdm.toml and the baseline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm import --database-url postgres://reader@db/shop
  cargo zdm import --database-url sqlite://app.db --layout one --dry-run
  cargo zdm import --tables users,billing.orders --out src/tables
  cargo zdm import --schema public,billing

Only reads the database. Never overwrites a file: the folder of the models must not be there, and
the crate has no models yet. What the structs do not say (functions, triggers, views, indexes that
no attribute says) is listed here and in left_out.rs beside them, and stays as it is. Of PostgreSQL
it takes all schemas that have tables: those of the one that the connection's search path begins with
are called by their names alone, the others as billing.invoices.")]
pub(crate) struct Import {
    /// The folder of the models, beside the crate's root file
    #[arg(long, value_name = "FOLDER", default_value = "src/models")]
    out: Utf8PathBuf,
    /// Only these tables
    #[arg(long, value_name = "TABLES", value_delimiter = ',')]
    tables: Option<Vec<String>>,
    /// Only the tables of these schemas of PostgreSQL, as `shop,billing`
    #[arg(long, value_name = "SCHEMAS", value_delimiter = ',')]
    schema: Option<Vec<String>>,
    /// How structs are spread over files
    #[arg(long, value_enum, default_value_t)]
    layout: Layout,
    /// Show which files would be written
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        if let Some(finished) = init::finished(context)? {
            return Ok(finished);
        }
        init::refuse_project(context)?;
        let url = context.database_url(&Config::default())?;
        let kind = zdm_runtime::database::Dialect::of_url(&url);
        let dialect = kind.map_or("", |kind| kind.name());
        let (catalogue, needed) = self.read(&url, dialect)?;
        let dialect = Dialect::named(dialect).map_err(PipelineError::from)?;
        self.refuse_unknown(&catalogue)?;
        let mut imported = import::of(&catalogue, &dialect, self.tables.as_deref());
        import::needed::tell(&mut imported.left_out, &needed, &imported.schema);
        let list = import::listed(&imported.left_out);
        if imported.schema.tables.is_empty() {
            return Err(Failure::findings(
                format!(
                    "{} has no table that could be imported\n{list}",
                    shown_url(&url)
                ),
                "give the URL of the database that has them",
            )
            .safe("nothing has been written"));
        }
        let mut config = Config::default();
        config.database.dialect = Some(dialect.name().to_owned());
        let mut options = init::first_version(context, config, true)?;
        refuse_models(&options)?;
        options.needed = import::needed::step(&needed, &imported.schema)
            .map(|step| Raw::before_expand("tables", step.up, step.down));
        options.source.unwritten = self.models(&imported, &options)?;
        let mut generated = crate::generate(&options)?;
        for (path, text) in &options.source.unwritten {
            let path = path.strip_prefix(&options.root).unwrap_or(path);
            if generated.files.get(path).is_none() {
                generated.files.insert(path, text.as_str());
            }
        }
        generated.files.insert(FILE, init::text(dialect.name()));
        init::keep_line_endings(&mut generated.files, &options);
        let (lines, files) = put(&generated.files, &options, self.dry_run)?;
        let tables: Vec<&str> = imported
            .schema
            .tables
            .iter()
            .map(|table| table.name.as_str())
            .collect();
        let crates = import::crates(&imported.schema);
        let needs = if crates.is_empty() {
            String::new()
        } else {
            let crates: Vec<_> = crates.iter().map(String::as_str).collect();
            format!(
                "the models need {}: add what Cargo.toml lacks, with zdm-runtime's and sqlx's features for it\n",
                crates.join(", ")
            )
        };
        let object = json!({
            "dialect": dialect.name(), "schema": catalogue.schema, "tables": tables, "left_out": imported.left_out,
            "crates": crates, "files": files, "dry_run": self.dry_run,
            "version": generated.version.map(|(manifest, _)| manifest.folder()),
        });
        let count = tables.len();
        Answer::done(
            format!("{list}{lines}{count} tables have a struct\n{needs}{BASELINE_NEXT}"),
            object,
        )
    }

    fn schemas(&self) -> Schemas {
        match &self.schema {
            None => Schemas::All,
            Some(schemas) => Schemas::Only(schemas.clone()),
        }
    }

    /// What there is, and what the tables stand on.
    fn read(&self, url: &str, dialect: &str) -> Result<(Catalogue, Vec<Needed>), Failure> {
        let schemas = self.schemas();
        let read = operate::block_on(async {
            let mut connection = session::connect_to_read(url, dialect).await?;
            let catalogue = catalogue::read(&mut connection, &schemas).await?;
            let tables = self.tables.as_deref();
            let needed = needed::read(&mut connection, &schemas, tables).await?;
            Ok((catalogue, needed))
        });
        read.map_err(|failure: Failure| {
            failure.safe("nothing has been written; the database was only read")
        })
    }

    fn refuse_unknown(&self, catalogue: &Catalogue) -> Result<(), Failure> {
        let known = |name: &&String| catalogue.tables.iter().any(|table| table.name == **name);
        let unknown = self.tables.iter().flatten().find(|name| !known(name));
        let Some(unknown) = unknown else {
            return Ok(());
        };
        Err(Failure::usage(
            format!("--tables: the database has no table {unknown}"),
            format!(
                "name tables as the database spells them, those outside of {} with their schema: billing.invoices",
                catalogue.schema
            ),
        )
        .safe("nothing has been written"))
    }

    /// The files of the models and the crate's root file that names their module, by their absolute paths.
    fn models(
        &self,
        imported: &Imported,
        options: &Options,
    ) -> Result<BTreeMap<Utf8PathBuf, String>, Failure> {
        let root = source::crate_root(&options.source)?.ok_or_else(|| {
            Failure::usage(
                "which crate gets the models? The package has no library and not exactly one binary",
                "add a src/lib.rs: its binaries use the models from there",
            )
            .safe("nothing has been written")
        })?;
        let (folder, module) = self.folder(&root, options)?;
        let mut files: Vec<RustFile> = import::files(&imported.schema, self.layout)
            .into_iter()
            .map(|(path, text)| RustFile {
                path: folder.join(path),
                text,
                form: Form::Models,
            })
            .collect();
        if !imported.left_out.is_empty()
            && let Some(models) = files.iter_mut().find(|file| file.path.ends_with("mod.rs"))
        {
            models.text = with_module(&models.path, &models.text, LEFT_OUT, false)?;
        }
        let texts = rust::all_formatted(&files, &options.root).map_err(PipelineError::from)?;
        let paths = files.into_iter().map(|file| file.path);
        let mut unwritten: BTreeMap<_, _> = paths.zip(texts).collect();
        if !imported.left_out.is_empty() {
            let text = import::as_comments(&imported.left_out);
            unwritten.insert(folder.join(format!("{LEFT_OUT}.rs")), text);
        }
        let text =
            options
                .source
                .text_of(&root)
                .map_err(|error| source::SourceError::Unreadable {
                    file: root.clone(),
                    error,
                })?;
        let library = root.file_name() == Some("lib.rs");
        let text = with_module(&root, &text, &module, library)?;
        unwritten.insert(root, text);
        Ok(unwritten)
    }

    /// The folder of the models and the name of their module.
    fn folder(&self, root: &Utf8Path, options: &Options) -> Result<(Utf8PathBuf, String), Failure> {
        let refused = |problem: String, next: &str| {
            Failure::usage(problem, next).safe("nothing has been written")
        };
        let asked = options.root.join(&self.out);
        let beside = root.parent().unwrap_or(Utf8Path::new(""));
        let same = |left: &Utf8Path, right: &Utf8Path| {
            left == right
                || matches!((left.canonicalize(), right.canonicalize()), (Ok(left), Ok(right)) if left == right)
        };
        let name = asked.file_name().unwrap_or_default().to_owned();
        let legal = syn::parse_str::<syn::Ident>(&name).is_ok() && name != "mod";
        if !legal || !asked.parent().is_some_and(|parent| same(parent, beside)) {
            return Err(refused(
                format!(
                    "--out {}: the models' module is a folder beside {root}",
                    self.out
                ),
                "name one there, for example src/models",
            ));
        }
        let folder = beside.join(&name);
        let taken = [folder.clone(), folder.with_extension("rs")];
        if let Some(taken) = taken.iter().find(|path| path.exists()) {
            return Err(refused(
                format!("{taken} is there already, and no file is overwritten"),
                "name another folder with --out, or move what is there away",
            ));
        }
        Ok((folder, name))
    }
}

fn with_module(
    file: &Utf8Path,
    text: &str,
    name: &str,
    public: bool,
) -> Result<String, PipelineError> {
    let place = module_line::Place {
        name,
        library: public,
        path: None,
    };
    let changed = module_line::with_module(text, &place);
    let changed = changed.map_err(|error| PipelineError::UserSource {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(changed.unwrap_or_else(|| text.to_owned()))
}

/// A crate with models has its own idea of the tables.
fn refuse_models(options: &Options) -> Result<(), Failure> {
    let models = source::read(&options.source)?;
    let Some(first) = models.schema.tables.first() else {
        return Ok(());
    };
    Err(Failure::usage(
        format!("the crate has models already, {} among them", first.source),
        "run `cargo zdm init --baseline`, which takes the tables over as the structs declare them",
    )
    .safe("nothing has been written"))
}

impl From<CatalogueError> for Failure {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::Database(error) => error.into(),
            CatalogueError::NoSchema => Self::usage(
                error,
                "name a schema in the URL: `?options=-csearch_path=…`",
            ),
            CatalogueError::UnknownSchema { .. } => {
                Self::usage(error, "name schemas as the database spells them")
            }
            CatalogueError::Shape { .. } => Self::environment(
                error,
                "please report this as a bug, with the server's version",
            ),
        }
    }
}
