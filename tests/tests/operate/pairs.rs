//! Version folders written by hand: the plan's conventions, spelled out for a table, a key and a pair of columns.

use std::collections::BTreeMap;
use std::path::Path;

use zdm_runtime::database::Dialect;
use zdm_runtime::manifest::{Backfill, Direction, FORMAT, Manifest, Route, Step};
use zdm_runtime::migration::{Migration, hash, section_file};
use zdm_runtime::phase::Section;

/// A version that is being written.
pub(crate) struct Version {
    pub(crate) manifest: Manifest,
    pub(crate) files: BTreeMap<String, String>,
}

impl Version {
    pub(crate) fn of(dialect: Dialect) -> Self {
        Self {
            manifest: Manifest {
                format: FORMAT,
                id: "0123456789ab".to_owned(),
                version: 2,
                name: "users".to_owned(),
                parent: None,
                after: Vec::new(),
                needed_by: Vec::new(),
                for_good: Vec::new(),
                dialect: dialect.name().to_owned(),
                route: Route::FivePhases,
                reversible: true,
                tables: vec!["users".to_owned()],
                reasons: Vec::new(),
                changes: Vec::new(),
                transitions: String::new(),
                steps: Vec::new(),
                backfills: Vec::new(),
                pairs: Vec::new(),
                creates: BTreeMap::new(),
                drops: BTreeMap::new(),
                retyped: BTreeMap::new(),
                described: BTreeMap::new(),
                merged: Vec::new(),
                moved: Vec::new(),
                renames: BTreeMap::new(),
                renamed_keys: BTreeMap::new(),
                exchanged_keys: BTreeMap::new(),
                refers: BTreeMap::new(),
                refers_to: BTreeMap::new(),
                unkeyed: BTreeMap::new(),
                acts: BTreeMap::new(),
                nets: BTreeMap::new(),
                keep: None,
                no_keep: false,
                exchanges: Vec::new(),
                enums: Vec::new(),
                files: BTreeMap::new(),
            },
            files: BTreeMap::new(),
        }
    }

    /// Appends a statement to a section's file.
    pub(crate) fn step(&mut self, section: Section, direction: Direction, sql: &str) -> &mut Step {
        let content = self
            .files
            .entry(section_file(section, direction))
            .or_default();
        content.push_str("-- What follows.\n");
        let first = lines(content) + 1;
        content.push_str(sql);
        content.push('\n');
        let last = lines(content);
        let number = u32::try_from(self.manifest.steps_of(section, direction).count()).unwrap() + 1;
        self.manifest.steps.push(Step {
            section,
            direction,
            number,
            lines: (first, last),
            summary: sql.to_owned(),
            table: "users".to_owned(),
            lock: "ACCESS EXCLUSIVE".to_owned(),
            blocks_writers: true,
            scans: false,
            rewrites: false,
            transactional: true,
            builds_index: None,
            expects: Vec::new(),
            undoes: None,
            loses: None,
            source: "src/models.rs:1".to_owned(),
            index: None,
            uses: Vec::new(),
            prepared: false,
            repeatable: false,
            also_locks: Vec::new(),
            small: Vec::new(),
        });
        self.manifest.steps.last_mut().unwrap()
    }

    /// A statement and the one that takes it back.
    pub(crate) fn reversible(&mut self, section: Section, up: &str, down: &str) {
        let number = self.step(section, Direction::Up, up).number;
        self.step(section, Direction::Down, down).undoes = Some(number);
    }

    /// Writes the folder.
    pub(crate) fn write(&self, folder: &Path) {
        let mut manifest = self.manifest.clone();
        for (name, content) in &self.files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
            manifest.files.insert(name.clone(), hash(content));
        }
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(
            folder.join("plan.toml"),
            toml::to_string(&manifest).unwrap(),
        )
        .unwrap();
    }

    pub(crate) fn load(&self) -> Migration {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        Migration::load(folder.path()).unwrap()
    }
}

fn lines(content: &str) -> u32 {
    u32::try_from(content.lines().count()).unwrap()
}

/// A key column: its name and its type.
pub(crate) type KeyColumn = (&'static str, &'static str);

/// An old and a new column, and what leads from one to the other.
pub(crate) struct Pair {
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
    pub(crate) new_type: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
    /// Where the value has no conversion, and its type.
    pub(crate) invalid: Option<&'static str>,
    pub(crate) on_invalid: &'static str,
}

