//! Where the digest stands after the migration: in `tar_sha256`, as bytes.

use sqlx::PgConnection;
use zdm_runtime::Error;

use crate::models::Version;
use crate::zdm::versions::Versions;

pub fn of(version: &Version) -> Vec<u8> {
    version.tar_sha256.clone()
}

pub fn put(version: &mut Version, digest: &[u8]) {
    version.tar_sha256 = digest.to_vec();
}

/// An update that names the digest alone.
pub async fn set(
    versions: &Versions,
    connection: &mut PgConnection,
    id: i32,
    digest: &[u8],
) -> Result<bool, Error> {
    versions.set_tar_sha256(connection, id, digest).await
}
