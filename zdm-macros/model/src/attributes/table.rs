//! The words on a struct.
//!
//! Comes in: a struct's attributes. Goes out: [`TableAttributes`].
//! Must not know: the struct's fields.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, Token};

use super::constraints::{self, ForeignKeyAttribute, PrimaryKeyAttribute, UniqueAttribute};
use super::values::{self, Reference, text};
use super::{Errors, Given, keep, read_attributes, vocabulary};
use crate::{Check, Drop, Exclusion};

/// What a struct's `#[zdm(…)]` says.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableAttributes {
    pub(crate) table: Option<Given<String>>,
    /// `schema = "billing"`: where the table is, if not where the search path leads.
    pub(crate) schema: Option<Given<String>>,
    pub(crate) renamed_from: Option<Given<String>>,
    pub(crate) comment: Option<Given<String>>,
    pub(crate) transparent: Option<Given<()>>,
    pub(crate) primary_key: Option<Given<PrimaryKeyAttribute>>,
    pub(crate) no_primary_key: Option<Given<()>>,
    /// `row_key(a, b)`: what rows are found by instead.
    pub(crate) row_key: Option<Given<Vec<Given<String>>>>,
    pub(crate) drops: Vec<Given<Drop>>,
    /// `split_from = "users(id)"`: the table that its columns come out of.
    pub(crate) split_from: Option<Given<Reference>>,
    /// `merged_from = "addresses(user_id)"`: the table whose columns come into this one.
    pub(crate) merged_from: Option<Given<Reference>>,
    pub(crate) indexes: Vec<Given<IndexAttribute>>,
    pub(crate) uniques: Vec<Given<UniqueAttribute>>,
    pub(crate) checks: Vec<Given<Check>>,
    pub(crate) exclusions: Vec<Given<Exclusion>>,
    pub(crate) foreign_keys: Vec<Given<ForeignKeyAttribute>>,
}

/// `index(columns(a, b), unique, where = "…", name = "…")`, or `on("lower(a)", "b DESC")` in the place of `columns`.
#[derive(Debug, Clone)]
pub(crate) struct IndexAttribute {
    pub(crate) columns: Vec<Given<String>>,
    pub(crate) elements: Vec<String>,
    pub(crate) method: Option<String>,
    pub(crate) include: Vec<Given<String>>,
    pub(crate) nulls_not_distinct: bool,
    pub(crate) storage: Option<String>,
    pub(crate) unique: bool,
    pub(crate) predicate: Option<String>,
    pub(crate) name: Option<String>,
}

