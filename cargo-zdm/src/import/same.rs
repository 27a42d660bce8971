//! Whether a database holds what a schema declares, though it spells it otherwise.
//!
//! Comes in: a schema as [`super::of`] has it, and the one that it is compared with. Goes out: the first one, with the words
//! of the second where both mean the same, so that what a comparison still finds is a difference. Pure.
//! Must not know: how a catalogue is read, what is done about a difference.

use zdm_model::{Check, Column, Exclusion, ForeignKey, Index, Schema, Table};

use crate::dialect::Dialect;

/// `found`, in the words of `declared`.
pub fn in_the_words_of(found: &mut Schema, declared: &Schema, dialect: &Dialect) {
    if !dialect.capabilities().enum_types {
        found.enums.clone_from(&declared.enums);
    }
    for table in &mut found.tables {
        if let Some(declared) = declared.table(&table.name) {
            of_table(table, declared, dialect);
        }
    }
}

fn of_table(found: &mut Table, declared: &Table, dialect: &Dialect) {
    let comments = dialect.capabilities().comments;
    if !comments {
        found.comment.clone_from(&declared.comment);
    }
    let rowid = dialect.name() == "sqlite" && found.primary_key.len() == 1;
    for column in &mut found.columns {
        let Some(declared) = declared.column(&column.name) else {
            continue;
        };
        // SQLite counts an INTEGER key whether that was asked for or not.
        let counts = dialect.type_of(declared).eq_ignore_ascii_case("integer");
        if rowid && counts && found.primary_key[0] == column.name {
            (column.auto, column.counted) = (declared.auto, declared.counted);
        }
        if !comments {
            column.comment.clone_from(&declared.comment);
        }
        of_column(column, declared, dialect);
    }
    let same = |one: &str, other: &str| dialect.same_expression(one, other);
    let predicates = |one: &Option<String>, other: &Option<String>| match (one, other) {
        (Some(one), Some(other)) => same(one, other),
        (one, other) => one == other,
    };
    let method = |method: &Option<String>| method.clone().filter(|method| method != "btree");
    spelled(&mut found.checks, &declared.checks, |one, other| {
        one.name == other.name
            && same(&one.expr, &other.expr)
            && *other
                == Check {
                    expr: other.expr.clone(),
                    ..one.clone()
                }
    });
    spelled(&mut found.indexes, &declared.indexes, |one, other| {
        one.name == other.name
            && predicates(&one.predicate, &other.predicate)
            && method(&one.method) == method(&other.method)
            && storage(one.storage.as_deref()) == storage(other.storage.as_deref())
            && all(
                &elements(one, dialect),
                &elements(other, dialect),
                |one, other| dialect.same_element(one, other),
            )
            && *other
                == Index {
                    columns: other.columns.clone(),
                    elements: other.elements.clone(),
                    method: other.method.clone(),
                    storage: other.storage.clone(),
                    predicate: other.predicate.clone(),
                    ..one.clone()
                }
    });
    spelled(&mut found.exclusions, &declared.exclusions, |one, other| {
        one.name == other.name
            && predicates(&one.predicate, &other.predicate)
            && method(&one.method) == method(&other.method)
            && all(&one.elements, &other.elements, |one, other| {
                match (Exclusion::operand(one), Exclusion::operand(other)) {
                    (Some((one, with)), Some((other, also))) => {
                        with == also && dialect.same_element(one, other)
                    }
                    _ => false,
                }
            })
            && *other
                == Exclusion {
                    method: other.method.clone(),
                    elements: other.elements.clone(),
                    predicate: other.predicate.clone(),
                    ..one.clone()
                }
    });
    // No action is what a key does that says nothing.
    let action = |action: &Option<String>| action.clone().filter(|action| action != "no action");
    spelled(
        &mut found.foreign_keys,
        &declared.foreign_keys,
        |one, other| {
            action(&one.on_delete) == action(&other.on_delete)
                && action(&one.on_update) == action(&other.on_update)
                && *other
                    == ForeignKey {
                        on_delete: other.on_delete.clone(),
                        on_update: other.on_update.clone(),
                        ..one.clone()
                    }
        },
    );
}

/// Puts what is declared in the place of what says the same.
fn spelled<T: Clone>(found: &mut [T], declared: &[T], same: impl Fn(&T, &T) -> bool) {
    for part in found {
        if let Some(declared) = declared.iter().find(|declared| same(part, declared)) {
            part.clone_from(declared);
        }
    }
}

fn all(found: &[String], declared: &[String], same: impl Fn(&str, &str) -> bool) -> bool {
    found.len() == declared.len()
        && std::iter::zip(found, declared).all(|(one, other)| same(one, other))
}

