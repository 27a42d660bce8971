//! What the templates of generated Rust are given: flat, every decision made.
//!
//! Comes in: a model. Goes out: values for `templates/rust/sqlx/`.
//! Must not know: the text around the values.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use zdm_model::{Column, LogicalType};
use zdm_runtime::{CodeState, Writes};

use super::names::{self, RustType};
use super::sides::Sides;
use super::statements::Statements;
use super::templates::Templates;
use super::words::Words;
use super::{KnownTable, Model, RenderError, Transition};
use crate::dialect::Dialect;

/// Stands for a parameter of any name until braces are escaped.
const ANY_PARAMETER: &str = "\u{1}";

/// Everything about one table.
#[derive(Debug, Serialize)]
pub(super) struct TableView {
    header: Header,
    pub(super) module: String,
    table: String,
    model: String,
    model_path: String,
    repository: String,
    subject: String,
    connection: &'static str,
    row: &'static str,
    row_type: String,
    fingerprint: String,
    keys: Vec<Key>,
    key_owned: String,
    key_borrowed: String,
    after_pattern: String,
    many: &'static str,
    key_columns: Vec<KeyColumn>,
    loop_pattern: String,
    loop_arguments: String,
    shown_key: Option<String>,
    returned_key: Option<String>,
    binds: Vec<String>,
    insert_binds: Vec<String>,
    fields: Vec<Field>,
    skipped: Vec<String>,
    setters: Vec<Setter>,
    sql: BTreeMap<&'static str, Option<String>>,
    /// Writes have an old side.
    pub(super) dual: bool,
    dual_writes: Vec<DualWrite>,
    pairs: Vec<PairView>,
    migration: Option<MigrationView>,
}

#[derive(Debug, Serialize)]
pub(super) struct Header {
    source: String,
    regenerate: &'static str,
    versions: Option<String>,
}

#[derive(Debug, Serialize)]
struct Key {
    column: String,
    argument: String,
    borrowed: String,
    plain: String,
}

/// A key column of several, as an array.
#[derive(Debug, Serialize)]
struct KeyColumn {
    variable: String,
    borrowed: String,
    from_key: String,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    column: String,
    old_alias: Option<String>,
    new_alias: Option<String>,
}

#[derive(Debug, Serialize)]
struct Setter {
    field: String,
    constant: String,
    argument: String,
    argument_type: String,
    sql: Option<String>,
}

#[derive(Debug, Serialize)]
struct DualWrite {
    function: String,
    constant: String,
    does: String,
    old: String,
    both: String,
    new: String,
}

#[derive(Debug, Serialize)]
struct PairView {
    field: String,
    column: String,
    set_old: String,
    set_both: String,
    set_new: String,
    old_value: String,
    new_value: String,
}

#[derive(Debug, Serialize)]
struct MigrationView {
    id: String,
    name: String,
    folder: String,
    path: String,
    backfill_folder: String,
    changes: Vec<String>,
}

