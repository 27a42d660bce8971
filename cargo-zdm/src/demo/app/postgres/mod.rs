//! The demo's application on this database, in the versions that follow each other in production.
//!
//! Must not know: which version runs when.

pub(crate) mod v1;
pub(crate) mod v2;
pub(crate) mod v3;

use include_dir::include_dir;
use sqlx::PgConnection as Driver;
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::demo::project::Deploy;

super::adapter::application!(Postgres);

/// What the command line is given with each version.
pub(in crate::demo) static DEPLOYS: [Deploy; 3] = [
    Deploy {
        version: Version::V1,
        manifest: include_str!("v1/zdm.toml"),
        versions: include_dir!("$CARGO_MANIFEST_DIR/src/demo/app/postgres/v1/versions"),
    },
    Deploy {
        version: Version::V2,
        manifest: include_str!("v2/zdm.toml"),
        versions: include_dir!("$CARGO_MANIFEST_DIR/src/demo/app/postgres/v2/versions"),
    },
    Deploy {
        version: Version::V3,
        manifest: include_str!("v3/zdm.toml"),
        versions: include_dir!("$CARGO_MANIFEST_DIR/src/demo/app/postgres/v3/versions"),
    },
];

/// For the control tables: the load has a connection of its own.
async fn pool(url: &str) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new().max_connections(1).connect(url).await
}
