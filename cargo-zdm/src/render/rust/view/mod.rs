//! What the templates of generated Rust are given: flat, every decision made. One file per kind of value.
//!
//! Comes in: a model. Goes out: values for `templates/rust/`.
//! Must not know: the text around the values.

mod bulk;
mod changes;
mod checked;
mod computed;
mod imports;
mod in_turn;
mod key;
mod live;
mod migration;
mod modules;
mod moved;
mod one_way;
mod own_tests;
mod table;
mod writes;

pub(super) use modules::{module, shared_migrations};
pub(super) use own_tests::{has_own as has_own_tests, of as tests};
pub(super) use table::table;

use serde::Serialize;

#[derive(Debug, Serialize)]
struct Header {
    source: String,
    regenerate: &'static str,
    versions: Option<String>,
}
