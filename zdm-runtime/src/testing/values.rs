//! Values by type, each of a kind that has a name: those at the edges, and some that chance makes, the same in every run.
//!
//! Comes in: what a column holds. Goes out: literals. Must not know: any conversion.

use crate::database::Dialect;

/// So many values of each kind are made by chance.
const BY_CHANCE: usize = 4;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Truth values.
    Bool,
    /// Integers of 16 bits.
    Int2,
    /// Integers of 32 bits.
    Int4,
    /// Integers of 64 bits.
    Int8,
    /// Floating point numbers of 32 bits.
    Float4,
    /// Floating point numbers of 64 bits.
    Float8,
    /// Texts, also such as look like something else.
    Text,
    /// Bytes.
    Bytes,
    /// Moments.
    TimestampTz,
    /// Dates with a time, wherever it is.
    Timestamp,
    /// Dates.
    Date,
    /// Times of a day.
    Time,
    /// UUIDs.
    Uuid,
    /// JSON documents.
    Json,
    /// One of these words; each is a kind of its own.
    OneOf(&'static [&'static str]),
}

/// A value that is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    /// `leading zeros`
    pub(super) kind: &'static str,
    /// As a statement spells it.
    pub(super) literal: String,
}

/// What is tried of a column, the most ordinary value first.
pub(super) fn samples(values: Values, nullable: bool, dialect: Dialect) -> Vec<Sample> {
    let mut made = Made {
        dialect,
        // Any number does, as long as it stays.
        chance: Chance(0x5eed_2dd0_0d0e_5a1d),
        samples: Vec::new(),
    };
    match values {
        Values::Bool => {
            made.bare("true", &["TRUE"]);
            made.bare("false", &["FALSE"]);
        }
        Values::Int2 => made.integers(i64::from(i16::MAX)),
        Values::Int4 => made.integers(i64::from(i32::MAX)),
        Values::Int8 => made.integers(i64::MAX),
        Values::Float4 => made.floats(&["3.4e38", "-3.4e38"]),
        Values::Float8 => made.floats(&["1.7e308", "-1.7e308"]),
        Values::Text => made.texts(),
        Values::Bytes => made.bytes(),
        Values::TimestampTz => made.moments(&|date, time| match dialect {
            Dialect::Postgres => format!("{date} {time}+00"),
            Dialect::Sqlite => format!("{date}T{time}+00:00"),
        }),
        Values::Timestamp => made.moments(&|date, time| format!("{date} {time}")),
        Values::Date => {
            made.quoted("dates", &["2024-02-28", "2000-01-01"]);
            made.by_chance("dates", Chance::date);
            made.quoted("leap days", &["2024-02-29", "2000-02-29"]);
            made.quoted("dates before 1970", &["1969-12-31", "1900-03-01"]);
            made.quoted("far dates", &["0001-01-01", "9999-12-31"]);
        }
        Values::Time => {
            made.quoted("times", &["12:30:00", "00:00:00", "23:59:59"]);
            made.by_chance("times", Chance::time);
            made.quoted("fractions", &["12:30:00.5", "23:59:59.999999"]);
        }
        Values::Uuid => made.uuids(),
        Values::Json => made.documents(),
        Values::OneOf(words) => {
            for word in words {
                made.quoted(word, &[word]);
            }
        }
    }
    if nullable {
        made.bare("NULL", &["NULL"]);
    }
    made.samples
}

/// A value for a row of that number, unlike those of other rows where there are enough.
pub(super) fn nth(values: Values, row: usize, dialect: Dialect) -> String {
    let (hour, day) = (row % 24, row % 28 + 1);
    let hexadecimal = format!("{:032x}", row + 1);
    match values {
        Values::Bool => if row.is_multiple_of(2) {
            "TRUE"
        } else {
            "FALSE"
        }
        .to_owned(),
        Values::Int2 | Values::Int4 | Values::Int8 => (row + 1).to_string(),
        Values::Float4 | Values::Float8 => format!("{row}.5"),
        Values::Text => quoted(&format!("row {row}")),
        Values::Date => quoted(&format!("2024-01-{day:02}")),
        Values::Time => quoted(&format!("{hour:02}:30:00")),
        Values::Timestamp => quoted(&format!("2024-01-{day:02} 12:30:00")),
        Values::TimestampTz => match dialect {
            Dialect::Postgres => quoted(&format!("2024-01-{day:02} 12:30:00+00")),
            Dialect::Sqlite => quoted(&format!("2024-01-{day:02}T12:30:00+00:00")),
        },
        Values::Bytes | Values::Uuid => match (values, dialect) {
            (_, Dialect::Sqlite) => format!("x'{hexadecimal}'"),
            (Values::Bytes, Dialect::Postgres) => format!("'\\x{hexadecimal}'"),
            (_, Dialect::Postgres) => quoted(&hexadecimal),
        },
        Values::Json => quoted(&format!("{{\"row\":{row}}}")),
        Values::OneOf(words) => quoted(words[row % words.len()]),
    }
}

