//! A struct as declared: its attributes and fields, read but not yet judged as a whole.
//!
//! Comes in: the syntax tree of a struct. Goes out: [`Declaration`], the input of every check and of the lowering.
//! Must not know: what combinations make sense.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Type, Visibility};

use crate::attributes::column::ColumnAttributes;
use crate::attributes::table::TableAttributes;
use crate::attributes::{Errors, Given};
use crate::model::ModelField;
use crate::names;
use crate::rust_type::RustType;

/// A struct with named fields and its attributes.
pub(crate) struct Declaration {
    pub(crate) ident: Ident,
    /// With its schema, where it names one: `billing.invoices`.
    pub(crate) table_name: Given<String>,
    pub(crate) attributes: TableAttributes,
    /// Every attribute of the struct and its fields could be read.
    pub(crate) is_whole: bool,
    /// The fields that are columns.
    pub(crate) fields: Vec<Field>,
    /// The fields that are none.
    pub(crate) skipped: Vec<ModelField>,
}

/// A field that is a column.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) visibility: Visibility,
    pub(crate) ty: Type,
    pub(crate) rust: RustType,
    /// The column's physical name, with the place that gave it.
    pub(crate) name: Given<String>,
    pub(crate) attributes: ColumnAttributes,
    /// Every attribute of the field could be read.
    pub(crate) is_whole: bool,
}

impl Declaration {
    /// The column that counts the writes of a row.
    pub(crate) fn version(&self) -> Option<String> {
        let mut fields = self.fields.iter();
        let field = fields.find(|field| field.attributes.version.is_some())?;
        Some(field.name.value.clone())
    }

    /// Reads a struct; `None` where it is nothing that could be a table.
    pub(crate) fn read(
        input: &DeriveInput,
        attributes: TableAttributes,
        resolve: &dyn Fn(&Type) -> RustType,
        errors: &mut Errors,
    ) -> Option<Self> {
        refuse_generics(input, errors);
        let fields = named_fields(input, errors)?;
        let mut table_name = attributes.table.clone().unwrap_or_else(|| Given {
            span: input.ident.span(),
            value: names::table_of(&input.ident.unraw().to_string()),
        });
        names_one_thing(attributes.schema.as_ref(), &table_name, errors);
        if let Some(schema) = &attributes.schema {
            table_name.value = names::in_schema(Some(&schema.value), &table_name.value);
        }
        let mut declaration = Self {
            ident: input.ident.clone(),
            table_name,
            attributes,
            is_whole: errors.is_empty(),
            fields: Vec::new(),
            skipped: Vec::new(),
        };
        for field in fields {
            declaration.read_field(field, resolve, errors);
        }
        Some(declaration)
    }

    /// The column that a name in an attribute means: a field's name first, then a column's.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| field.ident.unraw() == name)
            .or_else(|| self.fields.iter().find(|field| field.name.value == name))
    }

    /// The fields whose attributes could all be read: what is missing on them is missing indeed.
    pub(crate) fn whole_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_whole)
    }

    /// The key's fields in key order, as far as they exist.
    pub(crate) fn key(&self) -> Vec<&Field> {
        match self.attributes.key() {
            Some(names) => names
                .iter()
                .filter_map(|name| self.field(&name.value))
                .collect(),
            None => self
                .fields
                .iter()
                .filter(|field| field.attributes.primary_key.is_some())
                .collect(),
        }
    }

    fn read_field(
        &mut self,
        field: &syn::Field,
        resolve: &dyn Fn(&Type) -> RustType,
        errors: &mut Errors,
    ) {
        let Some(ident) = &field.ident else { return };
        refuse_conditions(&field.attrs, errors);
        let before = errors.count();
        let attributes = ColumnAttributes::read(&field.attrs, errors);
        let is_whole = errors.count() == before;
        self.is_whole &= is_whole;
        if attributes.skip.is_some() {
            refuse_words_beside_skip(&attributes, errors);
            self.skipped.push(ModelField {
                ident: ident.clone(),
                visibility: field.vis.clone(),
                ty: field.ty.clone(),
            });
            return;
        }
        self.fields.push(Field {
            ident: ident.clone(),
            visibility: field.vis.clone(),
            ty: field.ty.clone(),
            rust: resolve(&field.ty),
            name: name(ident, &attributes),
            attributes,
            is_whole,
        });
    }
}

