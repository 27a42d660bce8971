//! What values mean on the other side: the version's own expressions, asked of the database that it is rehearsed on.
//!
//! Comes in: values. Goes out: what `up` and `down` make of them, how the database spells them, which checks they pass. Answers are
//! kept: the expressions give the same for the same.
//! Must not know: rows that are stored, stages.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zdm_model::{Column, LogicalType};
use zdm_runtime::database::DatabaseError;

use super::line::Line;
use super::subject::Subject;
use super::table::{Group, Kind, Side, Tab};
use super::value::{Value, Values, identity};
use crate::dialect::Dialect;
use crate::pipeline::rehearsed::Form;
use crate::plan::Pair;
use crate::render::rust::RenderError;
use crate::render::rust::calls::{Evaluation, evaluation};

/// What the declared `up` makes of values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Converted {
    /// These.
    To(Values),
    /// It cannot convert them.
    Not,
    /// It stands on what the version has yet to create.
    Unknown,
}

/// The expressions of a group.
#[derive(Debug, Default)]
struct OfGroup {
    up: Option<Evaluation>,
    declared: Option<Evaluation>,
    down: Option<Evaluation>,
    /// How many new columns there are.
    news: usize,
}

/// The expressions of a table.
#[derive(Debug)]
struct OfTab {
    groups: Vec<OfGroup>,
    old: Option<Evaluation>,
    new: Option<Evaluation>,
}

/// The expressions with a connection of their own.
#[derive(Debug)]
pub(super) struct Meaning {
    line: tokio::sync::Mutex<Line>,
    known: Mutex<HashMap<String, Values>>,
    tabs: Vec<OfTab>,
}

/// A row as the database spells it, and which of its table's checks refuse it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) values: Values,
    pub(super) refused: Vec<usize>,
}

impl Meaning {
    pub(super) async fn of(subject: &Subject, url: &str) -> Result<Self, MeaningError> {
        let dialect = &subject.rehearsed.dialect;
        let tabs = subject.tabs.iter().map(|tab| of_tab(dialect, tab));
        Ok(Self {
            tabs: tabs.collect::<Result<_, _>>()?,
            line: tokio::sync::Mutex::new(Line::open(url).await?),
            known: Mutex::new(HashMap::new()),
        })
    }

    /// What the group's new columns are for these old values, or a fill for its inputs.
    pub(super) async fn up(
        &self,
        (tab, group): (usize, usize),
        values: &[Value],
    ) -> Result<Values, DatabaseError> {
        let evaluation = self.tabs[tab].groups[group].up.as_ref();
        match self.ask(("up", tab, group), evaluation, values).await {
            // What the version has created for it is not there any more, or not yet.
            Err(error) if names_what_is_not_there(&error) => {
                match self.declared((tab, group), values).await? {
                    Converted::To(values) => Ok(values),
                    Converted::Not => Ok(vec![Value::Null; self.tabs[tab].groups[group].news]),
                    Converted::Unknown => Err(error),
                }
            }
            answer => answer,
        }
    }

    /// What its old columns are for these new values.
    pub(super) async fn down(
        &self,
        (tab, group): (usize, usize),
        values: &[Value],
    ) -> Result<Values, DatabaseError> {
        let evaluation = self.tabs[tab].groups[group].down.as_ref();
        self.ask(("down", tab, group), evaluation, values).await
    }

    /// What `up` gives as it is declared, before the version is there.
    pub(super) async fn declared(
        &self,
        (tab, group): (usize, usize),
        values: &[Value],
    ) -> Result<Converted, DatabaseError> {
        let evaluation = self.tabs[tab].groups[group].declared.as_ref();
        match self.ask(("declared", tab, group), evaluation, values).await {
            // Behind the values: which of them are invalid.
            Ok(mut answer) => {
                let invalid = answer.split_off(answer.len() / 2);
                Ok(if invalid.iter().any(Value::is_true) {
                    Converted::Not
                } else {
                    Converted::To(answer)
                })
            }
            Err(error) if is_cut_or_busy(&error) => Err(error),
            Err(error) if names_what_is_not_there(&error) => Ok(Converted::Unknown),
            Err(_) => Ok(Converted::Not),
        }
    }

