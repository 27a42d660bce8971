//! The demo's application on this database, in the versions that follow each other in production.
//!
//! Must not know: which version runs when.

pub(crate) mod v1;
pub(crate) mod v2;
pub(crate) mod v3;

use include_dir::include_dir;
use sqlx::SqliteConnection as Driver;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use super::super::PATIENT;

use crate::demo::project::Deploy;

super::adapter::application!(Sqlite);

/// What the command line is given with each version.
pub(in crate::demo) static DEPLOYS: [Deploy; 3] = [
    Deploy {
        version: Version::V1,
        manifest: include_str!("v1/zdm.toml"),
        versions: include_dir!("$CARGO_MANIFEST_DIR/src/demo/app/sqlite/v1/versions"),
    },
    Deploy {
        version: Version::V2,
        manifest: include_str!("v2/zdm.toml"),
        versions: include_dir!("$CARGO_MANIFEST_DIR/src/demo/app/sqlite/v2/versions"),
    },
    Deploy {
        version: Version::V3,
        manifest: include_str!("v3/zdm.toml"),
        versions: include_dir!("$CARGO_MANIFEST_DIR/src/demo/app/sqlite/v3/versions"),
    },
];

/// For the control tables: the load has a connection of its own.
async fn pool(url: &str) -> Result<SqlitePool, sqlx::Error> {
    let options: SqliteConnectOptions = url.parse()?;
    SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options.busy_timeout(PATIENT))
        .await
}
