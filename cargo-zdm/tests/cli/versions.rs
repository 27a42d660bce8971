//! Two versions written by hand, so that the commands are tested apart from the generator: a table, then a renamed
//! column in five phases. The SQL is the same for both databases.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use camino::Utf8Path;
use cargo_zdm::dialect::Dialect;
use cargo_zdm::files::FileTree;
use cargo_zdm::versions::History;
use zdm_runtime::manifest::{Backfill, Direction, FORMAT, Manifest, Route, Step};
use zdm_runtime::migration::{PLAN_FILE, hash, section_file};
use zdm_runtime::phase::Section;

/// The creating version's id.
pub(crate) const INIT: &str = "1111aaaa1111";
/// The rename's id.
pub(crate) const RENAME: &str = "2222bbbb2222";
/// The third version's id.
const SPARE: &str = "3333cccc3333";

const KEY_RANGE: &str = "id BETWEEN CAST($1 AS BIGINT) AND CAST($2 AS BIGINT)";

/// Writes both versions below `zdm/`.
pub(crate) fn write(zdm: &Path, dialect: &str) {
    chain(zdm, [init(dialect), rename(dialect)]);
}

/// Writes the creating version alone, as a checkout from before the rename has it.
pub(crate) fn write_first(zdm: &Path, dialect: &str) {
    chain(zdm, [init(dialect)]);
}

/// Writes both, the rename without its way back from `complete`.
pub(crate) fn write_one_way(zdm: &Path, dialect: &str) {
    let mut rename = rename(dialect);
    rename.manifest.reversible = false;
    for backfill in &mut rename.manifest.backfills {
        rename.files.remove(&backfill.reverse.take().unwrap());
    }
    chain(zdm, [init(dialect), rename]);
}

/// Writes both, the second one as a change that only drops later what no code names.
pub(crate) fn write_without_dual_writes(zdm: &Path, dialect: &str) {
    let mut rename = rename(dialect);
    rename.manifest.route = Route::ExpandContract;
    chain(zdm, [init(dialect), rename]);
}

/// Writes both, and a third that makes a table and drops it, in two phases.
pub(crate) fn write_three(zdm: &Path, dialect: &str) {
    let mut spare = Version::new(3, "spare", SPARE, dialect, Route::ExpandContract);
    spare.manifest.parent = Some(RENAME.to_owned());
    spare.section(
        Section::Expand,
        &[("CREATE TABLE spare (id BIGINT);", "DROP TABLE spare;")],
    );
    spare.section(
        Section::Drop,
        &[("DROP TABLE spare;", "CREATE TABLE spare (id BIGINT);")],
    );
    chain(zdm, [init(dialect), rename(dialect), spare]);
}

/// As `finalize` does it: the checked-in code of the rename names only new.
pub(crate) fn finalize(zdm: &Path) {
    let zdm = Utf8Path::from_path(zdm).unwrap();
    let mut history = History::open(zdm).unwrap();
    let tree = history.make_final(&[RENAME.to_owned()]);
    tree.write(zdm).unwrap();
}

/// Puts the versions and their `zdm.sum` in place of what is there.
fn chain<const N: usize>(zdm: &Path, versions: [Version; N]) {
    std::fs::remove_dir_all(zdm).unwrap();
    let zdm = Utf8Path::from_path(zdm).unwrap();
    let mut history = History::open(zdm).unwrap();
    for version in versions {
        let (manifest, files) = version.finished();
        let tree = history.append(manifest, files, false).unwrap();
        tree.write(zdm).unwrap();
    }
}

fn init(dialect: &str) -> Version {
    let mut init = Version::new(1, "init", INIT, dialect, Route::Direct);
    init.section(
        Section::Expand,
        &[(
            "CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT);",
            "DROP TABLE users;",
        )],
    );
    init.section_add(
        Section::Expand,
        "CREATE INDEX users_name ON users (name);",
        "DROP INDEX users_name;",
    );
    init
}

fn rename(dialect: &str) -> Version {
    let mut rename = Version::new(2, "users_full_name", RENAME, dialect, Route::FivePhases);
    rename.manifest.parent = Some(INIT.to_owned());
    rename.section(
        Section::Expand,
        &[(
            "ALTER TABLE users ADD COLUMN full_name TEXT;",
            "ALTER TABLE users DROP COLUMN full_name;",
        )],
    );
    rename.section(
        Section::SwitchReads,
        &[(
            "CREATE INDEX users_full_name ON users (full_name);",
            "DROP INDEX users_full_name;",
        )],
    );
    rename.section(
        Section::Release,
        &[(
            "DROP INDEX users_name;",
            "CREATE INDEX users_name ON users (name);",
        )],
    );
    rename.section(
        Section::Drop,
        &[(
            "ALTER TABLE users DROP COLUMN name;",
            "ALTER TABLE users ADD COLUMN name TEXT;",
        )],
    );
    rename.backfill();
    rename
        .files
        .insert("README.md".to_owned(), "# Rename\n".to_owned());
    rename
}

