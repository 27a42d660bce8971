//! What follows a word: a string, a list of names, a reference to another table.
//!
//! Comes in: the input behind the word. Goes out: the value, or an error that shows how it is written.
//! Must not know: which word it is read for, beyond its name in messages.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token, parenthesized};

use super::Given;
use crate::{Counted, MovedFrom};

/// `= "text"`, not empty.
pub(crate) fn text(word: &Ident, input: ParseStream) -> syn::Result<String> {
    content(&literal(word, input)?)
}

/// `= "text"`, with its place.
pub(crate) fn literal(word: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    let shown = || format!("expected a string: `{word} = \"…\"`");
    input
        .parse::<Token![=]>()
        .map_err(|error| syn::Error::new(error.span(), shown()))?;
    input
        .parse()
        .map_err(|error| syn::Error::new(error.span(), shown()))
}

/// A literal's text, not empty.
pub(crate) fn content(literal: &LitStr) -> syn::Result<String> {
    let value = literal.value();
    if value.trim().is_empty() {
        return Err(syn::Error::new(literal.span(), "this string is empty"));
    }
    Ok(value)
}

/// `(…)`, read to its end. After an error the rest of the list is passed over, so that it causes no second one.
pub(crate) fn list<T>(
    word: &Ident,
    input: ParseStream,
    read: impl FnOnce(ParseStream) -> syn::Result<T>,
) -> syn::Result<T> {
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(
            word.span(),
            format!("expected a list: `{word}(…)`"),
        ));
    }
    let inside;
    parenthesized!(inside in input);
    let outcome = read(&inside).and_then(|value| {
        if inside.is_empty() {
            Ok(value)
        } else {
            Err(inside.error("expected `,` or the end of the list"))
        }
    });
    while !inside.is_empty() {
        inside.parse::<TokenTree>()?;
    }
    outcome
}

/// `("…", "…")`, at least one text, none of them empty.
pub(crate) fn texts(word: &Ident, input: ParseStream) -> syn::Result<Vec<String>> {
    list(word, input, |inside| {
        let literals = inside.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?;
        if literals.is_empty() {
            return Err(syn::Error::new(
                word.span(),
                format!("`{word}(…)` is empty: `{word}(\"lower(email)\")`"),
            ));
        }
        literals.iter().map(content).collect()
    })
}

/// `(a, b)` or `("a", "b")`, at least one.
pub(crate) fn names(word: &Ident, input: ParseStream) -> syn::Result<Vec<Given<String>>> {
    list(word, input, |inside| {
        let mut names = Vec::new();
        while !inside.is_empty() {
            names.push(name(inside)?);
            if !inside.is_empty() {
                inside.parse::<Token![,]>()?;
            }
        }
        if names.is_empty() {
            return Err(syn::Error::new(
                word.span(),
                format!("`{word}(…)` names no column"),
            ));
        }
        Ok(names)
    })
}

/// `a` or `"a"`.
pub(crate) fn name(input: ParseStream) -> syn::Result<Given<String>> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        return Ok(Given {
            span: literal.span(),
            value: content(&literal)?,
        });
    }
    let ident = Ident::parse_any(input)
        .map_err(|error| syn::Error::new(error.span(), "expected a column's name"))?;
    Ok(Given {
        span: ident.span(),
        value: ident.unraw().to_string(),
    })
}

/// A foreign key's target.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
}

/// `references = "teams(id)"`.
pub(crate) fn reference(word: &Ident, input: ParseStream) -> syn::Result<Reference> {
    let literal = literal(word, input)?;
    parse_reference(&literal.value()).ok_or_else(|| {
        syn::Error::new(
            literal.span(),
            format!("expected a table and its columns: `{word} = \"teams(id)\"`"),
        )
    })
}

