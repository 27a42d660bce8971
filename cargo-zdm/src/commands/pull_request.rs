//! `review --pr`: a branch, a commit and a pull request's body, by git alone; nothing is pushed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use zdm_runtime::manifest::Manifest;

use super::project::options;
use crate::context::{Context, Project};
use crate::error::Failure;
use crate::git::{Git, GitError};
use crate::pipeline::{Finding, Options};
use crate::render::review::request;
use crate::source;
use crate::terminal::Answer;

/// In git's own folder, so that no rule is needed to keep it out of commits.
const BODY: &str = "zdm-pull-request.md";

const UNTOUCHED: &str = "nothing has been changed";

/// What becomes a commit, and what does not.
struct Sorted {
    ours: Vec<String>,
    left: Vec<String>,
}

/// Makes the pull request of a version, or only shows it.
pub(super) fn run(
    context: &Context,
    project: &Project,
    manifest: &Manifest,
    page: &str,
    dry_run: bool,
) -> Result<Answer, Failure> {
    let options = options(context, project)?;
    refuse_stale(&crate::check(&options)?)?;
    let git = Git::around(&project.root).map_err(|error| {
        Failure::environment(
            error,
            "run it where git is installed, in a clone of the repository",
        )
        .safe(UNTOUCHED)
    })?;
    let branch = format!("zdm/{}", manifest.folder());
    let sorted = sorted(&git, &options, manifest, &branch)?;
    let folder = project.versions().join(manifest.folder());
    let folder = git.name(&folder).unwrap_or_else(|| manifest.folder());
    let body = request::body(manifest, page, &folder);
    let (subject, message) = (request::subject(manifest), request::message(manifest));
    let path = git.own_file(BODY).map_err(refused)?;
    let commit = if dry_run {
        None
    } else {
        written(&path, &body)?;
        let committed = git.commit(&branch, &sorted.ours, &message);
        Some(committed.map_err(|(error, undone)| not_committed(error, undone, &branch))?)
    };
    let shown = path.display();
    let next = [
        format!("git push -u origin {branch}"),
        format!(
            "gh pr create --title '{}' --body-file '{shown}'",
            subject.replace('\'', "'\\''")
        ),
    ];
    let mut text = match &commit {
        Some(commit) => {
            let short = commit.get(..12).unwrap_or(commit);
            format!("{branch}: commit {short}, {subject}\n")
        }
        None => format!("would commit on {branch}\n\n{message}\n"),
    };
    for file in &sorted.ours {
        let _ = writeln!(text, "  {file}");
    }
    if !sorted.left.is_empty() {
        text.push_str(
            "left out, neither generated nor a model's file; commit it too if the code needs it:\n",
        );
    }
    for file in &sorted.left {
        let _ = writeln!(text, "  {file}");
    }
    if dry_run {
        let _ = writeln!(text, "\nthe pull request's body, for {shown}:\n\n{body}");
    }
    let _ = write!(text, "next:\n  {}\n  {}", next[0], next[1]);
    Answer::done(
        text,
        json!({
            "migration": manifest.folder(), "id": manifest.id, "branch": branch, "commit": commit, "message": message,
            "body": path, "page": body, "files": sorted.ours, "left": sorted.left, "next": next, "dry_run": dry_run,
        }),
    )
}

/// What is stale is not asked to be reviewed. Spent attributes and older templates are, for they change nothing.
fn refuse_stale(findings: &[Finding]) -> Result<(), Failure> {
    let matters = |finding: &&Finding| !["spent", "template"].contains(&finding.kind);
    let Some(first) = findings.iter().find(matters) else {
        return Ok(());
    };
    Err(Failure::findings(
        format!("{}: {} {}", first.kind, first.place, first.message),
        "run `cargo zdm check`, which shows all there is, and do what it says",
    )
    .safe(UNTOUCHED))
}

/// Everything that keeps a commit from being exactly this version.
fn sorted(
    git: &Git,
    options: &Options,
    manifest: &Manifest,
    branch: &str,
) -> Result<Sorted, Failure> {
    git.head().map_err(|error| {
        Failure::usage(
            format!("the repository has no commit yet ({error})"),
            "make a first commit, from which the branch starts",
        )
        .safe(UNTOUCHED)
    })?;
    if let Some(words) = git.in_the_middle().map_err(refused)? {
        return Err(Failure::usage(
            format!("git is in the middle of {words}"),
            "end it or take it back, then run the command again: the version is to be a commit of its own",
        )
        .safe(UNTOUCHED));
    }
    let staged = git.staged().map_err(refused)?;
    if !staged.is_empty() {
        return Err(Failure::usage(
            format!("something is staged already: {}", staged.join(", ")),
            "commit it, or take it back with `git restore --staged .`: the version is to be a commit of its own",
        )
        .safe(UNTOUCHED));
    }
    if git.has_branch(branch).map_err(refused)? {
        return Err(Failure::usage(
            format!("there is a branch {branch} already"),
            format!("look at it; if it is not needed any more, `git branch -D {branch}`"),
        )
        .safe(UNTOUCHED));
    }
    let places = places(git, options)?;
    let changed = git.changed().map_err(refused)?;
    let gone = gone(git, &places, &changed);
    let is_ours = |file: &String| {
        let mut places = places.paths.iter();
        places.any(|place| is_below(file, place)) || gone.contains(file)
    };
    let (ours, left): (Vec<_>, Vec<_>) = changed.into_iter().partition(is_ours);
    refuse_submodules(&places, &left)?;
    let folder = options.root.join(&options.versions).join(manifest.folder());
    let version = git.name(folder.as_std_path()).map(|name| name + "/");
    let is_new = |folder: &String| ours.iter().any(|file| file.starts_with(folder));
    if !version.as_ref().is_some_and(is_new) {
        return Err(Failure::usage(
            format!(
                "{} has nothing to commit: it is in the last commit, or git ignores it",
                manifest.folder()
            ),
            format!("`cargo zdm review {}` prints its page", manifest.name),
        )
        .safe(UNTOUCHED));
    }
    refuse_others(git, options, manifest, &ours)?;
    Ok(Sorted { ours, left })
}

