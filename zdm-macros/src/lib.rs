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
///     #[zdm(renamed_from = "name")]
///     pub full_name: String,
///     #[zdm(unique)]
///     pub email: String,
/// }
/// ```
///
/// The struct always shows the **new** shape. It also needs the code that `cargo zdm generate` writes for it: without
/// that, or when the struct has changed since, it does not compile.
///
/// # On the struct
///
/// | word | means |
/// |---|---|
/// | `table = "users"` | the table's name; else the struct's in `snake_case`, plural |
/// | `primary_key(a, b)`, `primary_key(a, name = "…")` | a key of several columns, in its order, or of another name than `<table>_pkey` |
/// | `index(columns(a, b), unique, where = "…", name = "…")` | an index; all but `columns` can be left out |
/// | `index(name = "…", on("lower(a)", "b DESC"), …)` | the same over what stands between the parentheses of `CREATE INDEX` |
/// | `index(…, using = "gin", include(c), nulls_not_distinct, with = "fillfactor = 70")` | what PostgreSQL has besides |
/// | `unique(columns(a, b), name = "…")` | a unique constraint; PostgreSQL has `include(c)`, `nulls_not_distinct`, `deferrable` and `initially_deferred` besides |
/// | `check(name = "…", expr = "…")` | a check constraint; PostgreSQL has `not_valid` and `no_inherit` besides |
/// | `exclude(name = "…", using = "gist", elements("room WITH =", "during WITH &&"), where = "…", deferrable)` | PostgreSQL: an exclusion constraint |
/// | `foreign_key(columns(a, b), references = "t(a, b)", on_delete = "…", on_update = "…", deferrable, initially_deferred, name = "…")` | a foreign key of several columns; PostgreSQL has `match_full`, `not_valid` and `on_delete = "set null (a)"` besides |
/// | `drops("x")`, `drops("x", default = "''")` | the column `x` goes; `default` is what new rows carry for old code meanwhile. Spent as soon as a later version exists |
/// | `transparent` | on `struct UserId(i64);`: a column type |
///
/// # On a field
///
/// | word | means |
/// |---|---|
/// | `primary_key`, `auto` | the key; the database assigns it |
/// | `column = "x"` | the column's name; else the field's |
/// | `sql_type = "varchar(255)"` | the type in the database; any Rust type can have one |
/// | `default = "now()"` | an SQL expression |
/// | `unique`, `index`, `index = "name"` | an index over this column; together, one unique index |
/// | `references = "teams(id)"`, `on_delete = "set null"`, `on_update = "cascade"` | a foreign key |
/// | `skip` | no column; reads fill the field with its `Default` |
/// | `renamed_from = "x"` | the column was called `x` |
/// | `from("x", "y")` | the column replaces others |
/// | `up = "…"`, `up(postgres = "…", sqlite = "…")` | new out of the old columns; without `from`, what existing rows get |
/// | `down = "…"`, `down(x = "…", y = "…")` | each old column out of new |
/// | `valid_if = "…"` | which old values `up` can convert |
/// | `on_invalid = "quarantine"` | what becomes of the others: `"quarantine"`, `"null"`, `"reject"`, `default("0")` |
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
