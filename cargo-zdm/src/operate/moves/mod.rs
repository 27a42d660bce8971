//! One file per move, each with the same order: gates first, then the reviewed SQL, then the hop, then the answer.
//! Of these, a pause has only the answer.

pub(crate) mod advance;
pub(crate) mod approve;
pub(crate) mod backfill;
pub(crate) mod contract;
pub(crate) mod expand;
pub(crate) mod pause;
pub(crate) mod rollback;
mod step_back;
pub(crate) mod switch;
pub(crate) mod verify;
