//! The view of one table: its repository, and its part of a migration.
//!
//! Must not know: how the values of keys and of writes come about.

use std::collections::BTreeMap;

use serde::Serialize;
use zdm_model::{Column, LogicalType};
use zdm_runtime::Writes;

use super::Header;
use super::bulk::{self, Bulk};
use super::changes::{self, Changes};
use super::checked::{self, Checked};
use super::computed::{self, ComputedView, Entry, Sealed};
use super::imports;
use super::in_turn::{self, InTurn};
use super::key::{self, Key, KeyColumn};
use super::migration::{self, Earlier, MigrationView};
use super::moved::{self, MovedView};
use super::one_way::{self, OneWay};
use super::writes::{self, DualWrite, PairView, Setter};
use crate::dialect::{ClientFacts, Dialect};
use crate::plan::Move;
use crate::render::rust::client;
use crate::render::rust::merged::WithPart;
use crate::render::rust::moved::ThroughMain;
use crate::render::rust::names::{self, RustType};
use crate::render::rust::sides::Sides;
use crate::render::rust::statements::Statements;
use crate::render::rust::templates::Templates;
use crate::render::rust::words::{self, Words};
use crate::render::rust::{Model, RenderError};

/// Everything about one table.
#[derive(Debug, Serialize)]
pub(in crate::render::rust) struct TableView {
    header: Header,
    pub(in crate::render::rust) module: String,
    table: String,
    /// What statements name as the table.
    rows: String,
    model: String,
    /// What to import the model from; `None` where its name is taken, and `model` is the path.
    imported: Option<String>,
    repository: String,
    subject: String,
    /// What is imported of sqlx, in rustfmt's order.
    sqlx: String,
    connection: String,
    database: String,
    row: String,
    row_type: String,
    /// What the client calls the types of what every table has.
    types: Types,
    fingerprint: String,
    keys: Vec<Key>,
    key_owned: String,
    key_borrowed: String,
    after_pattern: String,
    lent_key: String,
    key_of_row: String,
    many: &'static str,
    key_columns: Vec<KeyColumn>,
    key_array: String,
    loop_pattern: String,
    loop_arguments: String,
    shown_key: Option<String>,
    returned_key: Option<String>,
    returned_type: String,
    key_binds: Vec<String>,
    binds: Vec<String>,
    bind_types: Vec<String>,
    insert_binds: Vec<String>,
    insert_types: Vec<String>,
    fields: Vec<Field>,
    skipped: Vec<String>,
    setters: Vec<Setter>,
    bulk: Bulk,
    changes: Option<Changes>,
    version: Option<Version>,
    checked: Checked,
    sql: BTreeMap<&'static str, Option<String>>,
    /// Writes have an old side.
    pub(in crate::render::rust) dual: bool,
    dual_writes: Vec<DualWrite>,
    pairs: Vec<PairView>,
    /// The pairs whose writes take both values, and the struct of the old ones.
    one_way: Vec<OneWay>,
    old_values: Option<String>,
    migration: Option<MigrationView>,
    /// The columns that functions of the application fill, of all migrations in transition.
    computed: Vec<ComputedView>,
    /// What calls the function of a column that replaces what it takes, for values that a write is given.
    sealed: Option<Sealed>,
    /// The one that the last migration brings.
    entry: Option<Entry>,
    /// Where several migrations are in transition: in which order they move.
    pub(in crate::render::rust) in_turn: Option<InTurn>,
    /// What those before the last one have of their own.
    #[serde(skip)]
    pub(in crate::render::rust) earlier: Vec<Earlier>,
    /// The statements stand here.
    statements_in: Option<String>,
    /// Columns come out of another table into this one, which is new.
    split: bool,
    /// The same where it was there before.
    pub(in crate::render::rust) merged: bool,
    /// Then: the other table's name, and the reads that ask it as well.
    moved: Option<MovedView>,
}

/// What a client calls the type of an epoch and of a limit, and of an answer.
#[derive(Debug, Serialize)]
struct Types {
    int8: String,
    bool: String,
}

/// What counts the writes of a row.
#[derive(Debug, Serialize)]
struct Version {
    field: String,
    /// `"lock" = "lock" + 1`
    next: String,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    column: String,
    sql_type: String,
    /// The same where it may be NULL.
    optional_type: String,
    old_alias: Option<String>,
    new_alias: Option<String>,
    /// The number of its migration, where several are in transition.
    number: Option<String>,
    /// The function of [`ComputedView`] that gives it a value.
    computed: Option<String>,
    /// It replaces what the function takes.
    sealed: bool,
}

