//! Golden cases: `tests/cases/<change>/<name>/{v1.rs,v2.rs}` with what is expected of each dialect beside them, and in
//! `direct.toml` the tables that are named by `--direct`.
//!
//! Comes in: a case's folder. Goes out: its schemas, its plan and its version's files, or the reason why there is none.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_zdm::dialect::Dialect;
use cargo_zdm::plan::{self, BuildError, Plan, Request};
use cargo_zdm::render::sql::{self, Identity, Rendered};
use syn::DeriveInput;
use zdm_model::{Declared, EnumModel, Enumeration, RustType, Schema, Table, spelled, vec_of};
use zdm_runtime::manifest::SmallTable;
use zdm_runtime::migration::{Migration, PLAN_FILE};

/// The id of every case's second version.
pub const ID: &str = "0123456789ab";

/// A folder with two versions of the same models.
#[derive(Debug, Clone)]
pub struct Case {
    /// `rename_column/users_full_name`
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
}

impl Case {
    /// All cases, ordered by name.
    ///
    /// # Panics
    ///
    /// Where the folder of cases cannot be read.
    pub fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let mut cases: Vec<Self> = folders(&root)
            .iter()
            .flat_map(|change| folders(change))
            .map(|folder| Self {
                name: folder
                    .strip_prefix(&root)
                    .expect("below the root")
                    .display()
                    .to_string(),
                folder,
            })
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    /// Whether the case shows a mistake instead of a plan: everywhere below `refused`, and where its name ends with
    /// `_on_postgres` on every other database.
    pub fn is_refused(&self, dialect: &Dialect) -> bool {
        let elsewhere = self.name.rsplit_once("_on_");
        self.name.starts_with("refused/")
            || elsewhere
                .is_some_and(|(_, only)| Dialect::names().contains(&only) && only != dialect.name())
    }

    /// The schema of `v1.rs` or `v2.rs`.
    ///
    /// # Panics
    ///
    /// Where the file holds anything but models.
    pub fn schema(&self, version: &str) -> Schema {
        let text =
            fs::read_to_string(self.folder.join(version)).expect("the case has two versions");
        let file = syn::parse_file(&text).expect("a Rust file");
        let (mut structs, mut enums) = (Vec::new(), Vec::new());
        for found in file.items {
            match found {
                syn::Item::Struct(found) => structs.push(DeriveInput::from(found)),
                syn::Item::Enum(found) => enums.push(enumeration(&found.into())),
                _ => {}
            }
        }
        let resolve = |ty: &syn::Type| resolved(ty, &enums);
        let mut tables: Vec<_> = structs.iter().map(|input| table(input, &resolve)).collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        let enums = enums.into_iter().map(|(_, found)| found);
        let mut schema = Schema {
            enums: enums.collect(),
            tables,
        };
        schema.enums.sort_by(|a, b| a.name.cmp(&b.name));
        schema
    }

    /// The plan from `v1.rs` to `v2.rs`, with the tables of `direct.toml` written anew at once. Cases below `drop_table` agree to what
    /// goes, those below `dual_write` and those of `keep` that say so have nets, those below `keep` keep what goes.
    pub fn plan(&self, dialect: &Dialect) -> Result<Plan, BuildError> {
        let (from, to) = (self.schema("v1.rs"), self.schema("v2.rs"));
        let agreed = self.name.starts_with("drop_table/") || self.is_kept();
        let goes = |table: &&Table| agreed && to.table(&table.name).is_none();
        let gone = from.tables.iter().filter(goes);
        let dropped: Vec<String> = gone.map(|table| table.name.clone()).collect();
        plan::build(&Request {
            from: &from,
            to: &to,
            dialect,
            id: ID,
            dropped_tables: &dropped,
            direct: &self.direct(),
            nets: self.name.starts_with("dual_write/") || self.name.starts_with("keep/netted"),
            keep: self.is_kept().then_some(14 * 24 * 3600),
        })
    }

    /// Cases below `keep`, and those below `refused` that say so, keep what goes.
    fn is_kept(&self) -> bool {
        self.name.starts_with("keep/") || self.name.starts_with("refused/keep_")
    }

    /// The tables of `direct.toml`: what a database told of them.
    fn direct(&self) -> Vec<SmallTable> {
        #[derive(serde::Deserialize)]
        struct Told {
            direct: Vec<SmallTable>,
        }
        let text = fs::read_to_string(self.folder.join("direct.toml"));
        text.map_or_else(
            |_| Vec::new(),
            |text| toml::from_str::<Told>(&text).expect("tables").direct,
        )
    }

    /// The second version.
    ///
    /// # Panics
    ///
    /// Where there is no plan.
    pub fn rendered(&self, dialect: &Dialect) -> Rendered {
        let plan = self
            .plan(dialect)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        render(&plan, dialect, ID, 2)
    }

