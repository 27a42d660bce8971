//! Names and types of generated Rust: identifiers that are legal, arguments that a caller likes to pass.
//!
//! Comes in: columns and tables. Goes out: text for templates.
//! Must not know: SQL.

use heck::{ToPascalCase, ToSnakeCase};
use zdm_model::{Column, LogicalType};

/// Variables of the generated functions; a field of that name is passed under another one.
const TAKEN: [&str; 12] = [
    "conn", "flags", "now", "done", "row", "rows", "after", "limit", "stored", "table", "found",
    "shadow",
];

/// Types and traits that generated code calls by their bare names.
const TYPES: [&str; 28] = [
    "Arc",
    "AssertSqlSafe",
    "AsyncPgConnection",
    "Default",
    "Error",
    "Flags",
    "Fn",
    "Generated",
    "Option",
    "Parameters",
    "PgConnection",
    "PgRow",
    "Postgres",
    "QueryBuilder",
    "Result",
    "Row",
    "Send",
    "Shadow",
    "Sqlite",
    "SqliteConnection",
    "SqliteRow",
    "Stage",
    "Stream",
    "String",
    "TableFlags",
    "Vec",
    "Writes",
    "Zdm",
];

/// A field's name as part of another one: `type`.
pub(super) fn bare(field: &str) -> &str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// A field's name as an expression spells it: `r#type`.
pub(super) fn identifier(field: &str) -> String {
    let name = bare(field);
    if is_keyword(name) {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// Asking syn takes its time, and every keyword is a short word of letters.
fn is_keyword(field: &str) -> bool {
    let may_be = field.len() <= "abstract".len() && field.bytes().all(|b| b.is_ascii_alphabetic());
    may_be && syn::parse_str::<syn::Ident>(field).is_err()
}

/// A field's name as a function's argument.
pub(super) fn argument(field: &str) -> String {
    if TAKEN.contains(&field) {
        format!("{field}_value")
    } else {
        identifier(field)
    }
}

/// The module of a table: `users`.
pub(super) fn module(table: &str) -> String {
    let name = table.to_snake_case();
    let legal = syn::parse_str::<syn::Ident>(&name).is_ok() && name != "mod";
    if legal {
        name
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("table_{name}")
    } else {
        format!("{name}_table")
    }
}

/// A model of that name can be imported beside everything else that generated code names; else it is called by its path.
pub(super) fn importable(model: &str) -> bool {
    !TYPES.contains(&model)
}

/// What stands for a column in a handwritten query, as a function beside `guard`, `next_version` and the other fields' `set_…` and `…_agrees`.
pub(super) fn fragment(field: &str, fields: &[&str]) -> String {
    let name = bare(field);
    let taken = |other: &&str| {
        let of_other = [name.strip_prefix("set_"), name.strip_suffix("_agrees")];
        of_other.contains(&Some(bare(other)))
    };
    if ["guard", "next_version"].contains(&name) || fields.iter().any(taken) {
        format!("{name}_value")
    } else {
        identifier(field)
    }
}

/// The type of a table's repository: `Users`, or `DataRepository` where the model is called `Data` itself.
pub(super) fn repository(table: &str, model: &str) -> String {
    let mut name = table.to_pascal_case();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "Table");
    }
    if name == model || !importable(&name) || syn::parse_str::<syn::Ident>(&name).is_err() {
        format!("{name}Repository")
    } else {
        name
    }
}

/// What one record of the table is called in arguments: `user`.
pub(super) fn subject(model: &str) -> String {
    let name = model.to_snake_case();
    let legal = syn::parse_str::<syn::Ident>(&name).is_ok();
    if legal && name != "old" && !TAKEN.contains(&name.as_str()) {
        name
    } else {
        "record".to_owned()
    }
}

/// The values that a write gives old columns: `UserOld`.
pub(super) fn old_values(model: &str, repository: &str) -> String {
    beside(repository, format!("{model}Old"), "Values")
}

/// The columns that a write changes: `UserChanges`.
pub(super) fn changes(model: &str, repository: &str) -> String {
    beside(repository, format!("{model}Changes"), "Made")
}

/// The name of a struct in the repository's module, longer where the repository has it.
fn beside(repository: &str, mut name: String, longer: &str) -> String {
    if name == repository {
        name.push_str(longer);
    }
    name
}

/// An old column's value as an argument beside the new one's: `old_email`. Its field often has the name of the new one.
pub(super) fn old_argument(field: &str, taken: &[String]) -> String {
    let name = format!("old_{}", bare(field));
    if taken.contains(&name) {
        format!("{name}_value")
    } else {
        name
    }
}

/// The Rust type of a column without its `Option`.
#[derive(Debug, Clone)]
pub(super) struct RustType {
    /// `String`
    pub(super) owned: String,
    /// `&str`
    pub(super) borrowed: String,
    /// It is passed by value.
    pub(super) copies: bool,
    /// It is the type that its logical type stands for, no alias or newtype of it.
    pub(super) known: bool,
    /// What the client calls the type of its values.
    pub(super) sql: SqlTypes,
}

/// What a client calls the type of a column's values: empty where they tell it themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct SqlTypes {
    /// Of one that is never NULL, and of one that may be.
    pub(super) single: [String; 2],
    /// Of an array of such.
    pub(super) array: [String; 2],
}

