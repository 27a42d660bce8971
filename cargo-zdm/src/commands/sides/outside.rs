//! The sides that no struct declares: a database, a file of SQL.

use std::collections::BTreeSet;

use zdm_model::{Schema, names};

use super::{Left, Side};
use crate::catalogue::defined::{self, Defined};
use crate::catalogue::dump::{self, DumpError};
use crate::catalogue::{self, Catalogue, Schemas};
use crate::context::shown_url;
use crate::dialect::Dialect;
use crate::error::Failure;
use crate::import::{self, Imported};
use crate::operate::{self, session};
use crate::pipeline::{Options, PipelineError};

/// What a database or a file holds.
#[derive(Debug)]
pub(in crate::commands) struct Found {
    catalogue: Catalogue,
    /// What a live database says of its domains and collations.
    defined: Vec<Defined>,
    /// Where that is.
    shown: String,
    /// The file, where nobody has said which schemas it is about.
    dump: Option<Dump>,
}

/// A file of SQL.
#[derive(Debug)]
struct Dump {
    path: String,
    text: String,
    kind: zdm_runtime::database::Dialect,
}

impl Dump {
    fn read(&self, schemas: Option<&str>) -> Result<Catalogue, Failure> {
        let Self { path, text, kind } = self;
        operate::block_on(async {
            let read = dump::read(text, path, *kind, schemas).await;
            read.map_err(|error| match error {
                DumpError::Catalogue(error) => error.into(),
                DumpError::Statement { .. } => Failure::findings(
                    error,
                    "take the statement out if it changes no table, or restore the file into a scratch database and give its URL",
                ),
                DumpError::Schemas { .. } => Failure::usage(
                    error,
                    format!(
                        "say which one: {path}?schema=…, or which, the first being that of names without one: {path}?schema=public,…"
                    ),
                ),
            })
        })
    }
}

pub(super) fn of_database(url: &str, options: &Options) -> Result<Found, Failure> {
    let read = operate::block_on(async {
        let mut connection = session::connect_to_read(url, &options.dialect).await?;
        let catalogue = catalogue::read(&mut connection, &Schemas::All).await?;
        let defined = defined::definitions(&mut connection).await?;
        Ok((catalogue, defined))
    });
    let (catalogue, defined) =
        read.map_err(|failure: Failure| failure.safe("the database was only read"))?;
    Ok(Found {
        catalogue,
        defined,
        shown: shown_url(url),
        dump: None,
    })
}

pub(super) fn of_dump(
    path: &str,
    schema: Option<&str>,
    options: &Options,
) -> Result<Found, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::environment(
            format!("{path} cannot be read: {error}"),
            "name a file of SQL, relative to the working directory",
        )
    })?;
    let kind = match options.dialect.as_str() {
        "sqlite" => zdm_runtime::database::Dialect::Sqlite,
        _ => zdm_runtime::database::Dialect::Postgres,
    };
    let dump = Dump {
        path: path.to_owned(),
        text,
        kind,
    };
    Ok(Found {
        catalogue: dump.read(schema)?,
        defined: Vec::new(),
        shown: path.to_owned(),
        dump: Some(dump).filter(|_| schema.is_none()),
    })
}

impl Found {
    /// Of the schemas that the other side declares something in.
    pub(super) fn import(mut self, other: &Schema, options: &Options) -> Result<Side, Failure> {
        if let Some(dump) = self
            .dump
            .take_if(|_| is_in_a_schema_of(&self.catalogue, other))
        {
            let schemas = format!("public,{}", self.catalogue.schema);
            self.catalogue = dump.read(Some(&schemas))?;
        }
        import::path::as_found(&mut self.catalogue, other);
        self.catalogue.only(&schemas_of(other));
        let mut imported = import::of(&self.catalogue, &dialect(options)?, None);
        import::path::as_spelled(&mut imported.schema, other, &self.catalogue);
        Ok(side(imported, &self))
    }

    /// Of all schemas, where a name without one means the same in both.
    pub(super) fn import_both(
        from: &mut Self,
        to: &mut Self,
        options: &Options,
    ) -> Result<(Side, Side), Failure> {
        if from.catalogue.schema != to.catalogue.schema {
            from.catalogue.only(&BTreeSet::new());
            to.catalogue.only(&BTreeSet::new());
        }
        let catalogues = [&from.catalogue, &to.catalogue];
        let [first, second] = import::of_both(catalogues, &dialect(options)?);
        Ok((side(first, from), side(second, to)))
    }
}

/// The only schema of a file that has tables was taken for that of names without one, and the other side names it.
fn is_in_a_schema_of(catalogue: &Catalogue, other: &Schema) -> bool {
    catalogue.schema != "public" && schemas_of(other).contains(catalogue.schema.as_str())
}

fn schemas_of(schema: &Schema) -> BTreeSet<&str> {
    let tables = schema.tables.iter().map(|table| &table.name);
    let named = tables.chain(schema.enums.iter().map(|found| &found.name));
    named.filter_map(|name| names::schema_of(name)).collect()
}

fn dialect(options: &Options) -> Result<Dialect, Failure> {
    Ok(Dialect::named(&options.dialect).map_err(PipelineError::from)?)
}

fn side(imported: Imported, found: &Found) -> Side {
    let mut schema = imported.schema;
    for table in &mut schema.tables {
        table.source.clone_from(&found.shown);
    }
    let left = imported.left_out.into_iter();
    // The control tables are zdm's own.
    let left = left.filter(|left| !left.object.starts_with("zdm_"));
    let left = left.map(|left| Left {
        what: left.what,
        object: left.object,
        reason: left.reason,
    });
    let defined = found.defined.iter().map(|defined| Left {
        what: defined.what.clone(),
        object: defined.object.clone(),
        reason: defined.definition.clone(),
    });
    Side {
        schema,
        left_out: Some(left.collect()),
        defined: defined.collect(),
    }
}
