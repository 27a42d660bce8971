//! How values of a column look: of its type, of the words that its checks name, and, where a database was sampled, of what is there.
//!
//! Comes in: a column, a number that no other value has, chance. Goes out: a value.
//! Must not know: other columns, any database.

use zdm_model::{Column, LogicalType};

use super::spell::{date, quarter, time, uuid, uuid_bytes, word};
use super::value::Value;
use crate::load::random::Random;

/// What was seen of a column in another database.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen {
    /// In thousandths.
    pub(super) nulls: u64,
    /// The least and the greatest whole number.
    pub(super) numbers: Option<(i64, i64)>,
    /// The shortest and the longest text.
    pub(super) lengths: Option<(u64, u64)>,
    /// All values, where they are few.
    pub(super) values: Vec<String>,
}

/// A way to make values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Way {
    /// Of the column's own type.
    Typed,
    /// A text of digits.
    Digits,
    /// A text that is a number with a fraction.
    Fraction,
    /// Two words.
    Words,
    Email,
    Date,
    Moment,
    Uuid,
    Json,
    /// This text.
    Is(String),
}

/// How the values of one column are made.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    column: Column,
    seen: Seen,
    /// The values of its type, where that is an enum.
    variants: Vec<String>,
    unique: bool,
    typed: bool,
    pub(super) ways: Vec<Way>,
}

/// NULLs of a column of which nothing is known, in thousandths.
const NULLS: u64 = 80;

impl Shape {
    /// `words` are the texts that conditions on the column name; `typed`: the database keeps to types.
    pub(super) fn of(
        column: &Column,
        variants: &[String],
        words: &[String],
        unique: bool,
        typed: bool,
    ) -> Self {
        let text = column.logical_type == LogicalType::Text;
        let mut ways = vec![Way::Typed];
        if text {
            ways.extend([Way::Digits, Way::Words, Way::Email, Way::Fraction]);
            ways.extend([Way::Uuid, Way::Json]);
        }
        if text && !unique {
            // Their number is limited.
            ways.extend([Way::Date, Way::Moment]);
        }
        if !unique {
            ways.extend(words.iter().take(20).cloned().map(Way::Is));
        }
        let nulls = if column.nullable { NULLS } else { 0 };
        let seen = Seen {
            nulls,
            ..Seen::default()
        };
        let (column, variants) = (column.clone(), variants.to_vec());
        Self {
            column,
            seen,
            variants,
            unique,
            typed,
            ways,
        }
    }

    /// Never NULL.
    pub(super) fn must_be(&mut self) {
        self.column.nullable = false;
        self.seen.nulls = 0;
    }

    /// From now on as it was seen elsewhere.
    pub(super) fn take(&mut self, seen: Seen) {
        if !self.unique && !seen.values.is_empty() {
            self.ways = seen.values.iter().cloned().map(Way::Is).collect();
        }
        let nulls = if self.column.nullable { seen.nulls } else { 0 };
        self.seen = Seen { nulls, ..seen };
    }

    /// Whether the next value is NULL.
    pub(super) fn is_null(&self, random: &mut Random) -> bool {
        random.below(1000) < self.seen.nulls
    }

    /// A value, made in one of the ways; `number` is no other value's.
    pub(super) fn value(&self, way: &Way, number: u64, random: &mut Random) -> Value {
        let chance = random.below(1_000_000);
        let some = if self.unique {
            number
        } else {
            random.below(5_000)
        };
        let text = match way {
            Way::Typed => return self.typed(number, random),
            Way::Digits => some.to_string(),
            Way::Fraction => format!("{some}.{:02}", chance % 100),
            Way::Words => {
                let text = format!("{} {}{number}", word(chance), word(chance / 7));
                self.as_long_as_seen(text, number)
            }
            Way::Email => format!("{}{number}@example.org", word(chance)),
            Way::Date => date(some),
            Way::Moment => format!("{} {}", date(some), time(some)),
            Way::Uuid => uuid(some),
            Way::Json => format!("{{\"n\": {some}}}"),
            Way::Is(text) if self.column.logical_type == LogicalType::Text => text.clone(),
            Way::Is(text) => return self.spelled(text),
        };
        Value::text(self.within_bounds(text, number))
    }

