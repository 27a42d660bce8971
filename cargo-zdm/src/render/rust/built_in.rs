//! The templates of generated Rust as they are compiled in, and what a project has in their place.
//!
//! Comes in: a template's file. Goes out: its text, its hash, and how a file of the project's own stands to it.
//! Must not know: the disk, what is rendered.

use camino::Utf8PathBuf;

/// A template that is compiled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// By which others include it: `dual_write_in_turn`.
    pub name: &'static str,
    /// Its file, below the folder of all: `dual_write/in_turn.rs.j2`.
    pub file: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// A file of the project's own in place of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// In place of which.
    pub of: &'static BuiltIn,
    /// The file, relative to the root.
    pub path: Utf8PathBuf,
    /// What it holds, with line breaks as the built-in ones have them.
    pub text: String,
}

/// How a file of the project's own stands to the built-in template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It says the same, but for line breaks at its end.
    Same,
    /// It was taken from the present text, and changed.
    Own,
    /// It was taken from another text than the present one.
    Older,
    /// It does not say which text it was taken from.
    Unmarked,
}

const MARK: &str = "{# zdm: from ";
const MARK_END: &str = " #}\n";

macro_rules! built_in {
    ($folder:literal: $($name:literal => $file:literal,)*) => {
        &[$(BuiltIn {
            name: $name,
            file: $file,
            text: include_str!(concat!("../../../templates/rust/", $folder, "/", $file)),
        }),*]
    };
}

/// Whose types the repositories speak: a folder of templates.
#[derive(Debug)]
pub struct Client {
    /// The folder's name, `client` in `zdm.toml`.
    pub name: &'static str,
    /// What is in it.
    own: &'static [BuiltIn],
}

/// All of them, from the default.
pub static CLIENTS: [Client; 2] = [
    Client {
        name: "sqlx",
        own: built_in! { "sqlx": "client" => "client.rs.j2", },
    },
    Client {
        name: "diesel-async",
        own: built_in! { "diesel-async": "client" => "client.rs.j2", },
    },
];

impl Client {
    /// The one of that name; the default where there is none, which reading `zdm.toml` has refused.
    pub fn named(name: &str) -> &'static Self {
        let mut all = CLIENTS.iter();
        all.find(|client| client.name == name)
            .unwrap_or(&CLIENTS[0])
    }

    /// Its templates: its own, and those of all clients beside them.
    pub(super) fn templates(&self) -> impl Iterator<Item = &'static BuiltIn> + use<> {
        let own = self.own;
        let replaced = |common: &&BuiltIn| own.iter().any(|found| found.name == common.name);
        own.iter()
            .chain(COMMON.iter().filter(move |common| !replaced(common)))
    }
}

/// Those of all clients.
const COMMON: &[BuiltIn] = built_in! { "common":
    "header" => "header.rs.j2",
    "module" => "module.rs.j2",
    "repository" => "repository.rs.j2",
    "insert_many" => "insert_many.rs.j2",
    "changes" => "changes.rs.j2",
    "conditions" => "conditions.rs.j2",
    "migration" => "migration.rs.j2",
    "tests" => "tests.rs.j2",
    "dual_write" => "dual_write/dual_write.rs.j2",
    "backfill" => "backfill/backfill.rs.j2",
    "switch_reads" => "switch_reads/switch_reads.rs.j2",
    "computed" => "switch_reads/computed.rs.j2",
    "dual_write_in_turn" => "dual_write/in_turn.rs.j2",
    "switch_reads_in_turn" => "switch_reads/in_turn.rs.j2",
    "dual_write_moved" => "dual_write/moved.rs.j2",
    "dual_write_merged" => "dual_write/merged.rs.j2",
    "switch_reads_moved" => "switch_reads/moved.rs.j2",
    "statement/moved" => "statement/moved.sql.j2",
    "statement/insert" => "statement/insert.sql.j2",
    "statement/update" => "statement/update.sql.j2",
    "statement/delete" => "statement/delete.sql.j2",
    "statement/select" => "statement/select.sql.j2",
    "statement/pending" => "statement/pending.sql.j2",
};

