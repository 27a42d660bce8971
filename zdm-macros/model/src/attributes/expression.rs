//! SQL in attributes: one text for all dialects, one per dialect, or one per old column.
//!
//! Comes in: the input behind `up`, `down`, `valid_if`, `on_invalid`. Goes out: expressions as the schema keeps them.
//! Must not know: SQL. The command line parses it; the derive stays light.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token};

use super::values::{content, list, name, text};
use super::{Given, vocabulary};
use crate::{Expression, OnInvalid};

/// The names that mark a map as one text per dialect.
const DIALECTS: [&str; 4] = ["postgres", "mysql", "mongodb", "sqlite"];

/// New to old.
#[derive(Debug, Clone)]
pub(crate) enum Down {
    /// For the one old column.
    One(Expression),
    /// By old column.
    PerColumn(Vec<(Given<String>, Expression)>),
}

/// `= "…"` or `(postgres = "…", sqlite = "…")`.
pub(crate) fn expression(word: &Ident, input: ParseStream) -> syn::Result<Expression> {
    if !input.peek(syn::token::Paren) {
        return text(word, input).map(Expression::Any);
    }
    let entries = list(word, input, |inside| entries(word, inside))?;
    per_dialect(word, entries)
}

/// As [`expression`], or `(first = "…", last(postgres = "…", sqlite = "…"))` by old column.
pub(crate) fn down(word: &Ident, input: ParseStream) -> syn::Result<Down> {
    if !input.peek(syn::token::Paren) {
        return text(word, input).map(|text| Down::One(Expression::Any(text)));
    }
    let entries = list(word, input, |inside| entries(word, inside))?;
    if entries.iter().any(|(name, _)| is_dialect(&name.value)) {
        return per_dialect(word, entries).map(Down::One);
    }
    Ok(Down::PerColumn(entries))
}

/// `= "quarantine"`, `= "null"`, `= "reject"`, `= default("0")`.
pub(crate) fn on_invalid(word: &Ident, input: ParseStream) -> syn::Result<OnInvalid> {
    let shown = |span| {
        syn::Error::new(
            span,
            format!(
                "expected `{word} = …` with one of \"quarantine\", \"null\", \"reject\", default(\"0\")"
            ),
        )
    };
    input
        .parse::<Token![=]>()
        .map_err(|error| shown(error.span()))?;
    if input.peek(Ident::peek_any) {
        let choice = Ident::parse_any(input)?;
        if choice != "default" {
            return Err(shown(choice.span()));
        }
        return list(&choice, input, |inside| content(&inside.parse()?)).map(OnInvalid::Default);
    }
    let literal: LitStr = input.parse().map_err(|error| shown(error.span()))?;
    match literal.value().as_str() {
        "quarantine" => Ok(OnInvalid::Quarantine),
        "null" => Ok(OnInvalid::Null),
        "reject" => Ok(OnInvalid::Reject),
        _ => Err(shown(literal.span())),
    }
}

fn is_dialect(name: &str) -> bool {
    DIALECTS.contains(&name)
}

fn entries(word: &Ident, inside: ParseStream) -> syn::Result<Vec<(Given<String>, Expression)>> {
    let mut entries: Vec<(Given<String>, Expression)> = Vec::new();
    while !inside.is_empty() {
        let key = name(inside)?;
        if entries.iter().any(|(known, _)| known.value == key.value) {
            return Err(syn::Error::new(
                key.span,
                format!("`{}` is given twice", key.value),
            ));
        }
        let value = if inside.peek(syn::token::Paren) {
            expression(&Ident::new("down", key.span), inside)?
        } else {
            inside.parse::<Token![=]>()?;
            Expression::Any(content(&inside.parse()?)?)
        };
        entries.push((key, value));
        if !inside.is_empty() {
            inside.parse::<Token![,]>()?;
        }
    }
    if entries.is_empty() {
        return Err(syn::Error::new(
            word.span(),
            format!("`{word}(…)` holds no expression"),
        ));
    }
    Ok(entries)
}

fn per_dialect(word: &Ident, entries: Vec<(Given<String>, Expression)>) -> syn::Result<Expression> {
    let mut texts = Vec::new();
    for (dialect, expression) in entries {
        let Expression::Any(text) = expression else {
            return Err(syn::Error::new(
                dialect.span,
                format!("a dialect takes a string: `{} = \"…\"`", dialect.value),
            ));
        };
        if !is_dialect(&dialect.value) {
            return Err(no_dialect(word, &dialect));
        }
        texts.push((dialect.value, text));
    }
    Ok(Expression::PerDialect(texts))
}

fn no_dialect(word: &Ident, name: &Given<String>) -> syn::Error {
    let meant = vocabulary::closest(&name.value, &DIALECTS)
        .map(|dialect| format!("; did you mean `{dialect}`?"))
        .unwrap_or_default();
    syn::Error::new(
        name.span,
        format!(
            "`{}` is no dialect, and `{word}(…)` takes one expression per dialect ({}){meant}",
            name.value,
            DIALECTS.join(", "),
        ),
    )
}
