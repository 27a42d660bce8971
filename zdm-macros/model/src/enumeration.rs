//! An enum with `#[derive(MigratableEnum)]`, read once for the derive and for the command line.
//!
//! Comes in: the enum's syntax tree. Goes out: an [`EnumModel`], or all its mistakes at once.
//! Must not know: which columns have it, any database.

use std::collections::BTreeMap;

use heck::ToSnakeCase;
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Fields, Ident, LitStr, Token, Variant};

use crate::attributes::values::{content, list, literal, text};
use crate::attributes::{Errors, Given, keep, read_attributes, unknown_word};
use crate::declaration::names_one_thing;
use crate::{Enumeration, Taken, names};

/// An enum that a column can have as its type.
pub struct EnumModel {
    /// The enum's name in Rust.
    pub ident: Ident,
    /// What the database has of it, without `source`.
    pub enumeration: Enumeration,
    /// The variants behind `enumeration.values`, in the same order.
    pub variants: Vec<Ident>,
}

impl EnumModel {
    /// Reads an enum.
    pub fn parse(input: &DeriveInput) -> Result<Self, Vec<syn::Error>> {
        let mut errors = Errors::default();
        let name = name(input, &mut errors);
        if !input.generics.params.is_empty() {
            errors.at(
                input.generics.span(),
                "a column has one type, so its enum cannot be generic",
            );
        }
        let mut values = Vec::new();
        let mut variants = Vec::new();
        let mut taken = Vec::new();
        for variant in variants_of(input, &mut errors) {
            let found = value(variant, &mut errors);
            taken.extend(found.taken);
            values.push(found.value);
            variants.push(variant.ident.clone());
        }
        differ(&values, &mut errors);
        go_once(&values, &taken, &mut errors);
        if !errors.is_empty() {
            return Err(errors.into_vec());
        }
        Ok(Self {
            ident: input.ident.clone(),
            enumeration: Enumeration {
                name,
                values: values.into_iter().map(|value| value.value).collect(),
                taken: taken.into_iter().map(|(_, taken)| taken).collect(),
                source: String::new(),
            },
            variants,
        })
    }
}

fn variants_of<'a>(
    input: &'a DeriveInput,
    errors: &mut Errors,
) -> impl Iterator<Item = &'a Variant> + use<'a> {
    let data = match &input.data {
        Data::Enum(DataEnum { variants, .. }) => Some(variants),
        Data::Struct(_) | Data::Union(_) => None,
    };
    if data.is_none_or(Punctuated::is_empty) {
        errors.at(
            input.ident.span(),
            "`MigratableEnum` is for an enum whose variants are the values of a column: `enum Mood { Happy, Sad }`",
        );
    }
    data.into_iter().flatten()
}

/// A variant's value, and what it takes over, with the places of those values.
struct Value {
    value: Given<String>,
    taken: Option<(Vec<Span>, Taken)>,
}

fn value(variant: &Variant, errors: &mut Errors) -> Value {
    if !matches!(variant.fields, Fields::Unit) {
        errors.at(
            variant.fields.span(),
            "a value of the database has nothing beside its name, so its variant has no fields",
        );
    }
    for attribute in &variant.attrs {
        if attribute.path().is_ident("cfg") {
            errors.at(
                attribute.span(),
                "a value cannot depend on `cfg`: the compiler and `cargo zdm generate` would see different enums; \
                 always declare it",
            );
        }
    }
    let (mut rename, mut renamed_from, mut from) = (None, None, None);
    read_attributes(&variant.attrs, errors, |word, input| {
        match word.to_string().as_str() {
            "rename" => keep(&mut rename, word, literal(word, input)?.value()),
            "renamed_from" => keep(&mut renamed_from, word, vec![literal(word, input)?]),
            "from" => keep(&mut from, word, literals(word, input)?),
            _ => Err(unknown_word(word, &["rename", "renamed_from", "from"])),
        }
    });
    let value = rename.unwrap_or_else(|| Given {
        span: variant.ident.span(),
        value: variant.ident.unraw().to_string().to_snake_case(),
    });
    fits(&value, errors);
    if let (Some(from), Some(_)) = (&from, &renamed_from) {
        errors.at(
            from.span,
            "`renamed_from` and `from` are given both: a value that is renamed and takes over others names all of them, \
             `from(\"sad\", \"gloomy\")`",
        );
    }
    let renamed = renamed_from.is_some();
    let taken = renamed_from.or(from).map(|given| {
        let texts = given.value.iter().map(LitStr::value);
        let taken = Taken {
            value: value.value.clone(),
            from: texts.collect(),
            renamed,
        };
        (given.value.iter().map(LitStr::span).collect(), taken)
    });
    Value { value, taken }
}