    fn typed(&self, number: u64, random: &mut Random) -> Value {
        use LogicalType as T;
        let some = if self.unique {
            number
        } else {
            random.below(5_000)
        };
        match self.column.logical_type {
            T::Bool => Value::Int(i64::try_from(random.below(2)).unwrap_or(0)),
            T::Int2 | T::Int4 | T::Int8 => Value::Int(self.whole(some, random)),
            T::Float4 | T::Float8 => Value::Real(quarter(some)),
            T::Text => {
                let text = format!("{}{number}", word(random.below(1_000)));
                let text = self.as_long_as_seen(text, number);
                Value::text(self.within_bounds(text, number))
            }
            T::Bytes => Value::Blob(number.to_be_bytes().to_vec()),
            T::TimestampTz => Value::text(format!("{} {}+00:00", date(some), time(some))),
            T::Timestamp => Value::text(format!("{} {}", date(some), time(some))),
            T::Date => Value::text(date(some)),
            T::Time => Value::text(time(some)),
            T::Uuid if self.typed => Value::text(uuid(some)),
            T::Uuid => Value::Blob(uuid_bytes(some).to_vec()),
            T::Json => Value::text(format!("{{\"n\": {some}}}")),
            T::Enum => self.variant(some),
            T::Custom => self.custom(some),
        }
    }

    fn whole(&self, some: u64, random: &mut Random) -> i64 {
        let bound = if self.column.logical_type == LogicalType::Int2 {
            30_000
        } else {
            i64::MAX
        };
        let some = match self.seen.numbers {
            Some((least, greatest)) if !self.unique => {
                let width = greatest
                    .saturating_sub(least)
                    .unsigned_abs()
                    .saturating_add(1);
                return least.saturating_add_unsigned(random.below(width.max(1)));
            }
            _ => i64::try_from(some).unwrap_or(0),
        };
        some % bound
    }

    fn variant(&self, some: u64) -> Value {
        let count = self.variants.len().max(1) as u64;
        let at = usize::try_from(some % count).unwrap_or(0);
        let variant = self.variants.get(at).cloned().unwrap_or_default();
        let is_list = self
            .column
            .sql_type
            .as_deref()
            .is_some_and(|name| name.ends_with("[]"));
        Value::text(if is_list {
            format!("{{\"{variant}\"}}")
        } else {
            variant
        })
    }

    /// Types that only the database knows.
    fn custom(&self, some: u64) -> Value {
        let name = self
            .column
            .sql_type
            .as_deref()
            .unwrap_or_default()
            .to_lowercase();
        let one = |prefix: &str| name.starts_with(prefix);
        let text = if name.ends_with("[]") {
            "{}".to_owned()
        } else if one("numeric") || one("decimal") || one("money") {
            format!("{}.{:02}", some % 10_000, some % 100)
        } else if one("bigint") || one("int") || one("small") || one("real") || one("double") {
            (some % 30_000).to_string()
        } else if one("inet") || one("cidr") {
            format!("10.{}.{}.{}", some >> 16 & 255, some >> 8 & 255, some & 255)
        } else if one("macaddr") {
            format!(
                "08:00:2b:{:02x}:{:02x}:{:02x}",
                some >> 16 & 255,
                some >> 8 & 255,
                some & 255
            )
        } else if one("interval") {
            format!("{some} seconds")
        } else if one("point") {
            format!("({some},1)")
        } else if one("int4range") || one("int8range") || one("numrange") {
            format!("[{some},{})", some + 1)
        } else if one("daterange") {
            format!("[{0},{0}]", date(some))
        } else if one("tstzrange") || one("tsrange") {
            format!("[{0} 00:00,{0} 01:00)", date(some))
        } else if one("date") {
            date(some)
        } else if one("timestamp") {
            format!("{} {}", date(some), time(some))
        } else if one("time") {
            time(some)
        } else if one("uuid") {
            uuid(some)
        } else if one("json") {
            format!("{{\"n\": {some}}}")
        } else if one("bit") || one("varbit") {
            "1".to_owned()
        } else if one("bytea") || one("blob") {
            return Value::Blob(some.to_be_bytes().to_vec());
        } else if one("xml") {
            format!("<n>{some}</n>")
        } else {
            format!("{}{some}", word(some))
        };
        Value::text(text)
    }

