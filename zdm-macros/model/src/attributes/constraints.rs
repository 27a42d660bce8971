//! The words on a struct that declare constraints.
//!
//! Comes in: a word and what it takes. Goes out: plain values with their spans.
//! Must not know: the struct's fields.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use super::table::{incomplete, words};
use super::values::{self, Reference, text};
use super::{Given, keep};
use crate::{Check, Exclusion};

/// `primary_key(a, b, name = "…")`.
#[derive(Debug, Clone)]
pub(crate) struct PrimaryKeyAttribute {
    pub(crate) columns: Vec<Given<String>>,
    pub(crate) name: Option<Given<String>>,
}

/// `unique(columns(a, b), include(c), nulls_not_distinct, deferrable, initially_deferred, name = "…")`.
#[derive(Debug, Clone)]
pub(crate) struct UniqueAttribute {
    pub(crate) columns: Vec<Given<String>>,
    pub(crate) include: Vec<Given<String>>,
    pub(crate) nulls_not_distinct: bool,
    pub(crate) deferrable: bool,
    pub(crate) initially_deferred: bool,
    pub(crate) name: Option<String>,
}

/// `foreign_key(columns(a, b), references = "t(a, b)", on_delete = "…", on_update = "…", match_full, deferrable,
/// initially_deferred, not_valid, name = "…")`.
#[derive(Debug, Clone)]
pub(crate) struct ForeignKeyAttribute {
    pub(crate) columns: Vec<Given<String>>,
    pub(crate) references: Reference,
    pub(crate) on_delete: Option<Given<String>>,
    pub(crate) on_delete_columns: Vec<Given<String>>,
    pub(crate) on_update: Option<Given<String>>,
    pub(crate) match_full: bool,
    pub(crate) deferrable: bool,
    pub(crate) initially_deferred: bool,
    pub(crate) not_valid: bool,
    pub(crate) name: Option<String>,
}

pub(super) fn primary_key(word: &Ident, input: ParseStream) -> syn::Result<PrimaryKeyAttribute> {
    values::list(word, input, |inside| {
        let (mut columns, mut name) = (Vec::new(), None);
        while !inside.is_empty() {
            if inside.peek(Ident::peek_any) && inside.peek2(Token![=]) {
                words(inside, &["name"], |word, input| {
                    keep(&mut name, word, text(word, input)?)
                })?;
                break;
            }
            columns.push(values::name(inside)?);
            if !inside.is_empty() {
                inside.parse::<Token![,]>()?;
            }
        }
        if columns.is_empty() {
            return Err(syn::Error::new(
                word.span(),
                format!("`{word}(…)` names no column"),
            ));
        }
        Ok(PrimaryKeyAttribute { columns, name })
    })
}

pub(super) fn unique(word: &Ident, input: ParseStream) -> syn::Result<UniqueAttribute> {
    let (mut columns, mut include, mut name) = (None, None, None);
    let (mut nulls_not_distinct, mut deferrable, mut initially_deferred) = (None, None, None);
    if !input.peek(syn::token::Paren) {
        let message = "on the struct `unique` names its columns, `unique(columns(a, b))`; alone it belongs on a field";
        return Err(syn::Error::new(word.span(), message));
    }
    values::list(word, input, |inside| {
        let known = [
            "columns",
            "include",
            "nulls_not_distinct",
            "deferrable",
            "initially_deferred",
            "name",
        ];
        words(inside, &known, |word, input| {
            match word.to_string().as_str() {
                "columns" => keep(&mut columns, word, values::names(word, input)?),
                "include" => keep(&mut include, word, values::names(word, input)?),
                "nulls_not_distinct" => keep(&mut nulls_not_distinct, word, ()),
                "deferrable" => keep(&mut deferrable, word, ()),
                "initially_deferred" => keep(&mut initially_deferred, word, ()),
                _ => keep(&mut name, word, text(word, input)?),
            }
        })
    })?;
    let columns = columns.ok_or_else(|| incomplete(word, "unique(columns(a, b))"))?;
    Ok(UniqueAttribute {
        columns: columns.value,
        include: include.map(|given| given.value).unwrap_or_default(),
        nulls_not_distinct: nulls_not_distinct.is_some(),
        deferrable: deferrable.is_some() || initially_deferred.is_some(),
        initially_deferred: initially_deferred.is_some(),
        name: name.map(|given| given.value),
    })
}

