//! The derive of `cargo zdm`: `#[derive(Migratable)]` states what a struct means to the database, as constants, and
//! refuses to compile while its generated code is missing or stale.
//!
//! `#[derive(MigratableEnum)]` makes an enum a column type.
//!
//! Comes in: a struct. Goes out: an impl of `zdm_runtime::Migratable` with the drift guard, or of
//! `zdm_runtime::ColumnType` for a newtype, or every mistake of the struct at once.
//! Must not know: files, SQL, any database.

mod enumeration;
mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};
use zdm_model::{Declared, EnumModel, RustType};

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
/// | `schema = "billing"` | PostgreSQL: the table is in this schema, and is `billing.users` where others name it |
/// | `renamed_from = "people"` | the table was called `people`; PostgreSQL only |
/// | `split_from = "users(id)"` | the columns move out of `users`, whose row is found by the key |
/// | `merged_from = "addresses(user_id)"` | columns of `addresses`, which goes, come into this table; its row is found by the key |
/// | `comment = "…"` | what PostgreSQL says of the table to people; doc comments are not taken |
/// | `primary_key(a, b)`, `primary_key(a, name = "…")` | a key of several columns, in its order, or of another name than `<table>_pkey` |
/// | `no_primary_key` | the table has none: rows are inserted, and found by queries of your own alone, unless `row_key(a, b)` names the unique key that they are found by; columns are replaced and filled in either case |
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
/// | `primary_key` | the key |
/// | `auto` | the database counts it: an insert gives no number, and of the key it returns the one that was given. Beside the key, for PostgreSQL, no write gives one |
/// | `auto = "always"`, `auto = "serial"` | the same by `GENERATED ALWAYS AS IDENTITY`, which refuses other numbers, or by a sequence as the default |
/// | `column = "x"` | the column's name; else the field's |
/// | `sql_type = "varchar(255)"` | the type in the database; any Rust type can have one |
/// | `collation = "C"` | how the database compares its texts, where not as their type does |
/// | `default = "now()"` | an SQL expression |
/// | `generated = "lower(email)"` | the database computes the value: it is read, and what the struct holds is never written |
/// | `virtual` | beside `generated`: computed when it is read, not stored; SQLite only |
/// | `comment = "…"` | the same of the column |
/// | `unique`, `index`, `index = "name"` | an index over this column; together, one unique index |
/// | `references = "teams(id)"`, `on_delete = "set null"`, `on_update = "cascade"` | a foreign key |
/// | `skip` | no column; reads fill the field with its `Default` |
/// | `version` | counts the writes of a row: `update` writes only a row that is as it was read (optimistic locking) |
/// | `renamed_from = "x"` | the column was called `x` |
/// | `moved_from = "addresses.town"` | it was the column `town` of `addresses`, which stays and has at most one row for each of this table |
/// | `from("x", "y")` | the column replaces others |
/// | `final_name = "x"` | beside `from`: the column takes this old column's name in the end, and is called `column`, or `x_new`, until then; PostgreSQL only |
/// | `up = "…"`, `up(postgres = "…", sqlite = "…")` | new out of the old columns; without `from`, what existing rows get |
/// | `with = "crate::phone::normalize"` | in the place of `up`, beside `from("phone")`, whose columns stay: a Rust function that fills a new column; with `one_way` the columns go, and it replaces them |
/// | `down = "…"`, `down(x = "…", y = "…")` | each old column out of new |
/// | `one_way` | in the place of `down`: nothing computes old out of new, and writes take both values |
/// | `valid_if = "…"` | which old values `up` can convert |
/// | `on_invalid = "quarantine"` | what becomes of the others: `"quarantine"`, `"null"`, `"reject"`, `default("0")` |
/// | `up_loses("leading zeros")`, `down_loses("negative numbers")` | kinds of values that `down` after `up`, or `up` after `down`, does not bring back: generated tests fail on any other |
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

/// Declares a column type: an enum of the database.
///
/// ```text
/// #[derive(MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
/// pub enum Mood {
///     Happy,
///     #[zdm(rename = "so-so")]
///     SoSo,
/// }
/// ```
///
/// A model's field has it as `Mood`, `Option<Mood>` or, on PostgreSQL, `Vec<Mood>`. `cargo zdm generate` creates the enum before
/// the first table that has it, adds values, and drops it after the last column. On SQLite, which has no enums, the column is a
/// text. The derive also implements sqlx's `Type`, `Encode` and `Decode` for the drivers that zdm-runtime has.
///
/// | word | means |
/// |---|---|
/// | `name = "mood"` on the enum | its name in the database; else the Rust name in `snake_case` |
/// | `schema = "billing"` on the enum | PostgreSQL: it is in this schema |
/// | `rename = "so-so"` on a variant | the value; else the variant in `snake_case` |
/// | `renamed_from = "sad"` on a variant | it is the value `sad` by another name |
/// | `from("sad", "gloomy")` on a variant | rows with these values, which go, become it; code from before is given the first where it is a new one |
#[proc_macro_derive(MigratableEnum, attributes(zdm))]
pub fn derive_migratable_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match EnumModel::parse(&input) {
        Ok(model) => enumeration::expand(&model),
        Err(errors) => enumeration::errors(&input, errors),
    }
    .into()
}
