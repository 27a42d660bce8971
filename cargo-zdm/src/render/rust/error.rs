//! Why code cannot be generated, in words for whoever declared what it is generated from.
//!
//! Must not know: templates, statements.

use camino::Utf8PathBuf;

use crate::dialect::ExpressionError;

/// Why code cannot be generated.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template is wrong: a mistake of this program.
    #[error("templates/rust, `{template}`: {source:#}")]
    Template {
        /// Its name.
        template: String,
        /// What is wrong.
        source: minijinja::Error,
    },
    /// A template of the project's own is wrong.
    #[error("{path}:{line}: {reason}")]
    UserTemplate {
        /// Its file, relative to the root.
        path: Utf8PathBuf,
        /// Where.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// An expression of the user's cannot be put into statements.
    #[error("table `{table}`: {source}")]
    Expression {
        /// The table.
        table: String,
        /// What is wrong.
        source: ExpressionError,
    },
    /// The client does not speak to the database.
    #[error("code for {client} cannot be generated for the dialect `{dialect}`: {reason}")]
    NoDriver {
        /// The client.
        client: &'static str,
        /// The dialect.
        dialect: String,
        /// Why not.
        reason: String,
    },
    /// What is declared has no code for the client.
    #[error(
        "code for {client} cannot be generated yet for {}\nChange these, or write `client = \"sqlx\"` below [generate] in zdm.toml",
        .what.join("\n  ")
    )]
    Unserved {
        /// The client.
        client: &'static str,
        /// Each with its place and the reason, below a heading.
        what: Vec<String>,
    },
    /// Two tables want the same file.
    #[error(
        "the tables `{first}` and `{second}` would share the generated file `{module}.rs`, and some databases take their names for the same; rename one with `#[zdm(table = \"…\")]`"
    )]
    SameModule {
        /// The table that comes first.
        first: String,
        /// The other.
        second: String,
        /// The module.
        module: String,
    },
    /// A pair concerns the key.
    #[error(
        "table `{table}`: the key column `{column}` cannot be replaced while rows are found by it; declare it as a plain column first, or create a new table"
    )]
    KeyInTransition {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Rows in transition are assigned to a side by their key, which has to have a text.
    #[error(
        "table `{table}`: its key column `{column}` has a type of its own, whose text is not known, so reads cannot be switched by key; give it a type that the database knows"
    )]
    KeyWithoutText {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
}
