//! `zdm.toml`: which database, what to generate, which policy.
//!
//! Comes in: the file. Goes out: [`Config`], with every default filled in.
//! Must not know: the models, any database.

mod ramp;
mod throttle;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use zdm_runtime::By;

use crate::error::Failure;
pub use ramp::basis_points;
pub use throttle::Throttle;

/// The file's name, looked for from the working directory upward.
pub const FILE: &str = "zdm.toml";

/// Whose types the repositories may speak, from the default.
pub const CLIENTS: [&str; 2] = ["sqlx", "diesel-async"];

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[database]`
    #[serde(default)]
    pub database: Database,
    /// `[generate]`
    #[serde(default)]
    pub generate: Generate,
    /// `[policy]`
    #[serde(default)]
    pub policy: Policy,
}

/// `[database]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres` or `sqlite`: what `generate` writes SQL for.
    pub dialect: Option<String>,
    /// The environment variable that holds the URL.
    pub url_env: String,
    /// `[database.roles]`
    pub roles: Roles,
}

/// `[database.roles]`: who may do what, for `roles.sql`; what is not named is named after the crate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    /// Of running code: `<crate>_app`.
    pub application: Option<String>,
    /// Of `backfill` and `verify`: `<crate>_backfill`.
    pub backfill: Option<String>,
    /// Of whatever changes tables or moves a migration: `<crate>_ddl`.
    pub ddl: Option<String>,
}

/// `[generate]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Generate {
    /// Source files with models, relative to the file; empty: the crate's modules are followed.
    pub models: Vec<PathBuf>,
    /// Whose types the repositories speak: `sqlx` or `diesel-async`.
    pub client: String,
    /// Where the Rust code goes.
    pub code: PathBuf,
    /// Where the versions go.
    pub versions: PathBuf,
    /// Where the project's own templates of generated Rust are, if it has any.
    pub templates: PathBuf,
    /// How the folders of SQL are laid out: `zdm`.
    pub layout: String,
    /// Who writes both sides: `app`, generated code alone, or `both`, triggers for everybody else too.
    pub dual_write: String,
    /// Tests of the migrations in transition are generated beside their code. They need zdm-runtime's feature `testing` among the
    /// `[dev-dependencies]`, without which they do not compile: so only where somebody asks for them.
    pub tests: bool,
    /// How long contract can be taken back: old is kept for that time under another name.
    #[serde(deserialize_with = "window")]
    pub keep: Option<Duration>,
}

/// `[policy]`: how fast and how cautiously a database is moved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How long all reads are on new before writes to old end, and before old is dropped.
    #[serde(deserialize_with = "duration")]
    pub soak: Duration,
    /// The shares of reads that go to new, one after the other.
    pub ramp: Vec<String>,
    /// What these are shares of: `key`, or `instance`: some instances read new for all keys.
    #[serde(deserialize_with = "ramp::by")]
    pub ramp_by: By,
    /// How long `advance` stays on each share.
    #[serde(deserialize_with = "duration")]
    pub ramp_dwell: Duration,
    /// So many rows that differ, seen by instances that read, make `advance` take all reads back to old; 0: only people do.
    pub step_back: u32,
    /// How long a statement that blocks writers waits for its lock.
    #[serde(deserialize_with = "duration")]
    pub lock_timeout: Duration,
    /// How long a statement that does not block writers may run (`CREATE INDEX CONCURRENTLY`).
    #[serde(deserialize_with = "duration")]
    pub ddl_deadline: Duration,
    /// How long a change of the stage waits for older transactions, and a statement that blocks writers for long ones.
    #[serde(deserialize_with = "duration")]
    pub drain_timeout: Duration,
    /// How long an instance that was not heard of may still come back and name what goes: old, or new where expand is undone.
    #[serde(deserialize_with = "duration")]
    pub sleepers: Duration,
    /// Instances that the team runs at least: no hop while fewer are registered.
    pub instances: u32,
    /// Gates that this team does without; those that guard data cannot be waived.
    pub waive: Vec<String>,
    /// So many people have to `approve` that old is dropped, beside whoever runs `contract`.
    pub approvals: u32,
    /// Run before `contract`; its exit code 0 confirms that a backup exists.
    pub backup_hook: Option<String>,
    /// Rows of a backfill's first batch; later ones adapt to `statement_target`.
    pub batch_rows: u32,
    /// A verification makes a checksum per side.
    pub checksums: bool,
    /// So many rows a table may hold that `--direct` writes anew at once.
    pub direct_rows: u64,
    /// So many bytes, with its indexes.
    pub direct_bytes: u64,
    /// How long one batch should take.
    #[serde(deserialize_with = "duration")]
    pub statement_target: Duration,
    /// The same while others are at work in the database.
    #[serde(deserialize_with = "duration")]
    pub statement_beside: Duration,
    /// `[policy.throttle]`
    pub throttle: Throttle,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            dialect: None,
            url_env: "DATABASE_URL".to_owned(),
            roles: Roles::default(),
        }
    }
}

