//! What generated code for diesel-async stands on: statements with their values, rows by the names of their columns.
//!
//! Comes in: SQL, values with the SQL types of diesel, a connection of the application. Goes out: rows, or how many changed.
//! Must not know: tables, stages.

mod control;
mod enumeration;
mod failure;
mod parameters;
mod pooler;
mod query;
mod row;

#[doc(hidden)]
pub use ::diesel;
pub use enumeration::Enum;
pub use failure::Failure;
pub(crate) use failure::{failure, of};
pub use parameters::Parameters;
pub(crate) use pooler::keeps_statements;
pub use query::{Query, Scalar, query, query_scalar, query_with, rows};

#[doc(inline)]
pub use crate::database::pool::DieselPool as Pool;
pub use row::Row;
