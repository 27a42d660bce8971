//! A kind of database as its folder in `templates/` describes it: types, quoting, what each statement locks, what it
//! cannot do and why.
//!
//! Comes in: `templates/<dialect>/dialect.toml` and its templates, compiled in. Goes out: answers and rendered SQL.
//! Must not know: schemas, plans, any database by name.

mod address;
mod default;
mod element;
mod environment;
mod expression;
mod facts;
mod identity;
mod likeness;
mod postgres;
mod quoting;
mod row;
mod seal;
mod sqlite;
mod statements;
mod steady;
mod totality;
mod typed;
mod widening;

use include_dir::{Dir, include_dir};
use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;
use zdm_model::{Column, LogicalType};

pub use address::Addresses;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use default::as_written;
pub(crate) use environment::environment;
pub use expression::ExpressionError;
use facts::Facts;
pub use facts::{Capabilities, ClientFacts, Dual, StatementFacts};
pub(crate) use identity::unbounded;
pub(crate) use statements::byte_at;
pub(crate) use widening::{widens, widens_text};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The folder of what all databases write the same way; it is no dialect by itself.
const STANDARD: &str = "standard";

/// A kind of database.
#[derive(Debug)]
pub struct Dialect {
    facts: Facts,
    templates: Environment<'static>,
}

