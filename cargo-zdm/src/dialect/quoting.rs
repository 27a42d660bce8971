//! Identifiers and literals, as values and as filters of the templates.

use std::collections::BTreeSet;

use minijinja::Environment;
use serde::Deserialize;
use zdm_model::names;

/// How identifiers are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quoting {
    quote: String,
    reserved: BTreeSet<String>,
}

impl Quoting {
    /// Bare where the name is plain, lower case and not reserved; else quoted.
    pub(super) fn ident(&self, name: &str) -> String {
        let mut chars = name.chars();
        let plain = chars
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first == '_')
            && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !self.reserved.contains(name);
        if plain {
            name.to_owned()
        } else {
            let quote = &self.quote;
            let doubled = name.replace(quote.as_str(), &quote.repeat(2));
            format!("{quote}{doubled}{quote}")
        }
    }
}

impl Quoting {
    /// A table or a type, with its schema where it names one.
    pub(super) fn relation(&self, name: &str) -> String {
        let parts: Vec<_> = name.split('.').map(|part| self.ident(part)).collect();
        parts.join(".")
    }
}

/// The text as a string literal of standard SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `ident`, `idents` (a comma-separated list) and `literal` as filters; `relation` and `relations` for tables and types, `bare`
/// for their names without a schema, and `beside` for what stands in the schema of a table.
pub(super) fn install(templates: &mut Environment<'static>, quoting: &Quoting) {
    let one = quoting.clone();
    templates.add_filter("ident", move |name: String| one.ident(&name));
    let many = quoting.clone();
    templates.add_filter("idents", move |names: Vec<String>| {
        let names: Vec<_> = names.iter().map(|name| many.ident(name)).collect();
        names.join(", ")
    });
    let one = quoting.clone();
    templates.add_filter("relation", move |name: String| one.relation(&name));
    let many = quoting.clone();
    templates.add_filter("relations", move |names: Vec<String>| {
        let names: Vec<_> = names.iter().map(|name| many.relation(name)).collect();
        names.join(", ")
    });
    templates.add_filter("bare", |name: String| names::bare(&name).to_owned());
    templates.add_filter("beside", |name: String, table: String| {
        names::beside_table(&table, &name)
    });
    templates.add_filter("literal", |text: String| literal(&text));
}