    /// Writes the second version into a folder.
    ///
    /// # Panics
    ///
    /// Where there is no plan, or it cannot be written.
    pub fn write(&self, dialect: &Dialect, folder: &Path) {
        write(&self.rendered(dialect), folder);
    }

    /// The second version, loaded from files as a command would.
    pub fn migration(&self, dialect: &Dialect) -> Migration {
        load(&self.rendered(dialect))
    }

    /// A first version that creates the tables of `v1.rs`.
    ///
    /// # Panics
    ///
    /// Where they cannot be created.
    pub fn foundation(&self, dialect: &Dialect) -> Migration {
        self.creating(dialect, &self.schema("v1.rs"))
    }

    /// A first version that creates the tables of `v2.rs`: what `v1.rs` and the migration have to lead to.
    ///
    /// # Panics
    ///
    /// Where they cannot be created.
    pub fn target(&self, dialect: &Dialect) -> Migration {
        let mut schema = self.schema("v2.rs");
        for table in &mut schema.tables {
            table.renamed_from = None;
            table.split_from = None;
            table.merged_from = None;
            let columns = table.columns.iter_mut();
            columns.for_each(|column| column.transition = None);
        }
        self.creating(dialect, &schema)
    }

    fn creating(&self, dialect: &Dialect, schema: &Schema) -> Migration {
        let plan = plan::build(&Request {
            from: &Schema::default(),
            to: schema,
            dialect,
            id: "000000000001",
            dropped_tables: &[],
            direct: &[],
            nets: false,
            keep: None,
        })
        .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        load(&render(&plan, dialect, "000000000001", 1))
    }
}

fn render(plan: &Plan, dialect: &Dialect, id: &str, version: u32) -> Rendered {
    let identity = Identity {
        id: id.to_owned(),
        version,
        name: "case".to_owned(),
        parent: None,
        transitions: "0000000000000000".to_owned(),
    };
    sql::render(plan, dialect, &identity).expect("every statement has a template")
}

/// What creates the schemas that tables and enums name.
pub fn schemas_of(schema: &Schema) -> String {
    let tables = schema.tables.iter().map(|table| &table.name);
    let named = tables.chain(schema.enums.iter().map(|found| &found.name));
    let schemas = named.filter_map(|name| zdm_model::names::schema_of(name));
    let schemas: BTreeSet<&str> = schemas.collect();
    let create = schemas.iter();
    let create = create.map(|schema| format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\";"));
    create.collect::<Vec<_>>().concat()
}

/// A rendered version, loaded from files as a command would.
///
/// # Panics
///
/// Where the version contradicts itself.
pub fn load(rendered: &Rendered) -> Migration {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write(rendered, directory.path());
    Migration::load(directory.path()).unwrap_or_else(|error| panic!("{error}"))
}

fn write(rendered: &Rendered, folder: &Path) {
    for (path, text) in &rendered.files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, text).expect("the file is written");
    }
    let plan = toml::to_string(&rendered.manifest).expect("a manifest is TOML");
    fs::write(folder.join(PLAN_FILE), plan).expect("the plan is written");
}

/// What a type means beside these enums.
fn resolved(ty: &syn::Type, enums: &[(String, Enumeration)]) -> RustType {
    if let Some(inner) = zdm_model::option_of(ty) {
        return RustType {
            nullable: Some(true),
            ..resolved(inner, enums)
        };
    }
    let text = spelled(ty);
    if let Some((_, found)) = enums.iter().find(|(ident, _)| *ident == text) {
        return RustType::of_enum(text, &found.name);
    }
    let element = vec_of(ty).map(|element| resolved(element, enums));
    let array = element.and_then(|element| element.vec_of_enum(text));
    array.unwrap_or_else(|| RustType::of(ty))
}

fn enumeration(input: &DeriveInput) -> (String, Enumeration) {
    let model =
        EnumModel::parse(input).unwrap_or_else(|errors| panic!("{}: {errors:?}", input.ident));
    let source = format!("src/models.rs:{}", input.ident.span().start().line);
    let enumeration = Enumeration {
        source,
        ..model.enumeration
    };
    (model.ident.to_string(), enumeration)
}

fn table(input: &DeriveInput, resolve: &dyn Fn(&syn::Type) -> RustType) -> zdm_model::Table {
    let model = match Declared::parse(input, resolve) {
        Ok(Declared::Model(model)) => model,
        Ok(Declared::Newtype(_)) => panic!("{} is a newtype", input.ident),
        Err(errors) => panic!("{}: {errors:?}", input.ident),
    };
    let place = |span: proc_macro2::Span| format!("src/models.rs:{}", span.start().line);
    let mut table = model.table;
    table.source = place(model.ident.span());
    for (column, field) in table.columns.iter_mut().zip(&model.fields) {
        column.source = place(field.ident.span());
    }
    table
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    fs::read_dir(parent)
        .unwrap_or_else(|error| panic!("{}: {error}", parent.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect()
}