struct Made {
    dialect: Dialect,
    chance: Chance,
    samples: Vec<Sample>,
}

impl Made {
    fn bare(&mut self, kind: &'static str, literals: &[&str]) {
        let literals = literals.iter().map(|literal| (*literal).to_owned());
        let samples = literals.map(|literal| Sample { kind, literal });
        self.samples.extend(samples);
    }

    fn quoted(&mut self, kind: &'static str, texts: &[&str]) {
        for text in texts {
            self.bare(kind, &[&quoted(text)]);
        }
    }

    fn by_chance(&mut self, kind: &'static str, make: impl Fn(&mut Chance) -> String) {
        for _ in 0..BY_CHANCE {
            let text = make(&mut self.chance);
            self.quoted(kind, &[&text]);
        }
    }

    fn numbers(&mut self, kind: &'static str, range: (i64, i64)) {
        for _ in 0..BY_CHANCE {
            let number = self.chance.between(range.0, range.1).to_string();
            self.bare(kind, &[&number]);
        }
    }

    fn integers(&mut self, most: i64) {
        self.bare("numbers", &["7", "1", "42"]);
        self.numbers("numbers", (1, 99));
        self.bare("zero", &["0"]);
        self.bare("large numbers", &["100", "1000"]);
        self.numbers("large numbers", (100, most.min(1_000_000)));
        self.bare("negative numbers", &["-1", "-42"]);
        self.numbers("negative numbers", (-99, -1));
        let huge = [most, most - 1, -most, -most - 1].map(|number| number.to_string());
        self.bare("huge numbers", &huge.each_ref().map(String::as_str));
    }

    fn floats(&mut self, huge: &[&str]) {
        self.bare("numbers", &["7.0", "1.0", "42.0"]);
        self.bare("zero", &["0.0"]);
        self.bare("large numbers", &["1000.0", "123456.0"]);
        self.bare("negative numbers", &["-1.0", "-42.0"]);
        self.bare("fractions", &["0.5", "0.1", "3.14159", "-1.5"]);
        self.bare("tiny numbers", &["1e-30"]);
        self.bare("huge numbers", huge);
    }

    fn texts(&mut self) {
        self.quoted("words", &["ada", "a"]);
        self.by_chance("words", Chance::word);
        self.quoted("several words", &["grace hopper", "a b c"]);
        self.by_chance("several words", |chance| {
            format!("{} {}", chance.word(), chance.word())
        });
        self.quoted("empty", &[""]);
        self.quoted("spaces", &[" ", " ada", "ada ", "a  b", "\t", "a\nb"]);
        self.quoted("capitals", &["Ada", "ADA", "Ada Lovelace", "McAdam"]);
        self.quoted(
            "letters beyond ASCII",
            &["zoë", "ZOË", "straße", "日本語", "🦀", "e\u{301}"],
        );
        self.quoted(
            "punctuation",
            &[
                "o'hara", "a-b", "a, b", "50%", "a_b", "\\", "\"a\"", "a@b.c",
            ],
        );
        self.quoted("numbers", &["7", "1", "42"]);
        self.by_chance("numbers", |chance| chance.between(1, 99).to_string());
        self.quoted("zero", &["0"]);
        self.quoted("large numbers", &["100", "1000", "123456"]);
        self.quoted("leading zeros", &["007", "00", "0042"]);
        self.quoted("negative numbers", &["-1", "-42"]);
        self.quoted("fractions", &["0.5", "1.50", ".5"]);
        self.quoted(
            "huge numbers",
            &["2147483648", "9223372036854775808", "100000000000000000000"],
        );
        self.quoted("odd numbers", &["+7", "1e3", "0x10", "1_000", "1,000"]);
        self.quoted("truth values", &["true", "false"]);
        self.quoted("dates", &["2024-02-28", "2000-01-01"]);
        self.quoted("moments", &["2024-02-28 12:30:00", "2024-02-28T12:30:00Z"]);
        self.quoted("UUIDs", &["67e55044-10b1-426f-9247-bb680e5fe0c8"]);
        self.quoted("long texts", &[&"x".repeat(300)]);
    }

