//! Columns as fields.
//!
//! A column that no field can carry is left out of the struct only where an insert that does not name it is right: it may be
//! NULL, has a default, or the database computes or counts it. Otherwise its table is left out.

use zdm_model::{Column, LogicalType};

use super::enums::Enums;
use super::left_out::{Kind, LeftOut};
use super::names::{self, Given};
use super::types;
use crate::catalogue::{self, Counted, Table};
use crate::dialect::Dialect;

/// The columns that fields carry, in their order; or why the table cannot be.
pub(super) fn carried(
    table: &Table,
    key: &[String],
    enums: &Enums,
    dialect: &Dialect,
    left_out: &mut Vec<LeftOut>,
) -> Result<Vec<Column>, String> {
    let mut given = Given::default();
    let mut columns = Vec::new();
    for column in &table.columns {
        match field(column, key, enums, dialect) {
            Ok((carried, notes)) => {
                let object = format!("{}.{}", table.name, column.name);
                left_out.extend(
                    notes
                        .into_iter()
                        .map(|(kind, reason)| LeftOut::new(kind, "column", &object, reason)),
                );
                columns.push(Column {
                    field: names::field(&column.name, &mut given),
                    ..carried
                });
            }
            Err(reason) if key.contains(&column.name) => {
                return Err(format!(
                    "its key column {} has no field: {reason}",
                    column.name
                ));
            }
            Err(reason) if may_be_left(column) => left_out.push(LeftOut::new(
                Kind::NotRepresentable,
                "column",
                format!("{}.{}", table.name, column.name),
                format!(
                    "{reason}; the struct goes without it, and inserts leave it to the database"
                ),
            )),
            Err(reason) => {
                return Err(format!(
                    "its column {} has no field, and an insert must give it: {reason}",
                    column.name
                ));
            }
        }
    }
    if let [only] = columns.as_mut_slice()
        && only.auto
    {
        // An insert has to name a column. SQLite's rowid takes a number that it is given, and counts on from there.
        let rowid = |column: &catalogue::Column| column.counted == Some(Counted::Rowid);
        if !table.columns.iter().any(rowid) {
            return Err(
                "the database counts its only column, so there is nothing to insert".to_owned(),
            );
        }
        only.auto = false;
    }
    Ok(columns)
}

fn may_be_left(column: &catalogue::Column) -> bool {
    column.nullable
        || column.default.is_some()
        || column.generated.is_some()
        || column.counted.is_some()
}

type Notes = Vec<(Kind, String)>;

/// The column without its field's name, and what it does not say; or why there is none.
fn field(
    column: &catalogue::Column,
    key: &[String],
    enums: &Enums,
    dialect: &Dialect,
) -> Result<(Column, Notes), String> {
    if column.generated.is_some() {
        return Err("it is generated".to_owned());
    }
    let carried = types::carried(column, enums, dialect)?;
    let mut notes = Notes::new();
    if let Some(lacks) = carried.lacks {
        notes.push((Kind::Differs, format!("{}: {lacks}", column.sql_type)));
    }
    let is_key = key.contains(&column.name);
    let counts = matches!(
        carried.logical,
        LogicalType::Int2 | LogicalType::Int4 | LogicalType::Int8
    );
    let auto = column.counted.is_some() && key.len() == 1 && is_key && counts;
    match (column.counted, auto) {
        (Some(Counted::Always), true) => notes.push((
            Kind::Differs,
            "GENERATED ALWAYS: `auto` gives no number of its own; an `upsert`, which does, is refused by the database"
                .to_owned(),
        )),
        (Some(Counted::Always), false) => return Err("it is GENERATED ALWAYS AS IDENTITY".to_owned()),
        (Some(_), false) if is_key => notes.push((
            Kind::Differs,
            "the database counts it, and `auto` is for keys of one integer: an insert gives the number".to_owned(),
        )),
        (Some(_), false) => return Err("the database counts it, and it is no key".to_owned()),
        _ => {}
    }
    let default = column.default.as_deref().filter(|_| !auto);
    let default = default.and_then(|text| default_of(column, text));
    let default = default.filter(|text| match dialect.columns_in(text) {
        Ok(columns) if columns.is_empty() => true,
        Ok(_) => {
            let reason = format!("its default is not understood: {text}");
            notes.push((Kind::NotRepresentable, reason));
            false
        }
        Err(error) => {
            notes.push((Kind::NotRepresentable, format!("its default: {error}")));
            false
        }
    });
    let carried = Column {
        name: column.name.clone(),
        field: String::new(),
        rust_type: carried.rust_type.into_owned(),
        logical_type: carried.logical,
        sql_type: carried.sql_type,
        nullable: column.nullable && !is_key,
        auto,
        default,
        transition: None,
        source: String::new(),
    };
    Ok((carried, notes))
}

/// The default as people write it: a literal without the cast to the column's own type, which the database adds.
fn default_of(column: &catalogue::Column, text: &str) -> Option<String> {
    let Some((literal, cast)) = text.rsplit_once("::") else {
        return Some(text.to_owned());
    };
    let whole = literal.len() > 1
        && literal.starts_with('\'')
        && literal.ends_with('\'')
        && !literal[1..literal.len() - 1]
            .replace("''", "")
            .contains('\'');
    let unbounded = |sql_type: &str| match sql_type.split_once('(') {
        Some((head, rest)) => {
            let tail = rest.split_once(')').map_or("", |(_, tail)| tail);
            format!("{}{tail}", head.trim_end())
        }
        None => sql_type.to_owned(),
    };
    let own = unbounded(&column.sql_type);
    let cast = unbounded(cast);
    let same = cast == own || (cast == "bpchar" && own == "character");
    if literal == "NULL" {
        return None;
    }
    if !whole || !same {
        return Some(text.to_owned());
    }
    let inside = &literal[1..literal.len() - 1];
    let number = [
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "real",
        "double precision",
    ];
    let is_number = number.contains(&own.as_str())
        && inside
            .strip_prefix('-')
            .unwrap_or(inside)
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.');
    Some(if is_number {
        inside.to_owned()
    } else {
        literal.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_written_as_people_write_them() {
        for (sql_type, text, expected) in [
            ("text", "'x'::text", Some("'x'")),
            (
                "character varying(10)",
                "'it''s'::character varying",
                Some("'it''s'"),
            ),
            ("character(4)", "'ab'::bpchar", Some("'ab'")),
            ("integer", "'-1'::integer", Some("-1")),
            ("text", "NULL::text", None),
            (
                "text",
                "('a'::text || 'b'::text)",
                Some("('a'::text || 'b'::text)"),
            ),
            (
                "text",
                "'a'::text || 'b'::text",
                Some("'a'::text || 'b'::text"),
            ),
            ("date", "'now'::text::date", Some("'now'::text::date")),
            ("timestamp(3) with time zone", "now()", Some("now()")),
        ] {
            let column = catalogue::Column {
                sql_type: sql_type.to_owned(),
                ..catalogue::Column::default()
            };
            assert_eq!(default_of(&column, text).as_deref(), expected, "{text}");
        }
    }
}
