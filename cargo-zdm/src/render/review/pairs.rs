//! The part of the review page about values: how each pair converts, what becomes of what cannot be converted, and what is
//! lost on the way there and back.
//!
//! Must not know: how any of it was measured.

use std::fmt::Write as _;

use zdm_runtime::manifest::{BuiltIn, EdgeFacts, Fact, Manifest, Pair, RowFacts, Rows, Side};

use super::function;

/// Why nothing is known where `generate` was run without a database.
const NOT_ASKED: &str = "no database was asked";

/// How each column's values go over, before anything else: whether that is meant decides over the rest.
pub(super) fn section(page: &mut String, manifest: &Manifest) {
    if manifest.pairs.is_empty() {
        return;
    }
    page.push_str("## What becomes of the values\n\n");
    if manifest
        .pairs
        .iter()
        .any(|pair| !pair.old.is_empty() && !pair.one_way)
    {
        page.push_str(
            "While both sides are written, a write of new puts `down` of it into old, unless `up` of old is that value already: \
             what nobody changes stays as it is. What `up` loses is gone for good when old is dropped. What `down` loses is \
             hidden from old code at once, and gone after a way back to old.\n\n",
        );
    }
    for pair in &manifest.pairs {
        self::pair(page, pair);
    }
}

/// What a reviewer has to agree to.
pub(super) fn checklist(page: &mut String, manifest: &Manifest) {
    for pair in manifest.pairs.iter().filter(|pair| pair.built_in.is_none()) {
        let name = format!("`{}.{}`", pair.table, pair.new.column);
        if pair.one_way {
            let _ = writeln!(
                page,
                "- [ ] nothing comes back from {name} to old, and that is meant; every caller of its writes has both values"
            );
        } else if !pair.old.is_empty() {
            let _ = writeln!(page, "- [ ] what {name} loses, there and back, is meant");
        }
        if let Some(function) = &pair.with {
            let _ = writeln!(
                page,
                "- [ ] `{function}` gives the same value for the same row at every call, today and until the migration is complete, and what \
                 it does not convert is known"
            );
        } else if !matches!(&pair.measured, Some(measured) if matches!(measured.rows, Fact::Found(_)))
        {
            let _ = writeln!(
                page,
                "- [ ] nobody has counted what {name} cannot take over: `cargo zdm generate --amend --database-url …` does"
            );
        }
    }
}

fn pair(page: &mut String, pair: &Pair) {
    let old = listed(pair.old.iter().map(|old| format!("`{}`", old.column)));
    let _ = if pair.old.is_empty() {
        writeln!(page, "### `{}`: `{}`\n", pair.table, pair.new.column)
    } else {
        writeln!(
            page,
            "### `{}`: {old} → `{}`\n",
            pair.table, pair.new.column
        )
    };
    let mut lines = vec![format!("**to**: {}", described(&pair.new)), up(pair)];
    if let Some(valid_if) = &pair.valid_if {
        lines.push(format!("`valid_if`: {}", code(valid_if)));
    }
    if pair.old.is_empty() {
        lines.push(on_invalid(pair));
        let value = if pair.with.is_some() {
            "what the function gives for the row"
        } else {
            "`up` of the row"
        };
        lines.push(format!(
            "**old code** leaves it NULL in rows that it writes; until they are filled, new code reads {value} as `{}`",
            pair.new.column
        ));
        lines.extend(pair.with.as_ref().map(|_| function::filled()));
    } else {
        lines.insert(
            0,
            format!("**from**: {}", listed(pair.old.iter().map(described))),
        );
        lines.push(down(pair));
        lines.push(on_invalid(pair));
        lines.extend(pair.with.as_ref().map(|_| function::filled()));
        lines.extend(pair.seal.as_deref().map(function::sealed));
        let sees = if pair.one_way {
            "what writers give for it"
        } else {
            "`down` of what new code has written"
        };
        lines.push(format!(
            "**old code** reads and writes {old} alone, as before; it sees {sees}"
        ));
    }
    lines.extend(losses(pair));
    let _ = writeln!(page, "- {}\n", lines.join("\n- "));
}

fn described(side: &Side) -> String {
    let null = if side.nullable {
        "may be NULL"
    } else {
        "never NULL"
    };
    format!("`{}` ({}, {null})", side.column, code(&side.sql_type))
}

fn listed(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}