/// The view of one table.
pub(super) fn table(
    templates: &Templates,
    dialect: &Dialect,
    model: &Model<'_>,
) -> Result<TableView, RenderError> {
    let words = Words::of(dialect).ok_or_else(|| RenderError::NoDriver {
        dialect: dialect.name().to_owned(),
    })?;
    let table = model.table;
    let pairs = model
        .transition
        .as_ref()
        .map_or(&[][..], |transition| &transition.pairs);
    let sides = Sides {
        words,
        table,
        pairs,
    };
    let statements = Statements { templates, sides };
    let (module_path, model_name) = model
        .path
        .rsplit_once("::")
        .unwrap_or(("crate", &model.path));
    let rust = |column: &Column| RustType::of(column, module_path);
    check_key(model)?;

    let keys: Vec<_> = table.key_columns().collect();
    let subject = names::subject(model_name);
    let bind = |column: &Column| {
        let place = format!("{subject}.{}", names::identifier(&column.field));
        if rust(column).copies {
            place
        } else {
            format!("&{place}")
        }
    };
    let dual = sides.dual().next().is_some();
    let many = if words.typed && keys.iter().all(|key| rust(key).known) {
        "array"
    } else {
        "loop"
    };
    let arguments: Vec<_> = keys.iter().map(|key| names::argument(&key.field)).collect();
    Ok(TableView {
        header: header(model),
        module: names::module(&table.name),
        table: table.name.clone(),
        model: model_name.to_owned(),
        model_path: model.path.clone(),
        repository: names::repository(&table.name, model_name),
        connection: words.connection,
        row: words.row,
        row_type: words.row.rsplit("::").next().unwrap_or_default().to_owned(),
        fingerprint: hexadecimal(model.fingerprint),
        keys: keys
            .iter()
            .map(|key| Key {
                column: key.name.clone(),
                argument: names::argument(&key.field),
                borrowed: rust(key).borrowed,
                plain: plain_type(key, &rust(key)),
            })
            .collect(),
        key_owned: tuple(keys.iter().map(|key| rust(key).owned)),
        key_borrowed: tuple(keys.iter().map(|key| rust(key).borrowed)),
        after_pattern: tuple(arguments.iter().cloned()),
        many,
        key_columns: key_columns(&keys, &rust),
        loop_pattern: if keys.len() == 1 {
            "key".to_owned()
        } else {
            tuple(arguments.iter().cloned())
        },
        loop_arguments: loop_arguments(&keys, &rust),
        shown_key: shown_key(&keys),
        returned_key: statements.returned_key().map(|key| rust(key).owned),
        binds: table.columns.iter().map(bind).collect(),
        insert_binds: statements.inserted_columns().map(bind).collect(),
        fields: table
            .columns
            .iter()
            .map(|column| field(&sides, column))
            .collect(),
        skipped: model
            .skipped
            .iter()
            .map(|name| names::identifier(name))
            .collect(),
        setters: setters(&statements, &rust)?,
        sql: sql(&statements, dual, many == "array")?,
        dual,
        dual_writes: if dual {
            dual_writes(&statements)?
        } else {
            Vec::new()
        },
        pairs: pair_views(&statements)?,
        migration: model
            .transition
            .as_ref()
            .map(|transition| migration(transition, model)),
        subject,
    })
}

fn check_key(model: &Model<'_>) -> Result<(), RenderError> {
    let Some(transition) = &model.transition else {
        return Ok(());
    };
    let table = model.table.name.clone();
    for key in model.table.key_columns() {
        let column = key.name.clone();
        let concerns = |names: &str| names == key.name;
        if transition.pairs.iter().any(|pair| concerns(&pair.new.name)) {
            return Err(RenderError::KeyInTransition { table, column });
        }
        if key.logical_type == LogicalType::Custom {
            return Err(RenderError::KeyWithoutText { table, column });
        }
    }
    Ok(())
}

fn header(model: &Model<'_>) -> Header {
    Header {
        source: format!("`{}`", model.path),
        regenerate: "change the struct and run `cargo zdm generate`",
        versions: model.transition.as_ref().map(|transition| {
            let parent = transition.parent.as_deref().unwrap_or("nothing");
            format!("From {parent} to {}.", transition.folder)
        }),
    }
}

fn field(sides: &Sides<'_>, column: &Column) -> Field {
    let aliases = sides.pair(column).map(|_| sides.aliases(column));
    let (old_alias, new_alias) = aliases.unzip();
    Field {
        name: names::identifier(&column.field),
        column: column.name.clone(),
        old_alias,
        new_alias,
    }
}

fn setters(
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> RustType,
) -> Result<Vec<Setter>, RenderError> {
    let table = statements.sides.table;
    let mut setters = Vec::new();
    for column in &table.columns {
        if table.primary_key.contains(&column.name) {
            continue;
        }
        let plain = statements.sides.pair(column).is_none();
        setters.push(Setter {
            constant: format!("SET_{}", names::bare(&column.field).to_uppercase()),
            argument: names::argument(&column.field),
            argument_type: rust(column).argument(column.nullable),
            sql: if plain {
                Some(statements.set(Writes::New, column)?)
            } else {
                None
            },
            field: names::bare(&column.field).to_owned(),
        });
    }
    Ok(setters)
}

fn sql(
    statements: &Statements<'_>,
    dual: bool,
    by_array: bool,
) -> Result<BTreeMap<&'static str, Option<String>>, RenderError> {
    let update = statements.update(Writes::New)?;
    let mut sql = BTreeMap::from([
        ("update", update),
        ("delete", Some(statements.delete()?)),
        ("get", Some(statements.get()?)),
        ("list_first", Some(statements.list_first()?)),
        ("list_after", Some(statements.list_after()?)),
        ("get_many", None),
        ("select_list", Some(statements.sides.selected().join(",\n"))),
        (
            "fence",
            Some(statements.sides.words.fence(&statements.sides.table.name)),
        ),
        ("pending", Some(statements.pending()?)),
        ("insert", None),
        ("upsert", None),
    ]);
    if by_array {
        sql.insert("get_many", Some(statements.get_many()?));
    }
    if !dual {
        sql.insert("insert", Some(statements.insert(Writes::New)?));
        sql.insert("upsert", Some(statements.upsert(Writes::New)?));
    }
    Ok(sql)
}

