//! The attribute grammar: `#[zdm(…)]` on structs and fields, read into plain values with their spans.
//!
//! Comes in: the attributes of a struct or a field. Goes out: [`column::ColumnAttributes`], [`table::TableAttributes`]
//! and every error, each at its own span: reading goes on behind the next comma.
//! Must not know: what the values mean together (`check` does), any database's SQL.

pub(crate) mod column;
pub(crate) mod constraints;
pub(crate) mod expression;
pub(crate) mod function;
pub(crate) mod table;
pub(crate) mod values;
mod vocabulary;

use proc_macro2::{Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, Token};

/// Everything that is wrong with a struct, collected in one pass.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Adds a mistake at a place.
    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new(span, message));
    }

    /// Adds an error of the parser.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order found.
    pub(crate) fn into_vec(self) -> Vec<syn::Error> {
        self.0
    }
}

/// A value and the word that gave it.
#[derive(Debug, Clone)]
pub(crate) struct Given<T> {
    /// Where the error goes if the value does not fit.
    pub(crate) span: Span,
    /// What was given.
    pub(crate) value: T,
}

/// Keeps a word's value; a word is given once.
pub(crate) fn keep<T>(slot: &mut Option<Given<T>>, word: &Ident, value: T) -> syn::Result<()> {
    if slot.is_some() {
        return Err(syn::Error::new(
            word.span(),
            format!("`{word}` is given twice"),
        ));
    }
    *slot = Some(Given {
        span: word.span(),
        value,
    });
    Ok(())
}

/// The error for a word that is none of those that may stand there.
pub(crate) fn unknown_word(word: &Ident, known: &[&str]) -> syn::Error {
    vocabulary::unknown(word, known, None)
}

/// Reads every word of every `#[zdm(…)]`.
pub(crate) fn read_attributes(
    attributes: &[Attribute],
    errors: &mut Errors,
    mut read: impl FnMut(&Ident, ParseStream) -> syn::Result<()>,
) {
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("zdm"))
    {
        let outcome = attribute.parse_args_with(|input: ParseStream| {
            read_words(input, errors, &mut read);
            Ok(())
        });
        if let Err(error) = outcome {
            errors.push(error);
        }
    }
}

/// Reads `word …, word …` to the end of the input.
fn read_words(
    input: ParseStream,
    errors: &mut Errors,
    mut read: impl FnMut(&Ident, ParseStream) -> syn::Result<()>,
) {
    while !input.is_empty() {
        let outcome = Ident::parse_any(input)
            .map_err(|error| syn::Error::new(error.span(), "expected the name of an attribute"))
            .and_then(|word| read(&word, input))
            .and_then(|()| {
                if input.is_empty() || input.peek(Token![,]) {
                    Ok(())
                } else {
                    Err(input.error("expected `,`: this word takes nothing more"))
                }
            });
        if let Err(error) = outcome {
            errors.push(error);
            while !input.is_empty() && !input.peek(Token![,]) {
                let _: Result<TokenTree, _> = input.parse();
            }
        }
        let _: Result<Option<Token![,]>, _> = input.parse();
    }
}
