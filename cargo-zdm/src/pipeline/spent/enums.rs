//! The same for the variants of an enum.

use std::ops::Range;

use syn::ItemEnum;
use syn::visit::Visit;

use super::{Word, cuts, edited};

/// What `finalize` removes from a variant.
const SPENT: [&str; 2] = ["renamed_from", "from"];

/// The file's text without the spent words of the enum's variants.
pub(in crate::pipeline) fn remove_from_enum(text: &str, ident: &str) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut enums = Enums {
        ident,
        text,
        cuts: Vec::new(),
    };
    enums.visit_file(&file);
    let edits = enums.cuts.into_iter().map(|cut| (cut, ""));
    Ok(edited(text, edits.collect()))
}

struct Enums<'a> {
    ident: &'a str,
    text: &'a str,
    cuts: Vec<Range<usize>>,
}

impl Visit<'_> for Enums<'_> {
    fn visit_item_enum(&mut self, found: &ItemEnum) {
        if found.ident != self.ident {
            return;
        }
        let spent = |word: &Word| SPENT.contains(&word.name.as_str());
        let attributes = found.variants.iter().flat_map(|variant| &variant.attrs);
        for attribute in attributes {
            self.cuts.extend(cuts(self.text, attribute, &spent));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::remove_from_enum;

    #[test]
    fn variants_keep_their_values() {
        let text = r#"#[derive(MigratableEnum)]
enum Mood {
    /// Not sad.
    Happy,
    #[zdm(renamed_from = "sad")]
    Unhappy,
    #[zdm(rename = "so-so", from("fair", "middling"))]
    SoSo,
}
enum Other {
    #[zdm(renamed_from = "sad")]
    Unhappy,
}
"#;
        let kept = r#"#[derive(MigratableEnum)]
enum Mood {
    /// Not sad.
    Happy,
    Unhappy,
    #[zdm(rename = "so-so")]
    SoSo,
}
enum Other {
    #[zdm(renamed_from = "sad")]
    Unhappy,
}
"#;
        assert_eq!(remove_from_enum(text, "Mood").unwrap(), kept);
    }
}
