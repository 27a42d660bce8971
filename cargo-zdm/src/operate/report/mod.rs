//! What commands only look at: the standing of migrations, and the log of what was done.

pub(crate) mod audit;
mod compared;
pub(crate) mod pace;
pub(crate) mod status;