fn dual_writes(statements: &Statements<'_>) -> Result<Vec<DualWrite>, RenderError> {
    let mut writes = vec![
        dual_write("insert", "Stores a new row.", |side| {
            statements.insert(side)
        })?,
        dual_write("upsert", "Stores a row or replaces it.", |side| {
            statements.upsert(side)
        })?,
        dual_write("update", "Writes every column of a row.", |side| {
            Ok(statements.update(side)?.unwrap_or_default())
        })?,
    ];
    for column in &statements.sides.table.columns {
        if statements.sides.pair(column).is_some() {
            let does = format!("Writes `{}` of a row.", names::bare(&column.field));
            let function = format!("set_{}", names::bare(&column.field));
            writes.push(dual_write(&function, &does, |side| {
                statements.set(side, column)
            })?);
        }
    }
    Ok(writes)
}

fn dual_write(
    function: &str,
    does: &str,
    statement: impl Fn(Writes) -> Result<String, RenderError>,
) -> Result<DualWrite, RenderError> {
    Ok(DualWrite {
        function: function.to_owned(),
        constant: function.to_uppercase(),
        does: does.to_owned(),
        old: statement(Writes::Old)?,
        both: statement(Writes::Both)?,
        new: statement(Writes::New)?,
    })
}

fn pair_views(statements: &Statements<'_>) -> Result<Vec<PairView>, RenderError> {
    let sides = statements.sides;
    let mut views = Vec::new();
    for pair in sides.dual() {
        let column = &pair.new;
        let set = |writes| {
            let assignments = statements.fragment(writes, column, ANY_PARAMETER)?;
            Ok::<_, RenderError>(format_string(&assignments))
        };
        views.push(PairView {
            field: names::bare(&column.field).to_owned(),
            column: column.name.clone(),
            set_old: set(Writes::Old)?,
            set_both: set(Writes::Both)?,
            set_new: set(Writes::New)?,
            old_value: format!("({})", pair.up),
            new_value: sides.words.ident(&column.name),
        });
    }
    Ok(views)
}

/// SQL as a format string with `{value}`.
fn format_string(sql: &str) -> String {
    sql.replace('{', "{{")
        .replace('}', "}}")
        .replace(ANY_PARAMETER, "{value}")
}

fn migration(transition: &Transition<'_>, model: &Model<'_>) -> MigrationView {
    let module = names::module(&model.table.name);
    MigrationView {
        id: transition.id.to_owned(),
        name: transition.name().to_owned(),
        path: if transition.shared {
            format!("{}::{module}", transition.module())
        } else {
            transition.module()
        },
        backfill_folder: format!("{}/{}/3_backfill", transition.versions, transition.folder),
        folder: transition.folder.clone(),
        changes: transition.changes.to_vec(),
    }
}

