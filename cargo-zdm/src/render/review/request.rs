//! A version as a pull request: the commit's message, and the body for who decides.
//!
//! Comes in: the manifest and its review page. Goes out: text, Markdown.
//! Must not know: git, how a pull request is opened.

use std::fmt::Write as _;

use zdm_runtime::manifest::{Direction, Manifest, Route, Step};

/// Longer subjects are cut by what shows them.
const SUBJECT: usize = 72;
/// GitHub takes 65,536 characters.
const BODY: usize = 60_000;

/// The message's first line: `Rename users.name to full_name, and 2 more`.
pub fn subject(manifest: &Manifest) -> String {
    subject_of(&manifest.changes, &manifest.folder())
}

fn subject_of(changes: &[String], folder: &str) -> String {
    let first = changes.first().map_or("", String::as_str);
    let first = first.replace('`', "");
    let mut letters = first.chars();
    let first: String = match letters.next() {
        Some(letter) => letter.to_uppercase().chain(letters).collect(),
        None => format!("Add {folder}"),
    };
    let more = match changes.len() {
        0 | 1 => String::new(),
        all => format!(", and {} more", all - 1),
    };
    let length = |text: &str| text.chars().count();
    if length(&first) + length(&more) <= SUBJECT {
        return first + &more;
    }
    let mut short = String::new();
    for word in first.split(' ') {
        if length(&short) + 1 + length(word) + length(" …") + length(&more) > SUBJECT {
            break;
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
    }
    format!("{short} …{more}")
}

/// The whole message.
pub fn message(manifest: &Manifest) -> String {
    let mut message = subject(manifest);
    message.push_str("\n\n");
    for change in &manifest.changes {
        let _ = writeln!(message, "- {change}");
    }
    let _ = writeln!(message, "\n{}", why(manifest.route));
    let waiting: Vec<_> = waiting(manifest).collect();
    if waiting.is_empty() {
        message.push_str("\nNo statement keeps writers waiting.\n");
    } else {
        message.push_str("\nWriters wait for:\n\n");
    }
    for step in waiting {
        let folder = step.section.folder();
        let _ = writeln!(message, "- {folder}: {} ({})", step.summary, step.lock);
    }
    let _ = writeln!(
        message,
        "\nVersion: {} ({})",
        manifest.folder(),
        manifest.id
    );
    message
}

/// The pull request's body: what decides, the checklist by time, then the page. `folder` is the version's, as git calls it.
pub fn body(manifest: &Manifest, page: &str, folder: &str) -> String {
    let mut body = String::new();
    for change in &manifest.changes {
        let _ = writeln!(body, "- {change}");
    }
    let long = waiting(manifest).filter(|step| step.scans || step.rewrites);
    let (all, long) = (waiting(manifest).count(), long.count());
    let _ = writeln!(
        body,
        "\n{}\n\n**Writers wait** for {}, {} of them while a whole table is read or written.\n",
        why(manifest.route),
        match all {
            1 => "1 statement".to_owned(),
            all => format!("{all} statements"),
        },
        match long {
            0 => "none".to_owned(),
            long => long.to_string(),
        },
    );
    if let Some(point) = section(page, NO_RETURN) {
        let _ = writeln!(body, "**Point of no return:** {}\n", point.trim());
    }
    checklist(
        &mut body,
        manifest,
        section(page, CHECKLIST).unwrap_or_default(),
    );
    let mut rest = page.to_owned();
    for taken in [NO_RETURN, CHECKLIST] {
        if let Some(text) = section(page, taken) {
            rest = rest.replacen(&format!("{taken}{text}"), "", 1);
        }
    }
    // The title and the changes stand above.
    let rest = rest
        .find("\n| | |\n")
        .map_or(rest.as_str(), |at| &rest[at + 1..]);
    body.push_str(&unlinked(rest, folder));
    shortened(body, folder)
}

const NO_RETURN: &str = "## Point of no return\n\n";
const CHECKLIST: &str = "## Checklist\n\n";

/// What stands below a heading, up to the next.
fn section<'p>(page: &'p str, heading: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(heading)?;
    let end = rest.find("\n## ").map_or(rest.len(), |at| at + 1);
    Some(&rest[..end])
}

fn waiting(manifest: &Manifest) -> impl Iterator<Item = &Step> {
    let steps = manifest.steps.iter();
    steps.filter(|step| step.direction == Direction::Up && step.blocks_writers)
}

fn why(route: Route) -> &'static str {
    match route {
        Route::Direct => {
            "Expand alone: the code from before goes on working beside it. One deploy."
        }
        Route::ExpandContract => {
            "Expand and contract: nothing has two sides, but something goes, once no instance names it any more. One deploy."
        }
        Route::Rename => {
            "Expand, other names, contract: the names change between two deploys, when no instance of the code from before is left."
        }
        Route::FivePhases => {
            "Five phases: values get a new side while the code from before and the new one run side by side, so both sides are \
             written before anybody reads new, and old goes when nobody names it. Two deploys."
        }
    }
}