/// The view of one table.
pub(in crate::render::rust) fn table(
    templates: &Templates,
    dialect: &Dialect,
    model: &Model<'_>,
) -> Result<TableView, RenderError> {
    let (facts, words) = client::speaks(templates, dialect)?;
    let (table, transition) = (&*model.table, model.transition());
    let transitions: Vec<_> = model.transitions().collect();
    let sides = Sides::of(words, model, &transitions);
    let moves = transition.and_then(|found| found.moved.as_ref());
    let statements = Statements::of(templates, sides, moves)?;
    let comes_out = statements.comes_out();
    let through = comes_out.map(|moves| ThroughMain::of(moves, &statements));
    let through = through.as_ref();
    let with = moves
        .filter(|_| through.is_none())
        .map(|moves| WithPart::of(moves, &statements));
    let model_name = model.name();
    let types = types(facts, words, model);
    let rust = |column: &Column| &types[column.name.as_str()];
    check_key(model)?;

    let importable = names::importable(model_name);
    let keys: Vec<_> = table.key_columns().collect();
    let subject = names::subject(model_name);
    let bind = |column: &Column| bound(&subject, column, rust(column));
    let dual = through.is_some() || sides.dual().next().is_some();
    let by_array = words.typed && keys.iter().all(|key| rust(key).known);
    let arguments = key::tuple(keys.iter().map(|key| names::argument(&key.field)));
    let repository = names::repository(&table.name, model_name);
    let of_row = |column: &Column| bound("row", column, rust(column));
    let bulk = bulk::bulk(&statements, &rust, &of_row);
    let sql_type = |column: &Column| rust(column).sql_type(column.nullable);
    let returned = statements.returned_key();
    Ok(TableView {
        header: migration::header(model),
        module: names::module(&table.name),
        table: table.name.clone(),
        rows: words.rows(&table.name, sides.view()),
        model: if importable { model_name } else { &model.path }.to_owned(),
        imported: importable.then(|| model.path.clone()),
        sqlx: imports::of_sqlx(facts, transition.is_none(), moves.is_none(), bulk.builds()),
        connection: facts.connection.clone(),
        database: facts.database.clone(),
        row: facts.row.clone(),
        row_type: facts.row.rsplit("::").next().unwrap_or_default().to_owned(),
        types: Types::of(facts, dialect),
        fingerprint: hexadecimal(model.fingerprint),
        keys: key::views(&keys, &rust),
        key_owned: key::tuple(keys.iter().map(|key| rust(key).owned.clone())),
        key_borrowed: key::tuple(keys.iter().map(|key| rust(key).borrowed.clone())),
        after_pattern: arguments.clone(),
        lent_key: key::lent(&keys, &rust),
        key_of_row: key::of_row("row", &keys, &rust),
        many: if by_array { "array" } else { "loop" },
        key_columns: key::columns(&keys, &rust),
        key_array: key::array(&keys, &rust),
        loop_pattern: match keys.len() {
            1 => "key".to_owned(),
            _ => arguments,
        },
        loop_arguments: key::loop_arguments(&keys, &rust),
        shown_key: key::shown(&keys),
        returned_key: returned.map(|key| rust(key).owned.clone()),
        returned_type: returned.map(sql_type).unwrap_or_default(),
        key_binds: table.key_columns().map(bind).collect(),
        binds: table.written_columns().map(bind).collect(),
        bind_types: table.written_columns().map(sql_type).collect(),
        insert_types: statements.inserted_columns().map(sql_type).collect(),
        insert_binds: statements.inserted_columns().map(bind).collect(),
        fields: table
            .columns
            .iter()
            .map(|column| field(&sides, moves, column, rust(column)))
            .collect(),
        skipped: skipped(model),
        setters: writes::setters(&statements, &rust, &bind)?,
        bulk,
        changes: changes::changes(&statements, model_name, &repository, &rust)?,
        version: version(model, &statements),
        checked: checked::checked(&statements, &rust)?,
        sql: sql(through, with.as_ref(), &statements, &rust, dual, by_array)?,
        split: through.is_some(),
        merged: with.is_some(),
        dual,
        dual_writes: through.map_or_else(
            || writes::dual_writes(&statements, &rust),
            moved::dual_writes,
        )?,
        moved: moved::view(through, with.as_ref(), by_array)?,
        pairs: writes::pair_views(&statements, &rust)?,
        old_values: { sides.given().next() }.map(|_| names::old_values(model_name, &repository)),
        one_way: one_way::one_ways(&statements, &rust, &bind)?,
        migration: transition.map(|transition| migration::migration(transition, model)),
        computed: computed::views(&sides, &rust),
        sealed: computed::sealed(&sides, &rust),
        entry: transition.and_then(|found| computed::entry(&words, found, &rust, "super")),
        in_turn: in_turn::view(&statements, &rust)?,
        earlier: migration::earlier(&statements, model, &rust)?,
        statements_in: None,
        repository,
        subject,
    })
}

