//! A definition's text as `SQLite` keeps it, compared by its words: spaces, comments, case and quotes mean nothing.
//!
//! Must not know: any database.

/// The words and signs of a statement, names folded and without their quotes, texts as they stand.
pub(super) fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' | '"' | '`' => quoted(rest, first),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            _ if is_of_a_word(first) => rest
                .find(|other| !is_of_a_word(other))
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(length);
        rest = behind;
        match first {
            _ if first.is_whitespace() || word.starts_with("--") || word.starts_with("/*") => {}
            '\'' => words.push(word.to_owned()),
            '"' | '`' | '[' => {
                let inside = word.get(1..word.len() - 1).unwrap_or_default();
                words.push(inside.to_ascii_lowercase());
            }
            _ => words.push(word.to_ascii_lowercase()),
        }
    }
    words
}

/// To the closing quote; a doubled one is part of the text.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(end) = text[at..].find(quote) {
        at += end + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$') || !letter.is_ascii()
}

/// What a table's definition says and no question tells: its checks, and what its columns have besides type and default.
pub(super) fn clauses(words: &[String]) -> Vec<String> {
    let mut clauses = Vec::new();
    let (mut depth, mut column, mut rest) = (0_u32, "", words);
    while let Some((word, behind)) = rest.split_first() {
        let length = match word.as_str() {
            "check" => parenthesized(behind) + 1,
            "as" if behind.first().is_some_and(|next| next == "(") => parenthesized(behind) + 1,
            "collate" | "initially" => 2,
            "on" if behind.first().is_some_and(|next| next == "conflict") => 3,
            "deferrable" | "autoincrement" => 1,
            _ => 0,
        };
        if let Some(clause) = rest.get(..length).filter(|clause| !clause.is_empty()) {
            let clause = clause.join(" ");
            // A check says itself what it is about; what a key is about is asked for, and where it stands does not matter.
            let stands_alone = matches!(word.as_str(), "check" | "deferrable" | "initially");
            clauses.push(if stands_alone {
                clause
            } else {
                format!("{clause} of {column}")
            });
            rest = &rest[length..];
            continue;
        }
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 1 && matches!(word.as_str(), "(" | ",") {
            column = behind.first().map_or("", String::as_str);
        }
        rest = behind;
    }
    clauses
}

/// How many words there are to the parenthesis that closes the first one.
fn parenthesized(words: &[String]) -> usize {
    let mut depth = 0_u32;
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return if at == 0 { 0 } else { at + 1 };
        }
    }
    words.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_means_nothing_and_texts_mean_what_they_say() {
        let spelled =
            "create  INDEX \"By Name\" /* why */ on [Users](`name`) -- this\nwhere x<='It''s  A'";
        let other = "CREATE INDEX [by name] ON users (name) WHERE x <= 'It''s  A'";
        assert_eq!(words(spelled), words(other));
        assert_eq!(words(other).last().unwrap(), "'It''s  A'");
        assert_ne!(words(other), words(&other.replace("It''s", "it''s")));
    }

    #[test]
    fn clauses_are_told_with_their_column() {
        let table = "CREATE TABLE t (a text COLLATE nocase, b numeric(8, 2) NOT NULL ON CONFLICT replace CHECK (b > (1)),
            \"check\" text, c text GENERATED ALWAYS AS (lower(a)) STORED, FOREIGN KEY (a) REFERENCES u DEFERRABLE INITIALLY DEFERRED)";
        let expected = [
            "collate nocase of a",
            "on conflict replace of b",
            "check ( b > ( 1 ) )",
            "check",
            "as ( lower ( a ) ) of c",
            "deferrable",
            "initially deferred",
        ];
        assert_eq!(clauses(&words(table)), expected);
    }
}
