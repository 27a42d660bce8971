//! What the table holds, in words that no version of the application owns.

use std::collections::BTreeMap;

/// One row; an age that is no number reads as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) age: Option<i32>,
    pub(crate) email: String,
}

/// What every read must return.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows(BTreeMap<i64, Person>);

/// Rows as an older program left them: numbers, a padded one, none, and two that cannot be converted.
const AGES: [Option<&str>; 7] = [
    Some("30"),
    Some("007"),
    Some("unknown"),
    None,
    Some("41"),
    Some("99999999999"),
    Some("52"),
];

/// The rows that quarantine holds.
const UNCONVERTIBLE: [i64; 2] = [3, 6];
/// The one that somebody mends.
const MENDED: i64 = UNCONVERTIBLE[0];
/// Rows from here on are written between a kill and the next run.
const FIRST_NEW: i64 = 100;

impl Rows {
    /// The rows from before, and the SQL that stores them.
    pub(crate) fn seed() -> (Self, String) {
        let mut rows = Self::default();
        let mut sql = String::new();
        for (id, age) in (1..).zip(AGES) {
            let stored = age.map_or("NULL".to_owned(), |age| format!("'{age}'"));
            let values = format!("({id}, 'Seed {id}', {stored}, 'seed{id}@example.org')");
            sql += "INSERT INTO cargo_zdm_demo_users (id, name, age, email) VALUES ";
            sql += &values;
            sql += ";\n";
            rows.put(Person {
                id,
                name: format!("Seed {id}"),
                age: age.and_then(number),
                email: format!("seed{id}@example.org"),
            });
        }
        (rows, sql)
    }

    /// In the order of the keys.
    pub(crate) fn all(&self) -> Vec<Person> {
        self.0.values().cloned().collect()
    }

    /// A row from before gets another name.
    pub(crate) fn rename(&mut self) -> Person {
        let person = self.0.get_mut(&1).unwrap();
        person.name += "'";
        person.clone()
    }

    /// A new row.
    pub(crate) fn insert(&mut self) -> Person {
        let last = self.0.keys().next_back().copied().unwrap_or_default();
        let id = FIRST_NEW.max(last + 1);
        let person = Person {
            id,
            name: format!("New {id}"),
            age: Some(18),
            email: format!("new{id}@example.org"),
        };
        self.0.insert(id, person.clone());
        person
    }

    /// A row from before goes: the last one, so that each instance finds one.
    pub(crate) fn remove(&mut self) -> Person {
        let (id, _) = self.0.range(..FIRST_NEW).next_back().unwrap();
        let id = *id;
        self.0.remove(&id).unwrap()
    }

    /// The row in quarantine gets a value that can be converted.
    pub(crate) fn mend(&mut self) -> Person {
        let person = self.0.get_mut(&MENDED).unwrap();
        person.age = Some(77);
        person.clone()
    }

    /// Takes out the rows that cannot be converted; the SQL that does.
    pub(crate) fn without_what_waits(&mut self) -> String {
        self.0.retain(|id, _| !UNCONVERTIBLE.contains(id));
        format!(
            "DELETE FROM cargo_zdm_demo_users WHERE id IN ({}, {})",
            UNCONVERTIBLE[0], UNCONVERTIBLE[1]
        )
    }

    fn put(&mut self, person: Person) {
        self.0.insert(person.id, person);
    }
}

/// How the first version writes an age.
pub(crate) fn text(age: i32) -> String {
    age.to_string()
}

/// What the first version's text means.
pub(crate) fn number(text: &str) -> Option<i32> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
