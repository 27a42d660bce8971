//! Every deploy on every database, as it is checked in beside the demo.

#![allow(
    unreachable_pub,
    reason = "the versions are written as in a crate of their own"
)]

pub(crate) mod postgres;
pub(crate) mod sqlite;
