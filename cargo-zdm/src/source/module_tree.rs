//! Where a module's file is.
//!
//! Comes in: a `mod x;` and the file that it stands in. Goes out: the file of `x`, by the compiler's rules (The Rust
//! Reference, "Module source filenames" and "The path attribute").
//! Must not know: what is in the files.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// A place from which modules are looked for: a file, or an inline module in it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The folder of the file itself: what `#[path]` on a module outside of inline ones counts from.
    beside: Utf8PathBuf,
    /// The folder in which `mod x;` is looked for.
    below: Utf8PathBuf,
    /// Inside an inline module.
    inline: bool,
}

impl Place {
    /// The inside of a file. Crate roots, `mod.rs` and files named by `#[path]` own their folder; `x.rs` owns `x/`.
    pub(super) fn of_file(file: &Utf8Path, owns_folder: bool) -> Self {
        let beside = file.parent().map(Utf8PathBuf::from).unwrap_or_default();
        let below = match file.file_stem() {
            Some(stem) if !owns_folder && stem != "mod" => beside.join(stem),
            _ => beside.clone(),
        };
        Self {
            beside,
            below,
            inline: false,
        }
    }

    /// The inside of `mod name { … }`.
    pub(super) fn inline(&self, name: &str, path: Option<&str>) -> Self {
        let below = match path {
            Some(path) if self.inline => self.below.join(path),
            Some(path) => self.beside.join(path),
            None => self.below.join(name),
        };
        Self {
            beside: self.beside.clone(),
            below,
            inline: true,
        }
    }

    /// The files that `mod name;` may mean, with whether each owns its folder.
    pub(super) fn candidates(&self, name: &str, path: Option<&str>) -> Vec<(Utf8PathBuf, bool)> {
        match path {
            Some(path) if self.inline => vec![(self.below.join(path), true)],
            Some(path) => vec![(self.beside.join(path), true)],
            None => vec![
                (self.below.join(format!("{name}.rs")), false),
                (self.below.join(name).join("mod.rs"), true),
            ],
        }
    }

    /// Whether `mod name;` means the `mod.rs` of a folder, which need not exist yet.
    pub(super) fn leads_to(&self, folder: &Utf8Path, name: &str, path: Option<&str>) -> bool {
        let wanted = normal(&folder.join("mod.rs"));
        let mut candidates = self.candidates(name, path).into_iter();
        candidates.any(|(file, _)| normal(&file) == wanted)
    }
}

/// Without `..`, as far as the text tells.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for part in path.components() {
        if part == Utf8Component::ParentDir {
            normal.pop();
        } else if part != Utf8Component::CurDir {
            normal.push(part);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(place: &Place, name: &str, path: Option<&str>) -> Vec<String> {
        let candidates = place.candidates(name, path);
        candidates
            .into_iter()
            .map(|(file, _)| file.into_string())
            .collect()
    }

    #[test]
    fn a_file_looks_below_its_own_name_and_a_root_beside_itself() {
        let root = Place::of_file(Utf8Path::new("src/main.rs"), true);
        assert_eq!(files(&root, "a", None), ["src/a.rs", "src/a/mod.rs"]);
        let file = Place::of_file(Utf8Path::new("src/a.rs"), false);
        assert_eq!(files(&file, "b", None), ["src/a/b.rs", "src/a/b/mod.rs"]);
        let folder = Place::of_file(Utf8Path::new("src/a/mod.rs"), true);
        assert_eq!(files(&folder, "b", None), ["src/a/b.rs", "src/a/b/mod.rs"]);
    }

    #[test]
    fn inline_modules_are_folders() {
        let file = Place::of_file(Utf8Path::new("src/a.rs"), false);
        let inline = file.inline("b", None).inline("c", None);
        assert_eq!(files(&inline, "d", None)[0], "src/a/b/c/d.rs");
        assert_eq!(
            files(&file.inline("b", Some("other")), "d", None)[0],
            "src/other/d.rs"
        );
    }

    #[test]
    fn generated_code_is_known_by_its_folder() {
        let code = Utf8Path::new("/a/src/zdm");
        let root = Place::of_file(Utf8Path::new("/a/src/bin/../lib.rs"), true);
        let binary = Place::of_file(Utf8Path::new("/a/src/bin/b.rs"), true);
        assert!(root.leads_to(code, "zdm", None));
        assert!(!root.inline("zdm", None).leads_to(code, "zdm", None));
        assert!(!binary.leads_to(code, "zdm", None));
        assert!(binary.leads_to(code, "made", Some("../zdm/mod.rs")));
    }

    #[test]
    fn path_counts_from_the_file_and_inside_inline_modules_from_their_folder() {
        let file = Place::of_file(Utf8Path::new("src/a.rs"), false);
        assert_eq!(files(&file, "b", Some("x/y.rs")), ["src/x/y.rs"]);
        assert_eq!(
            files(&file.inline("b", None), "c", Some("y.rs")),
            ["src/a/b/y.rs"]
        );
    }
}
