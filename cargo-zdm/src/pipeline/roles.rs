//! `roles.sql`: who may do what on a database that knows roles.
//!
//! Comes in: the declared schema, the migrations in transition, the roles' names. Goes out: the file beside the versions.
//! Must not know: any database, who runs the file.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde::Serialize;
use zdm_model::names;
use zdm_runtime::rights::{APPLICATION, BACKFILL, CONTROL_VERSION, Right, by_table};

use super::transitions::InTransition;
use super::{Finding, Options, PipelineError, findings};
use crate::dialect::Dialect;
use crate::files::{FileTree, read_if_there};
use crate::source::Models;

/// The file, below the folder of the versions.
pub(crate) const FILE: &str = "roles.sql";
/// The longest name that the server keeps whole (manual, "Lexical Structure", "Identifiers and Key Words").
const LONGEST: usize = 63;

#[derive(Debug, Serialize)]
struct View {
    crate_name: String,
    application: Name,
    backfill: Name,
    ddl: Name,
    /// Tables of the structs, and those that a migration in transition still has.
    tables: Vec<Name>,
    /// Those between which columns move.
    moving: Vec<Name>,
    enums: Vec<Name>,
    /// Expressions.
    schemas: Vec<String>,
    rights: Vec<Given>,
    /// Of the control tables that have all that is given.
    control_version: i64,
}

/// A name, always in quotes, and the text of that.
#[derive(Debug, Serialize)]
struct Name {
    ident: String,
    literal: String,
}

#[derive(Debug, Serialize)]
struct Given {
    table: String,
    rights: String,
    role: String,
}

/// The file as it should be; `None` where the database knows no roles, or nothing is declared.
pub(crate) fn text(
    options: &Options,
    models: &Models,
    in_transition: &[InTransition],
    dialect: &Dialect,
) -> Result<Option<String>, PipelineError> {
    if !dialect.capabilities().roles {
        return refused(options, dialect).map_or(Ok(None), Err);
    }
    let Some(model) = models.models.first() else {
        return Ok(None);
    };
    let view = view(options, models, in_transition, dialect, &model.package)?;
    let mut text = dialect.render("roles/roles", view)?;
    text.push('\n');
    Ok(Some(text))
}

/// What the disk lacks of it.
pub(crate) fn beside_disk(
    options: &Options,
    models: &Models,
    in_transition: &[InTransition],
    dialect: &Dialect,
) -> Result<FileTree, PipelineError> {
    let mut tree = FileTree::default();
    if let Some(text) = text(options, models, in_transition, dialect)?
        && read_if_there(&path(options))?.as_deref() != Some(text.as_bytes())
    {
        tree.insert(options.versions.join(FILE), text);
    }
    Ok(tree)
}

/// Whether `check` has anything to say of it.
pub(crate) fn finding(
    options: &Options,
    models: &Models,
    in_transition: &[InTransition],
    dialect: &Dialect,
) -> Result<Option<Finding>, PipelineError> {
    let lacks = beside_disk(options, models, in_transition, dialect)?;
    let Some((path, _)) = lacks.files().next() else {
        return Ok(None);
    };
    Ok(Some(if self::path(options).exists() {
        findings::finding("stale", path, "something else would be generated now")
    } else {
        findings::finding("missing", path, "the generated file is missing")
    }))
}

fn path(options: &Options) -> Utf8PathBuf {
    options.root.join(&options.versions).join(FILE)
}

fn refused(options: &Options, dialect: &Dialect) -> Option<PipelineError> {
    let roles = &options.roles;
    let named = [&roles.application, &roles.backfill, &roles.ddl];
    named.iter().any(|role| role.is_some()).then(|| PipelineError::Roles {
        reason: format!(
            "{} has no roles: whoever may write the file may do everything in it. Leave the section out, and give the \
             file to the system's user that runs the application",
            dialect.vendor()
        ),
    })
}

fn view(
    options: &Options,
    models: &Models,
    in_transition: &[InTransition],
    dialect: &Dialect,
    package: &str,
) -> Result<View, PipelineError> {
    let [application, backfill, ddl] = roles(options, package)?;
    let declared = models.schema.tables.iter().map(|table| table.name.as_str());
    let leaving = in_transition
        .iter()
        .flat_map(|transition| &transition.manifest.tables);
    let tables: BTreeSet<&str> = declared.chain(leaving.map(String::as_str)).collect();
    let moves = in_transition
        .iter()
        .flat_map(|transition| &transition.moves);
    let moving: BTreeSet<&str> = moves
        .flat_map(|moved| [moved.main.as_str(), moved.part.as_str()])
        .collect();
    let enums = models.schema.enums.iter().map(|found| found.name.as_str());
    // A name without a schema means the first one of the search path, as for the command that creates the table.
    let schemas: BTreeSet<String> = tables
        .iter()
        .map(|table| {
            names::schema_of(table)
                .map_or("pg_catalog.current_schema()::text".to_owned(), |schema| {
                    dialect.literal(schema)
                })
        })
        .collect();
    let relation = |name: &str| relation(name, dialect);
    let mut rights = given(&APPLICATION, &application, dialect);
    rights.extend(given(&BACKFILL, &backfill, dialect));
    Ok(View {
        crate_name: package.to_owned(),
        application: name(quoted(&application), &application, dialect),
        backfill: name(quoted(&backfill), &backfill, dialect),
        ddl: name(quoted(&ddl), &ddl, dialect),
        tables: tables.iter().map(|name| relation(name)).collect(),
        moving: moving.iter().map(|name| relation(name)).collect(),
        enums: enums.map(relation).collect(),
        schemas: schemas.into_iter().collect(),
        rights,
        control_version: CONTROL_VERSION,
    })
}

/// Their names, as zdm.toml has them or after the crate: three, each short enough to be kept.
fn roles(options: &Options, package: &str) -> Result<[String; 3], PipelineError> {
    let after_crate = |end: &str| format!("{}_{end}", package.replace('-', "_"));
    let named = &options.roles;
    let roles = [
        (&named.application, "app"),
        (&named.backfill, "backfill"),
        (&named.ddl, "ddl"),
    ]
    .map(|(name, end)| name.clone().unwrap_or_else(|| after_crate(end)));
    let refused = |reason: String| PipelineError::Roles { reason };
    for (at, role) in roles.iter().enumerate() {
        if role.is_empty() || role.len() > LONGEST || role.contains('\0') || role.starts_with("pg_")
        {
            return Err(refused(format!(
                "`{role}` is no name for a role: it has 1 to {LONGEST} bytes and does not begin with `pg_`. Name it there: \
                 application = \"…\", backfill = \"…\", ddl = \"…\""
            )));
        }
        if roles[..at].contains(role) {
            return Err(refused(format!(
                "`{role}` is the name of two roles: they are three, so that each may do only what it needs"
            )));
        }
    }
    Ok(roles)
}

fn given(rights: &[Right], role: &str, dialect: &Dialect) -> Vec<Given> {
    by_table(rights)
        .into_iter()
        .map(|(table, given)| Given {
            table: dialect.literal(table),
            rights: dialect.literal(&given),
            role: dialect.literal(role),
        })
        .collect()
}

fn relation(name: &str, dialect: &Dialect) -> Name {
    let quoted = match names::schema_of(name) {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(names::bare(name))),
        None => quoted(name),
    };
    self::name(quoted.clone(), &quoted, dialect)
}

fn name(ident: String, text: &str, dialect: &Dialect) -> Name {
    Name {
        ident,
        literal: dialect.literal(text),
    }
}

/// In quotes in any case: roles are not the tool's to choose.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
