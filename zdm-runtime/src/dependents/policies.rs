//! Policies of row security that name a column which another replaces: code at `complete` does not write it any more, so they have to
//! name the new one before. How is proposed, never done: a policy that says something else shows rows to the wrong people.
//!
//! Comes in: what names columns that go. Goes out: the same, of such policies with the section before which they change and a
//! proposal. Must not know: how a section is executed.

use super::Dependent;
use crate::database::{Connection, DatabaseError, Value, catalogue};
use crate::manifest::{Manifest, Pair};
use crate::phase::Section;

const POLICY: &str = "policy";

pub(super) async fn follow(
    connection: &mut Connection,
    manifest: &Manifest,
    from: Section,
    found: &mut [Dependent],
) -> Result<(), DatabaseError> {
    let policies = found.iter_mut();
    for policy in policies.filter(|dependent| dependent.kind == POLICY) {
        let Some((pair, column, place)) = replaced(manifest, &policy.on) else {
            continue;
        };
        if from <= Section::Release {
            policy.section = Section::Release;
        }
        let mut replacements = vec![(column, meant(pair, place))];
        replacements.extend(others(manifest, &pair.table, column));
        let of = (pair.table.as_str(), policy.name.as_str());
        policy.way_on = proposal(connection, of, &replacements).await?;
    }
    Ok(())
}

/// A column, and what stands for it; `None` where nothing computes it.
type Replacement<'a> = (&'a str, Option<&'a str>);

fn meant(pair: &Pair, place: usize) -> Option<&str> {
    pair.down.as_ref()?.get(place).map(String::as_str)
}

/// The other columns of the table that go: a policy that names several has one statement for all of them.
fn others<'a>(
    manifest: &'a Manifest,
    table: &'a str,
    column: &'a str,
) -> impl Iterator<Item = Replacement<'a>> {
    let pairs = manifest
        .pairs
        .iter()
        .filter(move |pair| pair.table == table);
    let replaced = pairs.flat_map(|pair| {
        let old = pair.old.iter().enumerate();
        old.map(|(place, old)| (old.column.as_str(), meant(pair, place)))
    });
    replaced.filter(move |(other, _)| *other != column)
}

/// The pair that replaces what is named, the column's present name, and its place among the old ones.
fn replaced<'a>(manifest: &'a Manifest, on: &str) -> Option<(&'a Pair, &'a str, usize)> {
    manifest.pairs.iter().find_map(|pair| {
        let is_named = |column: &str| on == format!("the column {}.{column}", pair.table);
        pair.old.iter().enumerate().find_map(|(place, old)| {
            let released = pair.released.as_ref();
            let names =
                released.filter(|names| names.column == old.column || names.name == old.column);
            let other = names.map(|names| [names.column.as_str(), names.name.as_str()]);
            let mut names = other.into_iter().flatten().chain([old.column.as_str()]);
            names
                .find(|name| is_named(name))
                .map(|name| (pair, name, place))
        })
    })
}

/// Of the table and its partitions, whose policies are their own.
const EXPRESSIONS: &str = "SELECT CAST(p.polname AS text),
        CASE WHEN polrelid = CAST(pg_catalog.to_regclass($1) AS oid) THEN CAST($1 AS text) ELSE CAST(CAST(polrelid AS regclass) AS text) END,
        pg_catalog.pg_get_expr(polqual, polrelid), pg_catalog.pg_get_expr(polwithcheck, polrelid)
    FROM pg_policy p WHERE polname = CAST($2 AS text)
        AND (polrelid = CAST(pg_catalog.to_regclass($1) AS oid) OR polrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))))
    ORDER BY polrelid <> CAST(pg_catalog.to_regclass($1) AS oid), 2";

