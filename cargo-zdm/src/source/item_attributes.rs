//! What the attributes and the visibility of structs and modules say about where they count.
//!
//! Comes in: attributes, visibilities. Goes out: answers.
//! Must not know: `#[zdm(…)]`, which zdm-model reads.

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, Meta, Token, Visibility};

use super::scan::Context;

/// Whether what has this visibility in a module `depth` below the root can be named from the whole crate.
pub(super) fn seen_from_root(visibility: &Visibility, depth: usize) -> bool {
    match visibility {
        Visibility::Public(_) => true,
        Visibility::Inherited => depth == 0,
        Visibility::Restricted(restricted) => match restricted.path.get_ident() {
            Some(scope) if scope == "crate" => true,
            Some(scope) if scope == "super" => depth <= 1,
            _ => depth == 0,
        },
    }
}

/// Whether a trait is derived, under whatever path.
pub(super) fn derives(attributes: &[Attribute], name: &str) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
        .filter_map(|attribute| {
            attribute
                .parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)
                .ok()
        })
        .flatten()
        .any(|path| {
            path.segments
                .last()
                .is_some_and(|segment| segment.ident == name)
        })
}

/// The context with the conditions of an item; `None` for what only tests see.
pub(super) fn under_conditions(attributes: &[Attribute], context: &Context) -> Option<Context> {
    let mut context = context.clone();
    for attribute in attributes {
        let Meta::List(list) = &attribute.meta else {
            continue;
        };
        if !list.path.is_ident("cfg") {
            continue;
        }
        // `cfg(true)` is a condition, too, but no `Meta`.
        if list
            .parse_args::<Meta>()
            .is_ok_and(|condition| needs_test(&condition))
        {
            return None;
        }
        context.conditions.push(list.tokens.to_string());
    }
    Some(context)
}

/// Whether a condition holds in tests alone.
pub(super) fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|parts| parts.iter().any(needs_test)),
        _ => false,
    }
}

/// Whether an item is compiled for tests alone: `#[cfg(test)]`, or the attribute of a test, which implies it (`#[tokio::test]`).
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list
            .parse_args::<Meta>()
            .is_ok_and(|condition| needs_test(&condition)),
        other => {
            let name = other.path().segments.last();
            name.is_some_and(|segment| segment.ident == "test")
        }
    })
}

/// `#[path = "…"]`
pub(super) fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
}

/// Whether a word stands anywhere in an attribute.
pub(super) fn mentions(attribute: &Attribute, word: &str) -> bool {
    fn find(tokens: proc_macro2::TokenStream, word: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == word,
            proc_macro2::TokenTree::Group(group) => find(group.stream(), word),
            _ => false,
        })
    }
    find(attribute.meta.to_token_stream(), word)
}