/// `("…", "…")`, at least one.
fn literals(word: &Ident, input: ParseStream) -> syn::Result<Vec<LitStr>> {
    list(word, input, |inside| {
        let literals = inside.parse_terminated(<LitStr as Parse>::parse, Token![,])?;
        if literals.is_empty() {
            let message = format!("`{word}(…)` names no value: `{word}(\"sad\", \"gloomy\")`");
            return Err(syn::Error::new(word.span(), message));
        }
        for literal in &literals {
            content(literal)?;
        }
        Ok(literals.into_iter().collect())
    })
}

/// The words that may stand on the enum itself.
fn name(enumeration: &DeriveInput, errors: &mut Errors) -> String {
    let (mut name, mut schema) = (None, None);
    read_attributes(&enumeration.attrs, errors, |found, input| {
        match found.to_string().as_str() {
            "name" => keep(&mut name, found, literal(found, input)?.value()),
            "schema" => keep(&mut schema, found, text(found, input)?),
            _ => Err(unknown_word(found, &["name", "schema"])),
        }
    });
    let name = name.unwrap_or_else(|| Given {
        span: enumeration.ident.span(),
        value: enumeration.ident.unraw().to_string().to_snake_case(),
    });
    names_one_thing(schema.as_ref(), &name, errors);
    names::in_schema(
        schema.as_ref().map(|given| given.value.as_str()),
        &name.value,
    )
}

/// Rows of a value become one other, and a value that a variant still is does not go.
fn go_once(values: &[Given<String>], taken: &[(Vec<Span>, Taken)], errors: &mut Errors) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (spans, taken) in taken {
        for (span, from) in spans.iter().zip(&taken.from) {
            if values.iter().any(|value| value.value == *from) {
                errors.at(
                    *span,
                    format!("`{from}` is the value of a variant, so its rows keep it: name a value that goes"),
                );
            } else if let Some(other) = seen.insert(from, &taken.value) {
                errors.at(
                    *span,
                    format!(
                        "rows with `{from}` would become `{other}` and `{}`: name it once",
                        taken.value
                    ),
                );
            }
        }
    }
}

fn fits(name: &Given<String>, errors: &mut Errors) {
    if let Some(problem) = names::too_long(&name.value) {
        errors.at(name.span, problem);
    }
}

fn differ(values: &[Given<String>], errors: &mut Errors) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for value in values {
        if seen.insert(&value.value, value.span).is_some() {
            errors.at(
                value.span,
                format!(
                    "two variants are the value `{}`; give one of them another with `#[zdm(rename = \"…\")]`",
                    value.value
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(source: &str) -> Result<EnumModel, Vec<String>> {
        EnumModel::parse(&syn::parse_str(source).expect("a type"))
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn variants_are_values() {
        let model = parse(
            "#[zdm(name = \"Mood\")] enum Feeling { VeryHappy, #[zdm(rename = \"so-so\")] SoSo, r#Box }",
        );
        let Enumeration { name, values, .. } = model.expect("an enum").enumeration;
        assert_eq!(name, "Mood");
        assert_eq!(values, ["very_happy", "so-so", "box"]);
        let plain = parse("enum AalLevel { Aal1 }").expect("an enum");
        assert_eq!(plain.enumeration.name, "aal_level");
    }

    #[test]
    fn values_take_over_others() {
        let model = parse(
            "enum Mood { #[zdm(renamed_from = \"sad\")] Unhappy, #[zdm(from(\"glad\", \"ecstatic\"))] Happy, Calm }",
        );
        let taken = |value: &str, from: &[&str], renamed| Taken {
            value: value.to_owned(),
            from: from.iter().map(|from| (*from).to_owned()).collect(),
            renamed,
        };
        assert_eq!(
            model.expect("an enum").enumeration.taken,
            [
                taken("unhappy", &["sad"], true),
                taken("happy", &["glad", "ecstatic"], false)
            ]
        );
    }

    #[test]
    fn all_mistakes_are_found_at_once() {
        let errors = parse(
            "#[zdm(table = \"x\")] enum Mood<T> { A(T), #[zdm(rename = \"b\")] C, B, #[cfg(x)] D, #[zdm(name = \"e\")] E }",
        );
        let errors = errors.err().expect("mistakes").join("\n");
        for part in [
            "unknown attribute `table`; known here: name, schema",
            "unknown attribute `name`",
            "cannot be generic",
            "no fields",
            "the value `b`",
            "`cfg`",
        ] {
            assert!(errors.contains(part), "{part}: {errors}");
        }
    }
}
