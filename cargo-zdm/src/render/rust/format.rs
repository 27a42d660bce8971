//! Formats generated Rust with the toolchain's rustfmt, and recognises what needs no formatting.
//!
//! The second line of a file holds two hashes: of the text before formatting, and of the file without that line. The first
//! tells whether the file is what would be generated now, the second whether somebody edited it; neither needs rustfmt.
//! Must not know: what the files contain.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use super::RustFile;

const HASHES: &str = "// zdm: ";
/// Command lines have a longest length.
const FILES_AT_ONCE: usize = 200;

/// A file on disk beside what would be generated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is what would be generated.
    Current,
    /// Something else would be generated.
    Stale,
    /// Somebody changed it after it was generated.
    Edited,
}

/// Generated Rust could not be formatted.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// rustfmt is missing.
    #[error(
        "rustfmt cannot be run: {0}; nothing has been written. Install it with `rustup component add rustfmt`, or name it in the variable RUSTFMT"
    )]
    NotFound(io::Error),
    /// rustfmt refused.
    #[error("rustfmt refused {path}: {message}; nothing has been written")]
    Refused {
        /// The file.
        path: Utf8PathBuf,
        /// What it says.
        message: String,
    },
}

/// Compares a file on disk with what would be generated now.
pub fn state(file: &RustFile, found: &str) -> State {
    let Some((hashes, body)) = split(found) else {
        return State::Edited;
    };
    match hashes.split_once(' ') {
        Some((_, recorded)) if recorded != hash(&body) => State::Edited,
        Some((source, _)) if source == hash(&file.text) => State::Current,
        _ => State::Stale,
    }
}

/// The files as they stand on disk: what is found there where it is current, else formatted anew. `root` is the folder
/// whose rustfmt.toml counts.
pub fn finished(
    files: &[(&RustFile, Option<String>)],
    root: &Utf8Path,
) -> Result<Vec<String>, FormatError> {
    let current = |(file, found): &(&RustFile, Option<String>)| {
        found
            .clone()
            .filter(|found| state(file, found) == State::Current)
    };
    let kept: Vec<Option<String>> = files.iter().map(current).collect();
    let changed: Vec<&RustFile> = files
        .iter()
        .zip(&kept)
        .filter(|(_, kept)| kept.is_none())
        .map(|((file, _), _)| *file)
        .collect();
    let mut formatted = all_formatted(&changed, root)?.into_iter();
    let finished = files
        .iter()
        .zip(kept)
        .filter_map(|((file, _), kept)| match kept {
            Some(kept) => Some(kept),
            None => formatted.next().map(|text| with_hashes(file, &text)),
        });
    Ok(finished.collect())
}

fn with_hashes(file: &RustFile, formatted: &str) -> String {
    let (first, rest) = formatted.split_once('\n').unwrap_or((formatted, ""));
    let (source, body) = (hash(&file.text), hash(formatted));
    format!("{first}\n{HASHES}{source} {body}\n{rest}")
}

/// Starting rustfmt takes longer than formatting a file, so many files share one. Those that declare modules go alone: from
/// a file, rustfmt would follow the modules.
fn all_formatted(files: &[&RustFile], root: &Utf8Path) -> Result<Vec<String>, FormatError> {
    let alone = |file: &RustFile| files.len() < 3 || file.path.file_name() == Some("mod.rs");
    let together: Vec<&RustFile> = files.iter().copied().filter(|file| !alone(file)).collect();
    let mut shared = formatted_together(&together, root)?.into_iter().peekable();
    let mut formatted = Vec::new();
    for file in files {
        formatted.push(match shared.next_if(|_| !alone(file)) {
            Some(text) => text,
            None => rustfmt(file, root)?,
        });
    }
    Ok(formatted)
}

fn formatted_together(files: &[&RustFile], root: &Utf8Path) -> Result<Vec<String>, FormatError> {
    let Some(first) = files.first() else {
        return Ok(Vec::new());
    };
    let refused = |message: String| FormatError::Refused {
        path: first.path.clone(),
        message,
    };
    let folder = tempfile::tempdir().map_err(|error| refused(error.to_string()))?;
    let mut paths = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let path = folder.path().join(format!("{number}.rs"));
        std::fs::write(&path, &file.text).map_err(|error| refused(error.to_string()))?;
        paths.push(path);
    }
    for paths in paths.chunks(FILES_AT_ONCE) {
        let output = command(root)
            .args(configuration(root))
            .args(paths)
            .output()
            .map_err(FormatError::NotFound)?;
        if !output.status.success() {
            return Err(refused(
                String::from_utf8_lossy(&output.stderr).into_owned(),
            ));
        }
    }
    let read = |path| std::fs::read_to_string(path).map_err(|error| refused(error.to_string()));
    paths.iter().map(read).collect()
}

