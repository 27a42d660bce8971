//! The schema model of `cargo zdm`, shared by the derive and the command line so that the two cannot disagree.
//!
//! The way of a struct: `attributes` read words, `declaration` puts them beside the fields, `check` judges the whole,
//! `lower` makes the [`Table`]; [`Declared::parse`] goes that way.

mod attributes;
mod call;
mod check;
mod declaration;
mod enumeration;
pub mod fingerprint;
mod logical_type;
mod lower;
mod model;
pub mod names;
mod parts;
mod rust_type;
mod schema;
mod transition;

pub use call::Call;
pub use enumeration::EnumModel;
pub use fingerprint::fingerprint;
pub use logical_type::LogicalType;
pub use model::{Declared, Model, ModelField, Newtype};
pub use parts::{Check, Exclusion, ForeignKey, Index, Unique};
pub use rust_type::{RustType, option_of, spelled, vec_of};
pub use schema::{Column, Counted, Enumeration, MovedFrom, Schema, Split, Table, Taken};
pub use transition::{Drop, Expression, FinalName, Function, OnInvalid, Transition};
