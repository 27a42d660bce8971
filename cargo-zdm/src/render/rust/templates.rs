//! The templates of generated Rust, compiled once.
//!
//! Comes in: view models. Goes out: text.
//! Must not know: what is rendered.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::RenderError;

const TEMPLATES: [(&str, &str); 22] = [
    (
        "header",
        include_str!("../../../templates/rust/sqlx/header.rs.j2"),
    ),
    (
        "module",
        include_str!("../../../templates/rust/sqlx/module.rs.j2"),
    ),
    (
        "repository",
        include_str!("../../../templates/rust/sqlx/repository.rs.j2"),
    ),
    (
        "insert_many",
        include_str!("../../../templates/rust/sqlx/insert_many.rs.j2"),
    ),
    (
        "changes",
        include_str!("../../../templates/rust/sqlx/changes.rs.j2"),
    ),
    (
        "conditions",
        include_str!("../../../templates/rust/sqlx/conditions.rs.j2"),
    ),
    (
        "migration",
        include_str!("../../../templates/rust/sqlx/migration.rs.j2"),
    ),
    (
        "dual_write",
        include_str!("../../../templates/rust/sqlx/dual_write/dual_write.rs.j2"),
    ),
    (
        "backfill",
        include_str!("../../../templates/rust/sqlx/backfill/backfill.rs.j2"),
    ),
    (
        "switch_reads",
        include_str!("../../../templates/rust/sqlx/switch_reads/switch_reads.rs.j2"),
    ),
    (
        "computed",
        include_str!("../../../templates/rust/sqlx/switch_reads/computed.rs.j2"),
    ),
    (
        "dual_write_in_turn",
        include_str!("../../../templates/rust/sqlx/dual_write/in_turn.rs.j2"),
    ),
    (
        "switch_reads_in_turn",
        include_str!("../../../templates/rust/sqlx/switch_reads/in_turn.rs.j2"),
    ),
    (
        "dual_write_moved",
        include_str!("../../../templates/rust/sqlx/dual_write/moved.rs.j2"),
    ),
    (
        "dual_write_merged",
        include_str!("../../../templates/rust/sqlx/dual_write/merged.rs.j2"),
    ),
    (
        "switch_reads_moved",
        include_str!("../../../templates/rust/sqlx/switch_reads/moved.rs.j2"),
    ),
    (
        "statement/moved",
        include_str!("../../../templates/rust/sqlx/statement/moved.sql.j2"),
    ),
    (
        "statement/insert",
        include_str!("../../../templates/rust/sqlx/statement/insert.sql.j2"),
    ),
    (
        "statement/update",
        include_str!("../../../templates/rust/sqlx/statement/update.sql.j2"),
    ),
    (
        "statement/delete",
        include_str!("../../../templates/rust/sqlx/statement/delete.sql.j2"),
    ),
    (
        "statement/select",
        include_str!("../../../templates/rust/sqlx/statement/select.sql.j2"),
    ),
    (
        "statement/pending",
        include_str!("../../../templates/rust/sqlx/statement/pending.sql.j2"),
    ),
];

/// The templates of one client.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// The templates for sqlx.
    pub fn sqlx() -> Result<Self, RenderError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(|source| failed("*", source))?;
        environment.set_syntax(syntax);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.add_filter("rust", rust_literal);
        environment.add_filter("sql", sql_literal);
        for (name, text) in TEMPLATES {
            environment
                .add_template(name, text)
                .map_err(|source| failed(name, source))?;
        }
        Ok(Self { environment })
    }

    /// A Rust file, not formatted yet.
    pub(super) fn file(&self, name: &str, view: impl Serialize) -> Result<String, RenderError> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(Value::from(Serde(view))))
            .map_err(|source| failed(name, source))
    }

    /// A statement without a line break at its end.
    pub(super) fn statement(
        &self,
        name: &str,
        view: impl Serialize,
    ) -> Result<String, RenderError> {
        let text = self.file(&format!("statement/{name}"), view)?;
        Ok(text.trim_end().to_owned())
    }
}

fn failed(template: &str, source: minijinja::Error) -> RenderError {
    RenderError::Template {
        template: template.to_owned(),
        source,
    }
}

/// A text as a string literal on one line.
fn rust_literal(text: &str) -> String {
    format!("{text:?}")
}

/// What a raw string of the text needs beside its quotes.
pub(super) fn hashes(text: &str) -> String {
    let mut hashes = String::new();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    hashes
}

/// SQL as a raw string, indented below its constant.
fn sql_literal(sql: &str) -> String {
    let hashes = hashes(sql);
    if !sql.contains('\n') {
        return format!("r{hashes}\"{sql}\"{hashes}");
    }
    let indented = sql.replace('\n', "\n    ");
    format!("r{hashes}\"\n    {indented}\n\"{hashes}")
}
