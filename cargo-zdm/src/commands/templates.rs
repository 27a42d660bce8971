//! `templates list | eject | diff`: the templates of generated Rust, and a project's own in their place.

use std::fmt::Write as _;

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use super::project::{options, put};
use crate::context::Context;
use crate::difference;
use crate::error::Failure;
use crate::files::FileTree;
use crate::pipeline::{Options, templates};
use crate::render::rust::{BuiltIn, Client, Override, Standing, ejectable};
use crate::terminal::Answer;

/// The templates of generated Rust: list them, write them into the project, compare yours with the built-in ones
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm templates list
  cargo zdm templates eject repository.rs.j2
  cargo zdm templates diff

A file in zdm/templates/ (`templates` under [generate] in zdm.toml) stands in place of the built-in template of that name
wherever code is generated. Needs no database. SQL is not among them: statements are the write protocol.")]
pub(crate) struct Templates {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show all, and which of them are yours
    #[command(after_help = "Example:\n  cargo zdm templates list --format json")]
    List,
    /// Write built-in templates into the project, to be changed there; what you have changed is never overwritten
    #[command(
        after_help = "Examples:\n  cargo zdm templates eject repository.rs.j2 header.rs.j2\n  cargo zdm templates eject --dry-run"
    )]
    Eject {
        /// As `list` shows them; default: all
        name: Vec<String>,
        /// Show which files would be written
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what differs between the built-in templates and yours
    #[command(after_help = "Example:\n  cargo zdm templates diff repository.rs.j2")]
    Diff {
        /// As `list` shows them; default: all that are yours
        name: Vec<String>,
    },
}

impl Templates {
    pub(crate) fn run(self, context: &Context) -> Result<Answer, Failure> {
        let options = options(context, &context.project()?)?;
        let own = templates::read(&options)?;
        match self.action {
            Action::List => list(options.client, &own),
            Action::Eject { name, dry_run } => eject(&options, &own, &name, dry_run),
            Action::Diff { name } => diff(options.client, &own, &name),
        }
    }
}

fn list(client: &Client, own: &[Override]) -> Result<Answer, Failure> {
    let mut lines = String::new();
    let mut objects = Vec::new();
    for template in ejectable(client) {
        let found = in_place_of(own, template);
        let (state, said) = match found.map(Override::standing) {
            None => ("built_in", "built in"),
            Some(Standing::Own) => ("own", "yours"),
            Some(Standing::Same) => ("same", "yours, says what the built-in one says"),
            Some(Standing::Older) => ("older", "yours, from an older built-in one"),
            Some(Standing::Unmarked) => ("unmarked", "yours, from an unknown built-in one"),
        };
        let _ = writeln!(lines, "{:32} {said}", template.file);
        let path = found.map(|found| &found.path);
        objects.push(json!({
            "name": template.file, "state": state, "path": path, "built_in": template.hash(),
        }));
    }
    Answer::done(lines, json!({ "templates": objects }))
}

fn eject(
    options: &Options,
    own: &[Override],
    names: &[String],
    dry_run: bool,
) -> Result<Answer, Failure> {
    let mut files = FileTree::default();
    let mut changed = Vec::new();
    for template in named(options.client, names)? {
        match in_place_of(own, template) {
            Some(found) if found.standing() == Standing::Same => {}
            Some(found) if !found.is_as_ejected() => changed.push(found.path.as_str()),
            _ => files.insert(path_of(options, template), template.ejected()),
        }
    }
    // Who names none means those that are not there yet; who names one means this one.
    if !changed.is_empty() && !names.is_empty() {
        return Err(Failure::usage(
            format!("changed since ejected: {}", changed.join(", ")),
            "compare with `cargo zdm templates diff`; to begin anew, remove the file first",
        )
        .safe("nothing has been written"));
    }
    let (lines, objects) = put(&files, options, dry_run)?;
    let mut text = if objects.is_empty() {
        "nothing to write: they are there\n".to_owned()
    } else {
        format!(
            "{lines}next: change them, keep their first lines, `cargo zdm generate`; remove those that you do not change\n"
        )
    };
    if !changed.is_empty() {
        let _ = writeln!(
            text,
            "left as they are, since you changed them: {}",
            changed.join(", ")
        );
    }
    Answer::done(
        text,
        json!({ "files": objects, "changed": changed, "dry_run": dry_run }),
    )
}

fn diff(client: &Client, own: &[Override], names: &[String]) -> Result<Answer, Failure> {
    let asked = named(client, names)?;
    let mut text = String::new();
    let mut objects: Vec<Value> = Vec::new();
    for template in asked {
        let Some(found) = in_place_of(own, template) else {
            if !names.is_empty() {
                let _ = writeln!(
                    text,
                    "{}: built in, you have none of your own",
                    template.file
                );
            }
            continue;
        };
        let lines = difference::of(template.text, found.body());
        if lines.is_empty() {
            let _ = writeln!(text, "{}: it says what the built-in one says", found.path);
        } else {
            let _ = write!(
                text,
                "--- {}, built in\n+++ {}\n{lines}",
                template.file, found.path
            );
        }
        let older = matches!(found.standing(), Standing::Older | Standing::Unmarked);
        if older {
            let _ = writeln!(
                text,
                "next: take over what is missing, and begin {} with\n{}",
                found.path,
                template.mark().trim_end()
            );
        }
        objects.push(json!({
            "name": template.file, "path": found.path, "older": older, "diff": lines,
            "mark": template.mark().trim_end(),
        }));
    }
    if text.is_empty() {
        text.push_str("every template is the built-in one");
    }
    Answer::done(text, json!({ "templates": objects }))
}

/// Those that are called so, or all; the ending may be left out.
fn named(client: &Client, names: &[String]) -> Result<Vec<&'static BuiltIn>, Failure> {
    let all = ejectable(client);
    if names.is_empty() {
        return Ok(all);
    }
    let mut found = Vec::new();
    for name in names {
        let called = |template: &&&BuiltIn| {
            template.file == name || template.file.strip_suffix(".rs.j2") == Some(name)
        };
        let Some(template) = all.iter().find(called) else {
            return Err(Failure::usage(
                format!("no template is called `{name}`"),
                "name one that `cargo zdm templates list` shows; statements of SQL are the write protocol, and not among them",
            ));
        };
        found.push(*template);
    }
    Ok(found)
}

fn in_place_of<'a>(own: &'a [Override], template: &BuiltIn) -> Option<&'a Override> {
    own.iter().find(|found| found.of == template)
}

fn path_of(options: &Options, template: &BuiltIn) -> Utf8PathBuf {
    options.templates.join(template.file)
}
