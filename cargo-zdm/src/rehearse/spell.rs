//! How numbers are spelled as values of other types, so that different ones are different there too.
//!
//! Must not know: columns.

/// A number with a fraction that every binary type holds.
pub(super) fn quarter(some: u64) -> f64 {
    f64::from(u32::try_from(some % 1_000_000).unwrap_or(0)) / 4.0
}

/// One of a few words.
pub(super) fn word(some: u64) -> &'static str {
    const WORDS: [&str; 12] = [
        "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "islet", "jade",
        "knoll", "lagoon",
    ];
    WORDS[usize::try_from(some % 12).unwrap_or(0)]
}

/// A date; they come again after twenty years.
pub(super) fn date(some: u64) -> String {
    format!(
        "20{:02}-{:02}-{:02}",
        10 + some / 336 % 20,
        1 + some / 28 % 12,
        1 + some % 28
    )
}

/// A time of day.
pub(super) fn time(some: u64) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        some / 3600 % 24,
        some / 60 % 60,
        some % 60
    )
}

/// A version 4 UUID, not by chance.
pub(super) fn uuid_bytes(some: u64) -> [u8; 16] {
    let mut bytes = [0x5a; 16];
    bytes[8..].copy_from_slice(&some.to_be_bytes());
    bytes[6] = 0x4a;
    bytes[8] = 0x80;
    bytes
}

/// The same as text.
pub(super) fn uuid(some: u64) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (at, byte) in uuid_bytes(some).iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}