/// Those that a project may have files of its own for, in the order of their files. The statements are not among them: they carry
/// the fence, so a wrong one loses data.
pub fn ejectable(client: &Client) -> Vec<&'static BuiltIn> {
    let mut found: Vec<_> = client
        .templates()
        .filter(|found| !found.is_statement())
        .collect();
    found.sort_by_key(|found| (found.file.contains('/'), found.file));
    found
}

impl BuiltIn {
    /// SQL of the write protocol.
    pub fn is_statement(&self) -> bool {
        self.file.starts_with("statement/")
    }

    /// What its text is known by.
    pub fn hash(&self) -> String {
        hash(self.text)
    }

    /// The first line of a file that was taken from it.
    pub fn mark(&self) -> String {
        format!("{MARK}{}{MARK_END}", self.hash())
    }

    /// The file that a project gets.
    pub fn ejected(&self) -> String {
        format!("{}{}", self.mark(), self.text)
    }
}

impl Override {
    /// A file's text in place of a template.
    pub fn new(of: &'static BuiltIn, path: Utf8PathBuf, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self {
            of,
            path,
            text: text.replace("\r\n", "\n"),
        }
    }

    /// How it stands to the built-in template.
    pub fn standing(&self) -> Standing {
        let (mark, body) = self.parts();
        match mark {
            // An editor may add the last line break or take it away.
            _ if body.trim_end_matches('\n') == self.of.text.trim_end_matches('\n') => {
                Standing::Same
            }
            None => Standing::Unmarked,
            Some(mark) if mark == self.of.hash() => Standing::Own,
            Some(_) => Standing::Older,
        }
    }

    /// Nobody has changed it since it was written.
    pub fn is_as_ejected(&self) -> bool {
        let (mark, body) = self.parts();
        mark.is_some_and(|mark| mark == hash(body))
    }

    /// Without the line that says which text it was taken from.
    pub fn body(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (Option<&str>, &str) {
        let marked = self.text.strip_prefix(MARK);
        match marked.and_then(|rest| rest.split_once(MARK_END)) {
            Some((mark, body)) if !mark.contains('\n') => (Some(mark), body),
            _ => (None, &self.text),
        }
    }
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> &'static BuiltIn {
        let mut all = COMMON.iter();
        all.find(|found| found.name == "repository").unwrap()
    }

    fn own(text: &str) -> Override {
        Override::new(repository(), "zdm/templates/repository.rs.j2".into(), text)
    }

    #[test]
    fn statements_are_the_protocol_s() {
        for client in &CLIENTS {
            let all = ejectable(client);
            assert_eq!(all.len(), client.templates().count() - 6);
            assert!(all.iter().all(|found| found.file.ends_with(".rs.j2")));
        }
    }

    #[test]
    fn the_clients_are_those_of_the_configuration() {
        assert_eq!(
            CLIENTS.each_ref().map(|client| client.name),
            crate::config::CLIENTS
        );
    }

    #[test]
    fn a_file_says_which_text_it_was_taken_from() {
        let ejected = repository().ejected();
        assert_eq!(own(&ejected).standing(), Standing::Same);
        assert_eq!(
            own(&ejected.replace('\n', "\r\n")).standing(),
            Standing::Same
        );
        assert!(own(&ejected).is_as_ejected());
        let changed = own(&format!("{ejected}// ours\n"));
        assert_eq!(changed.standing(), Standing::Own);
        assert!(!changed.is_as_ejected());
        assert_eq!(changed.body(), format!("{}// ours\n", repository().text));
        assert_eq!(own("// ours\n").standing(), Standing::Unmarked);
    }

    #[test]
    fn what_was_taken_from_another_text_is_older() {
        let before = "// as it was\n";
        let mark = repository()
            .mark()
            .replace(&repository().hash(), &hash(before));
        let untouched = own(&format!("{mark}{before}"));
        assert_eq!(untouched.standing(), Standing::Older);
        assert!(untouched.is_as_ejected(), "it can be written anew");
        let changed = own(&format!("{mark}{before}// ours\n"));
        assert_eq!(changed.standing(), Standing::Older);
        assert!(!changed.is_as_ejected());
    }
}
