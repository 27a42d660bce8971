//! What a marker of a page asks for, and what is generated for it.

use std::path::Path;

use cargo_zdm::dialect::Dialect;
use zdm_runtime::manifest::Manifest;
use zdm_tests::cases::Case;

use super::END;

/// What a marker asks for.
pub(crate) struct Shown<'a> {
    pub(crate) marker: &'a str,
    pub(crate) case: &'a Case,
    pub(crate) dialect: Dialect,
    /// All where it is empty.
    sections: Vec<&'a str>,
    /// What follows in the page.
    pub(crate) rest: &'a str,
}

impl<'a> Shown<'a> {
    pub(crate) fn parse(path: &Path, part: &'a str, cases: &'a [Case]) -> Self {
        let named = part.split_once(" -->");
        let named = named.and_then(|(marker, rest)| Some((marker, rest.split_once(END)?.1)));
        let (marker, rest) = named.unwrap_or_else(|| panic!("{}: no `{END}`", path.display()));
        let (subject, sections) = marker.split_once(": ").unwrap_or((marker, ""));
        let (name, dialect) = subject.split_once(" on ").unwrap_or((subject, "postgres"));
        let case = cases.iter().find(|case| case.name == name);
        Self {
            marker,
            case: case.unwrap_or_else(|| panic!("{}: no case {name}", path.display())),
            dialect: Dialect::named(dialect).unwrap(),
            sections: sections
                .split(", ")
                .filter(|name| !name.is_empty())
                .collect(),
            rest,
        }
    }

    /// Why there is which phase and what runs, or why nothing does.
    pub(crate) fn text(&self) -> String {
        if self.case.is_refused(&self.dialect) {
            let refused = self.case.plan(&self.dialect).unwrap_err();
            return format!("```text\n{refused}\n```\n");
        }
        let rendered = self.case.rendered(&self.dialect);
        for section in &self.sections {
            let mut paths = rendered.files.keys();
            assert!(
                paths.any(|path| path.starts_with(section)),
                "{}: no {section}",
                self.case.name
            );
        }
        let runs = rendered.files.iter().filter_map(|(path, file)| {
            let runs = path.ends_with("/up.sql") || path.ends_with("/batch.sql");
            let statements = file.split_once("\n\n")?.1.trim();
            (runs && !statements.starts_with("-- Nothing to do here."))
                .then_some((path, statements))
        });
        let (shown, left_out): (Vec<_>, Vec<_>) = runs.partition(|(path, _)| self.shows(path));
        let shown = shown
            .iter()
            .map(|(path, statements)| format!("\n`{path}`\n\n```sql\n{statements}\n```\n"));
        let left_out: Vec<String> = left_out
            .iter()
            .map(|(path, _)| format!("`{path}`"))
            .collect();
        let left_out = if left_out.is_empty() {
            String::new()
        } else {
            format!("\nNot shown here: {}.\n", left_out.join(", "))
        };
        phases(&rendered.manifest) + &shown.collect::<String>() + &left_out
    }

    fn shows(&self, path: &str) -> bool {
        let mut sections = self.sections.iter();
        self.sections.is_empty() || sections.any(|section| path.starts_with(section))
    }
}

fn phases(manifest: &Manifest) -> String {
    let reasons = manifest.reasons.iter();
    let rows =
        reasons.map(|(phase, reason)| format!("| {phase} | {} |\n", reason.replace('|', "\\|")));
    "| phase | why |\n|---|---|\n".to_owned() + &rows.collect::<String>()
}
