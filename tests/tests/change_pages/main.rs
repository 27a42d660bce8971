//! The pages of docs/changes: each kind of change has one, and what a page shows of a case is what is generated for it.
//!
//! `ZDM_BLESS=1` writes anew what stands between a marker and `<!-- end -->`. A marker names a case, then, where it is not
//! PostgreSQL's, the dialect, and the sections that are shown where not all are:
//! `<!-- case: split_table/addresses on sqlite: 1_expand, 3_backfill -->`.

mod difference;
mod shown;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_zdm::changes::KINDS;
use zdm_tests::cases::Case;

use difference::difference;
use shown::Shown;

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/changes");
const LIST: &str = "README.md";
const BEGIN: &str = "<!-- case: ";
const END: &str = "<!-- end -->";

#[test]
fn every_kind_of_change_has_a_page_that_shows_it() {
    let cases = Case::all();
    for kind in KINDS {
        let page = Path::new(PAGES).join(kind.name).with_extension("md");
        let text =
            fs::read_to_string(&page).unwrap_or_else(|_| panic!("{} has no page", kind.name));
        let shown = text
            .split(BEGIN)
            .skip(1)
            .map(|part| Shown::parse(&page, part, &cases));
        let mut plans = shown.filter_map(|shown| shown.case.plan(&shown.dialect).ok());
        assert!(
            plans.any(|plan| plan.explained.iter().any(|change| change.kind == kind.name)),
            "{} shows no change of its kind",
            page.display()
        );
    }
}

#[test]
fn the_list_leads_to_every_page() {
    let list = fs::read_to_string(Path::new(PAGES).join(LIST)).unwrap();
    for (path, _) in pages() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let link = format!("]({name})");
        assert!(
            name == LIST || list.contains(&link),
            "{LIST} does not lead to {name}"
        );
    }
}

#[test]
fn every_link_leads_somewhere() {
    for (path, text) in pages() {
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                Path::new(PAGES).join(file)
            };
            let there = fs::read_to_string(&target);
            let there = there.unwrap_or_else(|_| panic!("{}: no {link}", path.display()));
            assert!(
                heading.is_empty() || anchors(&there).contains(heading),
                "{}: no heading for {link}",
                path.display()
            );
        }
    }
}

#[test]
fn golden_cases_stand_in_pages_as_they_are_generated() {
    let cases = Case::all();
    for (path, text) in pages() {
        let today = today(&path, &text, &cases);
        if std::env::var_os("ZDM_BLESS").is_some() {
            fs::write(&path, today).unwrap();
        } else {
            assert!(
                text == today,
                "{} shows something else than is generated; with ZDM_BLESS=1 it becomes\n{today}",
                path.display()
            );
        }
    }
}

/// The pages with their list, ordered by name.
fn pages() -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(PAGES).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let page = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(page).collect()
}

/// What headings are called in links, as GitHub makes it of them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words
            .chars()
            .filter(|char| char.is_alphanumeric() || " -_".contains(*char));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// The page with its cases as they are generated today. What the structs say stands where a case is shown first.
fn today(path: &Path, text: &str, cases: &[Case]) -> String {
    let mut parts = text.split(BEGIN);
    let before = parts.next().unwrap_or_default().to_owned();
    let mut known = BTreeSet::new();
    let shown = parts.map(|part| {
        let shown = Shown::parse(path, part, cases);
        let difference = if known.insert(&shown.case.name) {
            format!("```diff\n{}```\n\n", difference(shown.case))
        } else {
            String::new()
        };
        let (marker, text, rest) = (shown.marker, shown.text(), shown.rest);
        format!("{BEGIN}{marker} -->\n\n{difference}{text}\n{END}{rest}")
    });
    std::iter::once(before).chain(shown).collect()
}
