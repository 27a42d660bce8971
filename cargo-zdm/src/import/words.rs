//! What attributes say of a table's parts, in the words of the grammar.
//!
//! Must not know: the struct around them.

use zdm_model::{Check, Column, Exclusion, ForeignKey, Index, LogicalType, Table, Unique};

/// What is said on a field rather than on the struct.
pub(super) struct OnField<'a> {
    pub(super) index: Option<&'a Index>,
    pub(super) key: Option<&'a ForeignKey>,
}

impl<'a> OnField<'a> {
    /// One index of the column alone, a unique one first, and one foreign key that has the name that it gets unasked.
    pub(super) fn of(table: &'a Table, column: &Column) -> Self {
        let alone = |columns: &[String]| columns.len() == 1 && columns[0] == column.name;
        let indexes = table
            .indexes
            .iter()
            .filter(|index| alone(&index.columns) && index.is_plain() && index.predicate.is_none());
        let mut keys = table.foreign_keys.iter();
        Self {
            index: indexes.min_by_key(|index| !index.unique),
            key: keys.find(|key| {
                alone(&key.columns)
                    && key.name == default_name("fk", table, &key.columns)
                    && key_flags(key).is_empty()
                    && key.on_delete_columns.is_empty()
            }),
        }
    }

    pub(super) fn words(&self, table: &Table, column: &Column) -> Vec<String> {
        let mut words = Vec::new();
        let is_key = !table.no_primary_key && table.primary_key == [column.name.as_str()];
        if is_key && !key_on_struct(table) {
            words.push("primary_key".to_owned());
        }
        match column.counted {
            Some(counted) => words.push(format!("auto = {}", literal(counted.name()))),
            None if column.auto => words.push("auto".to_owned()),
            None => {}
        }
        if bare(&column.field) != column.name {
            words.push(format!("column = {}", literal(&column.name)));
        }
        let own = column.logical_type == LogicalType::Enum;
        if let Some(sql_type) = column.sql_type.as_ref().filter(|_| !own) {
            words.push(format!("sql_type = {}", literal(sql_type)));
        }
        if let Some(collation) = &column.collation {
            words.push(format!("collation = {}", literal(collation)));
        }
        if let Some(default) = &column.default {
            words.push(format!("default = {}", literal(default)));
        }
        if let Some(generated) = &column.generated {
            words.push(format!("generated = {}", literal(generated)));
        }
        if column.is_virtual {
            words.push("virtual".to_owned());
        }
        if let Some(comment) = &column.comment {
            words.push(format!("comment = {}", literal(comment)));
        }
        if let Some(index) = self.index {
            let prefix = if index.unique { "uq" } else { "idx" };
            if index.unique {
                words.push("unique".to_owned());
            }
            if index.name != default_name(prefix, table, &index.columns) {
                words.push(format!("index = {}", literal(&index.name)));
            } else if !index.unique {
                words.push("index".to_owned());
            }
        }
        if let Some(key) = self.key {
            words.push(format!("references = {}", reference(key)));
            if let Some(action) = &key.on_delete {
                words.push(format!("on_delete = {}", literal(action)));
            }
            if let Some(action) = &key.on_update {
                words.push(format!("on_update = {}", literal(action)));
            }
        }
        words
    }
}

pub(super) fn index(table: &Table, index: &Index) -> String {
    let mut words = Vec::new();
    if index.elements.is_empty() {
        words.push(format!("columns({})", fields(table, &index.columns)));
    } else {
        let elements: Vec<String> = index.elements.iter().map(|text| literal(text)).collect();
        words.push(format!("on({})", elements.join(", ")));
    }
    if let Some(method) = &index.method {
        words.push(format!("using = {}", literal(method)));
    }
    if !index.include.is_empty() {
        words.push(format!("include({})", fields(table, &index.include)));
    }
    if index.unique {
        words.push("unique".to_owned());
    }
    if index.nulls_not_distinct {
        words.push("nulls_not_distinct".to_owned());
    }
    if let Some(storage) = &index.storage {
        words.push(format!("with = {}", literal(storage)));
    }
    if let Some(predicate) = &index.predicate {
        words.push(format!("where = {}", literal(predicate)));
    }
    let prefix = if index.unique { "uq" } else { "idx" };
    if !index.elements.is_empty() || index.name != default_name(prefix, table, &index.columns) {
        words.push(format!("name = {}", literal(&index.name)));
    }
    words.join(", ")
}

