//! How a table, a column or a sequence is kept: listed, and said by no struct.

use super::super::cursor::Cursor;
use super::indexes::in_parentheses;
use super::{Reader, Refused};

/// What says nothing about what a table holds.
const UNLISTED: [&str; 5] = [
    "force row level security",
    "set without cluster",
    "replica identity default",
    "enable",
    "disable",
];

impl Reader<'_> {
    /// Behind `ALTER TABLE name`; whether it was a setting.
    pub(super) fn setting_of_table(
        &mut self,
        table: &str,
        cursor: &mut Cursor<'_>,
    ) -> Result<bool, Refused> {
        if UNLISTED.iter().any(|words| cursor.take(words)) {
            return Ok(true);
        }
        for what in ["REPLICA IDENTITY USING INDEX", "CLUSTER ON"] {
            if cursor.take(&what.to_lowercase()) {
                let index = cursor.name().ok_or("an index's name is expected here")?;
                self.of_table(table, what, &index)?;
                return Ok(true);
            }
        }
        for what in ["REPLICA IDENTITY FULL", "REPLICA IDENTITY NOTHING"] {
            if cursor.take(&what.to_lowercase()) {
                self.of_table(table, what, "")?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Behind `ALTER COLUMN name SET`, or behind a column's type; whether it was a setting.
    pub(super) fn setting_of_column(
        &mut self,
        table: &str,
        column: &str,
        cursor: &mut Cursor<'_>,
    ) -> Result<bool, Refused> {
        let what = if cursor.take("statistics") {
            match number(cursor)?.as_str() {
                "-1" => return Ok(true),
                target => format!("SET STATISTICS {target}"),
            }
        } else if cursor.take("storage") {
            let name = cursor.name().ok_or("a way to store is expected here")?;
            format!("SET STORAGE {}", name.to_uppercase())
        } else if cursor.take("compression") {
            let name = cursor.name().ok_or("a compression is expected here")?;
            format!("SET COMPRESSION {name}")
        } else if cursor.peek().is_some_and(|token| token.text == "(") {
            format!("SET ({})", in_parentheses(cursor, "=")?)
        } else {
            return Ok(false);
        };
        self.of_table(table, &what, column)?;
        Ok(true)
    }

    /// What a column's numbers begin with and how they go on, where that is not 1, by 1.
    pub(super) fn numbers_of(
        &mut self,
        table: &str,
        column: &str,
        numbers: &str,
    ) -> Result<(), Refused> {
        match numbers {
            "" => Ok(()),
            _ => self.of_table(table, &format!("numbers ({numbers})"), column),
        }
    }
}

/// The options of a sequence as far as they are no defaults, in the order in which a catalogue's are told.
pub(super) fn numbers(cursor: &mut Cursor<'_>) -> Result<String, Refused> {
    let (mut start, mut by) = (None, "1".to_owned());
    let (mut least, mut greatest) = (None, None);
    let (mut cache, mut cycle) = ("1".to_owned(), false);
    while !cursor.is_at_end() {
        if cursor.take("start") {
            cursor.take("with");
            start = Some(number(cursor)?);
        } else if cursor.take("increment") {
            cursor.take("by");
            by = number(cursor)?;
        } else if cursor.take("minvalue") {
            least = Some(number(cursor)?);
        } else if cursor.take("maxvalue") {
            greatest = Some(number(cursor)?);
        } else if cursor.take("cache") {
            cache = number(cursor)?;
        } else if cursor.take("cycle") {
            cycle = true;
        } else if cursor.take("sequence name") || cursor.take("owned by") || cursor.take("owner to")
        {
            cursor.qualified();
        } else if !cursor.take("no") || cursor.next().is_none() {
            // `AS integer`
            cursor.next();
        }
    }
    let ascends = !by.starts_with('-');
    let (least, greatest) = if ascends {
        (least.filter(|least| least != "1"), greatest)
    } else {
        (least, greatest.filter(|greatest| greatest != "-1"))
    };
    let (bound, otherwise) = if ascends {
        (&least, "1")
    } else {
        (&greatest, "-1")
    };
    let first = bound.as_deref().unwrap_or(otherwise);
    let said = [
        ("START WITH", start.filter(|start| start != first)),
        ("INCREMENT BY", Some(by).filter(|by| by != "1")),
        ("MINVALUE", least.clone()),
        ("MAXVALUE", greatest.clone()),
        ("CACHE", Some(cache).filter(|cache| cache != "1")),
    ];
    let said = said
        .into_iter()
        .filter_map(|(word, number)| Some(format!("{word} {}", number?)));
    let cycle = cycle.then(|| "CYCLE".to_owned());
    Ok(said.chain(cycle).collect::<Vec<_>>().join(" "))
}

fn number(cursor: &mut Cursor<'_>) -> Result<String, Refused> {
    let sign = if cursor.take("-") { "-" } else { "" };
    let digits = cursor.next().ok_or("a number is expected here")?;
    Ok(format!("{sign}{}", digits.text))
}