impl RustType {
    /// The type of a column, which the source's reading has spelled with its full path.
    pub(super) fn of(column: &Column) -> Self {
        let written = column.rust_type.as_str();
        let standard = standard(column.logical_type, written);
        let (known, (owned, copies)) = match standard {
            // What is spelled as the standard need not be parsed to be known.
            Some(standard)
                if standard.0 == written || spells(written) == Some(column.logical_type) =>
            {
                (true, standard)
            }
            _ => (false, (written.replace(' ', ""), false)),
        };
        let borrowed = match owned.as_str() {
            "String" => "&str".to_owned(),
            "Vec<u8>" => "&[u8]".to_owned(),
            other if copies => other.to_owned(),
            other => format!("&{other}"),
        };
        Self {
            owned,
            borrowed,
            copies,
            known,
            sql: SqlTypes::default(),
        }
    }

    /// What the client calls the type of a value.
    pub(super) fn sql_type(&self, nullable: bool) -> String {
        self.sql.single[usize::from(nullable)].clone()
    }

    /// The same of an array of values.
    pub(super) fn array_type(&self, nullable: bool) -> String {
        self.sql.array[usize::from(nullable)].clone()
    }

    /// The argument's type, with its `Option`.
    pub(super) fn argument(&self, nullable: bool) -> String {
        if nullable {
            format!("Option<{}>", self.borrowed)
        } else {
            self.borrowed.clone()
        }
    }
}

/// The Rust type that a logical type stands for, and whether it is passed by value.
fn standard(logical: LogicalType, written: &str) -> Option<(String, bool)> {
    Some(match logical {
        LogicalType::Enum | LogicalType::Custom => return None,
        LogicalType::Bool => ("bool".to_owned(), true),
        LogicalType::Int2 => ("i16".to_owned(), true),
        LogicalType::Int4 => ("i32".to_owned(), true),
        LogicalType::Int8 => ("i64".to_owned(), true),
        LogicalType::Float4 => ("f32".to_owned(), true),
        LogicalType::Float8 => ("f64".to_owned(), true),
        LogicalType::Text => ("String".to_owned(), false),
        LogicalType::Bytes => ("Vec<u8>".to_owned(), false),
        LogicalType::TimestampTz => {
            let chrono = crate_path(written, "chrono");
            (format!("{chrono}::DateTime<{chrono}::Utc>"), true)
        }
        LogicalType::Timestamp => (chrono_type(written, "NaiveDateTime"), true),
        LogicalType::Date => (chrono_type(written, "NaiveDate"), true),
        LogicalType::Time => (chrono_type(written, "NaiveTime"), true),
        LogicalType::Uuid => (format!("{}::Uuid", crate_path(written, "uuid")), true),
        LogicalType::Json if written.starts_with("sqlx") => {
            ("sqlx::types::JsonValue".to_owned(), false)
        }
        LogicalType::Json => ("serde_json::Value".to_owned(), false),
    })
}

/// The logical type that a Rust type's own spelling tells.
fn spells(written: &str) -> Option<LogicalType> {
    let parsed = syn::parse_str(written).ok()?;
    zdm_model::RustType::of(&parsed).logical
}

fn chrono_type(written: &str, name: &str) -> String {
    format!("{}::{name}", crate_path(written, "chrono"))
}

/// The crate itself, or sqlx's re-export of it where the model uses that.
fn crate_path(written: &str, name: &str) -> String {
    if written.replace(' ', "").starts_with("sqlx::types::") {
        format!("sqlx::types::{name}")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_do_not_collide() {
        assert_eq!(identifier("type"), "r#type");
        assert_eq!(identifier("r#type"), "r#type");
        assert_eq!(argument("flags"), "flags_value");
        assert_eq!(module("type"), "type_table");
        assert_eq!(module("mod"), "mod_table");
        assert_eq!(module("OrderLines"), "order_lines");
        assert_eq!(module("2fa_keys"), "table_2fa_keys");
        assert_eq!(repository("users", "User"), "Users");
        assert_eq!(repository("2fa_keys", "TwoFactorKey"), "Table2faKeys");
        assert_eq!(repository("data", "Data"), "DataRepository");
        assert_eq!(repository("flags", "Flag"), "FlagsRepository");
        assert_eq!(fragment("type", &["type"]), "r#type");
        assert_eq!(fragment("guard", &["guard"]), "guard_value");
        assert_eq!(fragment("set_age", &["age", "set_age"]), "set_age_value");
        assert_eq!(fragment("c_agrees", &["c", "c_agrees"]), "c_agrees_value");
        assert_eq!(subject("OrderLine"), "order_line");
        assert_eq!(subject("Row"), "record");
        assert_eq!(subject("Old"), "record");
        assert_eq!(old_values("User", "Users"), "UserOld");
        assert_eq!(old_values("User", "UserOld"), "UserOldValues");
        assert_eq!(changes("User", "Users"), "UserChanges");
        assert_eq!(changes("User", "UserChanges"), "UserChangesMade");
        assert_eq!(old_argument("r#type", &[]), "old_type");
        let taken = ["old_age".to_owned()];
        assert_eq!(old_argument("age", &taken), "old_age_value");
    }
}
