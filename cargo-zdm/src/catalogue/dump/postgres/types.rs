//! Types as PostgreSQL prints them.

use super::super::cursor::Cursor;
use super::{Reader, Refused};

/// A type that the file makes.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// `enum`, `domain`, `range`, `composite`, `base`.
    pub(super) kind: &'static str,
    /// The type behind it: its own name, a domain's base.
    pub(super) base: String,
}

/// What a column is declared with.
#[derive(Debug, Clone, Default)]
pub(super) struct Type {
    /// `character varying(20)`
    pub(super) printed: String,
    /// `varchar`
    pub(super) base: String,
    pub(super) kind: String,
    /// `serial`: a sequence counts it.
    pub(super) serial: bool,
}

/// Spellings, how the server prints them, and the type's own name (manual, "Data Types").
const BUILT_IN: [(&str, &str, &str); 30] = [
    ("int", "integer", "int4"),
    ("integer", "integer", "int4"),
    ("int4", "integer", "int4"),
    ("bigint", "bigint", "int8"),
    ("int8", "bigint", "int8"),
    ("smallint", "smallint", "int2"),
    ("int2", "smallint", "int2"),
    ("serial", "integer", "int4"),
    ("serial4", "integer", "int4"),
    ("bigserial", "bigint", "int8"),
    ("serial8", "bigint", "int8"),
    ("smallserial", "smallint", "int2"),
    ("serial2", "smallint", "int2"),
    ("bool", "boolean", "bool"),
    ("boolean", "boolean", "bool"),
    ("real", "real", "float4"),
    ("float4", "real", "float4"),
    ("float8", "double precision", "float8"),
    ("float", "double precision", "float8"),
    ("double precision", "double precision", "float8"),
    ("varchar", "character varying", "varchar"),
    ("character varying", "character varying", "varchar"),
    ("char", "character", "bpchar"),
    ("character", "character", "bpchar"),
    ("decimal", "numeric", "numeric"),
    ("numeric", "numeric", "numeric"),
    ("bit varying", "bit varying", "varbit"),
    ("varbit", "bit varying", "varbit"),
    ("timestamptz", "timestamp with time zone", "timestamptz"),
    ("timetz", "time with time zone", "timetz"),
];

/// Types whose name and spelling are one.
const PLAIN: &str = "text uuid json jsonb bytea date inet cidr macaddr macaddr8 money name oid xml bit interval point line lseg \
    box path polygon circle tsvector tsquery jsonpath pg_lsn txid_snapshot pg_snapshot xid xid8 cid tid regclass regtype \
    regproc regprocedure regoper regoperator regconfig regdictionary regnamespace regrole regcollation refcursor \
    bpchar timestamp time";

const RANGES: &str = "int4range int8range numrange tsrange tstzrange daterange \
    int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange";

impl Reader<'_> {
    /// The type that stands here.
    pub(super) fn a_type(&self, cursor: &mut Cursor<'_>) -> Result<Type, Refused> {
        let quoted = cursor
            .peek()
            .is_some_and(|token| token.text.starts_with('"'));
        let mut name = cursor.qualified().ok_or("a type is expected here")?;
        if name.schema.as_deref() == Some("pg_catalog") {
            name.schema = None;
        }
        if name.schema.is_none() && !quoted {
            for (first, second) in [
                ("double", "precision"),
                ("character", "varying"),
                ("bit", "varying"),
            ] {
                if name.name == first && cursor.take(second) {
                    name.name = format!("{first} {second}");
                }
            }
        }
        let mut found = self.made(&name, quoted)?;
        if found.base == "interval" {
            let fields = cursor.text_while(|token| {
                ["year", "month", "day", "hour", "minute", "second", "to"]
                    .iter()
                    .any(|word| token.is(word))
            });
            if !fields.is_empty() && !fields.starts_with('(') {
                found.printed = format!("interval {}", fields.to_lowercase());
            } else if !fields.is_empty() {
                found.printed.push_str(fields);
            }
        } else if let Some(bounds) = cursor.inside() {
            let bounds: String = bounds.rest().split_whitespace().collect();
            found.printed = format!("{}({bounds})", found.printed);
        } else if found.base == "bpchar" && name.name.starts_with("char") {
            found.printed.push_str("(1)");
        }
        if found.base == "timestamp" || found.base == "time" {
            let zone = cursor.take("with time zone");
            if !zone {
                cursor.take("without time zone");
            }
            let word = if zone { "with" } else { "without" };
            found.printed = format!("{} {word} time zone", found.printed);
            found.base.push_str(if zone { "tz" } else { "" });
        } else if let Some(zone) = found.printed.find(" with time zone(") {
            // timestamptz(3)
            let bounds = found.printed.split_off(zone + " with time zone".len());
            found.printed.insert_str(zone, &bounds);
        }
        let mut array = false;
        while cursor.take("[") {
            cursor.text_while(|token| token.text != "]");
            cursor.take("]");
            array = true;
        }
        if cursor.take("array") || array {
            if found.base.len() > 62 {
                return Err("an array of a type with so long a name".to_owned());
            }
            found.printed.push_str("[]");
            found.base = format!("_{}", found.base);
            "array".clone_into(&mut found.kind);
        }
        Ok(found)
    }

    fn made(&self, name: &super::super::cursor::Name, quoted: bool) -> Result<Type, Refused> {
        let known = |kind: &str, printed: &str, base: &str| Type {
            printed: printed.to_owned(),
            base: base.to_owned(),
            kind: kind.to_owned(),
            serial: false,
        };
        let spelled = self.printed(name);
        if let Some(made) = self.types.get(&spelled) {
            return Ok(known(made.kind, &spelled, &made.base));
        }
        if name.schema.is_none() {
            let word = name.name.as_str();
            if quoted && word == "char" {
                return Ok(known("base", "\"char\"", "char"));
            }
            if let Some((_, printed, base)) = BUILT_IN.iter().find(|(known, ..)| *known == word) {
                let mut found = known("base", printed, base);
                found.serial = word.contains("serial");
                return Ok(found);
            }
            for (words, kind) in [(PLAIN, "base"), (RANGES, "range")] {
                if words.split_whitespace().any(|known| known == word) {
                    return Ok(known(kind, word, word));
                }
            }
        }
        // An extension brings types of its own, which a dump does not spell out.
        if self.has_extension {
            return Ok(known("base", &spelled, &name.name));
        }
        Err(format!(
            "the type {spelled} is none of PostgreSQL's own, and no statement before this one creates it or an extension"
        ))
    }
}
