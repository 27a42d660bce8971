//! The derive of `cargo zdm`: `#[derive(Migratable)]` states what a struct means to the database, as constants, and
//! refuses to compile while its generated code is missing or stale.
//!
//! Comes in: a struct. Goes out: an impl of `zdm_runtime::Migratable` with the drift guard, or of
//! `zdm_runtime::ColumnType` for a newtype, or every mistake of the struct at once.
//! Must not know: files, SQL, any database.

mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};
use zdm_model::{Declared, RustType};

/// Declares a table (a struct with named fields) or a column type (`#[zdm(transparent)]` on a newtype).
///
/// ```text
/// #[derive(Migratable)]
/// pub struct User {
///     #[zdm(primary_key, auto)]
///     pub id: i64,
///     #[zdm(unique)]
///     pub email: String,
/// }
/// ```
///
/// A table also needs the code that `cargo zdm generate` writes for it: without it, or when the struct has changed
/// since, the struct does not compile.
#[proc_macro_derive(Migratable, attributes(zdm))]
pub fn derive_migratable(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match Declared::parse(&input, &RustType::of) {
        Ok(Declared::Model(model)) => expand::model(&model),
        Ok(Declared::Newtype(newtype)) => expand::newtype(&newtype),
        Err(errors) => expand::errors(&input, errors),
    }
    .into()
}
