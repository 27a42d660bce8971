//! Tables and columns.

use super::super::cursor::{Cursor, Name};
use super::indexes::options;
use super::names::qualified;
use super::settings::numbers;
use super::{Reader, Refused};
use crate::catalogue::{Column, Counted, Table};

/// Words that end a default.
const BEHIND_AN_EXPRESSION: [&str; 10] = [
    "constraint",
    "not",
    "null",
    "check",
    "unique",
    "primary",
    "references",
    "generated",
    "collate",
    "deferrable",
];

impl Reader<'_> {
    /// Behind `CREATE [UNLOGGED] TABLE`.
    pub(super) fn create_table(
        &mut self,
        cursor: &mut Cursor<'_>,
        unlogged: bool,
    ) -> Result<(), Refused> {
        cursor.take("if not exists");
        let name = qualified(cursor)?;
        if !self.own(&name) {
            let schema = name.schema.unwrap_or_else(|| self.unqualified.clone());
            *self.schemas.entry(schema).or_insert(0) += 1;
            return Ok(());
        }
        let name = name.name;
        if self.at.contains_key(&name) {
            return Err(format!("the table {name} is there already"));
        }
        self.names.insert(name.clone());
        self.at.insert(name.clone(), self.tables.len());
        self.tables.push(Table {
            name: name.clone(),
            ..Table::default()
        });
        if cursor.take("partition of") {
            let parent = qualified(cursor)?;
            return self.become_partition(&name, &parent);
        }
        if cursor.take("of") {
            return Err(
                "a table of a type takes its columns from there, which is not followed".to_owned(),
            );
        }
        let mut inside = cursor
            .inside()
            .ok_or("a table's columns stand in parentheses")?;
        let mut parts = inside.parts();
        if cursor.take("inherits") {
            let mut parents = cursor.inside().ok_or("the parents are expected here")?;
            let mut printed = Vec::new();
            for mut parent in parents.parts() {
                let parent = qualified(&mut parent)?;
                printed.push(self.printed(&parent));
                self.inherit(&name, &parent)?;
            }
            let special = format!("it inherits from {}", printed.join(", "));
            self.table_mut(&name)?.special = Some(special);
        }
        // Constraints may name columns that stand behind them.
        parts.sort_by_key(is_constraint);
        for part in &mut parts {
            if is_constraint(part) {
                self.table_constraint(&name, part)?;
            } else {
                self.column(&name, part)?;
            }
        }
        if unlogged {
            self.of_table(&name, "UNLOGGED", "")?;
        }
        if cursor.take("partition by") {
            self.table_mut(&name)?.special = Some("it is partitioned".to_owned());
            cursor.next();
            cursor.inside();
        }
        if cursor.take("using") {
            cursor.name();
        }
        if let Some(options) = options(cursor, "=")? {
            self.of_table(&name, &format!("WITH ({options})"), "")?;
        }
        if cursor.take("tablespace") {
            cursor.name();
        }
        if cursor.is_at_end() {
            Ok(())
        } else {
            Err(format!("{} is not understood", cursor.rest()))
        }
    }

    fn inherit(&mut self, table: &str, parent: &Name) -> Result<(), Refused> {
        let parent = self.table_mut(&parent.name)?;
        parent
            .special
            .get_or_insert_with(|| "other tables inherit from it".to_owned());
        let (columns, mut checks) = (handed_down(parent), parent.checks.clone());
        checks.retain(|check| !check.no_inherit);
        let table = self.table_mut(table)?;
        table.columns.extend(columns);
        table.checks.extend(checks);
        Ok(())
    }

    fn become_partition(&mut self, name: &str, parent: &Name) -> Result<(), Refused> {
        let special = format!("it is a partition of {}", self.printed(parent));
        let columns = handed_down(self.table_mut(&parent.name)?);
        let table = self.table_mut(name)?;
        if table.columns.is_empty() {
            table.columns = columns;
        }
        table.special = Some(special);
        Ok(())
    }

    fn table_constraint(&mut self, table: &str, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        let name = constraint_name(cursor)?;
        if cursor.take("like") {
            return Err("LIKE copies another table, which is not followed".to_owned());
        }
        self.constraint(table, name, None, cursor)?;
        end(cursor)
    }

    /// A column with what stands behind it.
    fn column(&mut self, table: &str, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        let name = cursor.name().ok_or("a column's name is expected here")?;
        let found = self.a_type(cursor)?;
        let mut column = Column {
            name: name.clone(),
            sql_type: found.printed,
            base: found.base,
            kind: found.kind,
            nullable: !found.serial,
            ..Column::default()
        };
        if found.serial {
            let sequence = self.free_name(table, std::slice::from_ref(&name), "seq");
            let printed = self.printed(&Name {
                schema: Some(self.schema.to_owned()),
                name: sequence.clone(),
            });
            column.default = Some(format!("nextval('{printed}'::regclass)"));
            column.counted = Some(Counted::Sequence);
            self.names.insert(sequence.clone());
            self.owned
                .insert(sequence, (table.to_owned(), name.clone()));
        }
        self.table_mut(table)?.columns.push(column);
        while !cursor.is_at_end() {
            self.behind_column(table, &name, cursor)?;
        }
        Ok(())
    }

    fn behind_column(
        &mut self,
        table: &str,
        name: &str,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Refused> {
        let constraint = constraint_name(cursor)?;
        if cursor.take("not null") {
            cursor.take("no inherit");
            self.column_mut(table, name)?.nullable = false;
        } else if cursor.take("null") {
        } else if cursor.take("default") {
            let default = self.default(cursor);
            self.set_default(table, name, default)?;
        } else if cursor.take("collate") {
            let printed = self.of_server(cursor)?;
            let collation = &mut self.column_mut(table, name)?.collation;
            *collation = Some(printed).filter(|name| name != "\"default\"");
        } else if cursor.take("generated") {
            self.generated(table, name, cursor)?;
        } else if !self.setting_of_column(table, name, cursor)? {
            self.constraint(table, constraint, Some(name), cursor)?;
        }
        Ok(())
    }

    /// Behind `GENERATED`.
    fn generated(
        &mut self,
        table: &str,
        name: &str,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Refused> {
        let always = cursor.take("always");
        if !always && !cursor.take("by default") {
            return Err("GENERATED ALWAYS or BY DEFAULT is expected here".to_owned());
        }
        if !cursor.take("as") {
            return Err("GENERATED … AS is expected here".to_owned());
        }
        if cursor.take("identity") {
            let mut inside = cursor.inside();
            let column = self.column_mut(table, name)?;
            column.nullable = false;
            column.counted = Some(if always {
                Counted::Always
            } else {
                Counted::ByDefault
            });
            let numbers = inside.as_mut().map_or(Ok(String::new()), numbers)?;
            return self.numbers_of(table, name, &numbers);
        }
        let inside = cursor
            .inside()
            .ok_or("an expression in parentheses is expected here")?;
        let expression = self.expression(inside.rest());
        let column = self.column_mut(table, name)?;
        column.generated = Some(expression);
        column.is_virtual = cursor.take("virtual");
        if column.is_virtual || cursor.take("stored") {
            return Ok(());
        }
        Err("a generated column is STORED or VIRTUAL".to_owned())
    }

    fn default(&self, cursor: &mut Cursor<'_>) -> String {
        let first = cursor.peek();
        let text = cursor.text_while(|token| {
            Some(token) == first || !BEHIND_AN_EXPRESSION.iter().any(|word| token.is(word))
        });
        self.expression(text)
    }

    fn set_default(&mut self, table: &str, name: &str, default: String) -> Result<(), Refused> {
        let column = self.column_mut(table, name)?;
        if is_next_number(&default) {
            column.counted = Some(Counted::Sequence);
        }
        // The server keeps no default that is NULL and has the column's own type.
        column.default = Some(default).filter(|text| !text.eq_ignore_ascii_case("null"));
        Ok(())
    }

    pub(super) fn column_mut(&mut self, table: &str, name: &str) -> Result<&mut Column, Refused> {
        let columns = &mut self.table_mut(table)?.columns;
        let found = columns.iter_mut().find(|column| column.name == name);
        found.ok_or_else(|| format!("{table} has no column {name}"))
    }

    /// Behind `ALTER TABLE`.
    pub(super) fn alter_table(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Refused> {
        cursor.take("if exists");
        cursor.take("only");
        let table = qualified(cursor)?;
        // Views and sequences are altered as tables are; their owners and options are no part of what is read.
        if !self.own(&table) {
            return Ok(());
        }
        for mut action in cursor.parts() {
            if action.take("owner to") {
                continue;
            }
            self.table_mut(&table.name)?;
            self.alteration(&table.name, &mut action)?;
        }
        Ok(())
    }

    fn alteration(&mut self, table: &str, action: &mut Cursor<'_>) -> Result<(), Refused> {
        if action.take("add constraint") {
            let name = action
                .name()
                .ok_or("a constraint's name is expected here")?;
            self.constraint(table, Some(name), None, action)?;
            return end(action);
        }
        if action.take("add") {
            if is_constraint(action) {
                return self.table_constraint(table, action);
            }
            action.take("column");
            action.take("if not exists");
            return self.column(table, action);
        }
        if action.take("attach partition") {
            let partition = qualified(action)?;
            let parent = Name {
                schema: Some(self.schema.to_owned()),
                name: table.to_owned(),
            };
            return self.become_partition(&partition.name, &parent);
        }
        if action.take("enable row level security") {
            return self.of_table(table, "row level security", "");
        }
        if self.setting_of_table(table, action)? {
            return Ok(());
        }
        if !action.take("alter") {
            return Err("this change of a table is not followed".to_owned());
        }
        action.take("column");
        let column = action.name().ok_or("a column's name is expected here")?;
        if action.take("set default") {
            let default = self.default(action);
            return self.set_default(table, &column, default);
        }
        if action.take("set not null") {
            self.column_mut(table, &column)?.nullable = false;
            return Ok(());
        }
        if action.take("add generated") {
            return self.generated(table, &column, action);
        }
        if action.take("set") && self.setting_of_column(table, &column, action)? {
            return Ok(());
        }
        Err("this change of a column is not followed".to_owned())
    }
}

/// The columns that a table takes from another: their comments stay there.
fn handed_down(parent: &Table) -> Vec<Column> {
    let mut columns = parent.columns.clone();
    for column in &mut columns {
        column.comment = None;
    }
    columns
}

/// `nextval('sequence')`, and no more than that.
fn is_next_number(default: &str) -> bool {
    let inside = default.strip_prefix("nextval('").and_then(|rest| {
        rest.strip_suffix("'::regclass)")
            .or_else(|| rest.strip_suffix("')"))
    });
    inside.is_some_and(|name| !name.replace("''", "").contains('\''))
}

/// `CONSTRAINT name`
fn constraint_name(cursor: &mut Cursor<'_>) -> Result<Option<String>, Refused> {
    if !cursor.take("constraint") {
        return Ok(None);
    }
    let name = cursor.name();
    name.map(Some)
        .ok_or_else(|| "a constraint's name is expected here".to_owned())
}

fn is_constraint(part: &Cursor<'_>) -> bool {
    let starts = [
        "constraint",
        "primary",
        "unique",
        "check",
        "foreign",
        "exclude",
        "like",
    ];
    part.peek()
        .is_some_and(|token| starts.iter().any(|word| token.is(word)))
}

fn end(cursor: &Cursor<'_>) -> Result<(), Refused> {
    if cursor.is_at_end() {
        Ok(())
    } else {
        Err(format!("{} is not understood", cursor.rest()))
    }
}
