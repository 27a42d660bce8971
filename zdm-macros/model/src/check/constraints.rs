//! Indexes and foreign keys: the columns that they name, and what they promise.

use crate::attributes::{Errors, Given};
use crate::declaration::{Declaration, Field};

pub(super) fn columns_exist(declaration: &Declaration, errors: &mut Errors) {
    let indexes = declaration.attributes.indexes.iter();
    let keys = declaration.attributes.foreign_keys.iter();
    let uniques = declaration.attributes.uniques.iter();
    let lists = indexes
        .flat_map(|index| [&index.value.columns, &index.value.include])
        .chain(uniques.flat_map(|unique| [&unique.value.columns, &unique.value.include]))
        .chain(keys.map(|key| &key.value.columns));
    for names in lists {
        for (position, name) in names.iter().enumerate() {
            if declaration.field(&name.value).is_none() {
                errors.at(name.span, no_column(declaration, &name.value));
            }
            if names[..position]
                .iter()
                .any(|other| other.value == name.value)
            {
                errors.at(name.span, format!("`{}` is given twice", name.value));
            }
        }
    }
}

pub(super) fn references_match(declaration: &Declaration, errors: &mut Errors) {
    for key in &declaration.attributes.foreign_keys {
        let (own, theirs) = (key.value.columns.len(), key.value.references.columns.len());
        if own != theirs {
            errors.at(key.span, format!("{own} columns cannot reference {theirs}"));
        }
    }
    for field in &declaration.fields {
        let given = &field.attributes;
        if let Some(references) = &given.references
            && references.value.columns.len() != 1
        {
            errors.at(
                references.span,
                "one column references one; for several write `foreign_key(columns(…), references = \"…\")` on the struct",
            );
        }
        for (word, action) in [
            ("on_delete", &given.on_delete),
            ("on_update", &given.on_update),
        ] {
            if let Some(action) = action
                && given.references.is_none()
            {
                errors.at(
                    action.span,
                    format!("`{word}` needs `references = \"teams(id)\"`"),
                );
            }
        }
    }
}

pub(super) fn columns_of_actions_are_the_keys(declaration: &Declaration, errors: &mut Errors) {
    for key in &declaration.attributes.foreign_keys {
        for name in &key.value.on_delete_columns {
            if !key.value.columns.iter().any(|own| own.value == name.value) {
                errors.at(
                    name.span,
                    format!("`{}` is no column of this foreign key", name.value),
                );
            }
        }
    }
}

pub(super) fn actions_fit(declaration: &Declaration, errors: &mut Errors) {
    let on_fields = declaration.fields.iter().flat_map(|field| {
        let given = &field.attributes;
        let actions = given.on_delete.iter().chain(&given.on_update);
        actions.map(move |action| (action, vec![field]))
    });
    let on_struct = declaration.attributes.foreign_keys.iter().flat_map(|key| {
        let fields = |names: &[Given<String>]| -> Vec<&Field> {
            let names = names.iter();
            names
                .filter_map(|name| declaration.field(&name.value))
                .collect()
        };
        let key = &key.value;
        let gone = match key.on_delete_columns.as_slice() {
            [] => fields(&key.columns),
            some => fields(some),
        };
        let deletes = key
            .on_delete
            .iter()
            .map(move |action| (action, gone.clone()));
        let updates = key.on_update.iter();
        deletes.chain(updates.map(move |action| (action, fields(&key.columns))))
    });
    for (action, fields) in on_fields.chain(on_struct) {
        for field in fields {
            if action.value == "set null" && field.is_required() {
                errors.at(
                    action.span,
                    format!(
                        "`set null` needs a column that may be NULL: make `{}` an `Option<{}>`",
                        field.ident, field.rust.text
                    ),
                );
            }
            if action.value == "set default" && field.attributes.default.is_none() {
                errors.at(
                    action.span,
                    format!("`set default` needs a `default` on `{}`", field.ident),
                );
            }
        }
    }
}

/// The message for a name in a list of columns that means none.
pub(super) fn no_column(declaration: &Declaration, name: &str) -> String {
    let known: Vec<_> = declaration
        .fields
        .iter()
        .map(|field| field.name.value.as_str())
        .collect();
    format!(
        "`{name}` is no field and no column of this struct; it has {}",
        known.join(", ")
    )
}