fn checklist(body: &mut String, manifest: &Manifest, before: &str) {
    let name = &manifest.name;
    let _ = write!(
        body,
        "## Checklist\n\n### Before the merge\n\n{}\n",
        before.trim()
    );
    if manifest.route != Route::Direct {
        body.push_str("- [ ] `cargo zdm rehearse` has gone the whole way and back\n");
    }
    body.push_str("\n### Phase by phase, in every environment\n\n");
    body.push_str("- [ ] expand: `cargo zdm advance --before-deploy`\n- [ ] the new code is deployed, and no instance of the one before is left\n");
    match manifest.route {
        Route::Direct => return body.push('\n'),
        Route::ExpandContract => {
            body.push_str(
                "\n### After\n\n- [ ] contract: `cargo zdm advance`, once no old code is left\n",
            );
        }
        Route::Rename => {
            body.push_str("- [ ] the new names: `cargo zdm advance`, to `complete`\n");
        }
        Route::FivePhases => {
            body.push_str("- [ ] dual write, backfill, verification, reads: `cargo zdm advance --watch`, to `complete`\n");
        }
    }
    if matches!(manifest.route, Route::Rename | Route::FivePhases) {
        let _ = write!(
            body,
            "\n### After\n\n- [ ] `cargo zdm finalize {name}`: the second pull request, deployed everywhere\n\
             - [ ] contract: `cargo zdm advance`, after the soak time\n"
        );
    }
    if let Some(keep) = &manifest.keep {
        let _ = writeln!(
            body,
            "- [ ] what was kept is dropped {} later: `cargo zdm advance`",
            keep.window()
        );
    }
    body.push('\n');
}

/// A pull request does not stand in the version's folder, so links of the page lead nowhere: the whole path in their place.
fn unlinked(page: &str, folder: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, behind)) = rest.split_once("[`") {
        text.push_str(before);
        let link = behind.split_once("`](").and_then(|(shown, behind)| {
            let (target, behind) = behind.split_once(')')?;
            (!shown.contains('`') && !shown.contains('\n')).then_some((target, behind))
        });
        if let Some((target, behind)) = link {
            let _ = write!(text, "`{folder}/{target}`");
            rest = behind;
        } else {
            text.push_str("[`");
            rest = behind;
        }
    }
    text.push_str(rest);
    text
}

fn shortened(mut body: String, folder: &str) -> String {
    if body.len() > BODY {
        let most = body.floor_char_boundary(BODY);
        let end = body[..most].rfind("\n## ").map_or(most, |at| at + 1);
        body.truncate(end);
        let _ = writeln!(
            body,
            "\nThe rest is too long for this place: `{folder}/README.md`"
        );
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_fits_its_line() {
        let of = |changes: &[&str]| {
            let changes: Vec<String> = changes.iter().map(|&change| change.to_owned()).collect();
            subject_of(&changes, "0002_x")
        };
        let rename = "rename `users.name` to `full_name`";
        assert_eq!(of(&[rename]), "Rename users.name to full_name");
        assert_eq!(
            of(&[rename, rename, rename]),
            "Rename users.name to full_name, and 2 more"
        );
        let long = format!("drop the column `{}`", "a.b and ".repeat(20));
        let short = of(&[&long, rename]);
        assert!(
            short.starts_with("Drop the column a.b and ") && short.ends_with(" …, and 1 more"),
            "{short}"
        );
        assert!(short.chars().count() <= SUBJECT);
    }

    #[test]
    fn links_become_paths() {
        let page = "[`up.sql`](1_expand/up.sql) · [`down.sql`](1_expand/down.sql), `a`[`1`]\n";
        assert_eq!(
            unlinked(page, "zdm/0002_x"),
            "`zdm/0002_x/1_expand/up.sql` · `zdm/0002_x/1_expand/down.sql`, `a`[`1`]\n"
        );
    }

    #[test]
    fn a_section_ends_at_the_next() {
        let page = "# x\n\n## Checklist\n\n- [ ] a\n\n## Next\n\nb\n";
        assert_eq!(section(page, CHECKLIST), Some("- [ ] a\n\n"));
        assert_eq!(section(page, "## Next\n\n"), Some("b\n"));
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_section() {
        let body = format!(
            "start\n## a\n{}\n## b\n{}",
            "é".repeat(20_000),
            "é".repeat(20_000)
        );
        let short = shortened(body, "zdm/0002_x");
        assert!(short.len() < BODY + 200);
        assert!(
            short.ends_with("é\n\nThe rest is too long for this place: `zdm/0002_x/README.md`\n")
        );
        assert!(!short.contains("## b"));
    }
}
