//! Takes the words of a finished transition out of a struct's `#[zdm(…)]` attributes, and leaves every other byte alone.
//!
//! Comes in: a file's text, a struct, its fields. Goes out: the text without those words.
//! Must not know: what the words mean.

use std::ops::Range;

mod enums;

use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Attribute, Field, ItemStruct, Meta, MetaList};

pub(super) use enums::remove_from_enum;

/// What `finalize` removes from a field. From the struct it removes `drops` and [`MOVED`]. Beside [`FINAL_NAME`] it removes `column` where
/// that was the name until then.
const SPENT: [&str; 11] = [
    "renamed_from",
    "moved_from",
    "from",
    "up",
    "down",
    "valid_if",
    "on_invalid",
    "up_loses",
    "down_loses",
    "one_way",
    "with",
];

/// Where the columns of a struct come from, if that is another table.
const MOVED: [&str; 2] = ["split_from", "merged_from"];

/// A name that no transition leads to any more is the column's, which the field has by itself or by [`COLUMN`].
const FINAL_NAME: &str = "final_name";
const COLUMN: &str = "column";

/// What is over about one struct.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// Fields whose transition has ended.
    pub(super) fields: Vec<String>,
    /// Columns that are gone, and with them their `drops`.
    pub(super) dropped: Vec<String>,
    /// The table has the columns that moved, and with them goes where they came from.
    pub(super) moved: bool,
}

/// What rustfmt leaves on one line between an attribute's brackets ("attr_fn_like_width").
const ATTRIBUTE_WIDTH: usize = 70;

/// The file's text without the spent words of the struct and its fields.
pub(super) fn remove(text: &str, ident: &str, spent: &Spent) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut structs = Structs {
        ident,
        spent,
        text,
        cuts: Vec::new(),
        renamed: Vec::new(),
    };
    structs.visit_file(&file);
    let cuts = structs.cuts.into_iter().map(|cut| (cut, ""));
    let renamed = structs.renamed.into_iter().map(|word| (word, COLUMN));
    Ok(edited(text, cuts.chain(renamed).collect()))
}

fn edited(text: &str, mut edits: Vec<(Range<usize>, &str)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for (range, instead) in edits {
        kept.push_str(&text[at..range.start]);
        kept.push_str(instead);
        at = range.end;
    }
    kept.push_str(&text[at..]);
    kept
}

struct Structs<'a> {
    ident: &'a str,
    spent: &'a Spent,
    text: &'a str,
    cuts: Vec<Range<usize>>,
    /// Words that say the column's name from now on.
    renamed: Vec<Range<usize>>,
}

impl Visit<'_> for Structs<'_> {
    fn visit_item_struct(&mut self, found: &ItemStruct) {
        if found.ident != self.ident {
            return;
        }
        let of_struct = |word: &Word| {
            let column = word.argument.as_ref();
            let dropped = word.name == "drops"
                && column.is_some_and(|column| self.spent.dropped.contains(column));
            dropped || (self.spent.moved && MOVED.contains(&word.name.as_str()))
        };
        for attribute in &found.attrs {
            self.cuts.extend(cuts(self.text, attribute, &of_struct));
        }
        for field in &found.fields {
            let named = field.ident.as_ref().map(ToString::to_string);
            let bare = |name: &str| name.trim_start_matches("r#").to_owned();
            let own = named.as_deref().map(bare).unwrap_or_default();
            if self.spent.fields.iter().any(|field| bare(field) == own) {
                self.field(field, &own);
            }
        }
    }
}

impl Structs<'_> {
    fn field(&mut self, field: &Field, own: &str) {
        let all: Vec<Word> = field.attrs.iter().flat_map(zdm_words).collect();
        let last = all.iter().find(|word| word.name == FINAL_NAME);
        let name = last.and_then(|last| last.argument.as_deref());
        let says_it = |word: &Word| word.name == COLUMN && word.argument.as_deref() == name;
        let is_said = name == Some(own) || (last.is_some() && all.iter().any(says_it));
        let spent = |word: &Word| {
            let is_own = name == Some(own);
            SPENT.contains(&word.name.as_str())
                || (word.name == COLUMN && last.is_some() && (is_own || !says_it(word)))
                || (word.name == FINAL_NAME && is_said)
        };
        for attribute in &field.attrs {
            self.cuts.extend(cuts(self.text, attribute, &spent));
        }
        let renamed = last.filter(|_| !is_said).map(|last| last.range.start);
        self.renamed
            .extend(renamed.map(|start| start..start + FINAL_NAME.len()));
    }
}