/// A version that adds the pair's new column to `users` and fills it.
pub(crate) fn version(dialect: Dialect, key: &[KeyColumn], pair: &Pair) -> Version {
    let mut version = Version::of(dialect);
    let (old, new, up, down) = (pair.old, pair.new, pair.up, pair.down);
    version.reversible(
        Section::Expand,
        &format!("ALTER TABLE users ADD COLUMN {new} {};", pair.new_type),
        &format!("ALTER TABLE users DROP COLUMN {new};"),
    );
    let consistent =
        format!("(({up}) IS NOT DISTINCT FROM {new} OR ({down}) IS NOT DISTINCT FROM {old})");
    let list = columns(key, str::to_owned);
    let texts = columns(key, |name| format!("CAST(r.{name} AS text)"));
    let backwards = columns(key, |name| format!("{name} DESC"));
    // Qualified: a bare name in ORDER BY would mean the text in the select list.
    let last_first = columns(key, |name| format!("r.{name} DESC"));
    let range = format!(
        "({list}) >= ({}) AND ({list}) <= ({})",
        parameters(key, 1),
        parameters(key, key.len() + 1)
    );
    let ends = [("l", list.clone()), ("g", backwards.clone())]
        .map(|(name, order)| {
            format!("(SELECT {list} FROM users ORDER BY {order} LIMIT 1) AS {name}")
        })
        .join(", ");
    let bounds = format!(
        "SELECT {}, {} FROM {ends}",
        columns(key, |name| format!("CAST(l.{name} AS text)")),
        columns(key, |name| format!("CAST(g.{name} AS text)"))
    );
    let boundary = format!(
        "SELECT {texts} FROM (SELECT {list} FROM users WHERE {range} ORDER BY {list} LIMIT ${}) AS r \
         ORDER BY {last_first} LIMIT 1",
        key.len() * 2 + 1
    );
    let mut file = |name: &str, sql: String| {
        let path = format!("3_backfill/{name}.sql");
        version.files.insert(path.clone(), sql);
        path
    };
    let backfill = Backfill {
        table: "users".to_owned(),
        key: key.iter().map(|(name, _)| (*name).to_owned()).collect(),
        columns: vec![new.to_owned()],
        bounds: file("bounds", bounds),
        boundary: file("boundary", boundary),
        count: file("count", format!("SELECT count(*) FROM users WHERE {range}")),
        batch: file(
            "batch",
            format!("UPDATE users SET {new} = {up} WHERE {range} AND NOT {consistent}"),
        ),
        reverse: Some(file(
            "reverse",
            format!("UPDATE users SET {old} = {down} WHERE {range} AND NOT {consistent}"),
        )),
        verify: file(
            "verify",
            format!(
                "SELECT count(*), count(CASE WHEN NOT {consistent} THEN 1 END) FROM users WHERE {range}"
            ),
        ),
        mismatches: file(
            "mismatches",
            format!("SELECT {texts}, '{new}' FROM users AS r WHERE {range} AND NOT {consistent}"),
        ),
        computed: None,
        address: None,
        checksums: Some(file(
            "checksums",
            checksums(dialect, key, pair, &range, &consistent),
        )),
        invalid: pair.invalid.map(|invalid| {
            file(
                "invalid",
                format!(
                    "SELECT {texts}, '{new}', 'text' FROM users AS r WHERE {range} AND ({invalid})"
                ),
            )
        }),
        on_invalid: pair.on_invalid.to_owned(),
        optional: vec![new.to_owned()],
    };
    version.manifest.backfills.push(backfill);
    version
}

/// Out of the tool's own template.
fn checksums(
    dialect: Dialect,
    key: &[KeyColumn],
    pair: &Pair,
    range: &str,
    consistent: &str,
) -> String {
    let key: Vec<&str> = key.iter().map(|(name, _)| *name).collect();
    let view = serde_json::json!({
        "table": "users", "rows": "users", "range": range, "consistent": consistent, "key": key,
        "sides": [{ "old": pair.up, "new": pair.new }],
    });
    let dialect = cargo_zdm::dialect::Dialect::named(dialect.name()).unwrap();
    dialect.render("backfill/checksums", view).unwrap()
}

fn columns(key: &[KeyColumn], each: impl Fn(&str) -> String) -> String {
    let columns: Vec<String> = key.iter().map(|(name, _)| each(name)).collect();
    columns.join(", ")
}

fn parameters(key: &[KeyColumn], first: usize) -> String {
    let parameters: Vec<String> = key
        .iter()
        .enumerate()
        .map(|(at, (_, kind))| format!("CAST(${} AS {kind})", first + at))
        .collect();
    parameters.join(", ")
}