impl Types {
    fn of(facts: &ClientFacts, dialect: &Dialect) -> Self {
        let of = |logical| {
            let name = dialect.type_name(logical);
            facts.types.get(name).cloned().unwrap_or_default()
        };
        Self {
            int8: of(LogicalType::Int8),
            bool: of(LogicalType::Bool),
        }
    }
}

fn skipped(model: &Model<'_>) -> Vec<String> {
    let names = model.skipped.iter();
    names.map(|name| names::identifier(name)).collect()
}

fn version(model: &Model<'_>, statements: &Statements<'_>) -> Option<Version> {
    let mut columns = model.table.columns.iter();
    let column = columns.find(|column| model.version.as_ref() == Some(&column.name))?;
    Some(Version {
        field: names::bare(&column.field).to_owned(),
        next: statements.next_version()?,
    })
}

/// What is bound for a field of the struct.
fn bound(subject: &str, column: &Column, rust: &RustType) -> String {
    let place = format!("{subject}.{}", names::identifier(&column.field));
    if words::cast(column).is_some() {
        writes::as_text(column, &place, false)
    } else if rust.copies {
        place
    } else {
        format!("&{place}")
    }
}

fn sql<'t>(
    through: Option<&ThroughMain<'_>>,
    with: Option<&WithPart<'_>>,
    statements: &Statements<'_>,
    rust: &dyn Fn(&Column) -> &'t RustType,
    dual: bool,
    by_array: bool,
) -> Result<BTreeMap<&'static str, Option<String>>, RenderError> {
    let mut sql = through.map_or_else(|| writes::sql(statements, dual, by_array), moved::sql)?;
    let rows = bulk::rows(statements, rust).filter(|_| !dual);
    let many = rows.map(|rows| statements.insert_many(Writes::New, rows));
    sql.insert("insert_many", many.transpose()?);
    if let Some(with) = with {
        sql.insert("pending", Some(with.pending()));
    }
    Ok(sql)
}

/// The Rust types of the columns and of those that they replace, by name.
fn types<'a>(
    facts: &ClientFacts,
    words: Words<'_>,
    model: &'a Model<'_>,
) -> BTreeMap<&'a str, RustType> {
    let of = |column: &Column| {
        let mut rust = RustType::of(column);
        rust.sql = client::sql_types(facts, words, column, &rust);
        rust
    };
    let pairs = model.transitions().flat_map(|found| &found.pairs);
    let columns = model.table.columns.iter();
    columns
        .chain(pairs.flat_map(|pair| &pair.old))
        .map(|column| (column.name.as_str(), of(column)))
        .collect()
}

fn check_key(model: &Model<'_>) -> Result<(), RenderError> {
    if model.transition().is_none() {
        return Ok(());
    }
    let table = model.table.name.clone();
    for key in model.table.key_columns() {
        let column = key.name.clone();
        let mut pairs = model.transitions().flat_map(|found| &found.pairs);
        if pairs.any(|pair| pair.new.name == key.name) {
            return Err(RenderError::KeyInTransition { table, column });
        }
        if [LogicalType::Enum, LogicalType::Custom].contains(&key.logical_type) {
            return Err(RenderError::KeyWithoutText { table, column });
        }
    }
    Ok(())
}

fn field(sides: &Sides<'_>, moves: Option<&Move>, column: &Column, rust: &RustType) -> Field {
    let moves = moves.is_some_and(|moves| {
        let mut columns = moves.columns.iter();
        columns.any(|pair| moves.kept(pair).name == column.name)
    });
    let has_sides = moves || sides.pair(column).is_some();
    let aliases = has_sides.then(|| sides.aliases(column));
    let (old_alias, new_alias) = aliases.unzip();
    Field {
        name: names::identifier(&column.field),
        column: column.name.clone(),
        sql_type: rust.sql_type(column.nullable),
        optional_type: rust.sql_type(true),
        old_alias,
        new_alias,
        number: in_turn::number(sides, column),
        computed: computed::name(sides, column),
        sealed: sides.pair(column).is_some_and(|pair| pair.seal.is_some()),
    }
}

/// `0x1234_5678_9abc_def0`
fn hexadecimal(number: u64) -> String {
    let digits = format!("{number:016x}");
    let groups: Vec<_> = (0..4).map(|at| &digits[at * 4..at * 4 + 4]).collect();
    format!("0x{}", groups.join("_"))
}
