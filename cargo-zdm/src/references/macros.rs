//! Macros whose tokens hold SQL: what is formatted, put together, included, and asked by sqlx; of any others, their literals.
//!
//! Comes in: a macro call. Goes out: texts and their pieces, told to the [`Reader`].
//! Must not know: what another macro makes of its tokens.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::Visit as _;
use syn::{Expr, Lit, LitStr, Macro, Token};

use super::diesel;
use super::rust::{How, Reader};
use super::text::{self, Piece};

/// Their first text has holes.
const FORMATS: [&str; 5] = [
    "format",
    "format_args",
    "formatcp",
    "formatdoc",
    "concatdoc",
];
/// Their texts stand one behind the other.
const CONCATS: [&str; 2] = ["concat", "concatcp"];
/// Their second argument is a text with holes, put behind another.
const WRITES: [&str; 2] = ["write", "writeln"];

fn name(called: &Macro) -> String {
    let last = called.path.segments.last();
    last.map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}

fn arguments(tokens: &TokenStream) -> Option<Vec<Expr>> {
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    let parsed = parser.parse2(tokens.clone()).ok()?;
    Some(parsed.into_iter().collect())
}

/// What a macro's text is put together of.
pub(super) fn pieces(reader: &mut Reader<'_>, called: &Macro) -> Option<Vec<Piece>> {
    let name = name(called);
    let given = arguments(&called.tokens)?;
    if FORMATS.contains(&&*name) {
        return formatted(reader, &given);
    }
    if CONCATS.contains(&&*name) {
        let spot = reader.spot(called.path.segments.first()?.ident.span());
        let parts = given.iter().flat_map(|part| {
            let hole = || vec![Piece::Hole { spot }];
            reader.pieces(part).unwrap_or_else(hole)
        });
        return Some(parts.collect());
    }
    match (&*name, given.first()?) {
        ("include_str", path) => {
            let path = path_of(reader, path)?;
            let is_sql = path.to_lowercase().ends_with(".sql");
            is_sql.then(|| vec![reader.file(&path, false)])
        }
        ("indoc" | "unindent", text) => reader.pieces(text),
        _ => None,
    }
}

/// What `"queries/users.sql"` or `concat!(env!("CARGO_MANIFEST_DIR"), "/queries/users.sql")` says.
fn path_of(reader: &mut Reader<'_>, path: &Expr) -> Option<String> {
    match path {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(path) => {
                // Its path is told, not its text.
                let _ = reader.literal(path);
                Some(path.value())
            }
            _ => None,
        },
        Expr::Macro(called) if CONCATS.contains(&&*name(&called.mac)) => {
            let parts = arguments(&called.mac.tokens)?;
            parts.iter().map(|part| path_of(reader, part)).collect()
        }
        Expr::Macro(called) if name(&called.mac) == "env" => {
            let [variable] = &arguments(&called.mac.tokens)?[..] else {
                return None;
            };
            let is_package = path_of(reader, variable)? == "CARGO_MANIFEST_DIR";
            is_package.then(|| reader.package().to_string())
        }
        _ => None,
    }
}

/// A text with holes, and what is put in.
fn formatted(reader: &mut Reader<'_>, given: &[Expr]) -> Option<Vec<Piece>> {
    let (text, given) = given.split_first()?;
    let text = reader.pieces(text)?;
    let mut names = Vec::new();
    let mut by_name: Vec<(String, Option<String>)> = Vec::new();
    for given in given {
        match given {
            Expr::Assign(assign) => {
                let own = last_name(&assign.left).unwrap_or_default();
                by_name.push((own, last_name(&assign.right)));
            }
            given => names.push(last_name(given)),
        }
    }
    let mut pieces = text::format(text, &names);
    for piece in &mut pieces {
        if let Piece::Named { name, spot } = piece
            && let Some((_, given)) = by_name.iter().find(|(own, _)| own == name)
        {
            match given {
                Some(given) => name.clone_from(given),
                None => *piece = Piece::Hole { spot: *spot },
            }
        }
    }
    Some(pieces)
}

/// The last name of a path, or of a reference to it.
fn last_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => {
            let last = path.path.segments.last()?;
            Some(last.ident.unraw().to_string())
        }
        Expr::Reference(inner) => last_name(&inner.expr),
        _ => None,
    }
}

/// Tells what a macro call holds.
pub(super) fn called(reader: &mut Reader<'_>, called: &Macro) {
    let name = name(called);
    if name == "table" {
        diesel::table(reader, called.tokens.clone());
        return;
    }
    if name == "macro_rules" {
        literals(reader, called.tokens.clone());
        return;
    }
    let Some(given) = arguments(&called.tokens) else {
        literals(reader, called.tokens.clone());
        return;
    };
    let asks = name.starts_with("query");
    let told = if asks && name.starts_with("query_file") {
        included(reader, &given);
        None
    } else if asks {
        let mut texts = given.iter();
        let text = texts.find_map(|given| match given {
            // What a row is made into, or the first parameter.
            Expr::Path(_) => None,
            given => reader.pieces(given),
        });
        text.map(|pieces| (pieces, How::Statement))
    } else if WRITES.contains(&&*name) {
        formatted(reader, given.get(1..).unwrap_or_default()).map(|pieces| (pieces, How::Part))
    } else {
        // What is a part of something else was told with it.
        (!is_taken(reader.taken(), called))
            .then(|| pieces(reader, called))
            .flatten()
            .map(|pieces| (pieces, How::Literal))
    };
    if let Some((pieces, how)) = told {
        reader.tell(pieces, how);
    }
    for given in &given {
        reader.visit_expr(given);
    }
}

/// `query_file!("queries/users.sql")`, or with a type before it.
fn included(reader: &mut Reader<'_>, given: &[Expr]) {
    let path = given.iter().find_map(|given| match given {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(path) => Some(path),
            _ => None,
        },
        _ => None,
    });
    if let Some(path) = path {
        let _ = reader.literal(path);
        let file = reader.file(&path.value(), true);
        reader.tell(vec![file], How::Statement);
    }
}

/// Whether the first literal of a macro was told already.
pub(super) fn is_taken(taken: &HashSet<usize>, called: &Macro) -> bool {
    let literal = called
        .tokens
        .clone()
        .into_iter()
        .find_map(|token| match token {
            TokenTree::Literal(literal) => Some(literal),
            _ => None,
        });
    literal.is_some_and(|literal| taken.contains(&literal.span().byte_range().start))
}

/// The literals among tokens that are not understood.
pub(super) fn literals(reader: &mut Reader<'_>, tokens: TokenStream) {
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse2::<LitStr>(literal.to_token_stream()) {
                    reader.visit_lit_str(&text);
                }
            }
            TokenTree::Group(group) => literals(reader, group.stream()),
            _ => {}
        }
    }
}