impl Dialect {
    /// The names of all dialects: the folders with a `dialect.toml`, in alphabetical order.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<_> = TEMPLATES
            .dirs()
            .filter(|folder| {
                folder
                    .get_file(folder.path().join("dialect.toml"))
                    .is_some()
            })
            .filter_map(|folder| folder.path().to_str())
            .collect();
        names.sort_unstable();
        names
    }

    /// The dialect of that name.
    pub fn named(name: &str) -> Result<Self, DialectError> {
        let chain = facts::chain(&TEMPLATES, name)?;
        let facts = facts::merged(&chain)?;
        let mut templates = environment().map_err(|source| DialectError::Template {
            dialect: name.to_owned(),
            template: "*".to_owned(),
            source,
        })?;
        quoting::install(&mut templates, &facts.quoting);
        element::install(&mut templates, facts.capabilities.parenthesized_elements);
        let ancestors = chain.iter().rev().map(|ancestor| ancestor.name.as_str());
        for ancestor in std::iter::once(STANDARD).chain(ancestors) {
            for folder in ["statement", "backfill", "measure", "roles"] {
                add_templates(&mut templates, ancestor, folder)?;
            }
        }
        Ok(Self { facts, templates })
    }

    /// `postgres`, the folder's name.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// `PostgreSQL`, as the vendor spells it.
    pub fn vendor(&self) -> &str {
        &self.facts.vendor
    }

    /// A value of a column's type, as SQL, for advice.
    pub fn example_of(&self, column: &Column) -> &str {
        let edges = self.facts.edges.get(column.logical_type.name());
        edges
            .and_then(|edges| edges.first())
            .map_or("…", String::as_str)
    }

    /// What generated code calls the things of a client; `None` where nobody has said.
    pub fn client(&self, name: &str) -> Option<&ClientFacts> {
        self.facts.client.get(name)
    }

    /// What the database can do.
    pub fn capabilities(&self) -> &Capabilities {
        &self.facts.capabilities
    }

    /// The identifier as it is written in a statement: bare where that is safe, else quoted.
    pub fn ident(&self, name: &str) -> String {
        self.facts.quoting.ident(name)
    }

    /// A table or a type as it is written in a statement, with its schema where it names one.
    pub fn relation(&self, name: &str) -> String {
        self.facts.quoting.relation(name)
    }

    /// A view or function of a version's own, from its name without its schema.
    pub fn own(&self, name: &str) -> String {
        format!("zdm.{}", self.ident(name))
    }

    /// The text as a string literal.
    pub fn literal(&self, text: &str) -> String {
        quoting::literal(text)
    }

    /// The type that a column is declared with.
    pub fn type_of(&self, column: &Column) -> String {
        let sql_type = self.bare_type_of(column);
        match &column.collation {
            Some(collation) => format!("{sql_type} COLLATE {}", self.ident(collation)),
            None => sql_type,
        }
    }

    fn bare_type_of(&self, column: &Column) -> String {
        match &column.sql_type {
            Some(name) if column.logical_type == LogicalType::Enum => self.enum_type(name),
            Some(sql_type) => sql_type.clone(),
            None => self.type_name(column.logical_type).to_owned(),
        }
    }

    /// The type of an enum, or of an array of it.
    fn enum_type(&self, name: &str) -> String {
        if !self.facts.capabilities.enum_types {
            return self.type_name(LogicalType::Text).to_owned();
        }
        match name.strip_suffix("[]") {
            Some(element) => format!("{}[]", self.relation(element)),
            None => self.relation(name),
        }
    }

    /// The types of which an `auto` column has to have one, where its own is none of them.
    pub fn auto_types_beside(&self, column: &Column) -> Option<&[String]> {
        let types = &self.facts.auto_types;
        let declared = self.type_of(column);
        let refused = column.auto && !types.is_empty() && !contains(types, declared.trim());
        refused.then_some(types)
    }

    /// The type that a logical type is declared with.
    pub fn type_name(&self, logical: LogicalType) -> &str {
        self.facts
            .types
            .get(logical.name())
            .map_or("", String::as_str)
    }

    /// The condition under which a row has no conversion by `up`, as far as the row itself tells: `valid_if` does not hold, or
    /// the client could not read the outcome. `None` where neither is known.
    pub fn invalid(
        &self,
        valid_if: Option<&str>,
        up: &str,
        logical: LogicalType,
    ) -> Option<String> {
        let pattern = valid_if.map(|valid_if| format!("({valid_if}) IS FALSE"));
        // A pattern is no proof: what passes it may still overflow.
        let unreadable = self.facts.unreadable.get(logical.name());
        let unreadable = unreadable.map(|condition| condition.replace("{value}", &operand(up)));
        let conditions: Vec<String> = pattern.into_iter().chain(unreadable).collect();
        (!conditions.is_empty()).then(|| conditions.join(" OR "))
    }

    /// The default as the dialect spells it.
    pub fn default_of(&self, default: &str) -> String {
        let spelled = self
            .facts
            .defaults
            .iter()
            .find(|(text, _)| text.eq_ignore_ascii_case(default.trim()));
        if let Some((_, spelled)) = spelled {
            return spelled.clone();
        }
        let in_parentheses = if self.facts.capabilities.parenthesized_defaults {
            !self.stands_bare(default)
        } else {
            self.runs_on(default)
        };
        if in_parentheses {
            format!("({default})")
        } else {
            default.to_owned()
        }
    }

    /// A key column's value out of a parameter that is bound as text.
    pub fn key_parameter(&self, column: &Column, parameter: &str) -> String {
        let exception = self.facts.key.exceptions.get(column.logical_type.name());
        exception
            .map_or(&self.facts.key.bind, |exception| &exception.bind)
            .replace("{parameter}", parameter)
            .replace("{type}", self.type_name(column.logical_type))
            .replace("{declared}", &self.uncollated_type_of(column))
    }

    /// A key column's value as text.
    pub fn key_text(&self, column: &Column, expression: &str) -> String {
        let exception = self.facts.key.exceptions.get(column.logical_type.name());
        exception
            .map_or(&self.facts.key.read, |exception| &exception.read)
            .replace("{column}", expression)
    }

    /// An expression for the type of a value, as text.
    pub fn type_of_value(&self, expression: &str) -> String {
        self.facts.type_of_value.replace("{expression}", expression)
    }

    /// The conversions between logical types that lose nothing on the way up.
    pub fn lossless(&self, from: LogicalType, to: LogicalType) -> Option<&Dual> {
        self.facts
            .lossless
            .get(&format!("{}_{}", from.name(), to.name()))
    }

    /// What the way down from a longer text loses, in plain English.
    pub fn widened_text_loses(&self) -> Option<String> {
        self.facts.widened_text_loses.clone()
    }

    /// Values at the edges of a logical type, as SQL; none for a type of the user's own.
    pub fn edges(&self, logical: LogicalType) -> &[String] {
        self.facts
            .edges
            .get(logical.name())
            .map_or(&[], Vec::as_slice)
    }

    /// Functions that a new column may have as its default without rewriting the table.
    pub fn is_stable_function(&self, name: &str) -> bool {
        contains(&self.facts.functions.stable, name)
    }

    /// What a statement locks, reads and writes; or the reason why the database has no such statement.
    pub fn statement(&self, name: &str) -> Result<&StatementFacts, DialectError> {
        if let Some(reason) = self.facts.unsupported.get(name) {
            return Err(DialectError::Unsupported {
                vendor: self.facts.vendor.clone(),
                statement: name.to_owned(),
                reason: reason.clone(),
            });
        }
        self.facts
            .statement
            .get(name)
            .ok_or_else(|| DialectError::UnknownStatement {
                dialect: self.facts.name.clone(),
                statement: name.to_owned(),
            })
    }

    /// The text of a statement, without a line break at its end.
    pub fn render_statement(
        &self,
        name: &str,
        context: impl Serialize,
    ) -> Result<String, DialectError> {
        let template = self.statement(name)?.template.as_deref().unwrap_or(name);
        self.render(&format!("statement/{template}"), context)
    }

    /// The text of a template: `backfill/batch`.
    pub fn render(&self, template: &str, context: impl Serialize) -> Result<String, DialectError> {
        let failed = |source| DialectError::Template {
            dialect: self.facts.name.clone(),
            template: template.to_owned(),
            source,
        };
        self.templates
            .get_template(template)
            .and_then(|template| template.render(Value::from(Serde(context))))
            .map_err(failed)
    }
}

