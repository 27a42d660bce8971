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
    let Statement::Together(together) = statement else {
        return Vec::new();
    };
    let locked = together.locked.iter();
    let others = locked.filter(|table| *table != statement.table());
    others.cloned().collect()
}
