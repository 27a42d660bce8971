//! The primary key: backfill, dual write and every generated read go by it.

use syn::spanned::Spanned;

use crate::LogicalType;
use crate::attributes::Errors;
use crate::declaration::Declaration;

pub(super) fn is_declared_once(declaration: &Declaration, errors: &mut Errors) {
    let on_fields: Vec<_> = declaration
        .fields
        .iter()
        .filter_map(|field| field.attributes.primary_key.as_ref())
        .collect();
    let attributes = &declaration.attributes;
    if let Some(none) = &attributes.no_primary_key {
        if attributes.primary_key.is_some() || !on_fields.is_empty() {
            errors.at(
                none.span,
                "a table has a primary key or `no_primary_key`, not both",
            );
        }
        return;
    }
    if let Some(key) = &attributes.row_key {
        errors.at(
            key.span,
            "`row_key(…)` says what rows are found by where there is `no_primary_key`: add that, or call it `primary_key(…)`",
        );
        return;
    }
    match (&attributes.primary_key, on_fields.as_slice()) {
        (None, []) if declaration.is_whole && !declaration.fields.is_empty() => errors.at(
            declaration.ident.span(),
            "a table needs a primary key: mark its field `#[zdm(primary_key)]`, or name several on the struct, \
             `#[zdm(primary_key(a, b))]`; a table that has none says `#[zdm(no_primary_key)]`",
        ),
        (None, [_, second, ..]) => errors.at(
            second.span,
            "a key of several columns is declared on the struct, in its order: `#[zdm(primary_key(a, b))]`",
        ),
        (Some(_), [field, ..]) => {
            errors.at(field.span, "the struct's `primary_key(…)` names the key already");
        }
        _ => {}
    }
}

pub(super) fn exists(declaration: &Declaration, errors: &mut Errors) {
    let key = declaration.attributes.key().unwrap_or_default();
    for (index, name) in key.iter().enumerate() {
        if declaration.field(&name.value).is_none() {
            errors.at(
                name.span,
                super::constraints::no_column(declaration, &name.value),
            );
        }
        if key[..index].iter().any(|other| other.value == name.value) {
            errors.at(name.span, format!("`{}` is given twice", name.value));
        }
    }
}

pub(super) fn is_never_null(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.key() {
        if field.is_optional() {
            errors.at(
                field.ty.span(),
                "a key column is never NULL, so its field cannot be an `Option`",
            );
        }
    }
}

pub(super) fn auto_is_given(declaration: &Declaration, errors: &mut Errors) {
    let key = declaration.key();
    for field in &declaration.fields {
        let Some(auto) = &field.attributes.auto else {
            continue;
        };
        if key.len() > 1 && key.iter().any(|part| part.ident == field.ident) {
            errors.at(
                auto.span,
                "a key of several columns is given by the code that stores the row, so no part of it can be `auto`",
            );
        }
        if field.is_optional() {
            errors.at(
                field.ty.span(),
                "the database gives every row its number, so the field of an `auto` column is no `Option`",
            );
        }
        if let Some(default) = &field.attributes.default {
            errors.at(
                default.span,
                "the database assigns an `auto` column, so it takes no `default`",
            );
        }
    }
}

pub(super) fn auto_is_an_integer(declaration: &Declaration, errors: &mut Errors) {
    for field in &declaration.fields {
        let counts = matches!(
            field.rust.logical,
            None | Some(LogicalType::Int2 | LogicalType::Int4 | LogicalType::Int8)
        );
        if let Some(auto) = &field.attributes.auto
            && !counts
        {
            errors.at(
                auto.span,
                format!(
                    "`auto` counts, so the field is an `i64`, `i32` or `i16`, not `{}`; for other types give a `default`",
                    field.rust.text
                ),
            );
        }
    }
}
