//! Enums as column types: their values by name, and how sqlx reads and writes them; how diesel does stands beside its client.
//!
//! Comes in: impls that `#[derive(MigratableEnum)]` writes. Goes out: sqlx's traits for each driver that is switched on.
//! Must not know: how an enum is parsed.

use crate::schema::ColumnType;

/// A Rust enum that is an enum of the database. Implemented by `#[derive(MigratableEnum)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known as an enum of the database",
    label = "an enum needs `#[derive(MigratableEnum)]`",
    note = "for an array of another type name the type yourself: `#[zdm(sql_type = \"integer[]\")]`"
)]
pub trait Enumeration: Sized {
    /// Its name in the database.
    const NAME: &'static str;
    /// The same as PostgreSQL spells it in a statement.
    const SQL_NAME: &'static str;
    /// The values in their order.
    const VALUES: &'static [&'static str];
    /// What an array of it means to a database: [`ColumnType::LOGICAL`] of `Vec<Self>`.
    const ARRAY: &'static str;

    /// How the database calls the variant.
    fn value(&self) -> &'static str;
    /// The variant that the database calls like this.
    fn of_value(value: &str) -> Option<Self>;
}

impl<T: Enumeration> ColumnType for Vec<T> {
    const LOGICAL: &'static str = T::ARRAY;
    const NULLABLE: bool = false;
}

/// What a database gave is no variant: its enum has a value that this code does not know yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the enum `{name}` has no variant for `{value}`, which is stored: code that knows the value wrote it; deploy that code here too"
)]
pub struct UnknownValue {
    /// The enum's name in the database.
    pub name: &'static str,
    /// What is stored.
    pub value: String,
}

/// The variant of a stored value.
pub fn variant<T: Enumeration>(value: &str) -> Result<T, UnknownValue> {
    T::of_value(value).ok_or_else(|| UnknownValue {
        name: T::NAME,
        value: value.to_owned(),
    })
}

/// Implements sqlx's traits for PostgreSQL, where that driver is switched on.
#[cfg(feature = "postgres")]
#[doc(hidden)]
#[macro_export]
macro_rules! enumeration_of_postgres {
    ($enum:ty) => {
        const _: () = {
            use $crate::enumeration::sqlx::{self, postgres};

            #[automatically_derived]
            impl sqlx::Type<sqlx::Postgres> for $enum {
                fn type_info() -> postgres::PgTypeInfo {
                    postgres::PgTypeInfo::with_name(<$enum as $crate::Enumeration>::SQL_NAME)
                }

                fn compatible(info: &postgres::PgTypeInfo) -> bool {
                    *info == <Self as sqlx::Type<sqlx::Postgres>>::type_info()
                        || <str as sqlx::Type<sqlx::Postgres>>::compatible(info)
                }
            }

            #[automatically_derived]
            impl postgres::PgHasArrayType for $enum {
                fn array_type_info() -> postgres::PgTypeInfo {
                    postgres::PgTypeInfo::array_of(<$enum as $crate::Enumeration>::SQL_NAME)
                }
            }

            #[automatically_derived]
            impl sqlx::Encode<'_, sqlx::Postgres> for $enum {
                fn encode_by_ref(
                    &self,
                    buffer: &mut postgres::PgArgumentBuffer,
                ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                    let value = $crate::Enumeration::value(self);
                    <&str as sqlx::Encode<'_, sqlx::Postgres>>::encode(value, buffer)
                }
            }

            #[automatically_derived]
            impl<'r> sqlx::Decode<'r, sqlx::Postgres> for $enum {
                fn decode(
                    value: postgres::PgValueRef<'r>,
                ) -> Result<Self, sqlx::error::BoxDynError> {
                    Ok($crate::enumeration::variant(value.as_str()?)?)
                }
            }
        };
    };
}

/// Nothing, where the driver is switched off.
#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
#[macro_export]
macro_rules! enumeration_of_postgres {
    ($enum:ty) => {};
}

/// Implements sqlx's traits for SQLite, where that driver is switched on.
#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! enumeration_of_sqlite {
    ($enum:ty) => {
        const _: () = {
            use $crate::enumeration::sqlx::{self, sqlite};

            #[automatically_derived]
            impl sqlx::Type<sqlx::Sqlite> for $enum {
                fn type_info() -> sqlite::SqliteTypeInfo {
                    <str as sqlx::Type<sqlx::Sqlite>>::type_info()
                }
            }

            #[automatically_derived]
            impl sqlx::Encode<'_, sqlx::Sqlite> for $enum {
                fn encode_by_ref(
                    &self,
                    arguments: &mut sqlite::SqliteArgumentsBuffer,
                ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                    let value = $crate::Enumeration::value(self);
                    <&str as sqlx::Encode<'_, sqlx::Sqlite>>::encode(value, arguments)
                }
            }

            #[automatically_derived]
            impl<'r> sqlx::Decode<'r, sqlx::Sqlite> for $enum {
                fn decode(
                    value: sqlite::SqliteValueRef<'r>,
                ) -> Result<Self, sqlx::error::BoxDynError> {
                    let value = <&str as sqlx::Decode<'_, sqlx::Sqlite>>::decode(value)?;
                    Ok($crate::enumeration::variant(value)?)
                }
            }
        };
    };
}

/// Nothing, where the driver is switched off.
#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! enumeration_of_sqlite {
    ($enum:ty) => {};
}

/// Nothing, where that client is switched off.
#[cfg(not(feature = "diesel-async"))]
#[doc(hidden)]
#[macro_export]
macro_rules! enumeration_of_diesel {
    ($enum:ty) => {};
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[doc(hidden)]
pub use sqlx;