pub(super) fn check(word: &Ident, input: ParseStream) -> syn::Result<Check> {
    let (mut name, mut expr) = (None, None);
    let (mut not_valid, mut no_inherit) = (None, None);
    values::list(word, input, |inside| {
        let known = ["name", "expr", "not_valid", "no_inherit"];
        words(inside, &known, |word, input| {
            match word.to_string().as_str() {
                "name" => keep(&mut name, word, text(word, input)?),
                "not_valid" => keep(&mut not_valid, word, ()),
                "no_inherit" => keep(&mut no_inherit, word, ()),
                _ => keep(&mut expr, word, text(word, input)?),
            }
        })
    })?;
    let shown = || incomplete(word, "check(name = \"…\", expr = \"…\")");
    Ok(Check {
        name: name.ok_or_else(shown)?.value,
        expr: expr.ok_or_else(shown)?.value,
        not_valid: not_valid.is_some(),
        no_inherit: no_inherit.is_some(),
    })
}

/// `exclude(name = "…", using = "gist", elements("room WITH =", "during WITH &&"), where = "…", deferrable,
/// initially_deferred)`.
pub(super) fn exclude(word: &Ident, input: ParseStream) -> syn::Result<Exclusion> {
    let (mut name, mut method, mut predicate) = (None, None, None);
    let (mut elements, mut deferrable, mut initially_deferred) = (None, None, None);
    values::list(word, input, |inside| {
        let known = [
            "name",
            "using",
            "elements",
            "where",
            "deferrable",
            "initially_deferred",
        ];
        words(inside, &known, |word, input| {
            match word.to_string().as_str() {
                "using" => keep(&mut method, word, text(word, input)?),
                "elements" => keep(&mut elements, word, values::texts(word, input)?),
                "where" => keep(&mut predicate, word, text(word, input)?),
                "deferrable" => keep(&mut deferrable, word, ()),
                "initially_deferred" => keep(&mut initially_deferred, word, ()),
                _ => keep(&mut name, word, text(word, input)?),
            }
        })
    })?;
    let shown = || {
        incomplete(
            word,
            "exclude(name = \"…\", using = \"gist\", elements(\"during WITH &&\"))",
        )
    };
    let elements = elements.ok_or_else(shown)?;
    if let Some(element) = elements
        .value
        .iter()
        .find(|element| Exclusion::operand(element).is_none())
    {
        let message = format!("`{element}` has no operator: `{element} WITH =`");
        return Err(syn::Error::new(elements.span, message));
    }
    Ok(Exclusion {
        name: name.ok_or_else(shown)?.value,
        method: method.map(|given| given.value),
        elements: elements.value,
        predicate: predicate.map(|given| given.value),
        deferrable: deferrable.is_some() || initially_deferred.is_some(),
        initially_deferred: initially_deferred.is_some(),
    })
}

pub(super) fn foreign_key(word: &Ident, input: ParseStream) -> syn::Result<ForeignKeyAttribute> {
    let (mut columns, mut references, mut name) = (None, None, None);
    let (mut on_delete, mut on_update) = (None, None);
    let (mut match_full, mut not_valid) = (None, None);
    let (mut deferrable, mut initially_deferred) = (None, None);
    values::list(word, input, |inside| {
        let known = [
            "columns",
            "references",
            "on_delete",
            "on_update",
            "match_full",
            "deferrable",
            "initially_deferred",
            "not_valid",
            "name",
        ];
        words(inside, &known, |word, input| {
            match word.to_string().as_str() {
                "columns" => keep(&mut columns, word, values::names(word, input)?),
                "references" => keep(&mut references, word, values::reference(word, input)?),
                "on_delete" => {
                    let action = values::action_of_columns(word, input)?;
                    keep(&mut on_delete, word, action)
                }
                "on_update" => keep(&mut on_update, word, values::action(word, input)?),
                "match_full" => keep(&mut match_full, word, ()),
                "deferrable" => keep(&mut deferrable, word, ()),
                "initially_deferred" => keep(&mut initially_deferred, word, ()),
                "not_valid" => keep(&mut not_valid, word, ()),
                _ => keep(&mut name, word, text(word, input)?),
            }
        })
    })?;
    let shown = || incomplete(word, "foreign_key(columns(a, b), references = \"t(a, b)\")");
    let span = on_delete.as_ref().map(|given| given.span);
    let (action, on_delete_columns) = match on_delete {
        Some(given) => (Some(given.value.0), given.value.1),
        None => (None, Vec::new()),
    };
    Ok(ForeignKeyAttribute {
        columns: columns.ok_or_else(shown)?.value,
        references: references.ok_or_else(shown)?.value,
        on_delete: span.zip(action).map(|(span, value)| Given { span, value }),
        on_delete_columns,
        on_update,
        match_full: match_full.is_some(),
        deferrable: deferrable.is_some() || initially_deferred.is_some(),
        initially_deferred: initially_deferred.is_some(),
        not_valid: not_valid.is_some(),
        name: name.map(|given| given.value),
    })
}