/// The code and the list of checksums know every version there is, so a commit of one of two would not be whole.
fn refuse_others(
    git: &Git,
    options: &Options,
    manifest: &Manifest,
    ours: &[String],
) -> Result<(), Failure> {
    let versions = options.root.join(&options.versions).into_std_path_buf();
    let Some(name) = git.name(&versions) else {
        return Ok(());
    };
    let below = ours.iter().filter_map(|file| {
        let below = file.strip_prefix(&name)?;
        Some(below.trim_start_matches('/').split_once('/')?.0)
    });
    // A version that was generated again under another name left a folder that is not there any more.
    let mut others = below.filter(|folder| {
        *folder != manifest.folder() && versions.join(folder).join("plan.toml").is_file()
    });
    let Some(other) = others.next() else {
        return Ok(());
    };
    Err(Failure::usage(
        format!(
            "{other} has changes too that are not committed, and the generated code knows both versions"
        ),
        format!(
            "commit them first if they are to be merged first; to review both one after the other, take back what {} and {other} share and \
             generate the second when the first is committed",
            manifest.folder()
        ),
    )
    .safe(UNTOUCHED))
}

/// What changes in a submodule can only be committed there.
fn refuse_submodules(places: &Places, left: &[String]) -> Result<(), Failure> {
    let holds = |file: &&String| {
        let folder = file.trim_end_matches('/');
        places
            .paths
            .iter()
            .any(|place| place != folder && is_below(place, folder))
    };
    let Some(submodule) = left.iter().find(holds) else {
        return Ok(());
    };
    let submodule = submodule.trim_end_matches('/');
    Err(Failure::usage(
        format!(
            "the submodule {submodule} holds models and has changed: its files cannot be in a commit of this repository"
        ),
        format!(
            "commit in {submodule}, then commit here that it has moved (`git add {submodule}`), and run the command again"
        ),
    )
    .safe(UNTOUCHED))
}

fn is_below(file: &str, place: &str) -> bool {
    let below = file.strip_prefix(place);
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// Changed files that held a model in the last commit, and those that may have led to them.
fn gone(git: &Git, places: &Places, changed: &[String]) -> Vec<String> {
    let held = changed.iter().filter(|file| {
        Path::new(file).extension().is_some_and(|kind| kind == "rs")
            && places
                .models
                .iter()
                .any(|place| place.is_empty() || is_below(file, place))
            && git
                .before(file)
                .is_some_and(|text| text.contains(source::MARK))
    });
    let mut gone = Vec::new();
    for file in held {
        gone.push(file.clone());
        let mut folder = file.as_str();
        while let Some((above, _)) = folder.rsplit_once('/') {
            gone.push(format!("{above}.rs"));
            gone.extend(["mod", "lib", "main"].map(|name| format!("{above}/{name}.rs")));
            folder = above;
        }
    }
    gone
}

/// As git calls them.
struct Places {
    /// Files and folders that belong to a version.
    paths: Vec<String>,
    /// Below these are models.
    models: Vec<String>,
}

fn places(git: &Git, options: &Options) -> Result<Places, Failure> {
    let models = source::read(&options.source)?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in [&options.versions, &options.code, &options.templates] {
        paths.push(options.root.join(folder).into_std_path_buf());
    }
    paths.push(options.root.join(crate::config::FILE).into_std_path_buf());
    let below = match options.source.only.as_slice() {
        [] => vec![models.workspace_root.into_std_path_buf()],
        only => only.to_vec(),
    };
    for model in models.models {
        paths.push(model.file.into_std_path_buf());
        paths.push(model.root_file.into_std_path_buf());
        let way = model.way.into_iter();
        paths.extend(way.map(camino::Utf8PathBuf::into_std_path_buf));
    }
    let enums = models.enums.into_iter();
    paths.extend(enums.map(|found| found.file.into_std_path_buf()));
    let named = |paths: &[PathBuf]| -> Vec<String> {
        paths.iter().filter_map(|path| git.name(path)).collect()
    };
    let (mut paths, models) = (named(&paths), named(&below));
    paths.sort();
    paths.dedup();
    Ok(Places { paths, models })
}

fn not_committed(error: GitError, undone: Result<(), GitError>, branch: &str) -> Failure {
    let safe = match undone {
        Ok(()) => {
            "no branch was left behind, nothing is staged or committed, and the files are as they were, except for what a hook has written"
                .to_owned()
        }
        Err(error) => format!(
            "nothing is committed and the files are as they were, but you may be on {branch} still, with files staged: {error}"
        ),
    };
    Failure::findings(
        error,
        "mend what git or the hook says, then run the command again",
    )
    .safe(safe)
}

fn written(path: &Path, body: &str) -> Result<(), Failure> {
    std::fs::write(path, body).map_err(|error| {
        Failure::environment(
            format!("{} cannot be written: {error}", path.display()),
            "make room or rights, then run the command again",
        )
        .safe(UNTOUCHED)
    })
}

fn refused(error: GitError) -> Failure {
    Failure::environment(error, "mend what git says, then run the command again").safe(UNTOUCHED)
}
