//! Takes the words of a finished transition out of a struct's `#[zdm(…)]` attributes, and leaves every other byte alone.
//!
//! Comes in: a file's text, a struct, its fields. Goes out: the text without those words.
//! Must not know: what the words mean.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Attribute, ItemStruct, Meta};

/// What `finalize` removes from a field.
const SPENT: [&str; 8] = [
    "renamed_from",
    "from",
    "up",
    "down",
    "valid_if",
    "on_invalid",
    "one_way",
    "with",
];

/// The file's text without the spent words of the struct's fields. `drops` of the struct goes with them: it says what the
/// same migration does away with.
pub(super) fn remove(text: &str, ident: &str, fields: &[String]) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut structs = Structs {
        ident,
        fields,
        text,
        cuts: Vec::new(),
    };
    structs.visit_file(&file);
    let mut cuts = structs.cuts;
    cuts.sort_by_key(|cut| cut.start);
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        kept.push_str(&text[at..cut.start]);
        at = cut.end;
    }
    kept.push_str(&text[at..]);
    Ok(kept)
}

struct Structs<'a> {
    ident: &'a str,
    fields: &'a [String],
    text: &'a str,
    cuts: Vec<Range<usize>>,
}

impl Visit<'_> for Structs<'_> {
    fn visit_item_struct(&mut self, found: &ItemStruct) {
        if found.ident != self.ident {
            return;
        }
        for field in &found.fields {
            let named = field.ident.as_ref().map(ToString::to_string);
            let bare = |name: &str| name.trim_start_matches("r#").to_owned();
            let meant = named
                .is_some_and(|named| self.fields.iter().any(|field| bare(field) == bare(&named)));
            if meant {
                for attribute in &field.attrs {
                    self.cuts.extend(cuts(self.text, attribute));
                }
            }
        }
    }
}

/// What is cut out of one attribute: the whole of it with its line, or some of its words.
fn cuts(text: &str, attribute: &Attribute) -> Vec<Range<usize>> {
    let Meta::List(list) = &attribute.meta else {
        return Vec::new();
    };
    if !list.path.is_ident("zdm") {
        return Vec::new();
    }
    let words = words(&list.tokens);
    let spent = |word: &Word| SPENT.contains(&word.name.as_str());
    if words.iter().all(spent) {
        return vec![with_its_line(text, attribute.span().byte_range())];
    }
    let mut cuts = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| spent(word)) {
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

/// A word of an attribute with everything up to its comma.
struct Word {
    name: String,
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
            Some(word) => word.range.end = range.end,
            None => words.push(Word {
                name: match &token {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                        group.stream().to_string()
                    }
                    token => token.to_string(),
                },
                range,
            }),
        }
        open = true;
    }
    words
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
mod tests {
    use super::remove;

    #[test]
    fn only_spent_words_go_and_every_other_byte_stays() {
        let text = r#"// A comment — with an é.
#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id:   i64, // odd   spacing
    #[zdm(renamed_from = "name")]
    full_name: String,
    #[zdm(column = "age_int", from("age"), up = "f(age, 1)",
          down(age = "g(age_int)"), sql_type = "integer", on_invalid = "null")]
    age: Option<i32>,
    #[zdm(from("x"), index)]
    y: i32,
}
struct Other {
    #[zdm(renamed_from = "name")]
    full_name: String,
}
"#;
        let expected = r#"// A comment — with an é.
#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id:   i64, // odd   spacing
    full_name: String,
    #[zdm(column = "age_int", sql_type = "integer")]
    age: Option<i32>,
    #[zdm(index)]
    y: i32,
}
struct Other {
    #[zdm(renamed_from = "name")]
    full_name: String,
}
"#;
        let fields = ["full_name", "age", "y"].map(str::to_owned);
        assert_eq!(remove(text, "User", &fields).unwrap(), expected);
    }

    #[test]
    fn fields_that_are_not_meant_keep_their_attributes() {
        let text =
            "struct User {\n    #[zdm(renamed_from = \"name\")]\n    full_name: String,\n}\n";
        assert_eq!(remove(text, "User", &["email".to_owned()]).unwrap(), text);
    }
}
