//! The two schemas that `diff` compares: a version's, the structs', a database's, a dump's.
//!
//! Comes in: what the user wrote. Goes out: a schema, with what it leaves out where it was not declared by structs.
//! Must not know: plans.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod aligned;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod outside;

use camino::Utf8Path;
use zdm_model::Schema;
use zdm_runtime::manifest::Manifest;

use crate::choose;
use crate::error::Failure;
use crate::pipeline::Options;
use crate::source;
use crate::versions::{History, Snapshot};

/// One of the two.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) schema: Schema,
    /// What structs do not say of it; `None` where structs declare it.
    pub(super) left_out: Option<Vec<Left>>,
    /// What columns of a live database name and structs do not describe, each with how it is defined there.
    pub(super) defined: Vec<Left>,
}

/// Something that is not in the schema, though it is in the database.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Left {
    pub(super) what: String,
    pub(super) object: String,
    pub(super) reason: String,
}

/// A side as it was read: what no struct declares is imported together with the other one.
#[derive(Debug)]
pub(super) enum Found {
    Side(Side),
    Outside(outside::Found),
}

/// Reads the side that an argument names. The versions are read where it is one of them: sides are read at once.
pub(super) fn read(argument: &str, options: &Options) -> Result<Found, Failure> {
    if argument == "models" {
        return of_models(options);
    }
    let is_url = argument.contains("://") || argument.starts_with("sqlite:");
    let (path, schema) = match argument.split_once("?schema=") {
        Some((path, schema)) if !is_url => (path, Some(schema)),
        _ => (argument, None),
    };
    if is_url {
        return outside::of_database(argument, options).map(Found::Outside);
    }
    if Utf8Path::new(path).extension() == Some("sql") {
        return outside::of_dump(path, schema, options).map(Found::Outside);
    }
    let history = versions_of(options)?;
    let versions: Vec<&Manifest> = history.versions().iter().collect();
    let place = choose::named(&versions, argument).map_err(|failure| Failure {
        next: format!(
            "{}; or `models`, a database's URL, a file that ends in .sql",
            failure.next
        ),
        ..failure
    })?;
    Ok(Found::declared(
        history.after(versions[place], &Snapshot::EMPTY)?.schema(),
    ))
}

pub(super) fn of_last_version(options: &Options) -> Result<Found, Failure> {
    let schema = versions_of(options)?.last_schema(&Snapshot::EMPTY)?;
    Ok(Found::declared(schema))
}

fn versions_of(options: &Options) -> Result<History, Failure> {
    Ok(History::open(&options.root.join(&options.versions))?)
}

pub(super) fn of_models(options: &Options) -> Result<Found, Failure> {
    Ok(Found::declared(source::read(&options.source)?.schema))
}

impl Found {
    fn declared(schema: Schema) -> Self {
        Self::Side(Side {
            schema,
            left_out: None,
            defined: Vec::new(),
        })
    }
}

/// Both as schemas.
pub(super) fn imported(from: Found, to: Found, options: &Options) -> Result<(Side, Side), Failure> {
    Ok(match (from, to) {
        (Found::Side(from), Found::Side(to)) => (from, to),
        (Found::Outside(from), Found::Side(to)) => (from.import(&to.schema, options)?, to),
        (Found::Side(from), Found::Outside(to)) => {
            let to = to.import(&from.schema, options)?;
            (from, to)
        }
        (Found::Outside(mut from), Found::Outside(mut to)) => {
            outside::Found::import_both(&mut from, &mut to, options)?
        }
    })
}

/// Puts both in the same words and takes out of the comparison what one of them cannot say. Goes out: what that is.
pub(super) fn aligned(
    from: &mut Side,
    to: &mut Side,
    options: &Options,
) -> Result<Vec<Left>, Failure> {
    if from.left_out.is_none() && to.left_out.is_none() {
        return Ok(Vec::new());
    }
    aligned::aligned(from, to, options)
}

/// What both databases have, and each defines otherwise: drift that no version takes away.
pub(super) fn unmanaged(from: &Side, to: &Side) -> Vec<Left> {
    let pairs = from.defined.iter().flat_map(|one| {
        let others = to.defined.iter();
        let same = others.filter(|other| other.what == one.what && other.object == one.object);
        same.map(move |other| (one, other))
    });
    let differ = pairs.filter(|(one, other)| one.reason != other.reason);
    differ
        .map(|(one, other)| Left {
            reason: format!("{} in --from, {} in --to", one.reason, other.reason),
            ..one.clone()
        })
        .collect()
}

#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
mod outside {
    use super::{Failure, Options, Schema, Side};

    /// Nothing is read without a driver.
    #[derive(Debug)]
    pub(in crate::commands) enum Found {}

    impl Found {
        pub(super) fn import(self, _: &Schema, _: &Options) -> Result<Side, Failure> {
            match self {}
        }

        pub(super) fn import_both(
            from: &mut Self,
            _: &mut Self,
            _: &Options,
        ) -> Result<(Side, Side), Failure> {
            match *from {}
        }
    }

    pub(super) fn of_database(_: &str, options: &Options) -> Result<Found, Failure> {
        Err(no_driver(options))
    }

    pub(super) fn of_dump(_: &str, _: Option<&str>, options: &Options) -> Result<Found, Failure> {
        Err(no_driver(options))
    }

    pub(super) fn no_driver(options: &Options) -> Failure {
        Failure::environment(
            "this program was built without the driver of any database",
            format!("install it with `--features {}`", options.dialect),
        )
    }
}

#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
mod aligned {
    use super::{Failure, Left, Options, Side};

    pub(super) fn aligned(
        _: &mut Side,
        _: &mut Side,
        options: &Options,
    ) -> Result<Vec<Left>, Failure> {
        Err(super::outside::no_driver(options))
    }
}