/// What an index orders by, columns as well.
fn elements(index: &Index, dialect: &Dialect) -> Vec<String> {
    let columns = index.columns.iter().map(|name| dialect.ident(name));
    columns.chain(index.elements.iter().cloned()).collect()
}

/// `fillfactor=70`, without space and quotes.
fn storage(parameters: Option<&str>) -> Option<String> {
    let plain = |c: &char| !c.is_whitespace() && *c != '\'';
    let text = parameters?.chars().filter(plain).collect::<String>();
    Some(text.to_lowercase())
}

fn of_column(found: &mut Column, declared: &Column, dialect: &Dialect) {
    if same_type(found, declared, dialect) {
        found.logical_type = declared.logical_type;
        found.sql_type.clone_from(&declared.sql_type);
        found.collation.clone_from(&declared.collation);
    }
    let (one, other) = (found.default.as_deref(), declared.default.as_deref());
    let spelled = || match (one, other) {
        (Some(one), Some(other)) => {
            dialect.same_expression(one, &dialect.default_of(other))
                || dialect.same_expression(one, other)
        }
        (None, Some(other)) => other.trim().eq_ignore_ascii_case("null"),
        _ => false,
    };
    let sql_type = dialect.uncollated_type_of(declared);
    if dialect.same_default(&sql_type, one, other) || spelled() {
        found.default.clone_from(&declared.default);
    }
    if let (Some(one), Some(other)) = (&found.generated, &declared.generated)
        && dialect.same_expression(one, other)
    {
        found.generated.clone_from(&declared.generated);
    }
}

fn same_type(found: &Column, declared: &Column, dialect: &Dialect) -> bool {
    let spelled = |column: &Column| canonical(&dialect.type_of(column));
    spelled(found) == spelled(declared)
}

/// A type as PostgreSQL prints it (manual, "Data Types"); SQLite's have no other spelling.
fn canonical(sql_type: &str) -> String {
    let words = sql_type.split_whitespace().collect::<Vec<_>>().join(" ");
    let lower = words.to_lowercase();
    // A collation and a name in quotes keep their case.
    if let Some(at) = lower.find(" collate ") {
        return format!(
            "{}{}",
            canonical(&words[..at]),
            &words[at..].replace(" collate ", " COLLATE ")
        );
    }
    if words.contains('"') {
        return words;
    }
    let ends = ["(", "[]"];
    let end = ends.iter().filter_map(|end| lower.find(end)).min();
    let (head, rest) = lower.split_at(end.unwrap_or(lower.len()));
    let (bounds, tail) = match rest.find(')') {
        Some(end) => rest.split_at(end + 1),
        None => ("", rest),
    };
    let bounds: String = bounds.split_whitespace().collect();
    let head = head.trim();
    let (word, behind) = match head {
        "int" | "int4" => ("integer", ""),
        "int8" => ("bigint", ""),
        "int2" => ("smallint", ""),
        "bool" => ("boolean", ""),
        "float4" => ("real", ""),
        "float8" | "float" => ("double precision", ""),
        "varchar" => ("character varying", ""),
        "char" if bounds.is_empty() => ("character(1)", ""),
        "char" => ("character", ""),
        "decimal" => ("numeric", ""),
        "timestamptz" | "timestamp with time zone" => ("timestamp", " with time zone"),
        "timetz" | "time with time zone" => ("time", " with time zone"),
        "timestamp" | "time" if !tail.contains("zone") => (head, " without time zone"),
        "timestamp without time zone" => ("timestamp", " without time zone"),
        "time without time zone" => ("time", " without time zone"),
        head => (head, ""),
    };
    format!("{word}{bounds}{behind}{}", tail.trim_end())
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn a_type_has_one_spelling() {
        for (written, printed) in [
            ("varchar(255)", "character varying(255)"),
            ("NUMERIC(10, 2)", "numeric(10,2)"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("timestamp", "timestamp without time zone"),
            ("int[]", "integer[]"),
            ("char", "character(1)"),
            ("varchar collate \"C\"", "character varying COLLATE \"C\""),
            ("\"Kind\"[]", "\"Kind\"[]"),
        ] {
            assert_eq!(canonical(written), canonical(printed), "{written}");
        }
        assert_ne!(canonical("varchar(20)"), canonical("varchar(21)"));
        assert_ne!(canonical("timestamp"), canonical("timestamptz"));
        assert_ne!(
            canonical("text COLLATE \"C\""),
            canonical("text COLLATE \"c\"")
        );
        assert_ne!(canonical("timestamp(3)"), canonical("timestamp(6)"));
    }
}
