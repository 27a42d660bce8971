//! A checked declaration becomes the table that the schema holds.
//!
//! Comes in: a [`Declaration`] without mistakes. Goes out: a [`Table`]; `source` stays empty, the caller knows the file.
//! Must not know: syntax.

use std::collections::BTreeMap;

use proc_macro2::Span;

use crate::attributes::expression::Down;
use crate::attributes::values::Reference;
use crate::attributes::{Errors, Given};
use crate::declaration::{Declaration, Field};
use crate::names;
use crate::{
    Column, FinalName, ForeignKey, Function, Index, LogicalType, Split, Table, Transition, Unique,
};

/// The table; names that lowering itself gives may be too long or collide, which is an error at the word that made them.
pub(crate) fn table(declaration: &Declaration, errors: &mut Errors) -> Table {
    let attributes = &declaration.attributes;
    let indexes = indexes(declaration);
    let uniques = uniques(declaration);
    let foreign_keys = foreign_keys(declaration);
    check_names(&uniques, |unique| &unique.name, errors);
    no_index_has_the_name(&uniques, &indexes, errors);
    let primary_key_name = primary_key_name(declaration, errors);
    check_names(&indexes, |index| &index.name, errors);
    check_names(&foreign_keys, |key| &key.name, errors);
    check_names(&attributes.checks, |check| &check.name, errors);
    check_names(&attributes.exclusions, |exclusion| &exclusion.name, errors);
    let table = Table {
        name: declaration.table_name.value.clone(),
        comment: text(attributes.comment.as_ref()),
        columns: declaration
            .fields
            .iter()
            .map(|field| column(declaration, field))
            .collect(),
        primary_key: declaration
            .key()
            .iter()
            .map(|field| field.name.value.clone())
            .collect(),
        no_primary_key: attributes.no_primary_key.is_some(),
        primary_key_name,
        indexes: sorted(indexes, |index| &index.name),
        uniques: sorted(uniques, |unique| &unique.name),
        checks: sorted(attributes.checks.clone(), |check| &check.name),
        exclusions: sorted(attributes.exclusions.clone(), |exclusion| &exclusion.name),
        foreign_keys: sorted(foreign_keys, |key| &key.name),
        renamed_from: attributes
            .renamed_from
            .as_ref()
            .map(|given| names::beside_table(&declaration.table_name.value, &given.value)),
        drops: attributes
            .drops
            .iter()
            .map(|drop| drop.value.clone())
            .collect(),
        split_from: attributes
            .split_from
            .as_ref()
            .map(other_table)
            .map(Box::new),
        merged_from: attributes
            .merged_from
            .as_ref()
            .map(other_table)
            .map(Box::new),
        source: String::new(),
    };
    check_row_key(&table, declaration, errors);
    table
}

fn other_table(given: &Given<Reference>) -> Split {
    Split {
        table: given.value.table.clone(),
        columns: given.value.columns.clone(),
    }
}

/// Rows are found by what no two of them share.
fn check_row_key(table: &Table, declaration: &Declaration, errors: &mut Errors) {
    let Some(key) = declaration
        .attributes
        .row_key
        .as_ref()
        .filter(|_| table.no_primary_key)
    else {
        return;
    };
    let sorted = |columns: &[String]| {
        let mut columns = columns.to_vec();
        columns.sort_unstable();
        columns
    };
    let indexes = table.indexes.iter();
    let indexes = indexes.filter(|index| index.unique && index.predicate.is_none());
    let constraints = table.uniques.iter().map(|unique| &unique.columns);
    let mut unique = indexes.map(|index| &index.columns).chain(constraints);
    if !unique.any(|columns| sorted(columns) == sorted(&table.primary_key)) {
        errors.at(
            key.span,
            "rows are found by columns that no two of them share: declare a unique key on exactly these",
        );
    }
}

