//! An enum with `#[derive(MigratableEnum)]`, read once for the derive and for the command line.
//!
//! Comes in: the enum's syntax tree. Goes out: an [`EnumModel`], or all its mistakes at once.
//! Must not know: which columns have it, any database.

use std::collections::BTreeMap;

use heck::ToSnakeCase;
use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DataEnum, DeriveInput, Fields, Ident, Variant};

use crate::attributes::values::literal;
use crate::attributes::{Errors, Given, keep, read_attributes, unknown_word};
use crate::{Enumeration, names};

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
        let name = named(&input.attrs, "name", &mut errors).unwrap_or_else(|| Given {
            span: input.ident.span(),
            value: input.ident.unraw().to_string().to_snake_case(),
        });
        fits(&name, &mut errors);
        if !input.generics.params.is_empty() {
            errors.at(
                input.generics.span(),
                "a column has one type, so its enum cannot be generic",
            );
        }
        let mut values = Vec::new();
        let mut variants = Vec::new();
        for variant in variants_of(input, &mut errors) {
            values.push(value(variant, &mut errors));
            variants.push(variant.ident.clone());
        }
        differ(&values, &mut errors);
        if !errors.is_empty() {
            return Err(errors.into_vec());
        }
        Ok(Self {
            ident: input.ident.clone(),
            enumeration: Enumeration {
                name: name.value,
                values: values.into_iter().map(|value| value.value).collect(),
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

fn value(variant: &Variant, errors: &mut Errors) -> Given<String> {
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
    let value = named(&variant.attrs, "rename", errors).unwrap_or_else(|| Given {
        span: variant.ident.span(),
        value: variant.ident.unraw().to_string().to_snake_case(),
    });
    fits(&value, errors);
    value
}

/// The only word that may stand here.
fn named(attributes: &[Attribute], word: &str, errors: &mut Errors) -> Option<Given<String>> {
    let mut name = None;
    read_attributes(attributes, errors, |found, input| {
        if found == word {
            keep(&mut name, found, literal(found, input)?.value())
        } else {
            Err(unknown_word(found, &[word]))
        }
    });
    name
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
    fn all_mistakes_are_found_at_once() {
        let errors = parse(
            "#[zdm(table = \"x\")] enum Mood<T> { A(T), #[zdm(rename = \"b\")] C, B, #[cfg(x)] D, #[zdm(name = \"e\")] E }",
        );
        let errors = errors.err().expect("mistakes").join("\n");
        for part in [
            "unknown attribute `table`; known here: name",
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
