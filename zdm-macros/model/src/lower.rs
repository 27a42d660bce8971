//! A checked declaration becomes the table that the schema holds.
//!
//! Comes in: a [`Declaration`] without mistakes. Goes out: a [`Table`]; `source` stays empty, the caller knows the file.
//! Must not know: syntax.

use std::collections::BTreeMap;

use proc_macro2::Span;

use crate::attributes::expression::Down;
use crate::attributes::{Errors, Given};
use crate::declaration::{Declaration, Field};
use crate::names;
use crate::{Column, ForeignKey, Index, LogicalType, Table, Transition};

/// The table; names that lowering itself gives may be too long or collide, which is an error at the word that made them.
pub(crate) fn table(declaration: &Declaration, errors: &mut Errors) -> Table {
    let attributes = &declaration.attributes;
    let indexes = indexes(declaration);
    let foreign_keys = foreign_keys(declaration);
    check_names(&indexes, |index| &index.name, errors);
    check_names(&foreign_keys, |key| &key.name, errors);
    check_names(&attributes.checks, |check| &check.name, errors);
    Table {
        name: declaration.table_name.value.clone(),
        comment: text(attributes.comment.as_ref()),
        columns: declaration.fields.iter().map(column).collect(),
        primary_key: declaration
            .key()
            .iter()
            .map(|field| field.name.value.clone())
            .collect(),
        indexes: sorted(indexes, |index| &index.name),
        checks: sorted(attributes.checks.clone(), |check| &check.name),
        foreign_keys: sorted(foreign_keys, |key| &key.name),
        drops: attributes
            .drops
            .iter()
            .map(|drop| drop.value.clone())
            .collect(),
        source: String::new(),
    }
}

fn column(field: &Field) -> Column {
    let given = &field.attributes;
    let (logical_type, sql_type) = column_type(field);
    Column {
        name: field.name.value.clone(),
        field: field.ident.to_string(),
        rust_type: field.rust.text.clone(),
        logical_type,
        sql_type,
        collation: text(given.collation.as_ref()),
        nullable: field.is_optional(),
        auto: given.auto.is_some(),
        counted: given.auto.as_ref().and_then(|auto| auto.value),
        default: text(given.default.as_ref()),
        generated: text(given.generated.as_ref()),
        is_virtual: given.is_virtual.is_some(),
        comment: text(given.comment.as_ref()),
        transition: transition(field),
        source: String::new(),
    }
}

/// An enum is its name in the database, unless the field says another type.
fn column_type(field: &Field) -> (LogicalType, Option<String>) {
    let logical = field.rust.logical.unwrap_or(LogicalType::Custom);
    match (
        text(field.attributes.sql_type.as_ref()),
        &field.rust.enumeration,
    ) {
        (None, Some(name)) => (logical, Some(name.clone())),
        (given, Some(_)) => (LogicalType::Custom, given),
        (given, None) => (logical, given),
    }
}

fn transition(field: &Field) -> Option<Transition> {
    let given = &field.attributes;
    if let Some(old) = &given.renamed_from {
        return Some(Transition {
            from: vec![old.value.clone()],
            renamed: true,
            ..Transition::default()
        });
    }
    if given.from.is_none() && given.up.is_none() {
        return None;
    }
    let from: Vec<String> = given
        .from
        .iter()
        .flat_map(|from| &from.value)
        .map(|old| old.value.clone())
        .collect();
    let down = match given.down.as_ref().map(|down| &down.value) {
        None => Vec::new(),
        Some(Down::One(expression)) => from
            .iter()
            .map(|old| (old.clone(), expression.clone()))
            .collect(),
        Some(Down::PerColumn(entries)) => entries
            .iter()
            .map(|(old, expression)| (old.value.clone(), expression.clone()))
            .collect(),
    };
    Some(Transition {
        from,
        renamed: false,
        up: given.up.as_ref().map(|up| up.value.clone()),
        down,
        one_way: given.one_way.is_some(),
        valid_if: given.valid_if.as_ref().map(|given| given.value.clone()),
        on_invalid: given.on_invalid.as_ref().map(|given| given.value.clone()),
    })
}