fn contains(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn add_templates(
    environment: &mut Environment<'static>,
    dialect: &str,
    folder: &str,
) -> Result<(), DialectError> {
    let Some(files) = TEMPLATES.get_dir(format!("{dialect}/{folder}")) else {
        return Ok(());
    };
    for file in files.files() {
        let name = file.path().file_name().and_then(|name| name.to_str());
        let (Some(stem), Some(text)) = (
            name.and_then(|name| name.strip_suffix(".sql.j2")),
            file.contents_utf8(),
        ) else {
            continue;
        };
        let template = format!("{folder}/{stem}");
        environment
            .add_template_owned(template.clone(), text.to_owned())
            .map_err(|source| DialectError::Template {
                dialect: dialect.to_owned(),
                template,
                source,
            })?;
    }
    Ok(())
}

/// Why a dialect could not be loaded or asked.
#[derive(Debug, thiserror::Error)]
pub enum DialectError {
    /// There is no folder of that name.
    #[error("there is no dialect `{name}`; choose one of {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A `dialect.toml` that cannot be read.
    #[error("templates/{dialect}/dialect.toml: {source}")]
    Facts {
        /// The folder.
        dialect: String,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// A statement that the database does not have.
    #[error("{vendor} has no `{statement}`: {reason}")]
    Unsupported {
        /// The database.
        vendor: String,
        /// The statement.
        statement: String,
        /// Why, and what happens instead.
        reason: String,
    },
    /// A statement that `dialect.toml` neither describes nor declares unsupported.
    #[error("templates/{dialect}/dialect.toml says nothing about `{statement}`")]
    UnknownStatement {
        /// The folder.
        dialect: String,
        /// The statement.
        statement: String,
    },
    /// A template that cannot be rendered.
    #[error("templates/{dialect}/{template}.sql.j2: {source}")]
    Template {
        /// The folder.
        dialect: String,
        /// The template.
        template: String,
        /// What is wrong with it.
        source: minijinja::Error,
    },
}
/// In parentheses, unless it is a single call or name.
fn operand(up: &str) -> String {
    let single = up.chars().all(|c| c.is_alphanumeric() || c == '_')
        || (up.starts_with("CAST(") && up.find(')') == Some(up.len() - 1));
    if single {
        up.to_owned()
    } else {
        format!("({up})")
    }
}
