//! Names that go over while statements run, and the views and functions that know meanwhile what had them.

use serde::Serialize;

use crate::plan::{Net, Statement, TableShape};

/// What a name goes over to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// Other names for the same columns, one after the other and all at once for everybody else: from, to.
    Columns(Columns),
    /// The same for types, which have no table.
    Types(Vec<(String, String)>),
    /// Another name for the table, which a view has had until then.
    Table(String),
    /// The same on the way back: the name before, and the view again.
    RestoreTable(String, View),
    /// A view through which statements reach the table.
    CreateView(View),
    /// The view goes.
    DropView(View),
    /// A function that makes a value of an enum, whatever that is called later.
    CreateCast(Cast),
    /// The function goes.
    DropCast(Cast),
}

/// Columns of a table that get other names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// From, to; in the order of execution.
    pub renames: Vec<(String, String)>,
    /// What keeps the table's pairs, by the names before and by those after.
    pub nets: Option<Box<(Net, Net)>>,
}

/// A function that makes a value of an enum of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// Name without its schema, unquoted.
    pub name: String,
    /// The enum by the name that it has when the function is created, unquoted.
    pub enumeration: String,
}

/// Columns of a table by the names that they have when it is created, whatever they are called later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Name without its schema, unquoted.
    pub name: String,
    /// The columns.
    pub columns: Vec<Shown>,
    /// It stands among what is the tool's own, else beside the table.
    pub is_own: bool,
}

/// A column of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What the table calls it, unquoted.
    pub name: String,
    /// What the view calls it, where that is another name.
    pub shown: Option<String>,
}

impl Shown {
    /// Columns by their own names.
    pub(in crate::plan) fn all(names: Vec<String>) -> Vec<Self> {
        let columns = names.into_iter();
        columns.map(|name| Self { name, shown: None }).collect()
    }
}

impl From<Vec<(String, String)>> for Columns {
    fn from(renames: Vec<(String, String)>) -> Self {
        Self {
            renames,
            nets: None,
        }
    }
}

impl Columns {
    fn back(&self) -> Self {
        let nets = self.nets.as_deref().cloned();
        Self {
            renames: back(&self.renames),
            nets: nets.map(|(before, after)| Box::new((after, before))),
        }
    }
}

/// The same as a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renaming {
    /// The table.
    pub table: String,
    /// From, to; in the order of execution.
    pub renames: Vec<(String, String)>,
    /// What keeps the table's pairs from then on.
    pub net: Option<Net>,
}

impl View {
    /// Whether it calls columns otherwise than the table does.
    fn renames(&self) -> bool {
        self.columns.iter().any(|column| column.shown.is_some())
    }

    fn shown(&self) -> String {
        let schema = if self.is_own { "zdm." } else { "" };
        format!("{schema}{}", self.name)
    }
}

impl Naming {
    pub(super) fn summary(&self, table: &str) -> String {
        match self {
            Self::Columns(columns) => {
                let renames = columns.renames.iter();
                let renames = renames.map(|(from, to)| format!("{table}.{from} to {to}"));
                format!("rename {}", renames.collect::<Vec<_>>().join(" and "))
            }
            Self::Types(renames) => {
                let renames = renames.iter();
                let renames = renames.map(|(from, to)| format!("the enum {from} to {to}"));
                format!("rename {}", renames.collect::<Vec<_>>().join(" and "))
            }
            Self::Table(to) => format!("rename the table {table} to {to}"),
            Self::RestoreTable(to, view) => format!("rename the table {} to {to}", view.name),
            Self::CreateView(view) => {
                let purpose = if view.renames() {
                    format!("in which the key of {table} has its new names")
                } else if view.is_own {
                    "whose columns keep their names".to_owned()
                } else {
                    format!("as which new code knows {table}")
                };
                format!("create the view {}, {purpose}", view.shown())
            }
            Self::DropView(view) => format!("drop the view {}", view.shown()),
            Self::CreateCast(cast) => format!(
                "create the function zdm.{}, which makes a {} of a text, whatever the enum is called later",
                cast.name, cast.enumeration
            ),
            Self::DropCast(cast) => format!("drop the function zdm.{}", cast.name),
        }
    }

    pub(super) fn inverse(&self, table: &str, shape: Option<&TableShape>) -> Result<Self, String> {
        Ok(match self {
            Self::Columns(columns) => Self::Columns(columns.back()),
            Self::Types(renames) => Self::Types(back(renames)),
            Self::Table(name) => {
                let columns = shape.into_iter().flat_map(|shape| &shape.columns);
                let view = View {
                    name: name.clone(),
                    columns: Shown::all(columns.map(|column| column.name.clone()).collect()),
                    is_own: false,
                };
                Self::RestoreTable(table.to_owned(), view)
            }
            Self::RestoreTable(_, view) => Self::Table(view.name.clone()),
            Self::CreateView(view) => Self::DropView(view.clone()),
            Self::CreateCast(cast) => Self::DropCast(cast.clone()),
            Self::DropCast(cast) => Self::CreateCast(cast.clone()),
            Self::DropView(view) if view.renames() => {
                return Err(format!("the key of {table} has these names itself"));
            }
            Self::DropView(_) => return Err(format!("columns of {table} that it had are gone")),
        })
    }

    pub(in crate::plan) fn statement(&self, table: &str) -> Statement {
        let table = table.to_owned();
        match self.clone() {
            Self::Columns(columns) => Statement::RenameColumns(Renaming {
                table,
                renames: columns.renames,
                net: columns.nets.map(|nets| nets.1),
            }),
            Self::Types(renames) => Statement::RenameTypes { table, renames },
            Self::Table(to) => Statement::RenameTable { table, to },
            Self::RestoreTable(to, view) => Statement::RestoreTable {
                table: view.name,
                to,
                columns: view.columns,
            },
            Self::CreateView(view) => Statement::CreateView {
                table,
                view: view.name,
                columns: view.columns,
                is_own: view.is_own,
            },
            Self::DropView(view) => Statement::DropView {
                table,
                view: view.name,
                is_own: view.is_own,
            },
            Self::CreateCast(cast) => Statement::CreateCast {
                table,
                function: cast.name,
                returns: cast.enumeration,
            },
            Self::DropCast(cast) => Statement::DropFunction {
                table,
                function: cast.name,
                parameters: vec!["text".to_owned()],
            },
        }
    }
}

fn back(renames: &[(String, String)]) -> Vec<(String, String)> {
    let renames = renames.iter().rev();
    renames
        .map(|(from, to)| (to.clone(), from.clone()))
        .collect()
}