/// The hashes, and the text without their line.
fn split(found: &str) -> Option<(&str, String)> {
    let (first, rest) = found.split_once('\n')?;
    let (hashes, rest) = rest.split_once('\n')?;
    Some((hashes.strip_prefix(HASHES)?, format!("{first}\n{rest}")))
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

fn rustfmt(file: &RustFile, root: &Utf8Path) -> Result<String, FormatError> {
    let mut child = command(root)
        .args(["--emit", "stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(FormatError::NotFound)?;
    let refused = |message: String| FormatError::Refused {
        path: file.path.clone(),
        message,
    };
    // rustfmt reads all of its input before it writes.
    if let Some(mut input) = child.stdin.take() {
        input
            .write_all(file.text.as_bytes())
            .map_err(|error| refused(error.to_string()))?;
    }
    let output = child
        .wait_with_output()
        .map_err(|error| refused(error.to_string()))?;
    if !output.status.success() {
        return Err(refused(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    String::from_utf8(output.stdout).map_err(|error| refused(error.to_string()))
}

/// For files elsewhere, the rustfmt.toml that rustfmt finds by itself for a file of the user's.
fn configuration(root: &Utf8Path) -> Vec<String> {
    root.ancestors()
        .flat_map(|folder| [folder.join("rustfmt.toml"), folder.join(".rustfmt.toml")])
        .find(|path| path.is_file())
        .map(|path| vec!["--config-path".to_owned(), path.into_string()])
        .unwrap_or_default()
}

fn command(root: &Utf8Path) -> Command {
    let program = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let mut command = Command::new(program);
    command.args(["--edition", "2024"]).current_dir(root);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(
        file: &RustFile,
        found: Option<&str>,
        root: &Utf8Path,
    ) -> Result<String, FormatError> {
        let mut texts = super::finished(&[(file, found.map(str::to_owned))], root)?;
        Ok(texts.remove(0))
    }

    #[test]
    fn many_files_are_formatted_as_one_is() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("rustfmt.toml"), "hard_tabs = true\n").unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let mut files: Vec<_> = (0..5)
            .map(|at| file(&format!("// @generated\nfn  f{at}() {{ g(); }}\n")))
            .collect();
        files[2].path = "m/mod.rs".into();
        files[2].text = "// @generated\npub  mod x;\n".to_owned();
        let given: Vec<_> = files.iter().map(|file| (file, None)).collect();
        let together = super::finished(&given, root).unwrap();
        for (file, together) in files.iter().zip(together) {
            assert_eq!(finished(file, None, root).unwrap(), together);
        }
    }

    fn file(text: &str) -> RustFile {
        RustFile {
            path: "users.rs".into(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_current_file_is_kept_and_an_edited_one_is_found() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let first = file("// @generated\nfn  a( ) {}\n");
        let text = finished(&first, None, root).unwrap();
        assert!(text.ends_with("\nfn a() {}\n"), "{text}");
        assert_eq!(state(&first, &text), State::Current);
        assert_eq!(
            state(&file("// @generated\nfn b() {}\n"), &text),
            State::Stale
        );
        assert_eq!(state(&first, &text.replace("fn a", "fn c")), State::Edited);
        assert_eq!(finished(&first, Some(&text), root).unwrap(), text);
    }

    #[test]
    fn the_users_own_configuration_counts() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("rustfmt.toml"), "hard_tabs = true\n").unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let text = finished(&file("// @generated\nfn a() { b(); }\n"), None, root).unwrap();
        assert!(text.contains("\n\tb();\n"), "{text}");
    }

    #[test]
    fn what_is_no_rust_is_refused_with_the_file() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let error = finished(&file("fn fn"), None, root).unwrap_err();
        assert!(error.to_string().contains("users.rs"), "{error}");
    }
}
