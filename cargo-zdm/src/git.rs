//! The `git` program, as far as a pull request needs it: what is changed, a branch, a commit.
//!
//! Comes in: paths and texts. Goes out: what git answers, or what it says against it.
//! Must not know: versions, what the files hold.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What git keeps in its own folder until it has ended something, and what that is.
const UNDER_WAY: [(&str, &str); 5] = [
    ("MERGE_HEAD", "a merge"),
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
];

/// git refused, or is not there.
#[derive(Debug, thiserror::Error)]
#[error("`git {command}`: {said}")]
pub(crate) struct GitError {
    command: String,
    said: String,
}

/// A working tree.
#[derive(Debug)]
pub(crate) struct Git {
    /// Its root, without links.
    root: PathBuf,
}

impl Git {
    /// The working tree that holds a folder.
    pub(crate) fn around(folder: &Path) -> Result<Self, GitError> {
        let here = Self {
            root: folder.to_owned(),
        };
        let root = here.run(&["rev-parse", "--show-toplevel"], None)?;
        let root = PathBuf::from(root.trim_end());
        let root = root.canonicalize().unwrap_or(root);
        Ok(Self { root })
    }

    /// Its root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What git calls a file or folder; `None` where it is not in the working tree, or not there.
    pub(crate) fn name(&self, path: &Path) -> Option<String> {
        let path = path.canonicalize().ok()?;
        let below = path.strip_prefix(&self.root).ok()?;
        let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    }

    /// The commit that everything starts from.
    pub(crate) fn head(&self) -> Result<String, GitError> {
        let head = self.run(&["rev-parse", "--verify", "HEAD"], None)?;
        Ok(head.trim_end().to_owned())
    }

    /// Files that the next commit would have already.
    pub(crate) fn staged(&self) -> Result<Vec<String>, GitError> {
        let staged = self.run(&["diff", "--cached", "--name-only", "-z"], None)?;
        Ok(names(&staged).map(str::to_owned).collect())
    }

    /// Files that differ from the last commit or are new, those left out that git ignores.
    pub(crate) fn changed(&self) -> Result<Vec<String>, GitError> {
        let status = self.run(
            &[
                "status",
                "--porcelain",
                "-z",
                "--no-renames",
                "--untracked-files=all",
                "--ignore-submodules=none",
            ],
            None,
        )?;
        let entries = names(&status);
        Ok(entries
            .filter_map(|entry| entry.get(3..))
            .map(str::to_owned)
            .collect())
    }

    /// What git has begun and not ended: `a merge`.
    pub(crate) fn in_the_middle(&self) -> Result<Option<&'static str>, GitError> {
        for (name, words) in UNDER_WAY {
            if self.own_file(name)?.exists() {
                return Ok(Some(words));
            }
        }
        Ok(None)
    }

    /// What a file held in the last commit; `None` where it was not there.
    pub(crate) fn before(&self, file: &str) -> Option<String> {
        self.run(&["cat-file", "blob", &format!("HEAD:{file}")], None)
            .ok()
    }

    /// There is a branch of that name.
    pub(crate) fn has_branch(&self, branch: &str) -> Result<bool, GitError> {
        let name = format!("refs/heads/{branch}");
        let found = self.run(&["for-each-ref", "--format=%(refname)", &name], None)?;
        Ok(found.lines().any(|line| line == name))
    }

    /// A file of that name in git's own folder, where nothing is ever committed.
    pub(crate) fn own_file(&self, name: &str) -> Result<PathBuf, GitError> {
        let path = self.run(&["rev-parse", "--git-path", name], None)?;
        Ok(self.root.join(path.trim_end()))
    }

    /// Commits these files on a new branch and returns the commit. Where git refuses, the branch is as it was, and so are the files,
    /// unless git refuses that too: both are told then.
    ///
    /// HEAD is moved between branches of the same commit, so nothing is checked out: no hook of that can fail, and a full name
    /// means no tag.
    pub(crate) fn commit(
        &self,
        branch: &str,
        files: &[String],
        message: &str,
    ) -> Result<String, (GitError, Result<(), GitError>)> {
        let untouched = |error| (error, Ok(()));
        let head = self.head().map_err(untouched)?;
        // None where HEAD is on no branch.
        let before = self.run(&["symbolic-ref", "--quiet", "HEAD"], None).ok();
        let back: &[&str] = match before.as_deref().map(str::trim_end) {
            Some(before) => &["symbolic-ref", "HEAD", before],
            None => &["update-ref", "--no-deref", "HEAD", &head],
        };
        self.run(&["branch", "--no-track", branch, &head], None)
            .map_err(untouched)?;
        let there = format!("refs/heads/{branch}");
        self.run(&["symbolic-ref", "HEAD", &there], None)
            .and_then(|_| self.staged_and_committed(files, message))
            .map_err(|error| {
                let undone = self
                    .run(&["reset", "--quiet"], None)
                    .and_then(|_| self.run(back, None))
                    .and_then(|_| self.run(&["branch", "--quiet", "-D", branch], None));
                (error, undone.map(drop))
            })
    }

    fn staged_and_committed(&self, files: &[String], message: &str) -> Result<String, GitError> {
        let from_input = [
            "--literal-pathspecs",
            "add",
            "--all",
            "--pathspec-from-file=-",
            "--pathspec-file-nul",
        ];
        self.run(&from_input, Some(&files.join("\0")))?;
        self.run(&["commit", "--quiet", "--file=-"], Some(message))?;
        self.head()
    }

    fn run(&self, arguments: &[&str], input: Option<&str>) -> Result<String, GitError> {
        let failed = |said: &str| {
            let words = arguments.iter().filter(|word| !word.starts_with("--"));
            let words: Vec<&str> = words.copied().collect();
            GitError {
                command: words.join(" "),
                said: said.trim().to_owned(),
            }
        };
        let stdin = if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let mut running = Command::new("git")
            .args(arguments)
            .current_dir(&self.root)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error.to_string()))?;
        if let (Some(text), Some(mut stdin)) = (input, running.stdin.take()) {
            // Who does not read it all says why by the exit code.
            let _ = stdin.write_all(text.as_bytes());
        }
        let output = running
            .wait_with_output()
            .map_err(|error| failed(&error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        // Hooks write to either.
        let said = [&output.stderr, &output.stdout].map(|said| String::from_utf8_lossy(said));
        Err(failed(&said.concat()))
    }
}

fn names(listed: &str) -> impl Iterator<Item = &str> {
    listed.split('\0').filter(|name| !name.is_empty())
}