    /// A text that was seen, or stands in a condition, as a value of the type.
    fn spelled(&self, text: &str) -> Value {
        use LogicalType as T;
        match self.column.logical_type {
            T::Bool | T::Int2 | T::Int4 | T::Int8 => {
                text.parse().map_or_else(|_| Value::text(text), Value::Int)
            }
            T::Float4 | T::Float8 => text.parse().map_or_else(|_| Value::text(text), Value::Real),
            _ => Value::text(text),
        }
    }

    /// A text that is not shorter than those that were seen.
    fn as_long_as_seen(&self, text: String, number: u64) -> String {
        let Some((shortest, longest)) = self.seen.lengths else {
            return text;
        };
        let width = longest.saturating_sub(shortest) + 1;
        let wanted = usize::try_from((shortest + number % width).min(2_000)).unwrap_or(0);
        let missing = wanted.saturating_sub(text.chars().count());
        "x".repeat(missing) + &text
    }

    /// The text as long as the column allows. The number at its end keeps it apart from others.
    fn within_bounds(&self, text: String, number: u64) -> String {
        let Some(bound) = self.bound() else {
            return text;
        };
        let digits = number.to_string();
        let kept: String = if self.unique {
            let start = bound.saturating_sub(digits.len());
            let kept: String = text.chars().take(start).collect();
            kept.trim_end_matches(|c: char| c.is_ascii_digit())
                .to_owned()
                + &digits
        } else {
            text.clone()
        };
        if text.chars().count() <= bound {
            return text;
        }
        kept.chars()
            .take(bound)
            .collect::<String>()
            .trim_end()
            .to_owned()
    }

    /// `varchar(20)` → 20
    fn bound(&self) -> Option<usize> {
        let spelled = self.column.sql_type.as_deref()?.to_lowercase();
        let (name, rest) = spelled.split_once('(')?;
        let is_text = name.contains("char");
        let digits = rest.split(')').next()?;
        digits.trim().parse().ok().filter(|_| is_text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn column(sql_type: Option<&str>) -> Column {
        let json = serde_json::json!({
            "name": "code", "field": "code", "rust_type": "String", "logical_type": "text",
            "sql_type": sql_type, "nullable": true,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn unique_values_are_unique_within_the_bounds_of_the_type() {
        let shape = Shape::of(&column(Some("varchar(8)")), &[], &[], true, true);
        let mut random = Random::new(1);
        let mut values = BTreeSet::new();
        for number in 1..=3_000 {
            let way = &shape.ways[usize::try_from(number % 3).unwrap()];
            let Value::Text(text) = shape.value(way, number, &mut random) else {
                panic!("a text column has texts");
            };
            assert!(text.len() <= 8, "{text}");
            values.insert(text);
        }
        assert_eq!(values.len(), 3_000);
    }

    #[test]
    fn values_are_as_they_were_seen() {
        let mut shape = Shape::of(&column(None), &[], &["word".to_owned()], false, true);
        assert!(shape.ways.contains(&Way::Is("word".to_owned())));
        shape.take(Seen {
            nulls: 1000,
            lengths: Some((30, 40)),
            ..Seen::default()
        });
        let mut random = Random::new(1);
        assert!(shape.is_null(&mut random));
        for number in 1..100 {
            let text = shape.value(&Way::Words, number, &mut random).shown();
            assert!((30..=41).contains(&text.len()), "{text}");
        }
        shape.take(Seen {
            values: vec!["a".to_owned(), "b".to_owned()],
            ..Seen::default()
        });
        assert_eq!(shape.ways, ["a", "b"].map(|text| Way::Is(text.to_owned())));
        assert!(!shape.is_null(&mut random));
    }
}
