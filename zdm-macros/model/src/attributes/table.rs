//! The words on a struct.
//!
//! Comes in: a struct's attributes. Goes out: [`TableAttributes`].
//! Must not know: the struct's fields.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, Token};

use super::values::{self, Reference, text};
use super::{Errors, Given, keep, read_attributes, vocabulary};
use crate::{Check, Drop};

/// What a struct's `#[zdm(…)]` says.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableAttributes {
    pub(crate) table: Option<Given<String>>,
    pub(crate) comment: Option<Given<String>>,
    pub(crate) transparent: Option<Given<()>>,
    pub(crate) primary_key: Option<Given<Vec<Given<String>>>>,
    pub(crate) drops: Vec<Given<Drop>>,
    pub(crate) indexes: Vec<Given<IndexAttribute>>,
    pub(crate) checks: Vec<Given<Check>>,
    pub(crate) foreign_keys: Vec<Given<ForeignKeyAttribute>>,
}

/// `index(columns(a, b), unique, where = "…", name = "…")`.
#[derive(Debug, Clone)]
pub(crate) struct IndexAttribute {
    pub(crate) columns: Vec<Given<String>>,
    pub(crate) unique: bool,
    pub(crate) predicate: Option<String>,
    pub(crate) name: Option<String>,
}

/// `foreign_key(columns(a, b), references = "t(a, b)", on_delete = "…", name = "…")`.
#[derive(Debug, Clone)]
pub(crate) struct ForeignKeyAttribute {
    pub(crate) columns: Vec<Given<String>>,
    pub(crate) references: Reference,
    pub(crate) on_delete: Option<Given<String>>,
    pub(crate) name: Option<String>,
}

impl TableAttributes {
    /// Reads a struct's attributes.
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut table = Self::default();
        read_attributes(attributes, errors, |word, input| table.word(word, input));
        table
    }

    /// Whether `transparent` is all that was given.
    pub(crate) fn is_only_transparent(&self) -> bool {
        self.table.is_none()
            && self.comment.is_none()
            && self.primary_key.is_none()
            && self.drops.is_empty()
            && self.indexes.is_empty()
            && self.checks.is_empty()
            && self.foreign_keys.is_empty()
    }

    fn word(&mut self, word: &Ident, input: ParseStream) -> syn::Result<()> {
        match word.to_string().as_str() {
            "table" => keep(&mut self.table, word, text(word, input)?)?,
            "comment" => keep(&mut self.comment, word, values::comment(word, input)?)?,
            "transparent" => keep(&mut self.transparent, word, ())?,
            "primary_key" => keep(&mut self.primary_key, word, values::names(word, input)?)?,
            "drops" => add(&mut self.drops, word, drops(word, input)?),
            "index" => add(&mut self.indexes, word, index(word, input)?),
            "check" => add(&mut self.checks, word, check(word, input)?),
            "foreign_key" => add(&mut self.foreign_keys, word, foreign_key(word, input)?),
            _ => {
                return Err(vocabulary::unknown(
                    word,
                    &vocabulary::TABLE,
                    Some((&vocabulary::COLUMN, "a field, not on the struct")),
                ));
            }
        }
        Ok(())
    }
}

fn add<T>(list: &mut Vec<Given<T>>, word: &Ident, value: T) {
    list.push(Given {
        span: word.span(),
        value,
    });
}

fn drops(word: &Ident, input: ParseStream) -> syn::Result<Drop> {
    values::list(word, input, |inside| {
        let column = values::name(inside)?.value;
        let mut default = None;
        inside.parse::<Option<Token![,]>>()?;
        words(inside, &["default"], |word, input| {
            keep(&mut default, word, text(word, input)?)
        })?;
        Ok(Drop {
            column,
            default: default.map(|given| given.value),
        })
    })
}

fn index(word: &Ident, input: ParseStream) -> syn::Result<IndexAttribute> {
    let (mut columns, mut unique, mut predicate, mut name) = (None, None, None, None);
    values::list(word, input, |inside| {
        let known = ["columns", "unique", "where", "name"];
        words(inside, &known, |word, input| {
            match word.to_string().as_str() {
                "columns" => keep(&mut columns, word, values::names(word, input)?),
                "unique" => keep(&mut unique, word, ()),
                "where" => keep(&mut predicate, word, text(word, input)?),
                _ => keep(&mut name, word, text(word, input)?),
            }
        })
    })?;
    Ok(IndexAttribute {
        columns: columns
            .ok_or_else(|| incomplete(word, "index(columns(a, b))"))?
            .value,
        unique: unique.is_some(),
        predicate: predicate.map(|given| given.value),
        name: name.map(|given| given.value),
    })
}

fn check(word: &Ident, input: ParseStream) -> syn::Result<Check> {
    let (mut name, mut expr) = (None, None);
    values::list(word, input, |inside| {
        words(inside, &["name", "expr"], |word, input| {
            let slot = if word == "name" { &mut name } else { &mut expr };
            keep(slot, word, text(word, input)?)
        })
    })?;
    let shown = || incomplete(word, "check(name = \"…\", expr = \"…\")");
    Ok(Check {
        name: name.ok_or_else(shown)?.value,
        expr: expr.ok_or_else(shown)?.value,
    })
}

fn foreign_key(word: &Ident, input: ParseStream) -> syn::Result<ForeignKeyAttribute> {
    let (mut columns, mut references, mut on_delete, mut name) = (None, None, None, None);
    values::list(word, input, |inside| {
        let known = ["columns", "references", "on_delete", "name"];
        words(inside, &known, |word, input| {
            match word.to_string().as_str() {
                "columns" => keep(&mut columns, word, values::names(word, input)?),
                "references" => keep(&mut references, word, values::reference(word, input)?),
                "on_delete" => keep(&mut on_delete, word, values::on_delete(word, input)?),
                _ => keep(&mut name, word, text(word, input)?),
            }
        })
    })?;
    let shown = || incomplete(word, "foreign_key(columns(a, b), references = \"t(a, b)\")");
    Ok(ForeignKeyAttribute {
        columns: columns.ok_or_else(shown)?.value,
        references: references.ok_or_else(shown)?.value,
        on_delete,
        name: name.map(|given| given.value),
    })
}

fn incomplete(word: &Ident, shown: &str) -> syn::Error {
    syn::Error::new(word.span(), format!("this needs at least `{shown}`"))
}

/// Reads the words inside a list; the first mistake ends it.
fn words(
    input: ParseStream,
    known: &[&str],
    mut read: impl FnMut(&Ident, ParseStream) -> syn::Result<()>,
) -> syn::Result<()> {
    while !input.is_empty() {
        let word = Ident::parse_any(input)?;
        if !known.contains(&word.to_string().as_str()) {
            return Err(vocabulary::unknown(&word, known, None));
        }
        read(&word, input)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}
