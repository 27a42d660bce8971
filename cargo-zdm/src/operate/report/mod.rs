//! What commands only look at: the standing of migrations, and the log of what was done.

pub(crate) mod audit;
pub(crate) mod pace;
pub(crate) mod status;