/// A schema and what stands in it are named apart, so that a dot in a name always is the one between the two.
pub(crate) fn names_one_thing(
    schema: Option<&Given<String>>,
    name: &Given<String>,
    errors: &mut Errors,
) {
    for given in schema.into_iter().chain([name]) {
        if let Some(problem) = names::too_long(&given.value) {
            errors.at(given.span, problem);
        }
    }
    if let Some((before, behind)) = name.value.split_once('.') {
        errors.at(
            name.span,
            format!("a schema has a word of its own: `schema = \"{before}\"`, and `{behind}` as the name"),
        );
    }
    let Some(schema) = schema else { return };
    if schema.value.contains('.') {
        errors.at(
            schema.span,
            "a schema with a dot in its name is not supported: the connection's `search_path` can lead to it",
        );
    }
    if schema.value == "zdm"
        || schema.value == "information_schema"
        || schema.value.starts_with("pg_")
    {
        errors.at(
            schema.span,
            format!("the schema `{}` is none of the application's own: it belongs to the database or to the control tables", schema.value),
        );
    }
}

/// The name in the schema: the one at the end of a transition, which says another for the time until then.
fn name(ident: &Ident, attributes: &ColumnAttributes) -> Given<String> {
    let given = attributes
        .final_name
        .as_ref()
        .or(attributes.column.as_ref());
    given.cloned().unwrap_or_else(|| Given {
        span: ident.span(),
        value: ident.unraw().to_string(),
    })
}

impl Field {
    /// The column's name as long as both sides of its transition are there, where it takes another in the end. The name in the end may
    /// be said as the column's too, which it was before and will be again.
    pub(crate) fn interim_name(&self) -> Option<String> {
        let last = &self.attributes.final_name.as_ref()?.value;
        let given = self.attributes.column.as_ref();
        let given = given.filter(|given| given.value != *last);
        Some(given.map_or_else(|| names::beside(last), |given| given.value.clone()))
    }

    /// The type is known to be no `Option`.
    pub(crate) fn is_required(&self) -> bool {
        self.rust.nullable == Some(false)
    }

    /// The type is known to be an `Option`.
    pub(crate) fn is_optional(&self) -> bool {
        self.rust.nullable == Some(true)
    }
}

fn refuse_generics(input: &DeriveInput, errors: &mut Errors) {
    if !input.generics.params.is_empty() {
        errors.at(
            input.generics.span(),
            "a table has one shape, so its struct cannot be generic; write the types out",
        );
    }
}

fn named_fields<'a>(
    input: &'a DeriveInput,
    errors: &mut Errors,
) -> Option<impl Iterator<Item = &'a syn::Field> + use<'a>> {
    let refusal = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(fields.named.iter()),
            Fields::Unnamed(_) => {
                "a table needs named columns, so its struct needs named fields; a newtype for a column is marked `#[zdm(transparent)]`"
            }
            Fields::Unit => "a table needs columns, and this struct has no fields",
        },
        Data::Enum(_) => "an enum is no table; as the type of a column it derives `MigratableEnum`",
        Data::Union(_) => "a union cannot be a table; use a struct with named fields",
    };
    errors.at(input.ident.span(), refusal);
    None
}

/// The compiler hands the derive a struct without the fields that are switched off; the generator cannot know them.
fn refuse_conditions(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes {
        let conditional = attribute.path().is_ident("cfg")
            || (attribute.path().is_ident("cfg_attr")
                && attribute.meta.to_token_stream().to_string().contains("zdm"));
        if conditional {
            errors.at(
                attribute.span(),
                "a column cannot depend on `cfg`: the compiler and `cargo zdm generate` would see different tables; \
                 always declare the column, or move it to a struct and table of its own",
            );
        }
    }
}

fn refuse_words_beside_skip(attributes: &ColumnAttributes, errors: &mut Errors) {
    let skip = attributes.skip.as_ref().map(|given| given.span);
    let alone = ColumnAttributes {
        skip: None,
        ..attributes.clone()
    };
    if let Some(span) = skip
        && !alone.is_empty()
    {
        errors.at(
            span,
            "`skip` means that the field is no column, so no other word can stand beside it",
        );
    }
}
