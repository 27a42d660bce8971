//! Formats generated Rust with the toolchain's rustfmt, and recognises what needs no formatting.
//!
//! The second line of a file holds two hashes: of the text before formatting, and of the file without that line. The first
//! tells whether the file is what would be generated now, the second whether somebody edited it; neither needs rustfmt.
//! Must not know: what the files contain.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use super::layout::laid_out;
use super::{Form, RustFile};
use crate::parallel;

const HASHES: &str = "// zdm: ";
/// Enough that starting rustfmt is not what takes the time, few enough that every core gets some.
const FILES_AT_ONCE: usize = 50;

/// How a file on disk differs from what would be generated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no file.
    Missing,
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

/// Compares what a file holds on disk with what would be generated now; `None` where they agree.
pub fn state(file: &RustFile, found: Option<&[u8]>) -> Option<State> {
    let Some(found) = found else {
        return Some(State::Missing);
    };
    let Some(found) = Found::of(found) else {
        return Some(State::Edited);
    };
    if found.recorded != hash(found.body).as_bytes() {
        Some(State::Edited)
    } else if found.source == hash([file.text.as_bytes()]).as_bytes() {
        None
    } else {
        Some(State::Stale)
    }
}

/// The files as they should stand on disk. `root` is the folder whose rustfmt.toml counts.
pub fn formatted(files: &[RustFile], root: &Utf8Path) -> Result<Vec<String>, FormatError> {
    let formatted = all_formatted(files, root)?;
    let files = files.iter().zip(formatted);
    Ok(files
        .map(|(file, formatted)| with_hashes(file, &formatted))
        .collect())
}

fn with_hashes(file: &RustFile, formatted: &str) -> String {
    let (first, rest) = formatted.split_once('\n').unwrap_or((formatted, ""));
    let (source, body) = (hash([file.text.as_bytes()]), hash([formatted.as_bytes()]));
    format!("{first}\n{HASHES}{source} {body}\n{rest}")
}

/// Most of many files are laid out here, where nobody configured rustfmt: it would take longer than everything else. To ask
/// it for its configuration takes as long as to have some files formatted.
pub(crate) fn all_formatted(
    files: &[RustFile],
    root: &Utf8Path,
) -> Result<Vec<String>, FormatError> {
    let plain = files.iter().filter(|file| file.form != Form::Other).count() >= FILES_AT_ONCE
        && is_unconfigured(root)?;
    let ours = parallel::map(files, |file| {
        plain.then(|| laid_out(file.form, &file.text)).flatten()
    });
    let missing = files.iter().zip(&ours).filter(|(_, ours)| ours.is_none());
    let missing: Vec<&RustFile> = missing.map(|(file, _)| file).collect();
    let mut theirs = by_rustfmt(&missing, root)?.into_iter();
    let ours = ours.into_iter();
    Ok(ours
        .filter_map(|ours| ours.or_else(|| theirs.next()))
        .collect())
}

/// rustfmt does here what it does without any configuration.
fn is_unconfigured(root: &Utf8Path) -> Result<bool, FormatError> {
    let refused = |error: io::Error| FormatError::Refused {
        path: root.to_owned(),
        message: error.to_string(),
    };
    let folder = tempfile::tempdir().map_err(refused)?;
    std::fs::write(folder.path().join("rustfmt.toml"), "").map_err(refused)?;
    let default = ["--config-path".as_ref(), folder.path().as_os_str()];
    let asked = |arguments: &[&OsStr]| {
        command(root)
            .args(arguments)
            .args(["--print-config", "current", "any.rs"])
            .output()
            .map_err(FormatError::NotFound)
    };
    let (default, here) = parallel::both(|| asked(&default), || asked(&[]));
    let (default, here) = (default?, here?);
    // What it has against a configuration, it says when it formats.
    Ok(here.status.success() && !here.stdout.is_empty() && here.stdout == default.stdout)
}

/// Starting rustfmt takes longer than formatting a file, so many files share one. Those that declare modules go alone: from
/// a file, rustfmt would follow the modules.
pub(super) fn by_rustfmt(files: &[&RustFile], root: &Utf8Path) -> Result<Vec<String>, FormatError> {
    let alone = |file: &RustFile| files.len() < 3 || file.path.file_name() == Some("mod.rs");
    let batches: Vec<&[&RustFile]> = files
        .chunk_by(|left, right| !alone(left) && !alone(right))
        .flat_map(|together| together.chunks(FILES_AT_ONCE))
        .collect();
    let formatted = parallel::map(&batches, |batch| match batch {
        [file] => Ok(vec![rustfmt(file, root)?]),
        files => formatted_together(files, root),
    });
    let formatted: Result<Vec<_>, _> = formatted.into_iter().collect();
    Ok(formatted?.concat())
}

