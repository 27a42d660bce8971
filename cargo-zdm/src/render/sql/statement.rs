//! The text of a statement, or of several of one transaction, with what it does.
//!
//! Must not know: the file that it stands in.

use std::borrow::Cow;

use crate::dialect::{Dialect, DialectError, StatementFacts};
use crate::plan::{Statement, Together};

/// What it does, and its text.
pub(super) fn written<'a>(
    dialect: &'a Dialect,
    statement: &'a Statement,
) -> Result<(Cow<'a, StatementFacts>, String), DialectError> {
    Ok(match statement {
        Statement::Raw(raw) => (Cow::Borrowed(&raw.facts), raw.sql.clone()),
        Statement::Together(together) => (
            Cow::Owned(together.facts(dialect)?),
            all_of(dialect, together)?,
        ),
        generated => (
            Cow::Borrowed(dialect.statement(generated.name())?),
            dialect.render_statement(generated.name(), generated)?,
        ),
    })
}

fn all_of(dialect: &Dialect, together: &Together) -> Result<String, DialectError> {
    let mut texts = Vec::new();
    if !together.locked.is_empty() {
        texts.push(dialect.render("statement/_locked", together)?);
    }
    for part in &together.parts {
        texts.push(dialect.render_statement(part.name(), part)?);
    }
    let texts: Vec<&str> = texts.iter().map(|text| text.trim_end()).collect();
    Ok(texts.join("\n"))
}

/// The tables besides its own that are locked as it is.
pub(super) fn also_locked(statement: &Statement) -> Vec<String> {
    let mut locked: Vec<String> = Vec::new();
    for table in all_locked(statement) {
        if table != statement.table() && !locked.contains(table) {
            locked.push(table.clone());
        }
    }
    locked
}

fn all_locked(statement: &Statement) -> Vec<&String> {
    match statement {
        Statement::Together(together) => {
            let parts = together.parts.iter().flat_map(all_locked);
            together.locked.iter().chain(parts).collect()
        }
        Statement::SetType { locked, .. } => locked.iter().collect(),
        Statement::DropReferenced { referenced, .. } => referenced.remade.locked.iter().collect(),
        Statement::SetPrimaryKey { remade, .. } | Statement::ExchangeKey { remade, .. } => {
            remade.locked.iter().collect()
        }
        Statement::AddForeignKey { foreign_key, .. } => vec![&foreign_key.references],
        _ => Vec::new(),
    }
}
