//! What a field's Rust type says about its column.
//!
//! Comes in: a type as written. Goes out: [`RustType`], with what is known without knowing the crate around it.
//! Must not know: aliases and newtypes. The command line resolves them by name, the derive through trait constants.

use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, Type};

use crate::LogicalType;

/// A field's type, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustType {
    /// The type without its `Option`, as generated code writes it.
    pub text: String,
    /// What it means to a database; `None` where only the crate around it can tell.
    pub logical: Option<LogicalType>,
    /// Whether it is an `Option`; `None` where only the crate around it can tell.
    pub nullable: Option<bool>,
    /// Its name in the database, where it is an enum; with `[]` behind it, where it is a `Vec` of one.
    pub enumeration: Option<String>,
    /// Why it is no column type, if that is sure; no matter where the column has `sql_type`.
    pub problem: Option<String>,
}

impl RustType {
    /// What the type's own spelling tells.
    pub fn of(ty: &Type) -> Self {
        if let Some(inner) = option_of(ty) {
            let inner = Self::of(inner);
            let problem = (inner.nullable == Some(true))
                .then(|| "an `Option` in an `Option` has no column type".to_owned());
            return Self {
                nullable: Some(true),
                problem: problem.or(inner.problem.clone()),
                ..inner
            };
        }
        let text = spelled(ty);
        let Type::Path(path) = ty else {
            return Self {
                problem: Some(format!(
                    "`{text}` is no column type: a column owns its value, for example `String`"
                )),
                text,
                logical: None,
                nullable: Some(false),
                enumeration: None,
            };
        };
        let logical = logical_of(&path.path);
        let problem = path
            .path
            .get_ident()
            .and_then(|name| refusal(&name.to_string()));
        Self {
            nullable: (logical.is_some() || problem.is_some()).then_some(false),
            text,
            logical,
            enumeration: None,
            problem,
        }
    }

    /// A type that is spelled like this and is the enum of that name in the database.
    pub fn of_enum(text: String, name: &str) -> Self {
        Self {
            text,
            logical: Some(LogicalType::Enum),
            nullable: Some(false),
            enumeration: Some(name.to_owned()),
            problem: None,
        }
    }

    /// A `Vec` of this type, which is spelled like this; `None` where it is no enum.
    pub fn vec_of_enum(&self, text: String) -> Option<Self> {
        let name = self
            .enumeration
            .as_deref()
            .filter(|name| !name.ends_with("[]"))?;
        (self.nullable == Some(false)).then(|| Self::of_enum(text, &format!("{name}[]")))
    }
}

/// The `T` of an `Option<T>`.
pub fn option_of(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != "Option" {
        return None;
    }
    argument(&last.arguments)
}

/// The `T` of a `Vec<T>`.
pub fn vec_of(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    (last.ident == "Vec").then(|| argument(&last.arguments))?
}

/// A type's text as rustfmt writes a path: `chrono::DateTime<chrono::Utc>`.
pub fn spelled(ty: &Type) -> String {
    if let Type::Path(path) = ty
        && let Some(ident) = path.path.get_ident()
    {
        return ident.to_string();
    }
    let mut text = ty.to_token_stream().to_string();
    for (loose, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
    ] {
        text = text.replace(loose, tight);
    }
    text
}

fn logical_of(path: &Path) -> Option<LogicalType> {
    let last = path.segments.last()?;
    let argument = argument(&last.arguments).map(spelled);
    LogicalType::of_rust(&last.ident.to_string(), argument.as_deref())
}

fn argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if arguments.args.len() == 1 => Some(ty),
        _ => None,
    }
}

/// Types of the language that no database has, with the way on.
fn refusal(name: &str) -> Option<String> {
    let instead = match name {
        "i8" | "u8" => "`i16`",
        "u16" => "`i32`",
        "u32" | "usize" | "isize" => "`i64`",
        "u64" => "`i64`, or `sql_type = \"numeric(20)\"` with a type that your driver decodes",
        "i128" | "u128" => "`sql_type = \"numeric(39)\"` with a type that your driver decodes",
        "char" => "`String`",
        _ => return None,
    };
    Some(format!("`{name}` is no column type: use {instead}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> RustType {
        RustType::of(&syn::parse_str(text).expect("a type"))
    }

    #[test]
    fn known_types_have_their_logical_type() {
        assert_eq!(of("i64").logical, Some(LogicalType::Int8));
        assert_eq!(of("std::string::String").logical, Some(LogicalType::Text));
        assert_eq!(of("Vec<u8>").logical, Some(LogicalType::Bytes));
        assert_eq!(of("DateTime<Utc>").logical, Some(LogicalType::TimestampTz));
        assert_eq!(of("DateTime<Local>").logical, None);
        assert_eq!(of("Vec<i32>").logical, None);
    }

    #[test]
    fn an_option_is_peeled_and_paths_are_spelled_tightly() {
        let ty = of("Option<chrono::DateTime<chrono::Utc>>");
        assert_eq!(ty.nullable, Some(true));
        assert_eq!(ty.text, "chrono::DateTime<chrono::Utc>");
        assert_eq!(of("UserId").nullable, None);
    }

    #[test]
    fn what_no_database_has_is_refused_with_a_way_on() {
        assert!(of("u32").problem.expect("a problem").contains("`i64`"));
        assert!(
            of("&'static str")
                .problem
                .expect("a problem")
                .contains("`String`")
        );
        assert!(of("Option<Option<i32>>").problem.is_some());
    }
}