/// What is cut out of one attribute: the whole of it with its line, or some of its words.
fn cuts(text: &str, attribute: &Attribute, spent: &dyn Fn(&Word) -> bool) -> Vec<Range<usize>> {
    let Some(list) = zdm_list(attribute) else {
        return Vec::new();
    };
    let words = words(&list.tokens);
    if !words.is_empty() && words.iter().all(spent) {
        return vec![with_its_line(text, attribute.span().byte_range())];
    }
    if words.iter().any(spent)
        && let Some(cuts) = onto_one_line(text, list, &words, spent)
    {
        return cuts;
    }
    let mut cuts = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !spent(word) {
            continue;
        }
        // A word goes with the comma behind it; the last ones go with the comma before them.
        let rest_is_spent = words[at..].iter().all(spent);
        let cut = match (words.get(at + 1), at.checked_sub(1)) {
            (Some(next), _) if !rest_is_spent => word.range.start..next.range.start,
            (_, Some(before)) => words[before].range.end..word.range.end,
            (_, None) => word.range.clone(),
        };
        cuts.push(cut);
    }
    cuts
}

/// What is left of an attribute over several lines, on one line where it fits, as rustfmt would put it: the file is the user's,
/// and was formatted. `None` where it does not fit, or comments stand between.
fn onto_one_line(
    text: &str,
    list: &MetaList,
    words: &[Word],
    spent: &dyn Fn(&Word) -> bool,
) -> Option<Vec<Range<usize>>> {
    let span = list.delimiter.span();
    let inside = span.open().byte_range().end..span.close().byte_range().start;
    let before = &text[inside.clone()];
    if !before.contains('\n') || before.contains("//") || before.contains("/*") {
        return None;
    }
    let kept: Vec<_> = words
        .iter()
        .filter(|word| !spent(word))
        .map(|word| word.range.clone())
        .collect();
    let width: usize = kept.iter().map(|word| word.len() + ", ".len()).sum();
    let (first, latest) = (kept.first()?, kept.last()?);
    let on_one_line = kept.iter().all(|word| !text[word.clone()].contains('\n'));
    if !on_one_line || width > ATTRIBUTE_WIDTH {
        return None;
    }
    let mut cuts = vec![inside.start..first.start, latest.end..inside.end];
    for pair in kept.windows(2) {
        // The comma behind the one and the blank before the other stay.
        if !text[..pair[1].start].ends_with(' ') {
            return None;
        }
        cuts.push(pair[0].end + 1..pair[1].start - 1);
    }
    Some(cuts)
}

fn zdm_list(attribute: &Attribute) -> Option<&MetaList> {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("zdm") => Some(list),
        _ => None,
    }
}

fn zdm_words(attribute: &Attribute) -> Vec<Word> {
    zdm_list(attribute).map_or_else(Vec::new, |list| words(&list.tokens))
}

/// A word of an attribute with everything up to its comma.
struct Word {
    name: String,
    /// The text that its parentheses begin with, or that it is set to.
    argument: Option<String>,
    range: Range<usize>,
}

fn words(tokens: &TokenStream) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for token in tokens.clone() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            open = false;
            continue;
        }
        let range = token.span().byte_range();
        match words.last_mut().filter(|_| open) {
            Some(word) => {
                word.range.end = range.end;
                word.argument = word.argument.take().or_else(|| first_text(&token));
            }
            None => words.push(Word {
                name: match &token {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                        group.stream().to_string()
                    }
                    token => token.to_string(),
                },
                argument: None,
                range,
            }),
        }
        open = true;
    }
    words
}

fn first_text(token: &TokenTree) -> Option<String> {
    let literal = match token {
        TokenTree::Group(group) => first_literal(group.stream())?,
        TokenTree::Literal(literal) => literal.clone(),
        _ => return None,
    };
    match syn::Lit::new(literal) {
        syn::Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

fn first_literal(tokens: TokenStream) -> Option<Literal> {
    match tokens.into_iter().next()? {
        TokenTree::Literal(literal) => Some(literal),
        _ => None,
    }
}

/// The range with its line's indent and end, where nothing else stands on the line.
fn with_its_line(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[range.end..]
        .find('\n')
        .map_or(text.len(), |at| range.end + at + 1);
    let alone =
        text[start..range.start].trim().is_empty() && text[range.end..end].trim().is_empty();
    if alone { start..end } else { range }
}

#[cfg(test)]
mod tests;
