//! The line that makes generated code part of the user's crate: `mod zdm;` in its root file.
//!
//! Comes in: the root file's text. Goes out: the text with the line, or `None` where it is there already.

use camino::{Utf8Path, Utf8PathBuf};
use syn::Item;
use syn::spanned::Spanned as _;

/// What a crate's root file lacks to have the generated code in the crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleLine {
    /// The root file, relative to the folder of `zdm.toml`.
    pub file: Utf8PathBuf,
    /// `pub mod zdm;`
    pub line: String,
    /// The file's text with the line.
    pub(crate) text: String,
}

/// The module of generated code.
pub(crate) struct Place<'a> {
    pub(crate) name: &'a str,
    /// Its crate is a library: the module is public, because the code of other crates calls the repositories too.
    pub(crate) library: bool,
    /// Its file, where the compiler would look elsewhere.
    pub(crate) path: Option<String>,
}

impl Place<'_> {
    /// `pub mod zdm;`
    pub(super) fn declaration(&self) -> String {
        let path = self
            .path
            .as_ref()
            .map(|path| format!("#[path = \"{path}\"]\n"))
            .unwrap_or_default();
        let visibility = if self.library { "pub " } else { "" };
        format!("{path}{visibility}mod {};", self.name)
    }
}

/// Puts `mod <name>;` behind the last module that the file declares, or before its first other part.
pub(crate) fn with_module(text: &str, place: &Place<'_>) -> syn::Result<Option<String>> {
    let file = syn::parse_file(text)?;
    let is_there = file
        .items
        .iter()
        .any(|item| matches!(item, Item::Mod(module) if module.ident == place.name));
    if is_there {
        return Ok(None);
    }
    let declaration = format!("{}\n", place.declaration());
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

/// Where the code's module file is, as seen from the folder of the crate's root file, unless it is where the compiler looks.
pub(super) fn elsewhere(root_file: &Utf8Path, code: &Utf8Path) -> Option<String> {
    let folder = root_file.parent()?;
    if code.parent() == Some(folder) {
        return None;
    }
    let mut up = String::new();
    for above in folder.ancestors() {
        if let Ok(below) = code.strip_prefix(above) {
            return Some(format!("{up}{}/mod.rs", below.as_str().replace('\\', "/")));
        }
        up.push_str("../");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Place, with_module};

    fn with(text: &str, library: bool) -> Option<String> {
        let place = Place {
            name: "zdm",
            library,
            path: None,
        };
        with_module(text, &place).unwrap()
    }

    #[test]
    fn the_line_goes_behind_the_last_module() {
        let text = "//! Crate.\n\nmod a;\nmod models; // the structs\n\nfn main() {}\n";
        assert_eq!(
            with(text, false).unwrap(),
            "//! Crate.\n\nmod a;\nmod models; // the structs\nmod zdm;\n\nfn main() {}\n"
        );
    }

    #[test]
    fn without_modules_it_goes_before_the_first_other_part() {
        let text = "//! Crate.\n\n/// Doc.\n#[derive(Debug)]\nstruct A;\n";
        assert_eq!(
            with(text, true).unwrap(),
            "//! Crate.\n\npub mod zdm;\n\n/// Doc.\n#[derive(Debug)]\nstruct A;\n"
        );
    }

    #[test]
    fn it_is_not_added_twice() {
        assert_eq!(with("pub mod zdm;\n", true), None);
        assert_eq!(with("", false).unwrap(), "mod zdm;\n");
    }

    #[test]
    fn a_binary_in_a_folder_of_its_own_says_where_the_code_is() {
        let place = Place {
            name: "zdm",
            library: false,
            path: Some("../zdm/mod.rs".to_owned()),
        };
        assert_eq!(
            with_module("mod models;\n", &place).unwrap().unwrap(),
            "mod models;\n#[path = \"../zdm/mod.rs\"]\nmod zdm;\n"
        );
    }
}