impl Default for Generate {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            client: "sqlx".to_owned(),
            code: PathBuf::from("src/zdm"),
            versions: PathBuf::from("zdm"),
            templates: PathBuf::from("zdm/templates"),
            layout: "zdm".to_owned(),
            dual_write: "app".to_owned(),
            tests: false,
            keep: None,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            soak: Duration::from_hours(24),
            ramp: ["1%", "10%", "50%", "100%"].map(str::to_owned).to_vec(),
            ramp_by: By::Key,
            ramp_dwell: Duration::from_mins(10),
            step_back: 0,
            lock_timeout: Duration::from_secs(1),
            ddl_deadline: Duration::from_hours(4),
            drain_timeout: Duration::from_mins(5),
            sleepers: Duration::from_mins(10),
            instances: 0,
            waive: Vec::new(),
            approvals: 0,
            backup_hook: None,
            batch_rows: 1000,
            checksums: true,
            direct_rows: 1000,
            direct_bytes: 8 * 1024 * 1024,
            statement_target: Duration::from_millis(500),
            statement_beside: Duration::from_micros(500),
            throttle: Throttle::default(),
        }
    }
}

impl Generate {
    /// Words that may get more values.
    fn check(&self) -> Result<(), Failure> {
        self.check_client()?;
        if self.layout != "zdm" {
            return Err(Failure::usage(
                format!(
                    "{FILE}, [generate] layout: `{}` is not supported",
                    self.layout
                ),
                "write layout = \"zdm\" or leave the line out",
            ));
        }
        match self.dual_write.as_str() {
            "app" | "both" => Ok(()),
            "trigger" => Err(Failure::usage(
                format!(
                    "{FILE}, [generate] dual_write: generated code never leaves the second side to a trigger: its own statements write \
                     both, behind the fence, and know what one side cannot tell of the other"
                ),
                "write dual_write = \"both\": code writes both sides, and a trigger gives the other one to whoever writes one alone",
            )),
            other => Err(Failure::usage(
                format!("{FILE}, [generate] dual_write: `{other}` is not supported"),
                "write dual_write = \"app\" or dual_write = \"both\", or leave the line out",
            )),
        }
    }

    fn check_client(&self) -> Result<(), Failure> {
        if CLIENTS.contains(&self.client.as_str()) {
            return Ok(());
        }
        let known = CLIENTS.map(|client| format!("client = \"{client}\""));
        Err(Failure::usage(
            format!(
                "{FILE}, [generate] client: `{}` is not supported",
                self.client
            ),
            format!("write {}, or leave the line out", known.join(" or ")),
        ))
    }

    /// Triggers keep what is written twice, whoever writes.
    pub fn has_nets(&self) -> bool {
        self.dual_write == "both"
    }
}

/// Reads `zdm.toml` in `folder` or the nearest folder above, and returns it with the folder that holds it.
pub fn find(folder: &Path) -> Result<(PathBuf, Config), Failure> {
    let Some(root) = folder
        .ancestors()
        .find(|folder| folder.join(FILE).is_file())
    else {
        return Err(Failure::environment(
            format!("there is no {FILE} in {} or above", folder.display()),
            "run `cargo zdm init` in the crate that owns the models, or name its folder with --manifest-path",
        ));
    };
    Ok((root.to_owned(), read(&root.join(FILE))?))
}

/// Reads a `zdm.toml`.
pub fn read(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::environment(
            format!("{} cannot be read: {error}", path.display()),
            "make the file readable and run the command again",
        )
    })?;
    let config: Config = toml::from_str(&text).map_err(|error| {
        Failure::usage(
            format!("{} is not understood: {error}", path.display()),
            "correct the place shown; nothing has been changed",
        )
    })?;
    config.generate.check()?;
    Ok(config)
}

/// Whole seconds, of which there is one at least, up to ten years.
fn window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let window = duration(deserializer)?;
    let longest = Duration::from_hours(24 * 3653);
    if window.subsec_nanos() > 0 || window.is_zero() || window > longest {
        return Err(serde::de::Error::custom(
            "it is kept for whole seconds, up to ten years: write for example \"14d\", or leave the line out",
        ));
    }
    Ok(Some(window))
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!(
            "`{text}` is no duration ({error}): write for example \"1d\", \"10m\" or \"500ms\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_has_all_defaults() {
        let config: Config = toml::from_str("").unwrap();
        assert_eq!(config.database.url_env, "DATABASE_URL");
        assert_eq!(config.policy.soak, Duration::from_hours(24));
        assert_eq!(
            config.policy.ramp_basis_points().unwrap(),
            [100, 1000, 5000, 10_000]
        );
    }

    #[test]
    fn an_unknown_key_is_shown_at_its_place() {
        let error = toml::from_str::<Config>("[policy]\nsoap = \"1d\"\n").unwrap_err();
        let message = error.to_string();
        assert!(message.contains("line 2"), "{message}");
        assert!(message.contains("unknown field `soap`"), "{message}");
    }

    #[test]
    fn a_client_that_is_not_there_is_refused() {
        let config: Config = toml::from_str("[generate]\nclient = \"diesel\"\n").unwrap();
        let failure = config.generate.check().unwrap_err();
        assert!(failure.to_string().contains("`diesel`"), "{failure}");
        let config: Config = toml::from_str("[generate]\nclient = \"diesel-async\"\n").unwrap();
        config.generate.check().unwrap();
    }

    #[test]
    fn a_bad_duration_says_how_to_write_one() {
        let error = toml::from_str::<Config>("[policy]\nsoak = \"soon\"\n").unwrap_err();
        assert!(error.to_string().contains("write for example \"1d\""));
    }

    #[test]
    fn the_file_is_found_upward() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("crates/service/src");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::write(root.path().join(FILE), "[generate]\ncode = \"src/db\"\n").unwrap();
        let (found, config) = find(&below).unwrap();
        assert_eq!(found, root.path());
        assert_eq!(config.generate.code, PathBuf::from("src/db"));
    }
}