impl TableAttributes {
    /// Reads a struct's attributes.
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut table = Self::default();
        read_attributes(attributes, errors, |word, input| table.word(word, input));
        table
    }

    /// The columns that the struct names for its rows to be found by.
    pub(crate) fn key(&self) -> Option<&[Given<String>]> {
        let primary = self.primary_key.as_ref();
        let columns = primary.map(|key| &key.value.columns);
        columns
            .or(self.row_key.as_ref().map(|key| &key.value))
            .map(Vec::as_slice)
    }

    /// Whether `transparent` is all that was given.
    pub(crate) fn is_only_transparent(&self) -> bool {
        self.table.is_none()
            && self.schema.is_none()
            && self.renamed_from.is_none()
            && self.comment.is_none()
            && self.primary_key.is_none()
            && self.no_primary_key.is_none()
            && self.row_key.is_none()
            && self.drops.is_empty()
            && self.split_from.is_none()
            && self.merged_from.is_none()
            && self.indexes.is_empty()
            && self.uniques.is_empty()
            && self.checks.is_empty()
            && self.exclusions.is_empty()
            && self.foreign_keys.is_empty()
    }

    fn word(&mut self, word: &Ident, input: ParseStream) -> syn::Result<()> {
        match word.to_string().as_str() {
            "table" => keep(&mut self.table, word, text(word, input)?)?,
            "schema" => keep(&mut self.schema, word, text(word, input)?)?,
            "renamed_from" => keep(&mut self.renamed_from, word, text(word, input)?)?,
            "comment" => keep(&mut self.comment, word, values::comment(word, input)?)?,
            "transparent" => keep(&mut self.transparent, word, ())?,
            "primary_key" => {
                let key = constraints::primary_key(word, input)?;
                keep(&mut self.primary_key, word, key)?;
            }
            "no_primary_key" => keep(&mut self.no_primary_key, word, ())?,
            "row_key" => keep(&mut self.row_key, word, values::names(word, input)?)?,
            "drops" => add(&mut self.drops, word, drops(word, input)?),
            "split_from" => keep(&mut self.split_from, word, values::reference(word, input)?)?,
            "merged_from" => {
                let reference = values::reference(word, input)?;
                keep(&mut self.merged_from, word, reference)?;
            }
            "index" => add(&mut self.indexes, word, index(word, input)?),
            "unique" => add(&mut self.uniques, word, constraints::unique(word, input)?),
            "check" => add(&mut self.checks, word, constraints::check(word, input)?),
            "exclude" => add(
                &mut self.exclusions,
                word,
                constraints::exclude(word, input)?,
            ),
            "foreign_key" => {
                let key = constraints::foreign_key(word, input)?;
                add(&mut self.foreign_keys, word, key);
            }
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
    let (mut columns, mut elements, mut include) = (None, None, None);
    let (mut unique, mut nulls_not_distinct) = (None, None);
    let (mut method, mut storage, mut predicate, mut name) = (None, None, None, None);
    values::list(word, input, |inside| {
        let known = [
            "columns",
            "on",
            "using",
            "include",
            "unique",
            "nulls_not_distinct",
            "with",
            "where",
            "name",
        ];
        words(inside, &known, |word, input| {
            match word.to_string().as_str() {
                "columns" => keep(&mut columns, word, values::names(word, input)?),
                "on" => keep(&mut elements, word, values::texts(word, input)?),
                "using" => keep(&mut method, word, text(word, input)?),
                "include" => keep(&mut include, word, values::names(word, input)?),
                "unique" => keep(&mut unique, word, ()),
                "nulls_not_distinct" => keep(&mut nulls_not_distinct, word, ()),
                "with" => keep(&mut storage, word, text(word, input)?),
                "where" => keep(&mut predicate, word, text(word, input)?),
                _ => keep(&mut name, word, text(word, input)?),
            }
        })
    })?;
    let shown = "index(columns(a, b))` or `index(name = \"…\", on(\"lower(a)\"))";
    match (&columns, &elements) {
        (None, None) => return Err(incomplete(word, shown)),
        (Some(_), Some(elements)) => {
            let message =
                "an index is over `columns(…)` or `on(…)`, not both: write the columns in `on` too";
            return Err(syn::Error::new(elements.span, message));
        }
        (None, Some(elements)) if name.is_none() => {
            let message = "an index over expressions needs a name: `name = \"idx_…\"`";
            return Err(syn::Error::new(elements.span, message));
        }
        _ => {}
    }
    if let Some(nulls) = &nulls_not_distinct
        && unique.is_none()
    {
        let message =
            "`nulls_not_distinct` says what `unique` takes for the same value; it needs `unique`";
        return Err(syn::Error::new(nulls.span, message));
    }
    Ok(IndexAttribute {
        columns: columns.map(|given| given.value).unwrap_or_default(),
        elements: elements.map(|given| given.value).unwrap_or_default(),
        method: method.map(|given| given.value),
        include: include.map(|given| given.value).unwrap_or_default(),
        unique: unique.is_some(),
        nulls_not_distinct: nulls_not_distinct.is_some(),
        storage: storage.map(|given| given.value),
        predicate: predicate.map(|given| given.value),
        name: name.map(|given| given.value),
    })
}

pub(super) fn incomplete(word: &Ident, shown: &str) -> syn::Error {
    syn::Error::new(word.span(), format!("this needs at least `{shown}`"))
}

/// Reads the words inside a list; the first mistake ends it.
pub(super) fn words(
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
