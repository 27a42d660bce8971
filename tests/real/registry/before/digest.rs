//! Where the digest stands before the migration: in `checksum`, as hexadecimal digits.

use sqlx::PgConnection;
use zdm_runtime::Error;

use crate::models::Version;
use crate::zdm::versions::Versions;

pub fn of(version: &Version) -> Vec<u8> {
    (0..version.checksum.len() / 2)
        .filter_map(|at| u8::from_str_radix(&version.checksum[2 * at..2 * at + 2], 16).ok())
        .collect()
}

pub fn put(version: &mut Version, digest: &[u8]) {
    version.checksum = digits(digest);
}

/// An update that names the digest alone.
pub async fn set(
    versions: &Versions,
    connection: &mut PgConnection,
    id: i32,
    digest: &[u8],
) -> Result<bool, Error> {
    versions.set_checksum(connection, id, &digits(digest)).await
}

fn digits(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
