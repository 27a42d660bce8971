//! A cheap hash of one number: what is hashed here is packed already.

use std::hash::{BuildHasherDefault, Hasher};

pub(crate) type Mixed = BuildHasherDefault<Mix>;

#[derive(Debug, Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u128(u128::from(*byte));
        }
    }

    /// Multiplication brings low bits up, the shift brings them back down.
    #[allow(clippy::cast_possible_truncation, reason = "both halves are mixed")]
    fn write_u128(&mut self, number: u128) {
        let halves = [number as u64, (number >> 64) as u64];
        for half in halves {
            self.0 = (self.0 ^ half).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.0 ^= self.0 >> 32;
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
