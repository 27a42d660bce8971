//! Passwords are never printed: neither that of a URL nor one that stands anywhere in a text.
//!
//! Comes in: a URL, or words that are about to be printed or put on record. Goes out: the same without passwords.
//! Must not know: where they come from.

/// The variable in which the clients of `PostgreSQL` find a password.
const VARIABLE: &str = "PGPASSWORD=";

/// How URLs of databases begin.
const SCHEMES: [&str; 6] = [
    "postgres://",
    "postgresql://",
    "mysql://",
    "mariadb://",
    "mongodb://",
    "mongodb+srv://",
];

/// A URL as it may be printed: without its password, wherever it stands in it, and however it is spelled. In doubt more is left out than
/// the password: one that holds `@`, `?`, `#` or `/` without their percent signs is not told from what follows it.
pub fn shown_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return without_scheme(url);
    };
    let (authority, rest) = rest.split_at(rest.rfind('@').map_or(0, |at| at + 1));
    let authority = match authority.split_once(':') {
        Some((user, _)) => format!("{user}:…@"),
        None => authority.to_owned(),
    };
    let Some((address, query)) = rest.split_once('?') else {
        return format!("{scheme}://{authority}{rest}");
    };
    let query: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.contains("pass") || name.contains('%') => format!("{name}=…"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{scheme}://{authority}{address}?{}", query.join("&"))
}

/// `postgres:user:password@host` and `user:password@host`, which no driver takes.
fn without_scheme(url: &str) -> String {
    match (url.split_once(':'), url.rsplit_once('@')) {
        (Some((before, rest)), Some((_, host))) if rest.contains('@') && before != "sqlite" => {
            format!("{before}:…@{host}")
        }
        _ => url.to_owned(),
    }
}

/// A text as it may be printed: every URL of a database in it as [`shown_url`] has it. Other URLs are data, and stay as they are.
pub(crate) fn masked(text: &str) -> String {
    let names_database = |word: &str| SCHEMES.iter().any(|scheme| word.contains(scheme));
    if !names_database(text) && !text.contains(VARIABLE) {
        return text.to_owned();
    }
    let ends = |c: char| c.is_whitespace() || "\"'`<>()".contains(c);
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(ends) {
        let word = part.trim_end_matches(ends);
        if let Some(at) = word.find(VARIABLE) {
            shown.push_str(&word[..at + VARIABLE.len()]);
            shown.push('…');
        } else if names_database(word) {
            shown.push_str(&shown_url(word));
        } else {
            shown.push_str(word);
        }
        shown.push_str(&part[word.len()..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            (
                "postgres://app:s3cret@db:5432/shop?sslmode=require",
                "postgres://app:…@db:5432/shop?sslmode=require",
            ),
            ("postgres://app:p@ss@db/shop", "postgres://app:…@db/shop"),
            (
                "postgres://app:p?s&s#x/y@db/shop",
                "postgres://app:…@db/shop",
            ),
            ("postgres://:s3cret@db/shop", "postgres://:…@db/shop"),
            ("postgres:app:s3cret@db/shop", "postgres:…@db/shop"),
            ("app:s3cret@db/shop", "app:…@db/shop"),
            (
                "postgres://db/shop?user=app&password=s3cret",
                "postgres://db/shop?user=app&password=…",
            ),
            (
                "postgres://db/shop?sslpassword=s3cret&pass%77ord=s3cret",
                "postgres://db/shop?sslpassword=…&pass%77ord=…",
            ),
            ("postgres://app@db/shop", "postgres://app@db/shop"),
            ("sqlite://app.db", "sqlite://app.db"),
            ("sqlite:a@b.db", "sqlite:a@b.db"),
        ] {
            assert_eq!(shown_url(url), shown);
        }
    }

    #[test]
    fn a_text_keeps_all_but_its_passwords() {
        assert_eq!(
            masked(
                "`PGPASSWORD=s3cret pg_dump 'postgres://app:s3cret@db/shop' > x`, see https://example.org/a:b\n"
            ),
            "`PGPASSWORD=… pg_dump 'postgres://app:…@db/shop' > x`, see https://example.org/a:b\n"
        );
        assert_eq!(
            masked("see postgres: https://a:b/@c"),
            "see postgres: https://a:b/@c"
        );
        let json = r#"{"error":"no `postgres://u:s3cret@db/x`","next":"a: b"}"#;
        assert_eq!(
            masked(json),
            r#"{"error":"no `postgres://u:…@db/x`","next":"a: b"}"#
        );
        assert_eq!(masked("a\n  b: c@d\n"), "a\n  b: c@d\n");
    }
}
