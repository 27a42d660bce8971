//! What a repository imports.
//!
//! Must not know: what it does with it.

use crate::dialect::ClientFacts;

/// What the repository imports of sqlx: `{PgConnection, Row as _}`.
pub(super) fn of_sqlx(facts: &ClientFacts, reads: bool, conditions: bool, builds: bool) -> String {
    let mut names = vec![facts.connection.as_str()];
    if reads {
        names.push("Row as _");
    }
    if conditions {
        names.push("AssertSqlSafe");
    }
    if builds {
        names.push("QueryBuilder");
    }
    if conditions || builds {
        names.push(&facts.database);
    }
    names.sort_unstable();
    match names.as_slice() {
        [name] => (*name).to_owned(),
        several => format!("{{{}}}", several.join(", ")),
    }
}