    /// How the database spells the row, and what its checks say.
    pub(super) async fn judge(
        &self,
        tab: usize,
        form: Form,
        row: &[Value],
    ) -> Result<Judged, DatabaseError> {
        let of_tab = &self.tabs[tab];
        let evaluation = match form {
            Form::Old => of_tab.old.as_ref(),
            Form::New | Form::Final => of_tab.new.as_ref(),
        };
        let Some(evaluation) = evaluation else {
            return Ok(Judged {
                values: row.to_vec(),
                refused: Vec::new(),
            });
        };
        let mut values = self.line.lock().await.evaluate(evaluation, row).await?;
        let checks = values.split_off(row.len());
        let refused = checks.iter().enumerate();
        let refused = refused.filter(|(_, check)| !check.is_true());
        let refused = refused.map(|(at, _)| at).collect();
        Ok(Judged { values, refused })
    }

    async fn ask(
        &self,
        (what, tab, group): (&str, usize, usize),
        evaluation: Option<&Evaluation>,
        values: &[Value],
    ) -> Result<Values, DatabaseError> {
        let Some(evaluation) = evaluation else {
            return Ok(values.to_vec());
        };
        let question = format!("{what} {tab} {group} {}", identity(values));
        if let Some(answer) = self.known().get(&question) {
            return Ok(answer.clone());
        }
        let answer = self.line.lock().await.evaluate(evaluation, values).await?;
        self.known().insert(question, answer.clone());
        Ok(answer)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Values>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    async fn evaluate(
        &mut self,
        evaluation: &Evaluation,
        values: &[Value],
    ) -> Result<Values, DatabaseError> {
        let types = evaluation.inputs.iter();
        let types: Vec<_> = types.map(|input| input.sql_type.as_str()).collect();
        self.one(&evaluation.sql, &types, values).await
    }
}

/// Why nothing can be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum MeaningError {
    /// The expressions cannot be rendered.
    #[error("{0}")]
    Render(#[from] RenderError),
    /// The database refuses the connection.
    #[error("{0}")]
    Database(#[from] DatabaseError),
}

fn of_tab(dialect: &Dialect, tab: &Tab) -> Result<OfTab, RenderError> {
    let side = tab.new.as_ref().or(tab.old.as_ref());
    let groups = tab.groups.iter().map(|group| match side {
        Some(side) if !group.pairs.is_empty() => of_group(dialect, side, group),
        _ => Ok(OfGroup::default()),
    });
    let of_side = |side: Option<&Side>| side.map(|side| of_side(dialect, side, tab)).transpose();
    Ok(OfTab {
        groups: groups.collect::<Result<_, _>>()?,
        old: of_side(tab.old.as_ref())?,
        new: of_side(tab.new.as_ref())?,
    })
}

fn of_group(dialect: &Dialect, side: &Side, group: &Group) -> Result<OfGroup, RenderError> {
    let table = &side.table;
    let inputs: Vec<&Column> = match group.kind {
        Kind::Fill => group.pairs.iter().flat_map(|pair| &pair.inputs).collect(),
        _ => olds(group),
    };
    let up: Vec<_> = group
        .pairs
        .iter()
        .map(|pair| typed(dialect, pair, &pair.up))
        .collect();
    let mut declared: Vec<_> = group
        .pairs
        .iter()
        .map(|pair| typed(dialect, pair, &pair.declared_up))
        .collect();
    declared.extend(group.pairs.iter().map(|pair| match &pair.valid_if {
        Some(valid_if) => format!("(({valid_if}) IS FALSE)"),
        None => "(1 = 0)".to_owned(),
    }));
    let evaluate = |inputs: &[&Column], expressions: &[String]| {
        evaluation(dialect, table, inputs, expressions).map(Some)
    };
    let news: Vec<&Column> = group.pairs.iter().map(|pair| &pair.new).collect();
    let down: Vec<String> = olds(group)
        .iter()
        .filter_map(|old| {
            let mut pairs = group.pairs.iter();
            pairs.find_map(|pair| {
                let at = pair.old.iter().position(|other| other.name == old.name)?;
                Some(format!("({})", pair.down.get(at)?))
            })
        })
        .collect();
    Ok(OfGroup {
        up: evaluate(&inputs, &up)?,
        declared: evaluate(&inputs, &declared)?,
        down: if down.is_empty() {
            None
        } else {
            evaluate(&news, &down)?
        },
        news: group.new.len(),
    })
}

/// The old columns of a group's pairs, each once, in the order of the table.
pub(super) fn olds(group: &Group) -> Vec<&Column> {
    let mut olds: Vec<&Column> = Vec::new();
    for old in group.pairs.iter().flat_map(|pair| &pair.old) {
        if !olds.iter().any(|known| known.name == old.name) {
            olds.push(old);
        }
    }
    olds
}

/// A value for the new column, spelled as that column spells it.
fn typed(dialect: &Dialect, pair: &Pair, expression: &str) -> String {
    let own = matches!(pair.new.logical_type, LogicalType::Enum) || pair.cast().is_some();
    if dialect.name() == "postgres" && !own {
        format!("CAST(({expression}) AS {})", dialect.type_of(&pair.new))
    } else {
        format!("({expression})")
    }
}

fn of_side(dialect: &Dialect, side: &Side, tab: &Tab) -> Result<Evaluation, RenderError> {
    let columns: Vec<Column> = side
        .columns
        .iter()
        .map(|column| readable(column, tab))
        .collect();
    let inputs: Vec<&Column> = columns.iter().collect();
    let mut expressions: Vec<_> = inputs.iter().map(|column| read(dialect, column)).collect();
    let checks = side.table.checks.iter();
    // NULL is no refusal. What names a generated column is left to the database.
    expressions.extend(checks.map(|check| {
        let named = dialect.columns_in(&check.expr).unwrap_or_default();
        if named.iter().all(|name| side.place(name).is_some()) {
            format!("(({}) IS NOT FALSE)", check.expr)
        } else {
            "(1 = 1)".to_owned()
        }
    }));
    evaluation(dialect, &side.table, &inputs, &expressions)
}

/// A value as repositories read it: what fills a text up to the length of its type is no part of it there.
fn read(dialect: &Dialect, column: &Column) -> String {
    let name = dialect.ident(&column.name);
    let spelled = column
        .sql_type
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    let filled_up = ["char(", "character(", "bpchar"].iter();
    let filled_up = { filled_up }.any(|start| spelled.starts_with(start)) || spelled == "char";
    if dialect.name() == "postgres" && filled_up {
        format!("CAST({name} AS text)")
    } else {
        name
    }
}

/// A column whose type goes over to another under the same name: its values travel as texts.
fn readable(column: &Column, tab: &Tab) -> Column {
    let mut column = column.clone();
    let mut pairs = tab.groups.iter().flat_map(|group| &group.pairs);
    let exchanged = pairs.any(|pair| {
        let last = pair.final_name().map(|names| &names.last);
        pair.cast().is_some() && last == Some(&column.name)
    });
    if exchanged {
        column.logical_type = LogicalType::Text;
        column.sql_type = None;
    }
    column
}

fn is_cut_or_busy(error: &DatabaseError) -> bool {
    super::line::is_cut(error) || matches!(error, DatabaseError::Busy(_))
}

/// A function or a type is missing (class 42): the version creates it.
fn names_what_is_not_there(error: &DatabaseError) -> bool {
    let DatabaseError::Other(sqlx::Error::Database(error)) = error else {
        return false;
    };
    error
        .code()
        .is_some_and(|code| code.starts_with("42") || code.starts_with("3F"))
}
