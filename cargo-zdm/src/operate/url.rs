//! What a database's URL says before anybody connects.
//!
//! Comes in: the URL. Goes out: the kind of database, or what is wrong; never the URL itself.
//! Must not know: what is done with the database.

use std::path::Path;

use zdm_runtime::database::Dialect;

use crate::error::Failure;

/// Which kind of database.
pub(super) fn kind_of(url: &str) -> Result<Dialect, Failure> {
    Dialect::of_url(url).ok_or_else(|| {
        // What stands in the place of a scheme may be anything, a password too.
        let is_scheme = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        let problem = match scheme.filter(is_scheme) {
            Some(scheme) => format!("`{scheme}` is no kind of database that zdm knows"),
            None => "the database's URL does not begin with a kind of database".to_owned(),
        };
        Failure::usage(
            problem,
            "write a URL that begins with postgres:// or sqlite://",
        )
    })
}

/// `SQLite` would create a file that is not there.
pub(super) fn must_exist(url: &str) -> Result<(), Failure> {
    if Dialect::of_url(url) != Some(Dialect::Sqlite) {
        return Ok(());
    }
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() || path.starts_with(':') || Path::new(path).exists() {
        return Ok(());
    }
    Err(Failure::environment(
        format!("there is no database file {path}"),
        "check the URL; `cargo zdm expand` creates the file with the tables",
    ))
}
