//! The sides that no struct declares: a database, a file of SQL.

use super::{Left, Side};
use crate::catalogue::dump::{self, DumpError};
use crate::catalogue::{self, Catalogue};
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
    /// Where that is.
    shown: String,
}

pub(super) fn of_database(url: &str, options: &Options) -> Result<Found, Failure> {
    let catalogue = operate::block_on(async {
        let mut connection = session::connect_to_read(url, &options.dialect).await?;
        catalogue::read(&mut connection)
            .await
            .map_err(Failure::from)
    });
    let catalogue = catalogue.map_err(|failure| failure.safe("the database was only read"))?;
    Ok(Found {
        catalogue,
        shown: shown_url(url),
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
    let catalogue = operate::block_on(async {
        let read = dump::read(&text, path, kind, schema).await;
        read.map_err(|error| match error {
            DumpError::Catalogue(error) => error.into(),
            DumpError::Statement { .. } => Failure::findings(
                error,
                "take the statement out if it changes no table, or restore the file into a scratch database and give its URL",
            ),
            DumpError::Schemas { .. } => Failure::usage(
                error,
                format!("say which one: {path}?schema=…"),
            ),
        })
    })?;
    Ok(Found {
        catalogue,
        shown: path.to_owned(),
    })
}

impl Found {
    pub(super) fn import(self, options: &Options) -> Result<Side, Failure> {
        let imported = import::of(&self.catalogue, &dialect(options)?, None);
        Ok(side(imported, &self.shown))
    }

    pub(super) fn import_both(
        from: &Self,
        to: &Self,
        options: &Options,
    ) -> Result<(Side, Side), Failure> {
        let catalogues = [&from.catalogue, &to.catalogue];
        let [first, second] = import::of_both(catalogues, &dialect(options)?);
        Ok((side(first, &from.shown), side(second, &to.shown)))
    }
}

fn dialect(options: &Options) -> Result<Dialect, Failure> {
    Ok(Dialect::named(&options.dialect).map_err(PipelineError::from)?)
}

fn side(imported: Imported, shown: &str) -> Side {
    let mut schema = imported.schema;
    for table in &mut schema.tables {
        shown.clone_into(&mut table.source);
    }
    let left = imported.left_out.into_iter();
    // The control tables are zdm's own.
    let left = left.filter(|left| !left.object.starts_with("zdm_"));
    let left = left.map(|left| Left {
        what: left.what,
        object: left.object,
        reason: left.reason,
    });
    Side {
        schema,
        left_out: Some(left.collect()),
    }
}
