//! What becomes of the values of an enum that go: nothing in two dumps says so, and a person would.

use zdm_model::{Enumeration, Schema};

use super::values::quoted;

/// The enums that lose values or have them in another order: before, after.
pub(crate) fn changed<'a>(
    before: &'a Schema,
    after: &'a Schema,
) -> impl Iterator<Item = (&'a Enumeration, &'a Enumeration)> {
    let both = after
        .enums
        .iter()
        .filter_map(|new| Some((before.enumeration(&new.name)?, new)));
    both.filter(|(old, new)| {
        let kept = new
            .values
            .iter()
            .filter(|value| old.values.contains(value))
            .collect::<Vec<_>>();
        kept != old.values.iter().collect::<Vec<_>>()
    })
}

/// What each value that goes becomes: the new ones that stand where it stood, one for one, the last of them for the rest; the
/// first value of all where nothing new stands there.
pub(crate) fn becomes(old: &Enumeration, new: &Enumeration) -> Vec<(String, String)> {
    let stays = |value: &&String| new.values.contains(value);
    let mut all = Vec::new();
    let (mut behind, mut number) = (None, 0);
    for value in &old.values {
        if stays(&value) {
            (behind, number) = (Some(value), 0);
            continue;
        }
        let start = behind.and_then(|behind| new.values.iter().position(|value| value == behind));
        let fresh = new.values[start.map_or(0, |at| at + 1)..]
            .iter()
            .take_while(|value| !old.values.contains(value));
        let fresh: Vec<&String> = fresh.collect();
        let to = fresh.get(number).or(fresh.last()).copied();
        all.push((value.clone(), to.unwrap_or(&new.values[0]).clone()));
        number += 1;
    }
    all
}

/// The words on variants: by the enum's name and the value.
pub(crate) fn words(old: &Enumeration, new: &Enumeration) -> Vec<((String, String), String)> {
    let becomes = becomes(old, new);
    let mut words = Vec::new();
    for value in &new.values {
        let from = becomes.iter().filter(|(_, to)| to == value);
        let from: Vec<String> = from.map(|(from, _)| format!("{from:?}")).collect();
        if !from.is_empty() {
            let place = (new.name.clone(), value.clone());
            words.push((place, format!("from({})", from.join(", "))));
        }
    }
    words
}

/// The value of a column of the enum over that of before, which is a text.
pub(crate) fn expected(old: &Enumeration, new: &Enumeration, column: &str) -> String {
    let becomes = becomes(old, new);
    let whens = becomes
        .iter()
        .map(|(from, to)| format!(" WHEN {} THEN {}", quoted(from), quoted(to)));
    let whens: String = whens.collect();
    if whens.is_empty() {
        column.to_owned()
    } else {
        format!("CASE {column}{whens} ELSE {column} END")
    }
}

/// Before with the values that come besides those that take others over.
pub(crate) fn with_new_values(before: &Schema, after: &Schema) -> Schema {
    let mut schema = before.clone();
    for (old, new) in changed(before, after) {
        let becomes = becomes(old, new);
        let comes = new.values.iter().filter(|value| {
            !old.values.contains(value) && becomes.iter().all(|(_, to)| to != *value)
        });
        let mut enums = schema.enums.iter_mut();
        if let Some(found) = enums.find(|found| found.name == new.name) {
            found.values.extend(comes.cloned());
        }
    }
    schema
}

/// The same with the values of after, and the defaults that say them.
pub(crate) fn with_other_values(before: &Schema, after: &Schema) -> Schema {
    let mut schema = before.clone();
    for (old, new) in changed(before, after) {
        for table in &mut schema.tables {
            let now = after.table(&table.name);
            for column in table
                .columns
                .iter_mut()
                .filter(|column| old.is_type_of(column))
            {
                if let Some(now) = now.and_then(|now| now.column(&column.name)) {
                    column.default.clone_from(&now.default);
                }
            }
        }
        let mut enums = schema.enums.iter_mut();
        if let Some(found) = enums.find(|found| found.name == new.name) {
            found.values.clone_from(&new.values);
        }
    }
    schema
}

/// The file of the enums with words on their variants, which stand in the order of their values.
pub(crate) fn declared(
    text: &str,
    schema: &Schema,
    words: &dyn Fn(&str, &str) -> Option<String>,
) -> String {
    let mut enums = schema.enums.iter();
    let mut values = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("pub enum ") {
            let found = enums.next().expect("an enum of the schema");
            values = Some((found, found.values.iter()));
        }
        let is_variant = line.starts_with("    ") && line.ends_with(',') && !line.contains('#');
        if let Some((found, values)) = values.as_mut().filter(|_| is_variant) {
            let value = values.next().expect("a value of the enum");
            lines.extend(words(&found.name, value).map(|word| format!("    #[zdm({word})]")));
        }
        lines.push(line.to_owned());
    }
    lines.join("\n") + "\n"
}