fn formatted_together(files: &[&RustFile], root: &Utf8Path) -> Result<Vec<String>, FormatError> {
    let refused = |message: String| FormatError::Refused {
        path: files[0].path.clone(),
        message,
    };
    let folder = tempfile::tempdir().map_err(|error| refused(error.to_string()))?;
    let mut paths = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let path = folder.path().join(format!("{number}.rs"));
        std::fs::write(&path, &file.text).map_err(|error| refused(error.to_string()))?;
        paths.push(path);
    }
    let output = command(root)
        .args(configuration(root))
        .args(&paths)
        .output()
        .map_err(FormatError::NotFound)?;
    if !output.status.success() {
        return Err(refused(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    let read = |path| std::fs::read_to_string(path).map_err(|error| refused(error.to_string()));
    paths.iter().map(read).collect()
}

/// A file on disk, taken apart.
struct Found<'a> {
    /// The hash of the text before formatting.
    source: &'a [u8],
    /// The hash of the body.
    recorded: &'a [u8],
    /// What stands before the line of the hashes, and what behind it.
    body: [&'a [u8]; 2],
}

impl<'a> Found<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        let (first, second) = (lines.next()?, lines.next()?);
        let rest = &text[first.len() + second.len()..];
        let hashes = second
            .strip_prefix(HASHES.as_bytes())?
            .strip_suffix(b"\n")?;
        let space = hashes.iter().position(|byte| *byte == b' ')?;
        Some(Self {
            source: &hashes[..space],
            recorded: &hashes[space + 1..],
            body: [first, rest],
        })
    }
}

fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_hex()[..16].to_owned()
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

    fn formatted(file: &RustFile, root: &Utf8Path) -> Result<String, FormatError> {
        let mut texts = super::formatted(std::slice::from_ref(file), root)?;
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
        let together = super::formatted(&files, root).unwrap();
        for (file, together) in files.iter().zip(together) {
            assert_eq!(formatted(file, root).unwrap(), together);
        }
    }

    fn file(text: &str) -> RustFile {
        RustFile {
            path: "users.rs".into(),
            text: text.to_owned(),
            form: Form::Other,
        }
    }

    #[test]
    fn a_current_file_agrees_and_an_edited_one_is_found() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let first = file("// @generated\nfn  a( ) {}\n");
        let text = formatted(&first, root).unwrap();
        assert!(text.ends_with("\nfn a() {}\n"), "{text}");
        let found = |file, text: &str| state(file, Some(text.as_bytes()));
        assert_eq!(found(&first, &text), None);
        let second = file("// @generated\nfn b() {}\n");
        assert_eq!(found(&second, &text), Some(State::Stale));
        assert_eq!(state(&second, None), Some(State::Missing));
        for edited in [
            text.replace("fn a", "fn c"),
            text.replace("// zdm: ", "// zdm: 0"),
            text.replace("// zdm: ", "// "),
            format!("{text}\n"),
            String::new(),
        ] {
            assert_ne!(found(&first, &edited), None, "{edited}");
        }
        assert_eq!(
            found(&first, &text.replace("fn a", "fn c")),
            Some(State::Edited)
        );
    }

    #[test]
    fn the_users_own_configuration_counts() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("rustfmt.toml"), "hard_tabs = true\n").unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let text = formatted(&file("// @generated\nfn a() { b(); }\n"), root).unwrap();
        assert!(text.contains("\n\tb();\n"), "{text}");
    }

    #[test]
    fn the_users_own_configuration_counts_for_many_files() {
        let root = tempfile::tempdir().unwrap();
        let model = RustFile {
            form: Form::Models,
            ..file("// @generated\npub struct A {\n    pub b: i64,\n}\n")
        };
        let files = vec![model; FILES_AT_ONCE];
        for (configuration, line) in [("", "\n    pub b"), ("hard_tabs = true\n", "\n\tpub b")] {
            std::fs::write(root.path().join("rustfmt.toml"), configuration).unwrap();
            let root = Utf8Path::from_path(root.path()).unwrap();
            let texts = super::formatted(&files, root).unwrap();
            assert_eq!(texts.len(), files.len());
            assert!(texts.iter().all(|text| text.contains(line)), "{texts:?}");
        }
    }

    #[test]
    fn what_is_no_rust_is_refused_with_the_file() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        let error = formatted(&file("fn fn"), root).unwrap_err();
        assert!(error.to_string().contains("users.rs"), "{error}");
    }
}
