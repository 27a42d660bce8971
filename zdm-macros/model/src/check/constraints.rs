//! Indexes and foreign keys: the columns that they name, and what they promise.

use crate::attributes::Errors;
use crate::declaration::Declaration;

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
        if let Some(action) = &given.on_delete
            && given.references.is_none()
        {
            errors.at(
                action.span,
                "`on_delete` needs `references = \"teams(id)\"`",
            );
        }
    }
}

pub(super) fn delete_action_fits(declaration: &Declaration, errors: &mut Errors) {
    let on_fields = declaration.fields.iter().filter_map(|field| {
        let action = field.attributes.on_delete.as_ref()?;
        Some((action, vec![field]))
    });
    let on_struct = declaration
        .attributes
        .foreign_keys
        .iter()
        .filter_map(|key| {
            let action = key.value.on_delete.as_ref()?;
            let columns = key.value.columns.iter();
            Some((
                action,
                columns
                    .filter_map(|name| declaration.field(&name.value))
                    .collect(),
            ))
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