fn parse_reference(text: &str) -> Option<Reference> {
    let (table, rest) = text.trim().split_once('(')?;
    let columns: Vec<String> = rest
        .strip_suffix(')')?
        .split(',')
        .map(|column| column.trim().to_owned())
        .collect();
    let table: Vec<&str> = table.split('.').map(str::trim).collect();
    let is_table = table.len() <= 2 && table.iter().all(|name| !name.is_empty());
    (is_table && columns.iter().all(|column| !column.is_empty())).then(|| Reference {
        table: table.join("."),
        columns,
    })
}

/// `moved_from = "addresses.town"`.
pub(crate) fn moved_from(word: &Ident, input: ParseStream) -> syn::Result<MovedFrom> {
    let literal = literal(word, input)?;
    let value = literal.value();
    let names: Vec<&str> = value.split('.').map(str::trim).collect();
    match names[..] {
        [ref table @ .., column]
            if (1..=2).contains(&table.len()) && names.iter().all(|name| !name.is_empty()) =>
        {
            Ok(MovedFrom {
                table: table.join("."),
                column: column.to_owned(),
            })
        }
        _ => Err(syn::Error::new(
            literal.span(),
            format!("expected another table and its column: `{word} = \"addresses.town\"`"),
        )),
    }
}

/// `on_delete = "set null"`, as SQL spells it, in lower case.
pub(crate) fn action(word: &Ident, input: ParseStream) -> syn::Result<String> {
    let literal = literal(word, input)?;
    known_action(&literal, &literal.value())
}

/// `on_delete = "set null (a, b)"`: the action and the columns that it is about, if these are not all.
pub(crate) fn action_of_columns(
    word: &Ident,
    input: ParseStream,
) -> syn::Result<(String, Vec<Given<String>>)> {
    let literal = literal(word, input)?;
    let value = literal.value();
    let Some((action, list)) = value.trim().split_once('(') else {
        return Ok((known_action(&literal, &value)?, Vec::new()));
    };
    let action = known_action(&literal, action)?;
    let columns = list.strip_suffix(')').unwrap_or_default().split(',');
    let columns: Vec<Given<String>> = columns
        .map(|column| Given {
            span: literal.span(),
            value: column.trim().to_owned(),
        })
        .collect();
    if !action.starts_with("set ") || columns.iter().any(|column| column.value.is_empty()) {
        let message =
            format!("only what is set has columns, at least one: `{word} = \"set null (a)\"`");
        return Err(syn::Error::new(literal.span(), message));
    }
    Ok((action, columns))
}

fn known_action(literal: &LitStr, text: &str) -> syn::Result<String> {
    const ACTIONS: [&str; 5] = [
        "cascade",
        "set null",
        "set default",
        "restrict",
        "no action",
    ];
    let action = text.trim().to_lowercase();
    if ACTIONS.contains(&action.as_str()) {
        return Ok(action);
    }
    Err(syn::Error::new(
        literal.span(),
        format!("`{action}` is no action; one of: {}", ACTIONS.join(", ")),
    ))
}

/// `auto = "always"`.
pub(crate) fn counted(word: &Ident, input: ParseStream) -> syn::Result<Counted> {
    let literal = literal(word, input)?;
    let known = [Counted::Always, Counted::Serial];
    let mut named = known.into_iter();
    named
        .find(|counted| counted.name() == literal.value())
        .ok_or_else(|| {
            syn::Error::new(
                literal.span(),
                format!(
                    "`{word}` alone is GENERATED BY DEFAULT AS IDENTITY; else it is one of \"always\", \"serial\", not `{}`",
                    literal.value()
                ),
            )
        })
}

/// `= "text"`, which may be any but the one that stands for none.
pub(crate) fn comment(word: &Ident, input: ParseStream) -> syn::Result<String> {
    let literal = literal(word, input)?;
    if literal.value().is_empty() {
        return Err(syn::Error::new(
            literal.span(),
            "an empty comment is none: leave the word out",
        ));
    }
    Ok(literal.value())
}