fn up(pair: &Pair) -> String {
    if pair.with.is_some() {
        return format!(
            "`with`: {}, a Rust function of the application",
            code(&pair.up)
        );
    }
    match &pair.runs {
        Some(runs) => format!("`up`: {}, run as {}", code(&pair.up), code(runs)),
        None => format!("`up`: {}", code(&pair.up)),
    }
}

fn down(pair: &Pair) -> String {
    if let (Some(_), None) = (&pair.with, &pair.down) {
        return function::one_way();
    }
    let Some(down) = &pair.down else {
        return "`one_way`: nothing comes back. A write takes both values, and one whose new value is not `up` of its old one is \
                refused"
            .to_owned();
    };
    let ways = pair.old.iter().zip(down);
    let ways = ways.map(|(old, down)| format!("{} into `{}`", code(down), old.column));
    format!("`down`: {}", listed(ways))
}

fn on_invalid(pair: &Pair) -> String {
    let rule = &pair.on_invalid;
    if pair.with.is_some() {
        return function::on_invalid(rule);
    }
    let outcome = match rule.as_str() {
        "quarantine" => {
            "the row keeps its old value, new is NULL, and its key waits in quarantine to be fixed or waived"
        }
        "null" => "new becomes NULL; the row keeps its old value until old is dropped",
        "reject" => "the backfill stops at the row until somebody mends its old value",
        "default" => {
            return format!(
                "`on_invalid`: `default`, new becomes {}; the row keeps its old value until old is dropped",
                code(pair.default.as_deref().unwrap_or_default())
            );
        }
        _ if pair.built_in.is_some() => {
            return "`on_invalid`: none, every value converts".to_owned();
        }
        _ => {
            return "`on_invalid`: none is declared, so `up` has to convert every row: a statement that meets another one fails"
                .to_owned();
        }
    };
    format!("`on_invalid`: `{rule}`, {outcome}")
}

/// What is known, and what is not.
fn losses(pair: &Pair) -> Vec<String> {
    if let Some(built_in) = &pair.built_in {
        return vec![
            "**cannot be converted**: no value (built in)".to_owned(),
            format!(
                "**lost by `up`**: {} (built in)",
                built_in.up_loses.as_deref().unwrap_or("nothing")
            ),
            format!("**lost by `down`**: {} (built in)", proved(built_in)),
        ];
    }
    let facts = match pair.measured.as_ref().map(|measured| &measured.rows) {
        Some(Fact::Found(facts)) => facts,
        Some(Fact::Unknown(reason)) => return vec![unknown(pair, reason)],
        None => return vec![unknown(pair, NOT_ASKED)],
    };
    let mut lines = vec![format!(
        "**cannot be converted**: {}",
        match facts.unconvertible.count {
            0 => format!("none of {} rows", facts.rows),
            _ => some(&facts.unconvertible, facts.rows),
        }
    )];
    if let Some(losses) = &facts.losses {
        lines.push(format!("**lost by `up`**: {}", lost(facts, &losses.up)));
        let edges = match pair
            .measured
            .as_ref()
            .and_then(|measured| measured.edges.as_ref())
        {
            None => String::new(),
            Some(Fact::Unknown(reason)) => format!("; edges of the type were not tried: {reason}"),
            Some(Fact::Found(facts)) => format!("; {}", edges(facts)),
        };
        lines.push(format!(
            "**lost by `down`**: {}{edges}",
            lost(facts, &losses.down)
        ));
    }
    lines
}

fn unknown(pair: &Pair, reason: &str) -> String {
    if pair.with.is_some() {
        return "**not counted**: how many rows cannot be converted; no database can call the function".to_owned();
    }
    if pair.old.is_empty() {
        format!("**not counted**: how many rows cannot be converted; {reason}")
    } else if pair.one_way {
        format!("**not measured**: which rows cannot be converted; {reason}")
    } else {
        format!(
            "**not measured**: which rows cannot be converted, and what `up` and `down` lose; {reason}"
        )
    }
}

fn proved(built_in: &BuiltIn) -> String {
    let loses = built_in.down_loses.as_deref().unwrap_or("nothing");
    if built_in.refuses {
        format!("{loses}; a value that old cannot hold is refused with an error")
    } else {
        loses.to_owned()
    }
}

fn lost(facts: &RowFacts, rows: &Rows) -> String {
    let converted = facts.rows.saturating_sub(facts.unconvertible.count);
    match rows.count {
        0 => format!("nothing in {converted} converted rows"),
        _ => format!("the value does not come back in {}", some(rows, converted)),
    }
}

