//! A struct with `#[derive(Migratable)]`, read once for the derive and for the command line.
//!
//! Comes in: the struct's syntax tree and what the caller knows about types. Goes out: a [`Model`], a [`Newtype`], or
//! all its mistakes at once.
//! Must not know: files, the crate around the struct, any database.

use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Type, Visibility};

use crate::attributes::Errors;
use crate::attributes::column::ColumnAttributes;
use crate::attributes::table::TableAttributes;
use crate::declaration::Declaration;
use crate::rust_type::{RustType, option_of};
use crate::{Call, Table, check, lower};

/// What a `#[derive(Migratable)]` declares.
pub enum Declared {
    /// A table.
    Model(Model),
    /// A column type: `#[zdm(transparent)] struct UserId(i64);`.
    Newtype(Newtype),
}

/// A struct whose fields are the columns of a table.
pub struct Model {
    /// The struct's name.
    pub ident: Ident,
    /// The table as the schema holds it, without `source`.
    pub table: Table,
    /// The fields behind `table.columns`, in the same order.
    pub fields: Vec<ModelField>,
    /// Fields with `#[zdm(skip)]`, which generated code fills with their `Default`.
    pub skipped: Vec<ModelField>,
    /// The column with `#[zdm(version)]`, which counts the writes of a row.
    pub version: Option<String>,
    /// Functions that fill columns.
    pub calls: Vec<Call>,
}

/// A field that is a column.
pub struct ModelField {
    /// Its name.
    pub ident: Ident,
    /// Who can see it.
    pub visibility: Visibility,
    /// Its type as written.
    pub ty: Type,
}

/// A tuple struct of one field that a column can have as its type.
pub struct Newtype {
    /// The struct's name.
    pub ident: Ident,
    /// What it wraps.
    pub inner: Type,
}

impl Declared {
    /// Reads a struct. `resolve` says what a field's type is: [`RustType::of`], or more for who knows the crate.
    pub fn parse(
        input: &DeriveInput,
        resolve: &dyn Fn(&Type) -> RustType,
    ) -> Result<Self, Vec<syn::Error>> {
        let mut errors = Errors::default();
        let attributes = TableAttributes::read(&input.attrs, &mut errors);
        if attributes.transparent.is_some() {
            return newtype(input, &attributes, errors).map(Self::Newtype);
        }
        let Some(declaration) = Declaration::read(input, attributes, resolve, &mut errors) else {
            return Err(errors.into_vec());
        };
        check::all(&declaration, &mut errors);
        let table = lower::table(&declaration, &mut errors);
        if !errors.is_empty() {
            return Err(errors.into_vec());
        }
        Ok(Self::Model(Model {
            calls: Call::all(&declaration),
            version: declaration.version(),
            ident: declaration.ident,
            table,
            fields: declaration
                .fields
                .into_iter()
                .map(|field| ModelField {
                    ident: field.ident,
                    visibility: field.visibility,
                    ty: field.ty,
                })
                .collect(),
            skipped: declaration.skipped,
        }))
    }
}

