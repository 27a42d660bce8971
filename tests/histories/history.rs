//! What is given: dumps, and what was renamed between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Which steps are run.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    project: Option<String>,
    steps: Option<(usize, usize)>,
}

impl Wanted {
    /// `crates-io`, `crates-io:12`, `crates-io:12-40`; everything where it is empty.
    pub(crate) fn parse(text: &str) -> Self {
        let (project, steps) = text.split_once(':').unwrap_or((text, ""));
        let number = |text: &str| -> usize {
            text.parse()
                .unwrap_or_else(|error| panic!("ZDM_HISTORY: {text}: {error}"))
        };
        Self {
            project: (!project.is_empty()).then(|| project.to_owned()),
            steps: (!steps.is_empty()).then(|| {
                let (first, last) = steps.split_once('-').unwrap_or((steps, steps));
                (number(first), number(last))
            }),
        }
    }

    fn wants(&self, truth: &Truth) -> bool {
        self.project
            .as_ref()
            .is_none_or(|project| *project == truth.project)
            && self
                .steps
                .is_none_or(|(first, last)| (first..=last).contains(&truth.n))
    }
}

/// A project's versions.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) project: String,
    steps: Vec<Step>,
}

/// From one version to the next.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The number of the version that is reached.
    pub(crate) number: usize,
    from: PathBuf,
    to: PathBuf,
    /// What was renamed.
    pub(crate) renamed: Vec<Renamed>,
}

/// A table or a column that kept its rows under another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renamed {
    /// The table's name after the step.
    pub(crate) table: String,
    /// The column's; `None` where the table itself was renamed.
    pub(crate) column: Option<String>,
    pub(crate) old: String,
}

#[derive(Deserialize)]
struct Truth {
    project: String,
    n: usize,
    from: String,
    to: String,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    kind: String,
    table: Option<String>,
    column: Option<String>,
    old: Option<String>,
}

impl History {
    /// The histories below a folder, as `versions.jsonl` in it lists them.
    pub(crate) fn below(folder: &str, wanted: &Wanted) -> Vec<Self> {
        let folder = Path::new(folder);
        let list = folder.join("versions.jsonl");
        let list = std::fs::read_to_string(&list)
            .unwrap_or_else(|error| panic!("{}: {error}", list.display()));
        let mut histories: BTreeMap<String, Self> = BTreeMap::new();
        for line in list.lines().filter(|line| !line.trim().is_empty()) {
            let truth: Truth = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("versions.jsonl: {error}: {line}"));
            if !wanted.wants(&truth) {
                continue;
            }
            let history = histories
                .entry(truth.project.clone())
                .or_insert_with(|| Self {
                    project: truth.project.clone(),
                    steps: Vec::new(),
                });
            history.steps.push(Step {
                number: truth.n,
                from: folder.join(&truth.from),
                to: folder.join(&truth.to),
                renamed: truth.changes.into_iter().filter_map(renamed).collect(),
            });
        }
        assert!(!histories.is_empty(), "no history is wanted");
        histories.into_values().collect()
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The schema that has the project's tables: the one that most of the last dump's are in.
    pub(crate) fn schema(&self) -> String {
        let folder = self.steps[0].to.parent().unwrap_or(Path::new(""));
        let dumps = std::fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let last = dumps.map(|entry| entry.unwrap().path()).max();
        let text = read(&last.unwrap_or_default());
        let counts = tables_by_schema(&text);
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.map_or("public", |(schema, _)| schema).to_owned()
    }
}

/// How many tables of each schema a dump has.
fn tables_by_schema(dump: &str) -> BTreeMap<&str, usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in dump.lines() {
        let schema = line
            .strip_prefix("CREATE TABLE ")
            .and_then(|rest| rest.split_once('.'));
        if let Some((schema, _)) = schema {
            *counts.entry(schema).or_default() += 1;
        }
    }
    counts
}

impl Step {
    pub(crate) fn before(&self) -> String {
        read(&self.from)
    }

    pub(crate) fn after(&self) -> String {
        read(&self.to)
    }

    /// The schemas that have tables before or after it, and the project's own.
    pub(crate) fn schemas(&self, own: &str) -> BTreeSet<String> {
        let mut schemas = BTreeSet::from([own.to_owned()]);
        for dump in [self.before(), self.after()] {
            schemas.extend(tables_by_schema(&dump).into_keys().map(str::to_owned));
        }
        schemas
    }

    /// The same step, with nothing renamed in it.
    pub(crate) fn without_renames(&self) -> Self {
        Self {
            renamed: Vec::new(),
            ..self.clone()
        }
    }

    /// The same step with the columns' new names alone, in tables under their old ones.
    pub(crate) fn renaming_columns(&self) -> Self {
        let mut columns: Vec<Renamed> = self.renamed.clone();
        columns.retain(|renamed| renamed.column.is_some());
        for renamed in &mut columns {
            renamed.table = self.old_table(&renamed.table).to_owned();
        }
        Self {
            renamed: columns,
            ..self.clone()
        }
    }

    /// The same step with the tables' new names alone.
    pub(crate) fn renaming_tables(&self) -> Self {
        let mut tables = self.renamed.clone();
        tables.retain(|renamed| renamed.column.is_none());
        Self {
            renamed: tables,
            ..self.clone()
        }
    }

    /// A statement over what is there after the step, in the names from before.
    pub(crate) fn in_old_words(&self, statement: &str) -> String {
        let named = |renamed: &&Renamed| !in_words(statement, &renamed.table, "").eq(statement);
        let here = self.renamed.iter().filter(named);
        here.fold(statement.to_owned(), |text, renamed| {
            let name = renamed.column.as_ref().unwrap_or(&renamed.table);
            in_words(&text, name, &renamed.old)
        })
    }

    /// What the table was called before.
    pub(crate) fn old_table<'a>(&'a self, table: &'a str) -> &'a str {
        let renamed = self.renamed.iter();
        renamed
            .clone()
            .find(|renamed| renamed.column.is_none() && renamed.table == table)
            .map_or(table, |renamed| &renamed.old)
    }

    /// What the column of a table was called before.
    pub(crate) fn old_column<'a>(&'a self, table: &str, column: &'a str) -> &'a str {
        let renamed = self.renamed.iter();
        renamed
            .clone()
            .find(|renamed| renamed.column.as_deref() == Some(column) && renamed.table == table)
            .map_or(column, |renamed| &renamed.old)
    }
}

fn renamed(change: Change) -> Option<Renamed> {
    let bare = |name: String| match name.rsplit_once('.') {
        Some((_, bare)) => bare.to_owned(),
        None => name,
    };
    let table = bare(change.table?);
    let old = change.old?;
    match change.kind.as_str() {
        "rename_table" => Some(Renamed {
            table,
            column: None,
            old: bare(old),
        }),
        "rename_column" => Some(Renamed {
            table,
            column: Some(change.column?),
            old,
        }),
        _ => None,
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text with every whole word `was` replaced.
pub(crate) fn in_words(text: &str, was: &str, now: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(was) {
        let (head, tail) = (&rest[..at], &rest[at + was.len()..]);
        let whole = !head.ends_with(is_word) && !tail.starts_with(is_word);
        made.push_str(head);
        made.push_str(if whole { now } else { was });
        rest = tail;
    }
    made + rest
}
