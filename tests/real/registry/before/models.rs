//! The table `versions`, as far as this program manages it.

use zdm_runtime::Migratable;

/// A published version of a crate.
#[derive(Migratable, Debug, Clone, Default, PartialEq, Eq)]
#[zdm(table = "versions")]
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
    /// SHA-256 of the tarball, in hexadecimal digits.
    #[zdm(sql_type = "char(64)")]
    pub checksum: String,
}