fn indexes(declaration: &Declaration) -> Vec<Given<Index>> {
    let table = &declaration.table_name.value;
    let named = |unique: bool, columns: &[String], given: Option<&String>| {
        given.cloned().unwrap_or_else(|| {
            names::constraint_name(if unique { "uq" } else { "idx" }, table, columns)
        })
    };
    let on_fields = declaration.fields.iter().filter_map(|field| {
        let (unique, index) = (&field.attributes.unique, &field.attributes.index);
        let span = index
            .as_ref()
            .map(|index| index.span)
            .or(unique.as_ref().map(|unique| unique.span))?;
        let columns = vec![field.name.value.clone()];
        let given = index.as_ref().and_then(|index| index.value.as_ref());
        Some(Given {
            span,
            value: Index {
                name: named(unique.is_some(), &columns, given),
                columns,
                unique: unique.is_some(),
                predicate: None,
            },
        })
    });
    let on_struct = declaration.attributes.indexes.iter().map(|index| {
        let columns = resolved(declaration, &index.value.columns);
        Given {
            span: index.span,
            value: Index {
                name: named(index.value.unique, &columns, index.value.name.as_ref()),
                columns,
                unique: index.value.unique,
                predicate: index.value.predicate.clone(),
            },
        }
    });
    on_fields.chain(on_struct).collect()
}

fn foreign_keys(declaration: &Declaration) -> Vec<Given<ForeignKey>> {
    let table = &declaration.table_name.value;
    let on_fields = declaration.fields.iter().filter_map(|field| {
        let references = field.attributes.references.as_ref()?;
        let columns = vec![field.name.value.clone()];
        Some(Given {
            span: references.span,
            value: ForeignKey {
                name: names::constraint_name("fk", table, &columns),
                columns,
                references: references.value.table.clone(),
                referenced_columns: references.value.columns.clone(),
                on_delete: text(field.attributes.on_delete.as_ref()),
            },
        })
    });
    let on_struct = declaration.attributes.foreign_keys.iter().map(|key| {
        let columns = resolved(declaration, &key.value.columns);
        let name = key.value.name.clone();
        Given {
            span: key.span,
            value: ForeignKey {
                name: name.unwrap_or_else(|| names::constraint_name("fk", table, &columns)),
                columns,
                references: key.value.references.table.clone(),
                referenced_columns: key.value.references.columns.clone(),
                on_delete: text(key.value.on_delete.as_ref()),
            },
        }
    });
    on_fields.chain(on_struct).collect()
}

fn resolved(declaration: &Declaration, names: &[Given<String>]) -> Vec<String> {
    names
        .iter()
        .filter_map(|name| declaration.field(&name.value))
        .map(|field| field.name.value.clone())
        .collect()
}

fn check_names<T>(list: &[Given<T>], name: fn(&T) -> &String, errors: &mut Errors) {
    let mut seen: BTreeMap<&String, Span> = BTreeMap::new();
    for given in list {
        let name = name(&given.value);
        if let Some(problem) = names::too_long(name) {
            errors.at(given.span, problem);
        }
        if seen.insert(name, given.span).is_some() {
            errors.at(
                given.span,
                format!("`{name}` is declared twice; give one of them another name, or remove it"),
            );
        }
    }
}

fn sorted<T>(list: Vec<Given<T>>, name: fn(&T) -> &String) -> Vec<T> {
    let mut values: Vec<T> = list.into_iter().map(|given| given.value).collect();
    values.sort_by(|left, right| name(left).cmp(name(right)));
    values
}

fn text(given: Option<&Given<String>>) -> Option<String> {
    given.map(|given| given.value.clone())
}