/// The statements that let the policies of this name say of the new column what they say of the old one; none where that is not for a
/// tool to tell.
async fn proposal(
    connection: &mut Connection,
    (table, policy): (&str, &str),
    replacements: &[Replacement<'_>],
) -> Result<Option<String>, DatabaseError> {
    let table = catalogue::relation(table);
    let asked = [Value::from(table.as_str()), Value::from(policy)];
    let mut statements = Vec::new();
    for row in connection.query(EXPRESSIONS, &asked).await? {
        let [
            Value::Text(Some(name)),
            Value::Text(Some(on)),
            Value::Text(seen),
            Value::Text(left),
        ] = row.as_slice()
        else {
            return Err(DatabaseError::unexpected("what a policy says", &row));
        };
        let name = name.replace('"', "\"\"");
        let mut statement = format!("ALTER POLICY \"{name}\" ON {on}");
        let mut names_it = false;
        for (clause, expression) in [("USING", seen), ("WITH CHECK", left)] {
            let Some(expression) = expression else {
                continue;
            };
            let Some(changed) = with(expression, replacements) else {
                return Ok(None);
            };
            names_it |= changed != *expression;
            statement = format!("{statement} {clause} ({changed})");
        }
        // One of the same name may say nothing of the column.
        if names_it {
            statements.push(statement);
        }
    }
    Ok((!statements.is_empty()).then(|| statements.join("; ")))
}

/// The expression as the database spells it, with something in the place of columns; `None` where a name may be another table's,
/// nothing stands for a column, or a function is given the whole row.
fn with(expression: &str, replacements: &[Replacement<'_>]) -> Option<String> {
    let mut text = String::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let (token, behind) = rest.split_at(length(rest, first));
        let name = match first {
            '"' => Some(token.trim_matches('"').replace("\"\"", "\"")),
            _ if is_of_name(first) => Some(token.to_owned()),
            _ => None,
        };
        let is_whole_row = token == "*" && text.ends_with('.');
        if is_whole_row || first != '"' && token.eq_ignore_ascii_case("select") {
            return None;
        }
        let replaced =
            name.and_then(|name| replacements.iter().find(|(column, _)| name == *column));
        let replaced = replaced.filter(|_| !behind.starts_with('('));
        // A type, or a name behind another one.
        let is_other = text.ends_with([':', '.']) || behind.starts_with('.');
        match (replaced, is_other) {
            (Some(_), true) => return None,
            (Some((_, meant)), false) => {
                let meant = (*meant)?;
                let is_name = meant.chars().all(is_of_name)
                    || meant.starts_with('"') && length(meant, '"') == meant.len();
                if is_name {
                    text.push_str(meant);
                } else {
                    text.extend(["(", meant, ")"]);
                }
            }
            (None, _) => text.push_str(token),
        }
        rest = behind;
    }
    Some(text)
}

/// How many bytes belong to what begins here: a text, a name, or one character.
fn length(rest: &str, first: char) -> usize {
    let behind = first.len_utf8();
    match first {
        '\'' | '"' => {
            let mut end = behind;
            while let Some(at) = rest[end..].find(first) {
                end += at + 1;
                if !rest[end..].starts_with(first) {
                    return end;
                }
                end += 1;
            }
            rest.len()
        }
        _ if is_of_name(first) => {
            let is_over = |c: char| !is_of_name(c);
            rest.find(is_over).unwrap_or(rest.len())
        }
        _ => behind,
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::{Replacement, with};

    const OWNER: &[Replacement<'_>] = &[("owner", Some("owner_name"))];

    #[test]
    fn all_columns_that_go_are_replaced_at_once() {
        let expression = "((owner = CURRENT_USER) AND (team = 'a'::text))";
        let both = [("owner", Some("team")), ("team", Some("crew"))];
        assert_eq!(
            with(expression, &both).as_deref(),
            Some("((team = CURRENT_USER) AND (crew = 'a'::text))")
        );
        let one_way = [("owner", Some("owner_name")), ("team", None)];
        assert_eq!(with(expression, &one_way), None);
    }

    #[test]
    fn whole_names_are_replaced_outside_of_texts() {
        for (expression, expected) in [
            ("(owner = CURRENT_USER)", "(owner_name = CURRENT_USER)"),
            (
                "((\"owner\" = 'owner''s'::text) AND owners > 1)",
                "((owner_name = 'owner''s'::text) AND owners > 1)",
            ),
            ("owner(id) = owner", "owner(id) = owner_name"),
        ] {
            let found = with(expression, OWNER);
            assert_eq!(found.as_deref(), Some(expected));
        }
        let found = with("(age = 'x'::text)", &[("age", Some("CAST(years AS text)"))]);
        assert_eq!(
            found.as_deref(),
            Some("((CAST(years AS text)) = 'x'::text)")
        );
    }

    #[test]
    fn what_may_be_another_tables_is_left_alone() {
        for expression in [
            "(EXISTS ( SELECT 1 FROM teams WHERE (teams.owner = teams.id)))",
            "(notes.owner = CURRENT_USER)",
            "(id = 'x'::owner)",
            "may(notes.*)",
        ] {
            assert_eq!(with(expression, OWNER), None, "{expression}");
        }
    }
}