fn newtype(
    input: &DeriveInput,
    attributes: &TableAttributes,
    mut errors: Errors,
) -> Result<Newtype, Vec<syn::Error>> {
    let inner = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
            _ => None,
        },
        _ => None,
    };
    let transparent = attributes.transparent.as_ref().map(|given| given.span);
    let span = transparent.unwrap_or_else(|| input.ident.span());
    if !attributes.is_only_transparent() {
        errors.at(span, "a `transparent` newtype is a column type and no table, so no other word can stand beside it");
    }
    if !input.generics.params.is_empty() {
        errors.at(
            input.generics.span(),
            "a column has one type, so its newtype cannot be generic",
        );
    }
    let Some(field) = inner else {
        errors.at(
            span,
            "`transparent` is for a tuple struct of one field: `struct UserId(i64);`",
        );
        return Err(errors.into_vec());
    };
    if option_of(&field.ty).is_some() {
        errors.at(
            field.ty.span(),
            "a newtype wraps the value; let the field be an `Option` of the newtype instead",
        );
    }
    if !ColumnAttributes::read(&field.attrs, &mut errors).is_empty() {
        errors.at(
            field.span(),
            "the words of a column stand on the model's field, not inside its newtype",
        );
    }
    if let Some(problem) = RustType::of(&field.ty).problem {
        errors.at(field.ty.span(), problem);
    }
    if !errors.is_empty() {
        return Err(errors.into_vec());
    }
    Ok(Newtype {
        ident: input.ident.clone(),
        inner: field.ty.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drop, Expression, ForeignKey, Index, OnInvalid};

    fn parse(source: &str) -> Result<Declared, Vec<String>> {
        let input = syn::parse_str(source).expect("a struct");
        Declared::parse(&input, &RustType::of)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    fn table(source: &str) -> Table {
        match parse(source) {
            Ok(Declared::Model(model)) => model.table,
            Ok(Declared::Newtype(_)) => panic!("a newtype"),
            Err(errors) => panic!("{errors:?}"),
        }
    }

    fn errors(source: &str) -> Vec<String> {
        parse(source).err().expect("mistakes")
    }

    #[test]
    fn the_grammar_of_columns_becomes_a_table() {
        let table = table(
            r#"
            struct User {
                #[zdm(primary_key, auto)] id: i64,
                #[zdm(renamed_from = "name", sql_type = "varchar(255)")] full_name: String,
                #[zdm(column = "age_int", from("age"), up = "CAST(age AS INTEGER)",
                      down(postgres = "age_int::text", sqlite = "CAST(age_int AS TEXT)"),
                      valid_if = "age ~ '^[0-9]{1,9}$'", on_invalid = default("0"))]
                age: Option<i32>,
                #[zdm(unique, index = "idx_users_email")] email: String,
                #[zdm(references = "teams(id)", on_delete = "SET NULL")] team_id: Option<i64>,
                #[zdm(default = "now()")] created_at: chrono::DateTime<chrono::Utc>,
                #[zdm(skip)] cache: u64,
                r#type: String,
            }"#,
        );
        assert_eq!(table.name, "users");
        assert_eq!(table.primary_key, ["id"]);
        let names: Vec<_> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "id",
                "full_name",
                "age_int",
                "email",
                "team_id",
                "created_at",
                "type"
            ]
        );
        assert_eq!(
            table.indexes,
            [Index {
                name: "idx_users_email".into(),
                columns: vec!["email".into()],
                unique: true,
                ..Index::default()
            }]
        );
        assert_eq!(
            table.foreign_keys,
            [ForeignKey {
                name: "fk_users_team_id".into(),
                columns: vec!["team_id".into()],
                references: "teams".into(),
                referenced_columns: vec!["id".into()],
                on_delete: Some("set null".into()),
                ..ForeignKey::default()
            }]
        );
        let renamed = table.columns[1].transition.as_ref().expect("a rename");
        assert!(renamed.renamed);
        assert_eq!(renamed.from, ["name"]);
        let age = table.columns[2].transition.as_ref().expect("a pair");
        assert_eq!(age.on_invalid, Some(OnInvalid::Default("0".into())));
        assert_eq!(age.down[0].0, "age");
        assert_eq!(
            age.down[0].1.for_dialect("sqlite"),
            Some("CAST(age_int AS TEXT)")
        );
        assert_eq!(table.columns[6].field, "r#type");
    }

    #[test]
    fn the_grammar_of_tables_becomes_a_table() {
        let table = table(
            r#"
            #[zdm(table = "members", primary_key(team, user))]
            #[zdm(drops("x"), drops("y", default = "''"))]
            #[zdm(index(columns(since, user), unique, where = "since > 0", name = "by_since"))]
            #[zdm(index(columns("user_id")))]
            #[zdm(check(name = "positive", expr = "since > 0"))]
            #[zdm(foreign_key(columns(team, user), references = "pairs(a, b)", on_delete = "cascade", name = "fk"))]
            struct Member {
                team: i64,
                #[zdm(column = "user_id")] user: i64,
                since: i32,
            }"#,
        );
        assert_eq!(table.primary_key, ["team", "user_id"]);
        assert_eq!(
            table.drops,
            [
                Drop {
                    column: "x".into(),
                    default: None
                },
                Drop {
                    column: "y".into(),
                    default: Some("''".into())
                },
            ]
        );
        let names: Vec<_> = table
            .indexes
            .iter()
            .map(|index| index.name.as_str())
            .collect();
        assert_eq!(names, ["by_since", "idx_members_user_id"]);
        assert_eq!(table.indexes[0].columns, ["since", "user_id"]);
        assert_eq!(table.indexes[0].predicate.as_deref(), Some("since > 0"));
        assert_eq!(table.checks[0].expr, "since > 0");
        assert_eq!(table.foreign_keys[0].referenced_columns, ["a", "b"]);
    }

    #[test]
    fn several_old_columns_have_one_way_back_each() {
        let table = table(
            r#"struct User {
                #[zdm(primary_key)] id: i64,
                #[zdm(from("first", "last"), up = "first || ' ' || last",
                      down(first = "split_part(name, ' ', 1)",
                           last(postgres = "split_part(name, ' ', 2)", sqlite = "name")))]
                name: String,
            }"#,
        );
        let pair = table.columns[1].transition.as_ref().expect("a pair");
        assert_eq!(pair.from, ["first", "last"]);
        assert_eq!(
            pair.down[0],
            (
                "first".into(),
                Expression::Any("split_part(name, ' ', 1)".into())
            )
        );
        assert_eq!(pair.down[1].1.for_dialect("sqlite"), Some("name"));
        assert_eq!(pair.down[1].1.for_dialect("mysql"), None);
    }

    #[test]
    fn one_of_those_that_share_an_old_column_gives_it_back() {
        let fields = |down: &str| {
            format!(
                r#"struct User {{
                    #[zdm(primary_key)] id: i64,
                    #[zdm(from("name"), up = "lower(name)")] first: String,
                    #[zdm(from("name"), up = "upper(name)"{down})] last: String,
                    #[zdm(from("other"), up = "lower(other)", down = "third")] third: String,
                }}"#
            )
        };
        let split = table(&fields(r#", down = "first || last""#));
        let parts = split.columns[1..3]
            .iter()
            .filter_map(|column| column.transition.as_ref());
        let given_back: Vec<usize> = parts.map(|part| part.down.len()).collect();
        assert_eq!(given_back, [0, 1]);
        let missing = errors(&fields(""));
        assert_eq!(missing.len(), 2, "{missing:?}");
    }

    #[test]
    fn one_way_stands_in_the_place_of_down() {
        let table = table(
            r#"struct User {
                #[zdm(primary_key)] id: i64,
                #[zdm(from("first", "last"), up = "first || last", one_way)] name: String,
                #[zdm(from("a"), up = "a", down = "b")] b: i64,
            }"#,
        );
        let pair = table.columns[1].transition.as_ref().expect("a pair");
        assert!(pair.one_way && pair.down.is_empty());
        let both = table.columns[2].transition.as_ref().expect("a pair");
        // The text whose hash `plan.toml` keeps of versions from before the word.
        assert_eq!(
            format!("{both:?}"),
            "Transition { from: [\"a\"], renamed: false, up: Some(Any(\"a\")), down: [(\"a\", Any(\"b\"))], \
             valid_if: None, on_invalid: None }"
        );
    }

    #[test]
    fn all_mistakes_are_found_at_once() {
        let errors = errors(
            r#"
            #[zdm(tabel = "t", index(columns(nope)))]
            struct User {
                #[zdm(primry_key, unique, unique)] id: i64,
                #[zdm(with = "f", table = "x", on_delete = "explode")] name: u32,
                #[zdm(default = 3, index("a"))] other: Option<String>,
            }"#,
        );
        for part in [
            "did you mean `table`?",
            "did you mean `primary_key`?",
            "`unique` is given twice",
            "begins with `crate::`",
            "`table` belongs on the struct",
            "`explode` is no action",
            "expected a string: `default = \"…\"`",
            "this word takes nothing more",
            "use `i64`",
            "`nope` is no field",
        ] {
            assert!(
                errors.iter().any(|error| error.contains(part)),
                "{part} is not among {errors:#?}"
            );
        }
        assert_eq!(errors.len(), 10, "{errors:#?}");
    }

    #[test]
    fn a_newtype_is_a_column_type() {
        let Ok(Declared::Newtype(newtype)) = parse("#[zdm(transparent)] struct UserId(i64);")
        else {
            panic!("no newtype");
        };
        assert_eq!(newtype.ident, "UserId");
        assert_eq!(
            errors("#[zdm(transparent)] struct UserId(Option<i64>);"),
            ["a newtype wraps the value; let the field be an `Option` of the newtype instead"]
        );
    }
}
