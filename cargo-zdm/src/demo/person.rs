//! What the demo stores, in words that no version of its application owns.
//!
//! The first version keeps the age as text, the later ones as a number; both read as a [`Person`], so that the oracle
//! can compare what any of them wrote with what any of them reads.
//! Must not know: tables, columns, SQL.

use crate::load::random::Random;

/// One row of the demo's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    /// The key.
    pub(super) id: i64,
    /// `name`, later `full_name`.
    pub(super) name: String,
    /// `age`, later `age_number`; `None` for a text that is no number, too.
    pub(super) age: Option<i32>,
    /// Unique.
    pub(super) email: String,
}

impl Person {
    /// A person with new values in every column. `author` and `number` together must not come again: they make the
    /// email unique.
    pub(super) fn fresh(id: i64, author: u32, number: u64, random: &mut Random) -> Self {
        Self {
            id,
            name: fresh_name(author, number),
            age: fresh_age(random),
            email: format!("person{id}.{number}@author{author}.example"),
        }
    }
}

/// A name that was never written before.
pub(super) fn fresh_name(author: u32, number: u64) -> String {
    const GIVEN: [&str; 5] = ["Ada", "Grace", "Zoë", "Søren", "O'Neil"];
    let given = GIVEN[usize::try_from(number % 5).unwrap_or_default()];
    format!("{given} {author}-{number}")
}

/// An age, or none for one in eight.
pub(super) fn fresh_age(random: &mut Random) -> Option<i32> {
    let age = i32::try_from(random.below(120)).unwrap_or_default();
    (random.below(8) > 0).then_some(age)
}

/// How the first version wrote an age: padded by some clients, and `unknown` where it was not given.
/// A number that no integer holds stands for those that look right to a pattern.
pub(super) fn age_as_text(id: i64, age: Option<i32>) -> Option<String> {
    match (age, id % 4) {
        (Some(age), 3) => Some(format!("{age:03}")),
        (Some(age), _) => Some(age.to_string()),
        (None, 1) => Some("unknown".to_owned()),
        (None, 3) => Some("99999999999".to_owned()),
        (None, _) => None,
    }
}

/// What the first version's text means: the twin of `valid_if` in the second version's model.
pub(super) fn age_of_text(text: &str) -> Option<i32> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_survives_its_text() {
        for id in 0..4 {
            for age in [None, Some(0), Some(7), Some(119)] {
                let text = age_as_text(id, age);
                assert_eq!(text.as_deref().and_then(age_of_text), age, "{text:?}");
            }
        }
    }

    #[test]
    fn values_are_never_written_twice() {
        let mut random = Random::new(1);
        let one = Person::fresh(1, 1, 1, &mut random);
        let two = Person::fresh(1, 1, 2, &mut random);
        assert_ne!(one.name, two.name);
        assert_ne!(one.email, two.email);
    }
}
