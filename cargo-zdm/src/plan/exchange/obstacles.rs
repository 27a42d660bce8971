//! What stands in the way of an exchange, where the values themselves are well declared.

use zdm_model::{Column, Exclusion, Schema, Table, names};

use super::{Exchange, columns, listed, mistake};
use crate::changes::ChangeError;
use crate::dialect::Dialect;
use crate::diff::{self, Place};

impl Exchange {
    pub(super) fn unobstructed(
        &self,
        from: &Schema,
        to: &Schema,
        dialect: &Dialect,
    ) -> Result<(), ChangeError> {
        if self.columns.is_empty() {
            return Err(mistake(
                &self.new,
                "no column has it, so there is nothing by which its values could be kept on two sides"
                    .to_owned(),
                "Remove it in one version, and declare it anew in the next".to_owned(),
            ));
        }
        for (table, column) in columns(to, &self.new) {
            if !self.has(&table, &column) {
                return Err(mistake(
                    &self.new,
                    format!(
                        "{table}.{column} comes in the same version: code that knows both sides would not know which of the two \
                         types it has"
                    ),
                    "Let it come in a version before or after".to_owned(),
                ));
            }
        }
        self.names_are_free(from, to)?;
        for (table, column) in &self.columns {
            let (Some(before), after) = (from.table(table), to.table(table)) else {
                continue;
            };
            let Some(old) = before.column(column) else {
                continue;
            };
            let new = after.and_then(|after| after.column(column));
            self.stays(before, old, new)?;
            if let (Some(after), Some(new)) = (after, new) {
                is_free(before, after, new, to, dialect)?;
                self.speaks_of_no_value_that_goes(after, new, dialect)?;
            }
        }
        Ok(())
    }

    /// Types and tables share their names.
    fn names_are_free(&self, from: &Schema, to: &Schema) -> Result<(), ChangeError> {
        let is_taken = |name: &String| {
            [from, to]
                .iter()
                .any(|schema| schema.enumeration(name).is_some() || schema.table(name).is_some())
        };
        let needed = [self.interim(), self.released()];
        let Some(taken) = needed.iter().find(|name| is_taken(name)) else {
            return Ok(());
        };
        Err(mistake(
            &self.new,
            format!(
                "two types are called {} meanwhile, and there is another {taken}",
                needed.join(" and ")
            ),
            format!("Rename or drop {taken} in a version before"),
        ))
    }

    /// Nothing else happens to the column.
    fn stays(&self, before: &Table, old: &Column, new: Option<&Column>) -> Result<(), ChangeError> {
        let subject = format!("{}.{}", before.name, old.name);
        if old
            .sql_type
            .as_deref()
            .is_some_and(|name| name.ends_with("[]"))
        {
            return Err(mistake(
                &self.new,
                format!(
                    "{subject} is an array of it, and no expression over the row puts one value in the place of another in all its \
                     elements"
                ),
                "Keep the values in a table of their own; or let a new column of a new enum replace it: `from`, `up` and `down`"
                    .to_owned(),
            ));
        }
        let same = new.is_some_and(|new| {
            let is_under_way = new.transition.is_some() && diff::is_under_way(before, new);
            new.sql_type == old.sql_type
                && new.nullable == old.nullable
                && new.generated == old.generated
                && !is_under_way
        });
        if same {
            return Ok(());
        }
        Err(mistake(
            &self.new,
            format!("{subject} goes or changes in the same version, and it has two sides already"),
            "Change the column in a version before or after".to_owned(),
        ))
    }

    /// A default, a condition or an index that compares with a value that is gone is no valid SQL any more.
    fn speaks_of_no_value_that_goes(
        &self,
        table: &Table,
        column: &Column,
        dialect: &Dialect,
    ) -> Result<(), ChangeError> {
        let names_it = |text: &str| {
            let named = dialect.columns_in(text);
            named.is_ok_and(|named| named.contains(&column.name))
        };
        let element_names_it = |text: &str| {
            let named = dialect.columns_in_element(text);
            named.is_ok_and(|named| named.contains(&column.name))
        };
        let checks = table.checks.iter().map(|check| &check.expr);
        let indexes = table.indexes.iter();
        let predicates = indexes.filter_map(|index| index.predicate.as_ref());
        let exclusions = table.exclusions.iter();
        let excluded = exclusions.filter_map(|exclusion| exclusion.predicate.as_ref());
        let conditions = checks.chain(predicates).chain(excluded);
        let elements = table.indexes.iter().flat_map(|index| &index.elements);
        let elements = elements.map(String::as_str);
        let excluding = table
            .exclusions
            .iter()
            .flat_map(|exclusion| &exclusion.elements);
        let operands = excluding.filter_map(|text| Some(Exclusion::operand(text)?.0));
        let conditions = column
            .default
            .iter()
            .chain(conditions.filter(|text| names_it(text)));
        let elements = elements
            .chain(operands)
            .filter(|text| element_names_it(text));
        let speaking = conditions.map(String::as_str).chain(elements);
        let gone = || {
            let values = self.old.values.iter();
            values.filter(|value| !self.new.values.contains(value))
        };
        for text in speaking {
            let texts = dialect.texts_in(text);
            let named: Vec<&String> = gone().filter(|value| texts.contains(*value)).collect();
            if !named.is_empty() {
                return Err(of_column(
                    table,
                    column,
                    format!(
                        "`{text}` speaks of {}, which goes",
                        listed(named.into_iter())
                    ),
                    "Say there what the rows become".to_owned(),
                ));
            }
        }
        Ok(())
    }
}

/// Nothing has the name of the column beside it, and no foreign key has it at an end.
fn is_free(
    before: &Table,
    after: &Table,
    column: &Column,
    to: &Schema,
    dialect: &Dialect,
) -> Result<(), ChangeError> {
    let beside = names::beside(&column.name);
    if [before, after]
        .iter()
        .any(|table| table.column(&beside).is_some())
    {
        return Err(of_column(
            after,
            column,
            format!("a column {beside} stands beside it meanwhile, and there is another one"),
            format!("Rename or drop {beside} in a version before"),
        ));
    }
    let mut computed = after.columns.iter().filter(|other| {
        let names_it = |text: &String| {
            let named = dialect.columns_in(text);
            named.is_ok_and(|named| named.contains(&column.name))
        };
        other.generated.as_ref().is_some_and(names_it)
    });
    if let Some(computed) = computed.next() {
        return Err(of_column(
            after,
            column,
            format!(
                "the database computes {} out of it, and would go on to do so out of the old one",
                computed.name
            ),
            format!("Drop {} in a version before", computed.name),
        ));
    }
    let own = after.foreign_keys.iter();
    let mut own = own.filter(|key| key.columns.contains(&column.name));
    let tables = to.tables.iter();
    let others = tables.flat_map(|table| &table.foreign_keys);
    let mut others = others.filter(|key| {
        key.references == after.name && key.referenced_columns.contains(&column.name)
    });
    let Some(key) = own.next().or_else(|| others.next()) else {
        return Ok(());
    };
    Err(of_column(
        after,
        column,
        format!(
            "the foreign key {} has it at an end, and both ends would have to change at once",
            key.name
        ),
        format!("Drop {} in a version before", key.name),
    ))
}

fn of_column(table: &Table, column: &Column, problem: String, way_on: String) -> ChangeError {
    ChangeError::Declaration {
        at: Box::new(Place {
            table: table.name.clone(),
            source: column.source.clone(),
        }),
        subject: format!("{}.{}", table.name, column.name),
        problem,
        way_on,
    }
}