    fn bytes(&mut self) {
        self.hexadecimal("bytes", "00ff10");
        for _ in 0..BY_CHANCE {
            let bytes = format!("{:016x}", self.chance.next());
            self.hexadecimal("bytes", &bytes);
        }
        self.hexadecimal("letters", "616461");
        self.hexadecimal("empty", "");
    }

    fn hexadecimal(&mut self, kind: &'static str, digits: &str) {
        let literal = match self.dialect {
            Dialect::Postgres => format!("'\\x{digits}'"),
            Dialect::Sqlite => format!("x'{digits}'"),
        };
        self.bare(kind, &[&literal]);
    }

    fn moments(&mut self, spelled: &dyn Fn(&str, &str) -> String) {
        let mut these = |kind, moments: &[(&str, &str)]| {
            for (date, time) in moments {
                self.quoted(kind, &[&spelled(date, time)]);
            }
        };
        these("whole seconds", &[("2024-02-28", "12:30:00")]);
        these("midnights", &[("2024-02-29", "00:00:00")]);
        these("fractions", &[("2024-02-29", "23:59:59.999999")]);
        these("moments before 1970", &[("1969-12-31", "23:59:59")]);
        these("far moments", &[("9999-12-31", "23:59:59")]);
        self.by_chance("whole seconds", |chance| {
            let date = chance.date();
            spelled(&date, &chance.time())
        });
    }

    fn uuids(&mut self) {
        let known = [
            "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ];
        for uuid in known {
            match self.dialect {
                Dialect::Postgres => self.quoted("UUIDs", &[uuid]),
                Dialect::Sqlite => self.hexadecimal("UUIDs", &uuid.replace('-', "")),
            }
        }
    }

    fn documents(&mut self) {
        self.quoted("objects", &["{\"a\":1}", "{}", "{\"a\":{\"b\":[null]}}"]);
        self.quoted("lists", &["[]", "[1,2]"]);
        self.quoted("JSON texts", &["\"ada\"", "\"\""]);
        self.quoted("JSON numbers", &["7", "-1", "1.50"]);
        self.quoted("JSON null", &["null"]);
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// SplitMix64: the same numbers everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = most.abs_diff(least) + 1;
        least.saturating_add_unsigned(self.next() % span)
    }

    fn word(&mut self) -> String {
        let length = self.between(1, 8);
        let letters = (0..length).map(|_| char::from(b'a' + (self.next() % 26) as u8));
        letters.collect()
    }

    fn date(&mut self) -> String {
        let (year, month, day) = (
            self.between(1971, 2060),
            self.between(1, 12),
            self.between(1, 28),
        );
        format!("{year:04}-{month:02}-{day:02}")
    }

    fn time(&mut self) -> String {
        let (hour, minute, second) = (
            self.between(0, 23),
            self.between(0, 59),
            self.between(1, 59),
        );
        format!("{hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_run_tries_the_same() {
        let once = samples(Values::Text, true, Dialect::Sqlite);
        assert_eq!(once, samples(Values::Text, true, Dialect::Sqlite));
    }

    #[test]
    fn no_value_is_of_two_kinds() {
        for values in [
            Values::Text,
            Values::Int2,
            Values::Int8,
            Values::Float8,
            Values::Date,
            Values::Json,
        ] {
            let made = samples(values, true, Dialect::Postgres);
            let kinds: BTreeSet<_> = made.iter().map(|made| (&made.literal, made.kind)).collect();
            let literals: BTreeSet<_> = made.iter().map(|made| &made.literal).collect();
            assert_eq!(kinds.len(), literals.len(), "{values:?}");
        }
    }

    #[test]
    fn the_most_ordinary_value_comes_first() {
        let first = |values| samples(values, true, Dialect::Sqlite).remove(0);
        assert_eq!(first(Values::Text).literal, "'ada'");
        assert_eq!(first(Values::Int4).literal, "7");
    }
}
