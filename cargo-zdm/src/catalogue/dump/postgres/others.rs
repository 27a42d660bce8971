//! What is no table: it is listed by its name, and what it says stays unread.

use super::super::cursor::Cursor;
use super::comments::literal;
use super::names::qualified;
use super::settings::numbers;
use super::types::Made;
use super::{Reader, Refused};
use crate::catalogue::Enum;

/// What `import` does not list.
const UNLISTED: [&str; 15] = [
    "schema",
    "cast",
    "transform",
    "server",
    "user mapping",
    "foreign data wrapper",
    "conversion",
    "operator class",
    "operator family",
    "access method",
    "language",
    "trusted language",
    "publication",
    "subscription",
    "text search dictionary",
];

impl Reader<'_> {
    /// Behind `CREATE`.
    pub(super) fn create_other(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        if cursor.take("schema") {
            cursor.take("if not exists");
            let name = cursor.name().ok_or("a name is expected here")?;
            self.schemas.entry(name).or_insert(0);
            return Ok(());
        }
        if cursor.take("extension") {
            cursor.take("if not exists");
            let name = cursor.name().ok_or("a name is expected here")?;
            self.has_extension = true;
            if name != "plpgsql" {
                self.other("extension", name);
            }
            return Ok(());
        }
        if cursor.take("event trigger") {
            let name = cursor.name().ok_or("a name is expected here")?;
            self.other("event trigger", name);
            return Ok(());
        }
        if UNLISTED.iter().any(|words| cursor.take(words)) {
            return Ok(());
        }
        for (what, before) in [
            ("trigger", "on"),
            ("policy", "on"),
            ("rule", "to"),
            ("statistics", "from"),
        ] {
            cursor.take("constraint");
            if cursor.take(what) {
                cursor.take("if not exists");
                let name = qualified(cursor)?.name;
                cursor.text_while(|token| !token.is(before));
                cursor.next();
                let table = qualified(cursor)?;
                // Views have triggers and rules as well.
                let known = self.own(&table) && self.at.contains_key(&table.name);
                return if known {
                    self.of_table(&table.name, what, &name)
                } else {
                    Ok(())
                };
            }
        }
        if cursor.take("type") || cursor.take("domain") {
            return self.create_type(cursor);
        }
        cursor.take("recursive");
        for what in [
            "view",
            "materialized view",
            "foreign table",
            "sequence",
            "collation",
            "text search configuration",
        ] {
            if cursor.take(what) {
                cursor.take("if not exists");
                let name = qualified(cursor)?;
                if self.own(&name) {
                    if what == "sequence" {
                        let numbers = numbers(cursor)?;
                        self.numbers.insert(name.name.clone(), numbers);
                    }
                    self.names.insert(name.name.clone());
                    self.other(what, name.name);
                }
                return Ok(());
            }
        }
        for what in ["function", "procedure", "aggregate"] {
            if cursor.take(what) {
                let name = qualified(cursor)?;
                let arguments = cursor.inside().ok_or("arguments are expected here")?;
                if self.own(&name) {
                    let arguments = self.arguments(arguments);
                    self.other(what, format!("{}({arguments})", name.name));
                }
                return Ok(());
            }
        }
        if cursor.take("operator") {
            return self.operator(cursor);
        }
        Err("this kind of object is not understood".to_owned())
    }

    /// The arguments that tell functions of one name apart, as the server prints them.
    fn arguments(&self, mut arguments: Cursor<'_>) -> String {
        let kept = arguments.parts().into_iter().filter_map(|mut part| {
            let out = part.peek().is_some_and(|token| token.is("out"));
            (!out).then(|| self.argument(&mut part))
        });
        kept.collect::<Vec<_>>().join(", ")
    }

    /// `[mode] [name] type [DEFAULT …]`
    fn argument(&self, part: &mut Cursor<'_>) -> String {
        let as_written = part
            .clone()
            .text_while(|token| !token.is("default") && token.text != "=");
        part.take("in");
        let mut kept = String::new();
        for mode in ["INOUT ", "VARIADIC "] {
            if part.take(&mode.trim_end().to_lowercase()) {
                kept.push_str(mode);
            }
        }
        let ends = |cursor: &Cursor<'_>| {
            let next = cursor.peek();
            next.is_none_or(|token| token.is("default") || token.text == "=")
        };
        let mut alone = part.clone();
        if let Ok(found) = self.a_type(&mut alone)
            && ends(&alone)
        {
            return format!("{kept}{}", found.printed);
        }
        let name = part.next().map_or("", |token| token.text);
        match self.a_type(part) {
            Ok(found) if ends(part) => format!("{kept}{name} {}", found.printed),
            _ => self.local(as_written),
        }
    }

    fn operator(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        let text = cursor.text_while(|_| false).to_owned();
        let mut name = text;
        while let Some(token) = cursor.peek().filter(|token| token.text != "(") {
            name.push_str(token.text);
            cursor.next();
        }
        let (schema, symbol) = match name.split_once('.') {
            Some((schema, symbol)) => (schema.to_owned(), symbol.to_owned()),
            None => (self.unqualified.clone(), name),
        };
        let mut inside = cursor
            .inside()
            .ok_or("an operator's words are expected here")?;
        let mut sides = ["NONE".to_owned(), "NONE".to_owned()];
        for mut part in inside.parts() {
            for (at, word) in ["leftarg", "rightarg"].into_iter().enumerate() {
                if part.take(word) && part.take("=") {
                    sides[at] = self.a_type(&mut part)?.printed;
                }
            }
        }
        if schema == self.schema {
            self.other("operator", format!("{symbol}({})", sides.join(",")));
        }
        Ok(())
    }

    fn create_type(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        let name = qualified(cursor)?;
        let printed = self.printed(&name);
        let shell = cursor.is_at_end();
        let mut base = name.name.clone();
        let (what, kind) = if cursor.take("as enum") {
            let mut inside = cursor
                .inside()
                .ok_or("an enum's values are expected here")?;
            let values = inside
                .parts()
                .into_iter()
                .map(|mut part| literal(&mut part));
            let values: Vec<String> = values.collect::<Result<_, _>>()?;
            if self.own(&name) && !values.is_empty() {
                self.enums.push(Enum {
                    name: name.name.clone(),
                    sql_type: printed.clone(),
                    values,
                });
            }
            ("enum", "enum")
        } else if cursor.take("as range") {
            ("range type", "range")
        } else if cursor.take("as (") {
            ("composite type", "composite")
        } else if shell || cursor.peek().is_some_and(|token| token.text == "(") {
            ("type", "base")
        } else {
            cursor.take("as");
            base = self.a_type(cursor)?.base;
            ("domain", "domain")
        };
        let made = Made { kind, base };
        self.types.insert(printed, made);
        if self.own(&name) {
            self.other(what, name.name);
        }
        Ok(())
    }

    /// Behind `ALTER`. Who owns an object is no part of what is read.
    pub(super) fn alter_other(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        if cursor.take("sequence") {
            cursor.take("if exists");
            let name = qualified(cursor)?;
            if cursor.take("owned by") && !cursor.take("none") && self.own(&name) {
                let column = qualified(cursor)?;
                let table = column.schema.unwrap_or_default();
                self.owned.insert(name.name, (table, column.name));
                return Ok(());
            }
            let changed = numbers(cursor)?;
            if self.own(&name) && !changed.is_empty() {
                self.numbers.insert(name.name, changed);
            }
            return Ok(());
        }
        if cursor.take("publication") {
            let publication = cursor.name().ok_or("a name is expected here")?;
            if cursor.take("add table") {
                cursor.take("only");
                let table = qualified(cursor)?;
                if self.own(&table) {
                    return self.of_table(&table.name, "publication", &publication);
                }
            }
            return Ok(());
        }
        if cursor.take("default privileges") || cursor.take("text search configuration") {
            return Ok(());
        }
        let index = cursor.take("index");
        let mut owner = false;
        let mut attached = false;
        let mut words = cursor.clone();
        while !words.is_at_end() {
            owner |= words.take("owner to");
            attached |= words.take("attach partition");
            words.next();
        }
        if owner || (index && attached) {
            return Ok(());
        }
        Err("this change is not followed".to_owned())
    }
}
