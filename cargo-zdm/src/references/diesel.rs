//! Columns as diesel names them: in `table!`, by path, and in structs of a table.
//!
//! Comes in: syntax. Goes out: [`Named`]s, which count where the workspace declares the table to diesel.
//! Must not know: SQL.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::{Attribute, Fields, ItemStruct, Meta, Path, UseTree};
use zdm_model::names;

use super::Access;
use super::rust::Reader;
use super::text::Spot;

/// What diesel's syntax names.
#[derive(Debug, Default)]
pub(super) struct Diesel {
    /// The tables of `table!`.
    pub(super) tables: HashSet<String>,
    pub(super) named: Vec<Named>,
    /// The tables whose columns are names in the file.
    open: HashSet<String>,
}

/// A target that is named.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) target: usize,
    pub(super) spot: Spot,
    pub(super) access: Access,
    pub(super) every: bool,
    pub(super) aside: bool,
}

/// What stands between a table and a column in a path.
const BETWEEN: [&str; 2] = ["dsl", "columns"];
const EVERY: [&str; 2] = ["all_columns", "star"];

fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

impl Reader<'_> {
    fn named(&mut self, table: &str, column: &str, spot: Spot, access: Access) {
        let targets = self.wanted.targets.iter().enumerate();
        let of_table = targets.filter(|(_, target)| names::bare(&target.table) == table);
        let every = EVERY.contains(&column);
        let found: Vec<usize> = of_table
            .filter(|(_, target)| match &target.column {
                Some(own) if every => !own.is_empty() && target.counts_every,
                Some(own) => own == column,
                None => column == "table",
            })
            .map(|(at, _)| at)
            .collect();
        for target in found {
            self.read.diesel.named.push(Named {
                target,
                spot,
                access,
                every,
                aside: self.aside,
            });
        }
    }
}

/// `table! { users (id) { id -> Int8, age -> Text, } }`, with a schema before the name, or attributes.
pub(super) fn table(reader: &mut Reader<'_>, tokens: TokenStream) {
    let mut table = None;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word != "use" => table = Some(text(&word)),
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                let Some(table) = table.take() else { continue };
                columns(reader, &table, body.stream());
                reader.read.diesel.tables.insert(table);
            }
            TokenTree::Punct(end) if end.as_char() == ';' => table = None,
            _ => {}
        }
    }
}

fn columns(reader: &mut Reader<'_>, table: &str, tokens: TokenStream) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut called: Option<(String, Spot)> = None;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(attribute) if attribute.delimiter() == Delimiter::Bracket => {
                called = sql_name(reader, attribute.stream()).or(called);
            }
            TokenTree::Ident(column) if begins_type(&tokens, at + 1) => {
                let spot = reader.spot(column.span());
                let (name, spot) = called.take().unwrap_or_else(|| (text(column), spot));
                reader.named(table, &name, spot, Access::Names);
            }
            _ => {}
        }
    }
}

fn begins_type(tokens: &[TokenTree], at: usize) -> bool {
    let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(found)) if found.as_char() == sign);
    is(at, '-') && is(at + 1, '>')
}

/// `#[sql_name = "type"]`
fn sql_name(reader: &Reader<'_>, attribute: TokenStream) -> Option<(String, Spot)> {
    let meta: Meta = syn::parse2(attribute).ok()?;
    match meta {
        Meta::NameValue(pair) if pair.path.is_ident("sql_name") => match pair.value {
            syn::Expr::Lit(lit) => match lit.lit {
                syn::Lit::Str(name) => Some((name.value(), reader.spot(name.span()))),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// `use schema::users::dsl::*`, `use schema::users::*` and `use schema::users::age`.
pub(super) fn import(reader: &mut Reader<'_>, tree: &UseTree, before: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => {
            before.push(text(&path.ident));
            import(reader, &path.tree, before);
            before.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                import(reader, tree, before);
            }
        }
        UseTree::Glob(_) => {
            if let Some(table) = table_before(before) {
                reader.read.diesel.open.insert(table);
            }
        }
        UseTree::Name(name) => imported(reader, &name.ident, before),
        UseTree::Rename(name) => imported(reader, &name.ident, before),
    }
}

fn imported(reader: &mut Reader<'_>, name: &Ident, before: &[String]) {
    if let Some(table) = table_before(before) {
        let spot = reader.spot(name.span());
        reader.named(&table, &text(name), spot, Access::Reads);
    }
}

/// The table that a path leads into: `schema::users`, `schema::users::dsl`.
fn table_before(path: &[String]) -> Option<String> {
    let mut names = path.iter().rev();
    names
        .find(|name| !BETWEEN.contains(&name.as_str()))
        .cloned()
}

/// `users::age`, `users::dsl::age`, and `age` where the table's names are open.
pub(super) fn path(reader: &mut Reader<'_>, path: &Path) {
    let Some(last) = path.segments.last() else {
        return;
    };
    let access = if reader.given > 0 {
        Access::Writes
    } else {
        Access::Reads
    };
    let (column, spot) = (text(&last.ident), reader.spot(last.ident.span()));
    let before = path.segments.iter().take(path.segments.len() - 1);
    let before: Vec<String> = before.map(|segment| text(&segment.ident)).collect();
    if let Some(table) = table_before(&before) {
        reader.named(&table, &column, spot, access);
    } else if before.is_empty() {
        let open: Vec<String> = reader.read.diesel.open.iter().cloned().collect();
        for table in open {
            reader.named(&table, &column, spot, access);
        }
    }
}

/// A struct of a table: `#[diesel(table_name = users)]`.
pub(super) fn structure(reader: &mut Reader<'_>, item: &ItemStruct) {
    let Some(table) = item
        .attrs
        .iter()
        .find_map(|found| word(found, "table_name"))
    else {
        return;
    };
    let writes = item.attrs.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return false;
        };
        let traits = list.tokens.to_string();
        let derives = list.path.is_ident("derive");
        derives
            && ["Insertable", "AsChangeset"]
                .iter()
                .any(|name| traits.contains(name))
    });
    let access = if writes {
        Access::Writes
    } else {
        Access::Reads
    };
    let Fields::Named(fields) = &item.fields else {
        return;
    };
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        let said = field
            .attrs
            .iter()
            .find_map(|found| word(found, "column_name"));
        let column = said.unwrap_or_else(|| text(ident));
        let spot = reader.spot(ident.span());
        reader.named(&table, &column, spot, access);
    }
}

/// The last name of what `#[diesel(word = …)]` says.
fn word(attribute: &Attribute, wanted: &str) -> Option<String> {
    let Meta::List(said) = &attribute.meta else {
        return None;
    };
    if !said.path.is_ident("diesel") {
        return None;
    }
    let mut tokens = said.tokens.clone().into_iter().peekable();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word == wanted))?;
    let mut last = None;
    for token in tokens {
        match token {
            TokenTree::Ident(word) => last = Some(text(&word)),
            TokenTree::Literal(literal) => last = Some(literal.to_string().replace('"', "")),
            TokenTree::Punct(end) if end.as_char() == ',' => break,
            _ => {}
        }
    }
    last
}