struct Version {
    manifest: Manifest,
    files: BTreeMap<String, String>,
}

impl Version {
    fn new(version: u32, name: &str, id: &str, dialect: &str, route: Route) -> Self {
        let manifest = Manifest {
            format: FORMAT,
            id: id.to_owned(),
            version,
            name: name.to_owned(),
            parent: None,
            after: Vec::new(),
            needed_by: Vec::new(),
            for_good: Vec::new(),
            dialect: dialect.to_owned(),
            route,
            reversible: true,
            tables: vec!["users".to_owned()],
            reasons: Vec::new(),
            changes: vec![name.replace('_', " ")],
            transitions: "0000000000000000".to_owned(),
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
        };
        Self {
            manifest,
            files: BTreeMap::new(),
        }
    }

    fn section(&mut self, section: Section, statements: &[(&str, &str)]) {
        for (up, down) in statements {
            self.section_add(section, up, down);
        }
    }

    fn section_add(&mut self, section: Section, up: &str, down: &str) {
        for (direction, sql) in [(Direction::Up, up), (Direction::Down, down)] {
            let file = self
                .files
                .entry(section_file(section, direction))
                .or_default();
            let line = u32::try_from(file.lines().count()).unwrap() + 1;
            writeln!(file, "{sql}").unwrap();
            self.manifest.steps.push(Step {
                section,
                direction,
                number: line,
                lines: (line, line),
                summary: sql.to_owned(),
                table: "users".to_owned(),
                lock: "ACCESS EXCLUSIVE".to_owned(),
                blocks_writers: true,
                scans: false,
                rewrites: false,
                transactional: true,
                builds_index: None,
                expects: Vec::new(),
                undoes: (direction == Direction::Down).then_some(line),
                loses: None,
                source: "src/models.rs:1".to_owned(),
                index: None,
                uses: Vec::new(),
                prepared: false,
                repeatable: false,
                also_locks: Vec::new(),
                small: Vec::new(),
            });
        }
    }

    fn backfill(&mut self) {
        let mut file = |name: &str, sql: String| {
            let path = format!("3_backfill/{name}.sql");
            self.files.insert(path.clone(), sql + "\n");
            path
        };
        let view = serde_json::json!({
            "table": "users", "rows": "users", "range": KEY_RANGE, "key": ["id"],
            "consistent": "(name IS NOT DISTINCT FROM full_name)",
            "sides": [{ "old": "name", "new": "full_name" }],
        });
        let dialect = Dialect::named(&self.manifest.dialect).unwrap();
        let checksums = dialect.render("backfill/checksums", view).unwrap();
        let backfill = Backfill {
            table: "users".to_owned(),
            key: vec!["id".to_owned()],
            columns: vec!["full_name".to_owned()],
            bounds: file(
                "bounds",
                "SELECT CAST(min(id) AS TEXT), CAST(max(id) AS TEXT) FROM users HAVING count(*) > 0".to_owned(),
            ),
            boundary: file(
                "boundary",
                format!("SELECT CAST(id AS TEXT) FROM (SELECT id FROM users WHERE {KEY_RANGE} ORDER BY id LIMIT $3) AS range ORDER BY range.id DESC LIMIT 1"),
            ),
            count: file("count", format!("SELECT count(*) FROM users WHERE {KEY_RANGE}")),
            batch: file(
                "batch",
                format!("UPDATE users SET full_name = name WHERE {KEY_RANGE} AND name IS DISTINCT FROM full_name"),
            ),
            reverse: Some(file(
                "reverse",
                format!("UPDATE users SET name = full_name WHERE {KEY_RANGE} AND name IS DISTINCT FROM full_name"),
            )),
            verify: file(
                "verify",
                format!("SELECT count(*), count(*) FILTER (WHERE name IS DISTINCT FROM full_name) FROM users WHERE {KEY_RANGE}"),
            ),
            mismatches: file(
                "mismatches",
                format!("SELECT CAST(id AS TEXT), 'full_name' FROM users WHERE {KEY_RANGE} AND name IS DISTINCT FROM full_name"),
            ),
            checksums: Some(file("checksums", checksums)),
            invalid: None,
            computed: None,
            address: None,
            on_invalid: "total".to_owned(),
            optional: vec!["full_name".to_owned()],
        };
        self.manifest.backfills.push(backfill);
    }

    /// The plan, and the files of the version's folder with it.
    fn finished(mut self) -> (Manifest, FileTree) {
        let mut tree = FileTree::default();
        for (path, content) in self.files {
            if Path::new(&path).extension().is_some_and(|end| end == "sql") {
                self.manifest.files.insert(path.clone(), hash(&content));
            }
            tree.insert(path, content);
        }
        tree.insert(PLAN_FILE, toml::to_string(&self.manifest).unwrap());
        (self.manifest, tree)
    }
}