pub(super) fn check(check: &Check) -> String {
    let mut words = vec![
        format!("name = {}", literal(&check.name)),
        format!("expr = {}", literal(&check.expr)),
    ];
    if check.not_valid {
        words.push("not_valid".to_owned());
    }
    if check.no_inherit {
        words.push("no_inherit".to_owned());
    }
    words.join(", ")
}

pub(super) fn unique(table: &Table, unique: &Unique) -> String {
    let mut words = vec![format!("columns({})", fields(table, &unique.columns))];
    if !unique.include.is_empty() {
        words.push(format!("include({})", fields(table, &unique.include)));
    }
    if unique.nulls_not_distinct {
        words.push("nulls_not_distinct".to_owned());
    }
    words.extend(deferral(unique.deferrable, unique.initially_deferred));
    if unique.name != default_name("uq", table, &unique.columns) {
        words.push(format!("name = {}", literal(&unique.name)));
    }
    words.join(", ")
}

fn deferral(deferrable: bool, initially_deferred: bool) -> Option<String> {
    match (deferrable, initially_deferred) {
        (_, true) => Some("initially_deferred".to_owned()),
        (true, false) => Some("deferrable".to_owned()),
        (false, false) => None,
    }
}

/// A key of several columns, or of another name than its own.
pub(super) fn key_on_struct(table: &Table) -> bool {
    table.primary_key.len() > 1 || table.primary_key_name.is_some()
}

pub(super) fn key(table: &Table, key: &ForeignKey) -> String {
    let mut words = vec![
        format!("columns({})", fields(table, &key.columns)),
        format!("references = {}", reference(key)),
    ];
    if let Some(action) = &key.on_delete {
        let of = match key.on_delete_columns.as_slice() {
            [] => String::new(),
            columns => format!(" ({})", fields(table, columns)),
        };
        words.push(format!("on_delete = {}", literal(&format!("{action}{of}"))));
    }
    if let Some(action) = &key.on_update {
        words.push(format!("on_update = {}", literal(action)));
    }
    words.extend(key_flags(key));
    if key.name != default_name("fk", table, &key.columns) {
        words.push(format!("name = {}", literal(&key.name)));
    }
    words.join(", ")
}

fn key_flags(key: &ForeignKey) -> Vec<String> {
    let match_full = key.match_full.then(|| "match_full".to_owned());
    let not_valid = key.not_valid.then(|| "not_valid".to_owned());
    let deferral = deferral(key.deferrable, key.initially_deferred);
    [match_full, deferral, not_valid]
        .into_iter()
        .flatten()
        .collect()
}

pub(super) fn exclusion(exclusion: &Exclusion) -> String {
    let elements: Vec<String> = exclusion
        .elements
        .iter()
        .map(|text| literal(text))
        .collect();
    let mut words = vec![format!("name = {}", literal(&exclusion.name))];
    if let Some(method) = &exclusion.method {
        words.push(format!("using = {}", literal(method)));
    }
    words.push(format!("elements({})", elements.join(", ")));
    if let Some(predicate) = &exclusion.predicate {
        words.push(format!("where = {}", literal(predicate)));
    }
    words.extend(deferral(exclusion.deferrable, exclusion.initially_deferred));
    words.join(", ")
}

fn reference(key: &ForeignKey) -> String {
    literal(&format!(
        "{}({})",
        key.references,
        key.referenced_columns.join(", ")
    ))
}

fn default_name(prefix: &str, table: &Table, columns: &[String]) -> String {
    zdm_model::names::constraint_name(prefix, &table.name, columns)
}

/// The fields of columns, as a list in an attribute has them: a field's name counts before a column's.
pub(super) fn fields(table: &Table, columns: &[String]) -> String {
    let fields = columns.iter().filter_map(|name| table.column(name));
    let fields: Vec<&str> = fields.map(|column| bare(&column.field)).collect();
    fields.join(", ")
}

fn bare(field: &str) -> &str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// A string literal: raw where that is easier to read.
pub(super) fn literal(text: &str) -> String {
    let escapes = text.contains(['"', '\\']);
    if !escapes || text.chars().any(char::is_control) {
        return format!("{text:?}");
    }
    let hashes = if text.contains('"') { "#" } else { "" };
    if text.contains("\"#") {
        return format!("{text:?}");
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
