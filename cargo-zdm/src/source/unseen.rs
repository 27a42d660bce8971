//! Models where no module leads: in the bodies of functions, and where macros make them.
//!
//! Comes in: an item that is no struct, module or import. Goes out: where it leads to models, and what to do.
//! Must not know: what a macro makes of its tokens.

use std::iter::Peekable;

use camino::{Utf8Path, Utf8PathBuf};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree, token_stream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Item, ItemMacro, Meta};

use super::item_attributes::needs_test;
use super::module_tree::Place;

/// Where an item derives `Migratable` in a place that no path leads to, except for what only tests see.
pub(super) fn models(item: &Item) -> Vec<(Span, String)> {
    let reason = match item {
        Item::Macro(_) => {
            "what macros make is not seen, so this model would have no table: write the struct out in a module, \
             as the macro makes it"
                .to_owned()
        }
        item => format!(
            "a model inside {} has no path by which generated code could name it: move the struct to a module",
            kind(item)
        ),
    };
    let derives = Words::of(item.to_token_stream()).derives.into_iter();
    derives
        .map(|span| {
            let way_on = "or, if it is none, name the files of your models under [generate] models in zdm.toml";
            (span, format!("{reason}; {way_on}"))
        })
        .collect()
}

/// Which modules with models a macro declares: `cfg_if! { … mod models; … }`.
pub(super) fn modules(item: &ItemMacro, place: &Place) -> Vec<(Span, String)> {
    let modules = Words::of(item.to_token_stream()).modules.into_iter();
    modules
        .filter_map(|name| {
            let file = first_with_models(&name, place)?;
            let message = format!(
                "what macros make is not seen, so the models in {file} would have no table: declare `mod {name};` outside \
                 of the macro, with `#[cfg(…)]` where it has a condition; or name the files of your models under \
                 [generate] models in zdm.toml"
            );
            Some((name.span(), message))
        })
        .collect()
}

/// The first file of a module, or of one below it, that derives `Migratable` or cannot be read.
fn first_with_models(name: &Ident, place: &Place) -> Option<Utf8PathBuf> {
    let candidates = place
        .candidates(&name.unraw().to_string(), None)
        .into_iter();
    let (file, owns_folder) = candidates.into_iter().find(|(file, _)| file.is_file())?;
    let Some(words) = Words::of_file(&file).filter(|words| words.derives.is_empty()) else {
        return Some(file);
    };
    let below = Place::of_file(&file, owns_folder);
    let mut modules = words.modules.iter();
    modules.find_map(|name| first_with_models(name, &below))
}

fn kind(item: &Item) -> &'static str {
    match item {
        Item::Fn(_) => "a function",
        Item::Impl(_) => "an `impl`",
        Item::Trait(_) => "a trait",
        Item::Const(_) => "a constant",
        Item::Static(_) => "a static",
        _ => "this",
    }
}

/// The words among tokens that lead to models.
#[derive(Default)]
struct Words {
    /// Every `Migratable` in a `derive(…)`.
    derives: Vec<Span>,
    /// Every `x` in `mod x;`.
    modules: Vec<Ident>,
}

impl Words {
    fn of(tokens: TokenStream) -> Self {
        let mut words = Self::default();
        words.collect(tokens);
        words
    }

    fn of_file(file: &Utf8Path) -> Option<Self> {
        let text = std::fs::read_to_string(file).ok()?;
        Some(Self::of(text.parse().ok()?))
    }

    fn collect(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(hash) if hash.as_char() == '#' => {
                    let attributes = attributes(&mut tokens);
                    if attributes.iter().any(only_for_tests) {
                        pass_over_item(&mut tokens);
                    } else {
                        for attribute in attributes {
                            self.collect(attribute.stream());
                        }
                    }
                }
                TokenTree::Ident(word) if word == "derive" => {
                    if let Some(TokenTree::Group(derived)) = tokens.peek() {
                        let name = migratable(derived.stream());
                        self.derives.extend(name.map(|name| name.span()));
                    }
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let Some(TokenTree::Ident(name)) = tokens.next()
                        && matches!(tokens.peek(), Some(TokenTree::Punct(end)) if end.as_char() == ';')
                    {
                        self.modules.push(name);
                    }
                }
                TokenTree::Group(group) => self.collect(group.stream()),
                _ => {}
            }
        }
    }
}

/// The attributes whose first `#` has just been read.
fn attributes(tokens: &mut Peekable<token_stream::IntoIter>) -> Vec<Group> {
    let is_attribute = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket);
    let is_hash =
        |token: &TokenTree| matches!(token, TokenTree::Punct(hash) if hash.as_char() == '#');
    let mut attributes = Vec::new();
    while let Some(TokenTree::Group(attribute)) = tokens.next_if(is_attribute) {
        attributes.push(attribute);
        if tokens.next_if(is_hash).is_none() {
            break;
        }
    }
    attributes
}

/// `#[cfg(test)]`, or the attribute of a test, which implies it: `#[test]`, `#[tokio::test]`.
fn only_for_tests(attribute: &Group) -> bool {
    let Ok(meta) = syn::parse2::<Meta>(attribute.stream()) else {
        return false;
    };
    match &meta {
        Meta::List(list) if list.path.is_ident("cfg") => list
            .parse_args::<Meta>()
            .is_ok_and(|condition| needs_test(&condition)),
        other => {
            let name = other.path().segments.last();
            name.is_some_and(|segment| segment.ident == "test")
        }
    }
}

fn pass_over_item(tokens: &mut Peekable<token_stream::IntoIter>) {
    tokens.find(|token| match token {
        TokenTree::Punct(end) => end.as_char() == ';',
        TokenTree::Group(body) => body.delimiter() == Delimiter::Brace,
        _ => false,
    });
}

fn migratable(derived: TokenStream) -> Option<Ident> {
    derived.into_iter().find_map(|token| match token {
        TokenTree::Ident(name) if name == "Migratable" => Some(name),
        _ => None,
    })
}