/// The view of the module above all tables.
pub(super) fn module(models: &[Model<'_>], known: &[KnownTable]) -> Value {
    let mut tables: Vec<_> = models
        .iter()
        .map(|model| (names::module(&model.table.name), &model.conditions))
        .collect();
    tables.sort();
    let tables: Vec<_> = tables
        .into_iter()
        .map(|(module, conditions)| context! { module, conditions => conditions.clone() })
        .collect();
    let mut migrations: Vec<_> = models
        .iter()
        .filter_map(|model| {
            let transition = model.transition.as_ref()?;
            // A folder that several tables share has its conditions inside.
            let conditions = if transition.shared {
                &[][..]
            } else {
                &model.conditions
            };
            Some((transition.module(), conditions))
        })
        .collect();
    migrations.sort();
    migrations.dedup();
    let migrations: Vec<_> = migrations
        .into_iter()
        .map(|(module, conditions)| context! { module, conditions => conditions.to_vec() })
        .collect();
    let code: Vec<_> = known
        .iter()
        .map(|table| {
            let migrations: Vec<_> = table
                .migrations
                .iter()
                .map(|(id, name, state)| {
                    let state = match state {
                        CodeState::Transition => "Transition",
                        CodeState::Final => "Final",
                    };
                    context! { id, name, state }
                })
                .collect();
            context! { name => table.table.as_str(), conditions => table.conditions.clone(), migrations }
        })
        .collect();
    let states = known.iter().any(|table| !table.migrations.is_empty());
    let header = Header {
        source: "the models".to_owned(),
        regenerate: "change the structs and run `cargo zdm generate`",
        versions: None,
    };
    context! { header => Value::from(Serde(header)), tables, migrations, code, states }
}

/// Folder and view of the migrations in transition on several tables.
pub(super) fn shared_migrations(models: &[Model<'_>]) -> Vec<(String, Value)> {
    let mut shared: BTreeMap<String, Vec<&Model<'_>>> = BTreeMap::new();
    for model in models {
        if let Some(transition) = model.transition.as_ref().filter(|found| found.shared) {
            shared.entry(transition.module()).or_default().push(model);
        }
    }
    shared
        .into_iter()
        .filter_map(|(folder, models)| {
            let transition = models.first()?.transition.as_ref()?;
            let header = Header {
                source: "the models".to_owned(),
                regenerate: "change the structs and run `cargo zdm generate`",
                versions: None,
            };
            let modules: Vec<_> = models
                .iter()
                .map(|model| {
                    let name = names::module(&model.table.name);
                    context! { name, conditions => model.conditions.clone() }
                })
                .collect();
            let migration = context! {
                folder => transition.folder.as_str(),
                changes => transition.changes.to_vec(),
            };
            let header = Value::from(Serde(header));
            Some((folder, context! { header, modules, migration }))
        })
        .collect()
}

fn key_columns(keys: &[&Column], rust: &dyn Fn(&Column) -> RustType) -> Vec<KeyColumn> {
    if keys.len() == 1 {
        return Vec::new();
    }
    keys.iter()
        .enumerate()
        .map(|(at, key)| {
            let rust = rust(key);
            let from_key = match rust.borrowed.as_str() {
                "&str" => format!("key.{at}.as_str()"),
                "&[u8]" => format!("key.{at}.as_slice()"),
                _ => format!("key.{at}"),
            };
            KeyColumn {
                variable: format!("{}_keys", names::bare(&key.field)),
                borrowed: rust.borrowed,
                from_key,
            }
        })
        .collect()
}

/// How `get` is called from a loop over references to keys.
fn loop_arguments(keys: &[&Column], rust: &dyn Fn(&Column) -> RustType) -> String {
    let single = keys.len() == 1;
    let arguments: Vec<_> = keys
        .iter()
        .map(|key| {
            let name = if single {
                "key".to_owned()
            } else {
                names::argument(&key.field)
            };
            if rust(key).copies {
                format!("*{name}")
            } else {
                name
            }
        })
        .collect();
    arguments.join(", ")
}

/// The key's text where it is not the text of one value: what reads are switched by and mismatches are reported with.
fn shown_key(keys: &[&Column]) -> Option<String> {
    if let [key] = keys
        && key.logical_type != LogicalType::Bytes
    {
        return None;
    }
    let places: Vec<_> = keys
        .iter()
        .map(|key| match key.logical_type {
            LogicalType::Bytes => "{:?}",
            _ => "{}",
        })
        .collect();
    let arguments: Vec<_> = keys.iter().map(|key| names::argument(&key.field)).collect();
    Some(format!(
        "format!(\"{}\", {})",
        places.join(","),
        arguments.join(", ")
    ))
}

/// The type that a key is read as for its text: that of its logical type, whatever newtype the field has.
fn plain_type(column: &Column, rust: &RustType) -> String {
    if rust.known {
        return rust.owned.clone();
    }
    match column.logical_type {
        LogicalType::Bool => "bool",
        LogicalType::Int2 => "i16",
        LogicalType::Int4 => "i32",
        LogicalType::Int8 => "i64",
        LogicalType::Float4 => "f32",
        LogicalType::Float8 => "f64",
        LogicalType::Text | LogicalType::Custom => "String",
        LogicalType::Bytes => "Vec<u8>",
        LogicalType::TimestampTz => "chrono::DateTime<chrono::Utc>",
        LogicalType::Timestamp => "chrono::NaiveDateTime",
        LogicalType::Date => "chrono::NaiveDate",
        LogicalType::Time => "chrono::NaiveTime",
        LogicalType::Uuid => "uuid::Uuid",
        LogicalType::Json => "serde_json::Value",
    }
    .to_owned()
}

fn tuple(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    match parts.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(", ")),
    }
}

/// `0x1234_5678_9abc_def0`
fn hexadecimal(number: u64) -> String {
    let digits = format!("{number:016x}");
    let groups: Vec<_> = (0..4).map(|at| &digits[at * 4..at * 4 + 4]).collect();
    format!("0x{}", groups.join("_"))
}
