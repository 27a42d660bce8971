//! Columns: their names and types.

use std::collections::BTreeMap;

use syn::spanned::Spanned;

use crate::LogicalType;
use crate::attributes::Errors;
use crate::declaration::Declaration;
use crate::names;

pub(super) fn there_is_one(declaration: &Declaration, errors: &mut Errors) {
    if declaration.fields.is_empty() {
        errors.at(
            declaration.ident.span(),
            "a table needs columns, and this struct declares none",
        );
    }
}

pub(super) fn types_are_known(declaration: &Declaration, errors: &mut Errors) {
    for field in &declaration.fields {
        if field.attributes.sql_type.is_none()
            && let Some(problem) = &field.rust.problem
        {
            errors.at(field.ty.span(), problem);
        }
    }
}

pub(super) fn names_are_unique(declaration: &Declaration, errors: &mut Errors) {
    let mut seen = BTreeMap::new();
    for field in &declaration.fields {
        let name = &field.name.value;
        // SQLite and MySQL know no difference between upper and lower case here.
        if let Some(first) = seen.insert(name.to_lowercase(), &field.ident) {
            errors.at(
                field.name.span,
                format!(
                    "two fields are the column `{name}`: `{first}` and `{}`",
                    field.ident
                ),
            );
        }
    }
}

pub(super) fn names_fit(declaration: &Declaration, errors: &mut Errors) {
    let columns = declaration.fields.iter().map(|field| &field.name);
    let given = declaration
        .fields
        .iter()
        .filter_map(|field| field.attributes.column.as_ref());
    // What is given is the column's name, unless that is another in the end.
    let interim = given.filter(|given| {
        declaration
            .fields
            .iter()
            .all(|field| field.name.value != given.value)
    });
    for name in columns.chain(interim) {
        if let Some(problem) = names::too_long(&name.value) {
            errors.at(name.span, problem);
        }
    }
    for field in &declaration.fields {
        let name = &field.name.value;
        if name == "zdm_epoch" || name.starts_with("zdm_old_") {
            errors.at(
                field.name.span,
                "generated queries call values of their own like that; give it another name with `column = \"…\"`",
            );
        }
    }
}

pub(super) fn table_is_ours(declaration: &Declaration, errors: &mut Errors) {
    let name = &declaration.table_name;
    if names::bare(&name.value).starts_with("zdm_") {
        errors.at(
            name.span,
            "names that begin with `zdm_` are those of the control tables; give another one with `table = \"…\"`",
        );
    }
}

/// A name that the table keeps is none that it was renamed from.
pub(super) fn table_is_renamed(declaration: &Declaration, errors: &mut Errors) {
    let name = &declaration.table_name.value;
    let Some(old) = &declaration.attributes.renamed_from else {
        return;
    };
    if old.value.contains('.') {
        errors.at(
            old.span,
            "a table stays in its schema: `renamed_from` is the name that it had there, without the schema",
        );
    }
    if old.value == names::bare(name) {
        errors.at(
            old.span,
            format!("the table is called `{name}`: give it its new name with `table = \"…\"`, or call the struct otherwise"),
        );
    }
}

/// The database computes a generated column, so nothing else may give it a value.
pub(super) fn generated_is_only_read(declaration: &Declaration, errors: &mut Errors) {
    for field in &declaration.fields {
        let given = &field.attributes;
        let Some(generated) = &given.generated else {
            if let Some(is_virtual) = &given.is_virtual {
                errors.at(
                    is_virtual.span,
                    "`virtual` says how a column is generated: it needs `generated = \"…\"`",
                );
            }
            continue;
        };
        let beside = [
            ("`default`", given.default.is_some()),
            ("`auto`", given.auto.is_some()),
            ("`renamed_from`", given.renamed_from.is_some()),
            ("`from`", given.from.is_some()),
            ("`up`", given.up.is_some()),
            ("`with`", given.with.is_some()),
        ];
        for (what, _) in beside.iter().filter(|(_, given)| *given) {
            errors.at(
                generated.span,
                format!("the database computes a `generated` column and no code writes it, so {what} cannot stand beside it"),
            );
        }
    }
}

/// Only texts have one. The database judges types that `sql_type` names.
pub(super) fn collation_is_of_texts(declaration: &Declaration, errors: &mut Errors) {
    for field in &declaration.fields {
        let given = &field.attributes;
        let Some(collation) = &given.collation else {
            continue;
        };
        let is_text = matches!(field.rust.logical, None | Some(LogicalType::Text));
        if !is_text && given.sql_type.is_none() {
            errors.at(
                collation.span,
                format!(
                    "a collation says how texts are compared, and `{}` is none",
                    field.rust.text
                ),
            );
        }
        let named = given
            .sql_type
            .as_ref()
            .map(|sql_type| sql_type.value.to_ascii_lowercase());
        if named.is_some_and(|sql_type| sql_type.contains(" collate ")) {
            errors.at(
                collation.span,
                "`sql_type` names a collation already; leave it out there",
            );
        }
    }
}
