//! The schema model of `cargo zdm`, shared by the derive and the command line so that the two cannot disagree.

mod logical_type;
mod schema;

pub use logical_type::LogicalType;
pub use schema::{
    Check, Column, Drop, Expression, ForeignKey, Index, OnInvalid, Schema, Table, Transition,
};
