//! What a model states about its table, as constants: the types of its columns, its fingerprint, the drift guard.
//!
//! Comes in: impls that `#[derive(Migratable)]` and generated code write. Goes out: constants that the compiler compares,
//! so that a struct whose generated code is missing or stale does not compile.
//! Must not know: how a model is parsed, any database.

use std::marker::PhantomData;

/// A Rust type that a column can have. Aliases count as what they stand for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known as a column type",
    label = "no database type is known for this field",
    note = "name the type yourself: `#[zdm(sql_type = \"numeric(10, 2)\")]`",
    note = "for a newtype of yours: `#[derive(Migratable)] #[zdm(transparent)] struct UserId(i64);`",
    note = "for an enum of yours: `#[derive(MigratableEnum)]` on it",
    note = "types of chrono, uuid and serde_json need zdm-runtime's feature `chrono`, `uuid` or `json`"
)]
pub trait ColumnType {
    /// What the type means to a database, in the words of snapshots: `int8`.
    const LOGICAL: &'static str;
    /// Whether the column may be NULL: the type is an `Option`.
    const NULLABLE: bool;
}

impl<T: ColumnType> ColumnType for Option<T> {
    const LOGICAL: &'static str = T::LOGICAL;
    const NULLABLE: bool = true;
}

macro_rules! column_types {
    ($($(#[$condition:meta])* $rust:ty => $logical:literal;)*) => {$(
        $(#[$condition])*
        impl ColumnType for $rust {
            const LOGICAL: &'static str = $logical;
            const NULLABLE: bool = false;
        }
    )*};
}

column_types! {
    bool => "bool";
    i16 => "int2";
    i32 => "int4";
    i64 => "int8";
    f32 => "float4";
    f64 => "float8";
    String => "text";
    Vec<u8> => "bytes";
    #[cfg(feature = "chrono")] chrono::DateTime<chrono::Utc> => "timestamp_tz";
    #[cfg(feature = "chrono")] chrono::NaiveDateTime => "timestamp";
    #[cfg(feature = "chrono")] chrono::NaiveDate => "date";
    #[cfg(feature = "chrono")] chrono::NaiveTime => "time";
    #[cfg(feature = "uuid")] uuid::Uuid => "uuid";
    #[cfg(feature = "json")] serde_json::Value => "json";
}

/// A struct whose fields are the columns of a table. Implemented by `#[derive(Migratable)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "no table is known for this type",
    note = "add `#[derive(Migratable)]` to the struct"
)]
pub trait Migratable {
    /// The table's physical name.
    const TABLE: &'static str;
    /// [`fingerprint`] of the table as the struct declares it now.
    const FINGERPRINT: u64;
}

/// A model that has generated code. Implemented by that code alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no generated code",
    label = "run `cargo zdm generate`",
    note = "`cargo zdm generate` writes the migration and the code that reads and writes this table through it; \
            in a project without zdm.toml run `cargo zdm init` first"
)]
pub trait Generated {
    /// [`fingerprint`] of the table as the code was generated for it.
    const FINGERPRINT: u64;
}

/// FNV-1a, 64 bits, over the concatenation of the parts. zdm-model has the same function for the command line.
pub const fn fingerprint(parts: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            at += 1;
        }
        part += 1;
    }
    hash
}

/// How a fingerprint's text spells whether a column may be NULL.
pub const fn nullability(nullable: bool) -> &'static str {
    if nullable { "null" } else { "not null" }
}

/// Tells whether a type is an `Option`, through aliases, without asking what it holds: for columns with `sql_type`,
/// whose type need not be a [`ColumnType`]. An inherent constant is found before a trait's.
#[derive(Debug)]
pub struct Nullability<T>(PhantomData<T>);

impl<T> Nullability<Option<T>> {
    /// It is an `Option`.
    pub const NULLABLE: bool = true;
}

/// The answer of [`Nullability`] for every type that is no `Option`.
pub trait NotAnOption {
    /// It is no `Option`.
    const NULLABLE: bool = false;
}

impl<T> NotAnOption for Nullability<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    type MaybeName = Option<String>;

    #[test]
    fn fnv_1a_matches_its_published_vectors() {
        assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(&["a"]), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(&["foo", "bar"]), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn an_alias_of_an_option_is_nullable() {
        const ALIAS: bool = Nullability::<MaybeName>::NULLABLE;
        const PLAIN: bool = Nullability::<String>::NULLABLE;
        assert_eq!((ALIAS, PLAIN), (true, false));
        assert_eq!(<MaybeName as ColumnType>::LOGICAL, "text");
    }
}
