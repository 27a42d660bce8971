//! The cached decision which sides a statement writes and which side a read takes.
//!
//! Comes in: a table's code and what the control tables say about it. Goes out: [`Flags`], from one atomic load.
//! Must not know: how instances register, who moves stages.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bucket;
use crate::{Stage, Writes};

/// A table's epoch, stage and share of readers at one moment. Every generated statement carries its epoch.
///
/// Where the code follows several migrations of the table, they move in turn: those before the one that moves are `complete`,
/// those after it `off`. [`Flags::of`] gives each its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(u64);

/// Low bits: 14 of basis points, 3 of the stage, 6 of the turn. The epoch stands above, so that the greater word is the newer.
const POINTS_BITS: u32 = 14;
const STAGE_BITS: u32 = 3;
const TURN_BITS: u32 = 6;
const TURN_SHIFT: u32 = POINTS_BITS + STAGE_BITS;
const EPOCH_SHIFT: u32 = TURN_SHIFT + TURN_BITS;

/// So many migrations of one table can be followed at once.
pub(crate) const TURNS: usize = 1 << TURN_BITS;

impl Flags {
    /// Of epoch 0, which no fence has: a statement that carries it touches nothing and asks the control tables.
    pub(crate) const UNKNOWN: Self = Self::new(0, 0, Stage::Off, 0);

    pub(crate) const fn new(epoch: u64, turn: usize, stage: Stage, basis_points: u32) -> Self {
        Self(
            (epoch << EPOCH_SHIFT)
                | ((turn as u64) << TURN_SHIFT)
                | ((stage as u64) << POINTS_BITS)
                | basis_points as u64,
        )
    }

    /// The epoch of the table's fence.
    #[inline]
    #[allow(clippy::cast_possible_wrap, reason = "41 bits are left")]
    pub fn epoch(self) -> i64 {
        (self.0 >> EPOCH_SHIFT) as i64
    }

    /// The same as one of the migrations sees it that the code follows on this table, by its place among them, from 0:
    /// `complete` before the one that moves, `off` after it.
    #[inline]
    #[must_use]
    pub fn of(self, turn: usize) -> Self {
        let epoch = self.0 >> EPOCH_SHIFT;
        match turn.cmp(&self.turn()) {
            std::cmp::Ordering::Less => Self::new(epoch, turn, Stage::Complete, bucket::ALL),
            std::cmp::Ordering::Equal => self,
            std::cmp::Ordering::Greater => Self::new(epoch, turn, Stage::Off, 0),
        }
    }

    /// The place of the migration that moves.
    #[inline]
    pub(crate) fn turn(self) -> usize {
        (self.0 >> TURN_SHIFT) as usize & (TURNS - 1)
    }

    /// The stage of the table's migration in transition, of several that of the one which moves; `complete` where there is none.
    #[inline]
    pub fn stage(self) -> Stage {
        match (self.0 >> POINTS_BITS) & 0b111 {
            0 => Stage::Off,
            1 => Stage::DualWrite,
            2 => Stage::Shadow,
            3 => Stage::Live,
            4 => Stage::RampDown,
            _ => Stage::Complete,
        }
    }

    /// The share of keys that read new at `live`, in basis points.
    #[inline]
    pub fn basis_points(self) -> u32 {
        (self.0 & ((1 << POINTS_BITS) - 1)) as u32
    }

    /// Which sides a write maintains.
    #[inline]
    pub fn writes(self) -> Writes {
        self.stage().writes()
    }

    /// The same with no larger share of readers.
    #[inline]
    #[must_use]
    pub(crate) fn at_most(self, basis_points: u32) -> Self {
        let points = self.basis_points();
        Self(self.0 - u64::from(points) + u64::from(points.min(basis_points)))
    }

    /// Which side reads of a table take in which nothing tells rows apart: there is no key to share them by, so new once all read new.
    #[inline]
    pub(crate) fn reads_all_new(self) -> bool {
        match self.stage() {
            Stage::Off | Stage::DualWrite | Stage::Shadow => false,
            Stage::Live => self.basis_points() >= bucket::ALL,
            Stage::RampDown | Stage::Complete => true,
        }
    }