fn edges(facts: &EdgeFacts) -> String {
    let mut text = format!("of {} values at the edges of the type", facts.tried);
    if facts.changed.is_empty() && facts.refused.is_empty() {
        text.push_str(" nothing");
    }
    let changed = facts.changed.iter();
    let changed: Vec<_> = changed
        .map(|(value, back)| format!("{} comes back as {}", code(value), code(back)))
        .collect();
    if !changed.is_empty() {
        let _ = write!(text, " {}", changed.join(", "));
    }
    if !facts.refused.is_empty() {
        let refused: Vec<_> = facts.refused.iter().map(|value| code(value)).collect();
        let also = if changed.is_empty() { "" } else { ";" };
        let _ = write!(text, "{also} old cannot hold {}", refused.join(", "));
    }
    text
}

/// `3 of 50000 rows, by key: `7`, `20007`, …`
fn some(found: &Rows, of: u64) -> String {
    let keys: Vec<_> = found.keys.iter().map(|key| code(&key.join(", "))).collect();
    let more = if found.count > found.keys.len() as u64 {
        ", …"
    } else {
        ""
    };
    format!(
        "{} of {of} rows, by key: {}{more}",
        found.count,
        keys.join(", ")
    )
}

/// A code span, whatever the text holds.
fn code(text: &str) -> String {
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zdm_runtime::manifest::{Losses, Measured};

    fn merged(measured: Option<Measured>) -> Pair {
        let side = |column: &str| Side {
            column: column.to_owned(),
            sql_type: "text".to_owned(),
            nullable: false,
        };
        Pair {
            table: "users".to_owned(),
            up: "a || '`' || b".to_owned(),
            runs: None,
            with: None,
            seal: None,
            down: Some(vec!["left(c, 1)".to_owned(), "right(c, 1)".to_owned()]),
            one_way: false,
            valid_if: None,
            on_invalid: "default".to_owned(),
            default: Some("'-'".to_owned()),
            old: vec![side("a"), side("b")],
            new: side("c"),
            built_in: None,
            released: None,
            measured,
        }
    }

    fn rows(count: u64, keys: &[&str]) -> Rows {
        let keys = keys
            .iter()
            .map(|key| vec![(*key).to_owned(), "x".to_owned()]);
        Rows {
            count,
            keys: keys.collect(),
        }
    }

    fn written(measured: Option<Measured>) -> String {
        let mut page = String::new();
        pair(&mut page, &merged(measured));
        page
    }

    #[test]
    fn what_was_measured_is_named_with_keys() {
        let facts = RowFacts {
            rows: 100,
            unconvertible: rows(4, &["1", "2"]),
            losses: Some(Losses {
                up: rows(1, &["9"]),
                down: rows(0, &[]),
            }),
        };
        let edges = EdgeFacts {
            tried: 9,
            refused: vec!["NULL".to_owned()],
            changed: vec![("''".to_owned(), "' '".to_owned())],
        };
        assert_eq!(
            written(Some(Measured {
                rows: Fact::Found(facts),
                edges: Some(Fact::Found(edges)),
            })),
            "### `users`: `a`, `b` → `c`\n\n\
             - **from**: `a` (`text`, never NULL), `b` (`text`, never NULL)\n\
             - **to**: `c` (`text`, never NULL)\n\
             - `up`: `` a || '`' || b ``\n\
             - `down`: `left(c, 1)` into `a`, `right(c, 1)` into `b`\n\
             - `on_invalid`: `default`, new becomes `'-'`; the row keeps its old value until old is dropped\n\
             - **old code** reads and writes `a`, `b` alone, as before; it sees `down` of what new code has written\n\
             - **cannot be converted**: 4 of 100 rows, by key: `1, x`, `2, x`, …\n\
             - **lost by `up`**: the value does not come back in 1 of 96 rows, by key: `9, x`\n\
             - **lost by `down`**: nothing in 96 converted rows; of 9 values at the edges of the type `''` comes back as `' '`; \
             old cannot hold `NULL`\n\n"
        );
    }

    #[test]
    fn unknown_is_never_none() {
        let reason = "it takes longer than 1m";
        let unknown = Measured {
            rows: Fact::Unknown(reason.to_owned()),
            edges: None,
        };
        for (measured, reason) in [(Some(unknown), reason), (None, NOT_ASKED)] {
            let page = written(measured);
            assert!(
                page.ends_with(&format!("**not measured**: which rows cannot be converted, and what `up` and `down` lose; {reason}\n\n")),
                "{page}"
            );
        }
    }
}
