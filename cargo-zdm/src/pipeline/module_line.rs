//! The line that makes generated code part of the user's crate: `mod zdm;` in its root file.
//!
//! Comes in: the root file's text. Goes out: the text with the line, or `None` where it is there already.

use syn::Item;
use syn::spanned::Spanned as _;

/// Puts `mod <name>;` behind the last module that the file declares, or before its first other part. In a library it is
/// public: the code of other crates calls the repositories too.
pub(crate) fn with_module(text: &str, name: &str, library: bool) -> syn::Result<Option<String>> {
    let file = syn::parse_file(text)?;
    let is_there = file
        .items
        .iter()
        .any(|item| matches!(item, Item::Mod(module) if module.ident == name));
    if is_there {
        return Ok(None);
    }
    let declaration = format!("{}mod {name};\n", if library { "pub " } else { "" });
    let last_module = file
        .items
        .iter()
        .rfind(|item| matches!(item, Item::Mod(module) if module.content.is_none()));
    let (at, line) = match (last_module, file.items.first()) {
        (Some(module), _) => (
            end_of_line(text, module.span().byte_range().end),
            declaration,
        ),
        (None, Some(first)) => (start_of_line(text, first), format!("{declaration}\n")),
        (None, None) => (text.len(), declaration),
    };
    let mut changed = text.to_owned();
    if at > 0 && !changed[..at].ends_with('\n') {
        changed.insert_str(at, &format!("\n{line}"));
    } else {
        changed.insert_str(at, &line);
    }
    Ok(Some(changed))
}

fn end_of_line(text: &str, from: usize) -> usize {
    text[from..]
        .find('\n')
        .map_or(text.len(), |at| from + at + 1)
}

fn start_of_line(text: &str, item: &Item) -> usize {
    let attributes = match item {
        Item::Fn(function) => &function.attrs,
        Item::Struct(found) => &found.attrs,
        Item::Use(found) => &found.attrs,
        _ => &Vec::new(),
    };
    let first = attributes
        .first()
        .map_or_else(|| item.span(), syn::spanned::Spanned::span);
    text[..first.byte_range().start]
        .rfind('\n')
        .map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::with_module;

    #[test]
    fn the_line_goes_behind_the_last_module() {
        let text = "//! Crate.\n\nmod a;\nmod models; // the structs\n\nfn main() {}\n";
        assert_eq!(
            with_module(text, "zdm", false).unwrap().unwrap(),
            "//! Crate.\n\nmod a;\nmod models; // the structs\nmod zdm;\n\nfn main() {}\n"
        );
    }

    #[test]
    fn without_modules_it_goes_before_the_first_other_part() {
        let text = "//! Crate.\n\n/// Doc.\n#[derive(Debug)]\nstruct A;\n";
        assert_eq!(
            with_module(text, "zdm", true).unwrap().unwrap(),
            "//! Crate.\n\npub mod zdm;\n\n/// Doc.\n#[derive(Debug)]\nstruct A;\n"
        );
    }

    #[test]
    fn it_is_not_added_twice() {
        assert_eq!(with_module("pub mod zdm;\n", "zdm", true).unwrap(), None);
        assert_eq!(
            with_module("", "zdm", false).unwrap().unwrap(),
            "mod zdm;\n"
        );
    }
}