    /// Whether a read reports rows whose sides are not consistent: at `shadow` and `live`.
    #[inline]
    pub fn compares(self) -> bool {
        matches!(self.stage(), Stage::Shadow | Stage::Live)
    }

    /// Which side this key's reads take. The same key gets the same answer while the share does not fall.
    #[inline]
    pub(crate) fn reads_new(self, salt: &str, key: &dyn Display) -> bool {
        match self.stage() {
            Stage::Off | Stage::DualWrite | Stage::Shadow => false,
            Stage::Live => bucket::of(salt, key) < self.basis_points(),
            Stage::RampDown | Stage::Complete => true,
        }
    }
}

/// The newest [`Flags`] that anybody in this process has seen.
#[derive(Debug)]
pub(crate) struct Cached(AtomicU64);

impl Cached {
    pub(crate) const fn unknown() -> Self {
        Self(AtomicU64::new(Flags::UNKNOWN.0))
    }

    #[inline]
    pub(crate) fn load(&self) -> Flags {
        Flags(self.0.load(Ordering::Acquire))
    }

    /// Keeps the newer: a transaction with an old snapshot must not bring an old epoch back to everybody.
    pub(crate) fn offer(&self, flags: Flags) {
        self.0.fetch_max(flags.0, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_holds_what_was_put_in() {
        for stage in Stage::ALL {
            for points in [0, 1, 9_999, bucket::ALL] {
                for epoch in [1, 77, (1 << 41) - 1] {
                    let turn = usize::try_from(points).unwrap() % TURNS;
                    let flags = Flags::new(epoch, turn, stage, points);
                    assert_eq!(flags.turn(), turn);
                    assert_eq!(flags.stage(), stage);
                    assert_eq!(flags.basis_points(), points);
                    assert_eq!(u64::try_from(flags.epoch()), Ok(epoch));
                }
            }
        }
    }

    #[test]
    fn reads_follow_the_stage() {
        let reads = |stage, points| {
            let flags = Flags::new(1, 0, stage, points);
            (0..1_000)
                .filter(|key| flags.reads_new("salt", key))
                .count()
        };
        assert_eq!(reads(Stage::Off, bucket::ALL), 0);
        assert_eq!(reads(Stage::DualWrite, bucket::ALL), 0);
        assert_eq!(reads(Stage::Shadow, bucket::ALL), 0);
        assert_eq!(reads(Stage::Live, 0), 0);
        assert!((200..300).contains(&reads(Stage::Live, 2_500)));
        assert_eq!(reads(Stage::Live, bucket::ALL), 1_000);
        assert_eq!(reads(Stage::RampDown, 0), 1_000);
        assert_eq!(reads(Stage::Complete, 0), 1_000);
    }

    #[test]
    fn migrations_of_a_table_move_in_turn() {
        for stage in Stage::ALL {
            let flags = Flags::new(7, 1, stage, 25);
            assert_eq!(flags.of(0).stage(), Stage::Complete);
            assert_eq!(flags.of(1), flags);
            assert_eq!(flags.of(2).stage(), Stage::Off);
            let key = |turn| flags.of(turn).reads_new("salt", &1);
            assert!(key(0) && !key(2));
            for turn in 0..3 {
                assert_eq!(flags.of(turn).epoch(), 7);
            }
        }
        let flags = Flags::new(7, 1, Stage::Live, 25);
        assert!([0, 1, 2].map(|turn| flags.of(turn).compares()) == [false, true, false]);
    }

    #[test]
    fn a_growing_share_keeps_the_keys_that_it_had() {
        let (few, more) = (
            Flags::new(1, 0, Stage::Live, 100),
            Flags::new(2, 0, Stage::Live, 5_000),
        );
        for key in 0..10_000 {
            assert!(!few.reads_new("s", &key) || more.reads_new("s", &key));
        }
    }

    #[test]
    fn an_older_epoch_is_never_kept() {
        let cached = Cached::unknown();
        cached.offer(Flags::new(5, 0, Stage::DualWrite, 0));
        cached.offer(Flags::new(4, 0, Stage::Complete, bucket::ALL));
        assert_eq!(cached.load(), Flags::new(5, 0, Stage::DualWrite, 0));
        cached.offer(Flags::new(6, 0, Stage::Off, 0));
        assert_eq!(cached.load(), Flags::new(6, 0, Stage::Off, 0));
    }
}