fn column(declaration: &Declaration, field: &Field) -> Column {
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
        transition: transition(declaration, field),
        moved_from: given
            .moved_from
            .as_ref()
            .map(|given| Box::new(given.value.clone())),
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

fn transition(declaration: &Declaration, field: &Field) -> Option<Transition> {
    let given = &field.attributes;
    if let Some(old) = &given.renamed_from {
        return Some(Transition {
            from: vec![old.value.clone()],
            renamed: true,
            ..Transition::default()
        });
    }
    if let (Some(with), Some(from), None) = (&given.with, &given.from, given.replaced()) {
        return Some(Transition {
            with: Some(Function {
                path: with.value.text.clone(),
                inputs: resolved(declaration, &from.value),
            }),
            on_invalid: given.on_invalid.as_ref().map(|given| given.value.clone()),
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
    let last = given.final_name.as_ref().map(|last| last.value.clone());
    let kinds = |lost: &Option<Given<Vec<Given<String>>>>| {
        let kinds = lost.iter().flat_map(|lost| &lost.value);
        kinds.map(|kind| kind.value.clone()).collect()
    };
    Some(Transition {
        final_name: field
            .interim_name()
            .zip(last)
            .map(|(interim, last)| FinalName { interim, last }),
        cast: None,
        renamed: false,
        with: given.with.as_ref().map(|with| Function {
            path: with.value.text.clone(),
            inputs: from.clone(),
        }),
        up: given.up.as_ref().map(|up| up.value.clone()),
        down,
        one_way: given.one_way.is_some(),
        valid_if: given.valid_if.as_ref().map(|given| given.value.clone()),
        on_invalid: given.on_invalid.as_ref().map(|given| given.value.clone()),
        up_loses: kinds(&given.up_loses),
        down_loses: kinds(&given.down_loses),
        from,
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
                ..Index::default()
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
                elements: index.value.elements.clone(),
                method: index.value.method.clone(),
                include: resolved(declaration, &index.value.include),
                nulls_not_distinct: index.value.nulls_not_distinct,
                storage: index.value.storage.clone(),
                unique: index.value.unique,
                predicate: index.value.predicate.clone(),
            },
        }
    });
    on_fields.chain(on_struct).collect()
}

/// Only a name that PostgreSQL would not give itself.
fn primary_key_name(declaration: &Declaration, errors: &mut Errors) -> Option<String> {
    let key = declaration.attributes.primary_key.as_ref()?;
    let name = key.value.name.as_ref()?;
    if let Some(problem) = names::too_long(&name.value) {
        errors.at(name.span, problem);
    }
    let own = names::primary_key_name(&declaration.table_name.value);
    (name.value != own).then(|| name.value.clone())
}

fn uniques(declaration: &Declaration) -> Vec<Given<Unique>> {
    let table = &declaration.table_name.value;
    let declared = declaration.attributes.uniques.iter();
    let lowered = declared.map(|unique| {
        let given = &unique.value;
        let columns = resolved(declaration, &given.columns);
        let name = given.name.clone();
        Given {
            span: unique.span,
            value: Unique {
                name: name.unwrap_or_else(|| names::constraint_name("uq", table, &columns)),
                columns,
                include: resolved(declaration, &given.include),
                nulls_not_distinct: given.nulls_not_distinct,
                deferrable: given.deferrable,
                initially_deferred: given.initially_deferred,
            },
        }
    });
    lowered.collect()
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
                on_update: text(field.attributes.on_update.as_ref()),
                ..ForeignKey::default()
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
                on_delete_columns: resolved(declaration, &key.value.on_delete_columns),
                on_update: text(key.value.on_update.as_ref()),
                match_full: key.value.match_full,
                deferrable: key.value.deferrable,
                initially_deferred: key.value.initially_deferred,
                not_valid: key.value.not_valid,
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

/// A unique constraint's index has the constraint's name.
fn no_index_has_the_name(uniques: &[Given<Unique>], indexes: &[Given<Index>], errors: &mut Errors) {
    for unique in uniques {
        let name = &unique.value.name;
        if indexes.iter().any(|index| index.value.name == *name) {
            errors.at(
                unique.span,
                format!(
                    "an index is called `{name}` too; give one of them another name, or remove it"
                ),
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

#[cfg(test)]
mod tests;
