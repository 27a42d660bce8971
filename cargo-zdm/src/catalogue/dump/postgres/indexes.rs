//! Indexes.

use super::super::cursor::{Cursor, identifier};
use super::constraints::names_inside;
use super::names::qualified;
use super::{Reader, Refused};
use crate::catalogue::definition::collapsed;
use crate::catalogue::{Index, IndexPart};

impl Reader<'_> {
    /// Behind `CREATE [UNIQUE] INDEX`.
    pub(super) fn create_index(
        &mut self,
        cursor: &mut Cursor<'_>,
        unique: bool,
    ) -> Result<(), Refused> {
        cursor.take("concurrently");
        cursor.take("if not exists");
        let name = if cursor.take("on") {
            None
        } else {
            let name = qualified(cursor)?.name;
            if !cursor.take("on") {
                return Err("an index says which table it is ON".to_owned());
            }
            Some(name)
        };
        cursor.take("only");
        let table = qualified(cursor)?;
        if !self.own(&table) {
            return Ok(());
        }
        let table = table.name;
        let mut index = Index {
            method: "btree".to_owned(),
            unique,
            ..Index::default()
        };
        if cursor.take("using") {
            index.method = cursor.name().ok_or("an index method is expected here")?;
        }
        let mut inside = cursor
            .inside()
            .ok_or("the indexed columns are expected here")?;
        let view = crate::catalogue::Other {
            what: "materialized view".to_owned(),
            object: table.clone(),
        };
        if self.others.contains(&view) {
            return Ok(());
        }
        for mut part in inside.parts() {
            let part = self.index_part(&table, &mut part)?;
            index.parts.push(part);
        }
        if cursor.take("include") {
            index.included = names_inside(cursor)?;
        }
        if cursor.take("nulls not distinct") {
            index.nulls_not_distinct = true;
        }
        cursor.take("nulls distinct");
        index.storage = options(cursor, " = ")?;
        if cursor.take("tablespace") {
            cursor.name();
        }
        if cursor.take("where") {
            index.predicate = Some(self.expression(cursor.text_while(|_| true)));
        }
        if !cursor.is_at_end() {
            return Err(format!("{} is not understood", cursor.rest()));
        }
        index.name = name.unwrap_or_else(|| self.free_name(&table, &called(&index), "idx"));
        self.names.insert(index.name.clone());
        self.add_index(&table, index)
    }

    pub(super) fn add_index(&mut self, table: &str, index: Index) -> Result<(), Refused> {
        self.indexes.insert(index.name.clone(), table.to_owned());
        self.table_mut(table)?.indexes.push(index);
        Ok(())
    }

    /// What an index orders by, in the words and the order of the server (manual, "CREATE INDEX").
    pub(super) fn index_part(
        &mut self,
        table: &str,
        cursor: &mut Cursor<'_>,
    ) -> Result<IndexPart, Refused> {
        let mut probe = cursor.clone();
        let column = probe.name().filter(|name| {
            let mut columns = self.at.get(table).map(|at| self.tables[*at].columns.iter());
            let known = columns
                .as_mut()
                .is_some_and(|all| all.any(|column| column.name == *name));
            known && probe.peek().is_none_or(|token| token.text != "(")
        });
        let mut element = if column.is_some() {
            let name = cursor.next().map_or("", |token| token.text);
            if name.starts_with('"') {
                name.to_owned()
            } else {
                name.to_lowercase()
            }
        } else {
            // In parentheses, or a call.
            let mut in_name = cursor.peek().is_some_and(|token| token.text != "(");
            let text = cursor.text_while(|token| {
                let goes_on = in_name || token.text == ".";
                in_name = token.text == ".";
                goes_on
            });
            if text.is_empty() {
                return Err("an index part is expected here".to_owned());
            }
            collapsed(&self.local(text))
        };
        let alone = element.len();
        if cursor.take("collate") {
            element.push_str(" COLLATE ");
            element.push_str(&self.of_server(cursor)?);
        }
        let ends = ["asc", "desc", "nulls", "with"];
        if let Some(token) = cursor.peek()
            && !ends.iter().any(|word| token.is(word))
        {
            element.push(' ');
            element.push_str(&self.of_server(cursor)?);
            if let Some(parameters) = cursor.inside() {
                element = format!("{element} ({})", collapsed(parameters.rest()));
            }
        }
        let descending = cursor.take("desc");
        cursor.take("asc");
        let first = cursor.take("nulls first");
        let last = cursor.take("nulls last");
        for (words, said) in [
            (" DESC", descending),
            (" NULLS FIRST", first && !descending),
            (" NULLS LAST", last && descending),
        ] {
            element.push_str(if said { words } else { "" });
        }
        // What an exclusion compares with.
        if cursor.peek().is_some_and(|token| token.is("with")) {
            element.push(' ');
            element.push_str(&self.local(cursor.text_while(|_| true)));
        }
        if !cursor.is_at_end() {
            return Err(format!("{} is not understood in an index", cursor.rest()));
        }
        let more = column.is_none() || element.len() > alone;
        Ok(IndexPart {
            column,
            element: more.then_some(element),
        })
    }
}

/// `WITH (fillfactor='70')` as the catalogue keeps it: `fillfactor`, what stands `between`, `70`.
pub(super) fn options(cursor: &mut Cursor<'_>, between: &str) -> Result<Option<String>, Refused> {
    if !cursor.take("with") {
        return Ok(None);
    }
    in_parentheses(cursor, between).map(Some)
}

pub(super) fn in_parentheses(cursor: &mut Cursor<'_>, between: &str) -> Result<String, Refused> {
    let mut inside = cursor
        .inside()
        .ok_or("options in parentheses are expected here")?;
    let options = inside.parts().into_iter().map(|part| {
        let (name, value) = part.rest().split_once('=').unwrap_or((part.rest(), "true"));
        let value = value.trim().trim_matches('\'');
        format!("{}{between}{value}", name.trim())
    });
    Ok(options.collect::<Vec<_>>().join(", "))
}

/// What an index without a name is called by: its columns, and the functions that its expressions call.
pub(super) fn called(index: &Index) -> Vec<String> {
    let function = |element: &str| {
        let name = element.split('(').next().unwrap_or_default();
        let name = name.rsplit('.').next().and_then(identifier);
        name.unwrap_or_else(|| "expr".to_owned())
    };
    let name = |part: &IndexPart| {
        let element = part.element.as_deref().unwrap_or_default();
        part.column.clone().unwrap_or_else(|| function(element))
    };
    index.parts.iter().map(name).collect()
}
