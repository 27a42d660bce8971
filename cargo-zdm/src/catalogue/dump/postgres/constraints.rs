//! Constraints: of a table's own text, of one of its columns, or added later.

use super::super::cursor::Cursor;
use super::indexes::{called, options};
use super::names::{columns_of, qualified};
use super::{Reader, Refused};
use crate::catalogue::{Check, ForeignKey, Index, IndexPart};

impl Reader<'_> {
    /// A constraint without the words `CONSTRAINT name`. `column`: the one that it stands behind.
    pub(super) fn constraint(
        &mut self,
        table: &str,
        name: Option<String>,
        column: Option<&str>,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Refused> {
        if cursor.take("check") {
            return self.check(table, name, cursor);
        }
        if cursor.take("primary key") {
            return self.key(table, name, ("primary key", "pkey"), column, cursor);
        }
        if cursor.take("unique") {
            return self.key(table, name, ("unique", "key"), column, cursor);
        }
        if cursor.take("exclude") {
            return self.exclusion(table, name, cursor);
        }
        let of_table = cursor.take("foreign key");
        if of_table || cursor.take("references") {
            return self.foreign_key(table, name, column.filter(|_| !of_table), cursor);
        }
        Err("this kind of constraint is not understood".to_owned())
    }

    fn named(
        &mut self,
        table: &str,
        name: Option<String>,
        columns: &[String],
        label: &str,
    ) -> String {
        let name = name.unwrap_or_else(|| self.free_name(table, columns, label));
        self.names.insert(name.clone());
        name
    }

    fn check(
        &mut self,
        table: &str,
        name: Option<String>,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Refused> {
        let inside = cursor
            .inside()
            .ok_or("a check has a condition in parentheses")?;
        let expr = self.expression(inside.rest());
        let mut check = Check {
            expr,
            ..Check::default()
        };
        loop {
            if cursor.take("no inherit") {
                check.no_inherit = true;
            } else if !looked_at(cursor, &mut check.not_valid, &mut check.unusual) {
                break;
            }
        }
        // A condition on a single column gives the check that column's name.
        let columns = columns_of(self.table_mut(table)?, inside.rest());
        let columns = if columns.len() == 1 {
            columns
        } else {
            Vec::new()
        };
        check.name = Some(self.named(table, name, &columns, "check"));
        self.table_mut(table)?.checks.push(check);
        Ok(())
    }

    fn key(
        &mut self,
        table: &str,
        name: Option<String>,
        (constraint, label): (&str, &str),
        column: Option<&str>,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Refused> {
        let nulls = cursor.take("nulls not distinct");
        cursor.take("nulls distinct");
        if cursor.take("using index") {
            return Err("a constraint that takes an index over is not followed".to_owned());
        }
        let columns = match column {
            Some(column) => vec![column.to_owned()],
            None => names_inside(cursor)?,
        };
        let mut index = Index {
            name: match constraint {
                "primary key" => self.named(table, name, &[], label),
                _ => self.named(table, name, &columns, label),
            },
            parts: columns.iter().map(|name| part(name)).collect(),
            unique: true,
            method: "btree".to_owned(),
            nulls_not_distinct: nulls,
            constraint: Some(constraint.to_owned()),
            ..Index::default()
        };
        if cursor.take("include") {
            index.included = names_inside(cursor)?;
        }
        index.storage = options(cursor, " = ")?;
        (index.deferrable, index.initially_deferred) = deferrable(cursor);
        let found = self.table_mut(table)?;
        if constraint == "primary key" {
            let keys = found.columns.iter_mut();
            keys.filter(|column| columns.contains(&column.name))
                .for_each(|column| column.nullable = false);
        }
        self.add_index(table, index)
    }

    fn exclusion(
        &mut self,
        table: &str,
        name: Option<String>,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Refused> {
        let mut index = Index {
            method: "btree".to_owned(),
            constraint: Some("exclusion".to_owned()),
            ..Index::default()
        };
        if cursor.take("using") {
            index.method = cursor.name().ok_or("an index method is expected here")?;
        }
        let mut inside = cursor.inside().ok_or("what is excluded is expected here")?;
        for mut part in inside.parts() {
            let found = self.index_part(table, &mut part)?;
            index.parts.push(found);
        }
        index.name = self.named(table, name, &called(&index), "excl");
        index.storage = options(cursor, " = ")?;
        if cursor.take("where") {
            let inside = cursor.inside().ok_or("a condition is expected here")?;
            index.predicate = Some(self.expression(inside.rest()));
        }
        (index.deferrable, index.initially_deferred) = deferrable(cursor);
        self.add_index(table, index)
    }

    fn foreign_key(
        &mut self,
        table: &str,
        name: Option<String>,
        column: Option<&str>,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Refused> {
        let columns = if let Some(column) = column {
            vec![column.to_owned()]
        } else {
            let columns = names_inside(cursor)?;
            if !cursor.take("references") {
                return Err("a foreign key says what it REFERENCES".to_owned());
            }
            columns
        };
        let to = qualified(cursor)?;
        let own = self.own(&to);
        let mut key = ForeignKey {
            references: if own {
                to.name.clone()
            } else {
                self.printed(&to)
            },
            ..ForeignKey::default()
        };
        key.referenced_columns = if cursor.peek().is_some_and(|token| token.text == "(") {
            names_inside(cursor)?
        } else if own {
            self.key_of(&to.name)?
        } else {
            return Err("a reference to a table of another schema names its columns".to_owned());
        };
        if !own {
            key.unusual.push("a table of another schema".to_owned());
        }
        key.match_full = cursor.take("match full");
        cursor.take("match simple");
        while cursor.take("on") {
            let delete = cursor.take("delete");
            if !delete && !cursor.take("update") {
                return Err("ON DELETE or ON UPDATE is expected here".to_owned());
            }
            let known = [
                "cascade",
                "set null",
                "set default",
                "restrict",
                "no action",
            ];
            let action = known.into_iter().find(|action| cursor.take(action));
            let action = action.ok_or("the action is not understood")?;
            let action = Some(action.to_owned()).filter(|action| action != "no action");
            if delete {
                key.on_delete = action;
                if cursor.peek().is_some_and(|token| token.text == "(") {
                    key.on_delete_columns = names_inside(cursor)?;
                }
            } else {
                key.on_update = action;
            }
        }
        (key.deferrable, key.initially_deferred) = deferrable(cursor);
        while looked_at(cursor, &mut key.not_valid, &mut key.unusual) {}
        key.name = Some(self.named(table, name, &columns, "fkey"));
        key.columns = columns;
        self.table_mut(table)?.foreign_keys.push(key);
        Ok(())
    }

    fn key_of(&mut self, table: &str) -> Result<Vec<String>, Refused> {
        let indexes = &self.table_mut(table)?.indexes;
        let key = indexes
            .iter()
            .find(|index| index.constraint.as_deref() == Some("primary key"));
        let key = key.ok_or_else(|| format!("{table} has no primary key that could be meant"))?;
        Ok(key
            .parts
            .iter()
            .filter_map(|part| part.column.clone())
            .collect())
    }
}

pub(super) fn part(column: &str) -> IndexPart {
    IndexPart {
        column: Some(column.to_owned()),
        element: None,
    }
}

/// A list of names in parentheses.
pub(super) fn names_inside(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Refused> {
    let mut inside = cursor
        .inside()
        .ok_or("a list of columns is expected here")?;
    let names = inside.parts().into_iter().map(|mut part| {
        let name = part.name().filter(|_| part.is_at_end());
        name.ok_or_else(|| format!("{} is no column's name", part.rest()))
    });
    names.collect()
}

/// Reads when a constraint is looked at: whether a transaction may put that off, and whether every one does.
fn deferrable(cursor: &mut Cursor<'_>) -> (bool, bool) {
    let (mut deferrable, mut deferred) = (false, false);
    loop {
        if cursor.take("not deferrable") || cursor.take("initially immediate") {
        } else if cursor.take("initially deferred") {
            (deferrable, deferred) = (true, true);
        } else if cursor.take("deferrable") {
            deferrable = true;
        } else {
            return (deferrable, deferred);
        }
    }
}

/// Reads which rows a constraint is held against; whether anything was said of it. What is not enforced is not valid either.
fn looked_at(cursor: &mut Cursor<'_>, not_valid: &mut bool, unusual: &mut Vec<String>) -> bool {
    let not_enforced = cursor.take("not enforced");
    if not_enforced {
        unusual.push("NOT ENFORCED".to_owned());
    }
    let found = not_enforced || cursor.take("not valid");
    *not_valid |= found;
    found || cursor.take("enforced")
}
