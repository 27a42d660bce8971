//! The table `versions`, as far as this program manages it.

use zdm_runtime::Migratable;

/// A published version of a crate.
#[derive(Migratable, Debug, Clone, Default, PartialEq, Eq)]
#[zdm(
    table = "versions",
    check(
        name = "versions_tar_sha256_len",
        expr = "octet_length(tar_sha256) = 32"
    )
)]
pub struct Version {
    #[zdm(primary_key, auto)]
    pub id: i32,
    pub crate_id: i32,
    #[zdm(sql_type = "varchar")]
    pub num: String,
    #[zdm(sql_type = "varchar")]
    pub num_no_build: String,
    #[zdm(default = "false")]
    pub yanked: bool,
    pub yank_message: Option<String>,
    pub crate_size: i32,
    /// SHA-256 of the tarball.
    #[zdm(
        from("checksum"),
        up = "decode(checksum, 'hex')",
        down = "encode(tar_sha256, 'hex')",
        valid_if = "checksum ~ '^[0-9a-fA-F]{64}$'",
        on_invalid = "reject"
    )]
    pub tar_sha256: Vec<u8>,
}
