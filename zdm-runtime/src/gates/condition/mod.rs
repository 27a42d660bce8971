//! The conditions themselves, one function each. A number in brackets names an invariant of the write protocol: 2 one hop, 3 read only
//! what is maintained and verified, 4 drain before verifying, 5 the instant way back, 6 and 7 `complete` and back, 8 dropping old, 11 the
//! cursor's end, 21 quarantine.

mod approval;
mod between;
mod data;
mod fleet;
mod neighbours;
mod patience;
mod sections;
mod versions;
mod way;

pub(super) use approval::{approved, approved_since};
pub(super) use between::{between, row_security};
pub(super) use data::{
    backfilled, everyone_reads_new, maintained, no_shadow_mismatch, quarantine_readable,
    quarantine_settled, room_in_old, verified, verified_again,
};
pub(super) use fleet::{
    acknowledged, enough_instances, final_code, final_everywhere, known_everywhere, nobody_final,
    nobody_holds_back, nobody_knows,
};
pub(super) use neighbours::{contracted_in_turn, in_turn, nothing_later_begun};
pub(super) use patience::{
    backed_up, dwelt, ended_early, kept, kept_long_enough, sleepers_gone, soaked,
};
pub(super) use sections::{
    expanded, kept_whole, not_contracted, reversible, section_done, section_undone, undo_ended,
};
pub use versions::{Waiting, standing_on};
pub(super) use versions::{names_free, nothing_refers_to_it, nothing_stands_on_it};
pub(super) use way::{
    Hop, drained, not_paused, not_rolled_back, one_hop, standing, standing_if_any, way_back,
};
pub use way::{PAST_RETURN, no_return};
