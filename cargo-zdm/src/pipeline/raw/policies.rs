//! Policies that the user's own SQL makes on a table that columns leave for: of such a name the generated SQL makes none.
//!
//! Comes in: a plan, and the user's files. Goes out: the plan.
//! Must not know: what policies say.

use zdm_runtime::phase::Section;

use super::Raw;
use crate::plan::{Plan, Statement, TableShape};
use crate::statements::{self, Token};

/// Leaves the policies to the user that his SQL makes in expand.
pub(super) fn leave(plan: &mut Plan, raws: &[Raw]) {
    for step in &mut plan.steps {
        if let Statement::CreateTable { table } = &mut step.action.statement
            && is_made(table, raws)
            && let Some(origin) = &mut table.origin
        {
            origin.policy = None;
        }
    }
}

/// Whether the first statement about that policy makes it: one that changes it or drops it means the generated one.
fn is_made(table: &TableShape, raws: &[Raw]) -> bool {
    let origin = table.origin.as_ref();
    let Some(policy) = origin.and_then(|origin| origin.policy.as_deref()) else {
        return false;
    };
    let own = raws.iter().filter(|raw| raw.section == Section::Expand);
    let statements = own.flat_map(|raw| statements::statements(&raw.up));
    let mut verbs = statements.filter_map(|statement| {
        let tokens = statement.tokens();
        let is_about = tokens.get(1)?.is("policy") && is_of(&tokens, policy, &table.name);
        is_about.then(|| tokens[0].is("create"))
    });
    verbs.next().unwrap_or(false)
}

/// `POLICY [IF EXISTS] name ON [schema .] table`; a table that is named without its schema may be the one.
fn is_of(tokens: &[Token<'_>], policy: &str, table: &str) -> bool {
    let Some(on) = tokens.iter().position(|token| token.is("on")) else {
        return false;
    };
    let mut names = vec![name(&tokens[on + 1..])];
    if tokens.get(on + 2).is_some_and(|token| token.text == ".") {
        names.insert(0, name(&tokens[on + 3..]));
    }
    let bare = table.rsplit_once('.').map_or(table, |(_, bare)| bare);
    on > 2 && name(&tokens[on - 1..]) == policy && names[0] == bare
}

/// The first token's name as the database has it.
fn name(tokens: &[Token<'_>]) -> String {
    let Some(token) = tokens.first() else {
        return String::new();
    };
    let quoted = token.text.strip_prefix('"');
    match quoted.and_then(|text| text.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => token.text.to_lowercase(),
    }
}
