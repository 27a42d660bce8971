//! The sticky bucket of a key, or of an instance: `murmur3_x86_32(salt ":" key) mod 10 000`, as flagd and Unleash count it.
//!
//! The key is hashed while it is written, so a decision allocates nothing.

use std::fmt::{self, Display, Write as _};

pub(crate) use crate::share::ALL;

/// The bucket of a key under a salt, below [`ALL`].
pub(crate) fn of(salt: &str, key: &dyn Display) -> u32 {
    let mut hash = Murmur3::new();
    hash.update(salt.as_bytes());
    hash.update(b":");
    hash.write_key(key);
    hash.finish() % ALL
}

/// The whole hash of a key alone.
pub(crate) fn hash(key: &dyn Display) -> u32 {
    let mut hash = Murmur3::new();
    hash.write_key(key);
    hash.finish()
}

/// MurmurHash3_x86_32 with seed 0 over bytes that arrive piece by piece.
struct Murmur3 {
    state: u32,
    length: u32,
    held: usize,
    /// A whole number of blocks, enough for most keys at once.
    bytes: [u8; 64],
}

impl Murmur3 {
    const fn new() -> Self {
        Self {
            state: 0,
            length: 0,
            held: 0,
            bytes: [0; 64],
        }
    }

    /// `update` cannot fail; a key whose own `Display` fails is hashed as far as it came.
    #[inline]
    fn write_key(&mut self, key: &dyn Display) {
        let _ = write!(self, "{key}");
    }

    #[inline]
    fn update(&mut self, mut bytes: &[u8]) {
        while let Some((now, later)) = bytes.split_at_checked(self.bytes.len() - self.held) {
            self.bytes[self.held..].copy_from_slice(now);
            self.held = self.bytes.len();
            self.absorb();
            self.held = 0;
            bytes = later;
        }
        self.bytes[self.held..self.held + bytes.len()].copy_from_slice(bytes);
        self.held += bytes.len();
    }

    /// Hashes the whole blocks that are held and returns the rest as the last, incomplete one.
    #[inline]
    fn absorb(&mut self) -> u32 {
        let (blocks, rest) = self.bytes[..self.held].as_chunks();
        for block in blocks {
            self.state = (self.state ^ scramble(u32::from_le_bytes(*block)))
                .rotate_left(13)
                .wrapping_mul(5)
                .wrapping_add(0xe654_6b64);
        }
        #[allow(
            clippy::cast_possible_truncation,
            reason = "at most 64; the hash counts modulo 2^32"
        )]
        {
            self.length = self.length.wrapping_add(self.held as u32);
        }
        rest.iter()
            .rev()
            .fold(0, |block, byte| block << 8 | u32::from(*byte))
    }

    #[inline]
    fn finish(mut self) -> u32 {
        let rest = self.absorb();
        let mut hash = self.state ^ scramble(rest) ^ self.length;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }
}

impl fmt::Write for Murmur3 {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.update(text.as_bytes());
        Ok(())
    }
}

#[inline]
const fn scramble(block: u32) -> u32 {
    block
        .wrapping_mul(0xcc9e_2d51)
        .rotate_left(15)
        .wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference is another implementation, over keys of every length modulo four.
    #[test]
    fn agrees_with_the_reference_implementation() {
        for number in (0..2_000_i64).map(|n| n * n * n * 7 - 3) {
            for salt in ["", "a", "0123456789ab"] {
                let text = format!("{salt}:{number}");
                let reference = murmur3::murmur3_32(&mut text.as_bytes(), 0).unwrap();
                assert_eq!(of(salt, &number), reference % ALL, "{text}");
            }
        }
    }

    #[test]
    fn agrees_on_keys_of_every_length() {
        for length in 0..300 {
            let key = "né".repeat(length);
            let text = format!("salt:{key}");
            let reference = murmur3::murmur3_32(&mut text.as_bytes(), 0).unwrap();
            assert_eq!(of("salt", &key), reference % ALL, "{length}");
        }
    }

    #[test]
    fn a_tenth_of_the_keys_is_about_a_tenth() {
        let below = (0..100_000).filter(|key| of("salt", key) < 1_000).count();
        assert!((9_500..10_500).contains(&below), "{below}");
    }
}
