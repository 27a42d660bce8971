//! Enums of the database as diesel reads and writes them.
//!
//! Comes in: impls that `#[derive(MigratableEnum)]` writes. Goes out: diesel's traits.
//! Must not know: how an enum is parsed.

use std::marker::PhantomData;

use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
use diesel::sql_types::{HasSqlType, SingleValue, SqlType, is_nullable};

use crate::Enumeration;

/// The SQL type of an enum: the type of the database that has its name.
#[derive(Debug)]
pub struct Enum<E>(PhantomData<E>);

impl<E: 'static> SqlType for Enum<E> {
    type IsNull = is_nullable::NotNull;
}

impl<E: 'static> SingleValue for Enum<E> {}

impl<E: Enumeration> HasSqlType<Enum<E>> for Pg {
    fn metadata(lookup: &mut Self::MetadataLookup) -> PgTypeMetadata {
        let lookup: &mut dyn PgMetadataLookup = lookup;
        match E::NAME.split_once('.') {
            Some((schema, name)) => lookup.lookup_type(name, Some(schema)),
            None => lookup.lookup_type(E::NAME, None),
        }
    }
}

/// Implements diesel's traits, where that client is switched on.
#[doc(hidden)]
#[macro_export]
macro_rules! enumeration_of_diesel {
    ($enum:ty) => {
        const _: () = {
            use $crate::diesel_async::Enum;
            use $crate::diesel_async::diesel::{deserialize, pg, serialize};

            #[automatically_derived]
            // diesel asks for `Debug`; an enum that diesel never sees does without, which only such a bound can say.
            impl serialize::ToSql<Enum<$enum>, pg::Pg> for $enum
            where
                for<'any> $enum: std::fmt::Debug,
            {
                fn to_sql<'b>(
                    &'b self,
                    out: &mut serialize::Output<'b, '_, pg::Pg>,
                ) -> serialize::Result {
                    let value = $crate::Enumeration::value(self);
                    std::io::Write::write_all(out, value.as_bytes())?;
                    Ok(serialize::IsNull::No)
                }
            }

            #[automatically_derived]
            impl deserialize::FromSql<Enum<$enum>, pg::Pg> for $enum {
                fn from_sql(value: pg::PgValue<'_>) -> deserialize::Result<Self> {
                    let value = std::str::from_utf8(value.as_bytes())?;
                    Ok($crate::enumeration::variant(value)?)
                }
            }
        };
    };
}
