//! What the names in a query can mean: tables, what subqueries give, and names of `WITH`.
//!
//! Comes in: a part of a query. Goes out: its [`Source`]s.
//! Must not know: what is done with a column.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Cte, Expr, ObjectName, ObjectNamePart, Query, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, Statement, TableFactor, TableObject, TableWithJoins,
};

use super::HOLE;
use super::wanted::Wanted;

/// What a query takes rows from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// What qualifies its columns.
    pub(super) name: Option<String>,
    pub(super) rows: Rows,
    /// Only its qualified columns are meant: `excluded`.
    pub(super) aside: bool,
}

/// Where the rows are from.
#[derive(Debug, Clone)]
pub(super) enum Rows {
    /// A declared table; not sure where the query names another schema than it does.
    Table { table: String, sure: bool },
    /// A subquery or a name of `WITH`.
    Given(Outputs),
    /// Of a table or function that nobody declares, or whose name is put in at run time.
    Unknown { hole: bool },
}

/// The columns that a subquery gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Outputs {
    named: BTreeSet<String>,
    /// The tables all of whose columns are among them.
    through: Vec<(String, bool)>,
    /// There may be others.
    open: bool,
}

/// Whether a source has a column.
pub(super) enum Has {
    /// As the column of a table that is looked for.
    Wanted {
        table: String,
        sure: bool,
    },
    /// As another one.
    Other,
    /// That cannot be told.
    Maybe {
        hole: bool,
    },
    No,
}

/// The names of a `WITH`, as far as they count where the walk is.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) names: Vec<(String, Outputs)>,
    pub(super) visible: usize,
}

/// What names stand for at a place.
pub(super) struct Names<'a> {
    pub(super) wanted: &'a Wanted<'a>,
    pub(super) frames: Vec<Frame>,
}

impl Source {
    pub(super) fn has(&self, column: &str, wanted: &Wanted<'_>) -> Has {
        let of_table = |table: &str, sure: bool| {
            if wanted.is_column(table, column) {
                let table = table.to_owned();
                Has::Wanted { table, sure }
            } else if wanted.knows(table, column) {
                Has::Other
            } else {
                Has::No
            }
        };
        match &self.rows {
            Rows::Table { table, sure } => of_table(table, *sure),
            Rows::Unknown { hole } => Has::Maybe { hole: *hole },
            Rows::Given(outputs) if outputs.named.contains(column) => Has::Other,
            Rows::Given(outputs) => {
                for (table, sure) in &outputs.through {
                    match of_table(table, *sure) {
                        Has::No => {}
                        found => return found,
                    }
                }
                if outputs.open {
                    Has::Maybe { hole: false }
                } else {
                    Has::No
                }
            }
        }
    }

    /// The tables all of whose columns `*` means here.
    pub(super) fn tables(&self) -> Vec<(String, bool)> {
        match &self.rows {
            Rows::Table { table, sure } => vec![(table.clone(), *sure)],
            // The `*` of the subquery is told where it stands.
            Rows::Given(_) | Rows::Unknown { .. } => Vec::new(),
        }
    }
}

impl Names<'_> {
    /// The sources of a FROM.
    pub(super) fn sources(&mut self, from: &[TableWithJoins]) -> Vec<Source> {
        let mut sources = Vec::new();
        for tables in from {
            self.factor(&tables.relation, &mut sources);
            for join in &tables.joins {
                self.factor(&join.relation, &mut sources);
            }
        }
        sources
    }

    pub(super) fn factor(&mut self, factor: &TableFactor, sources: &mut Vec<Source>) {
        let unknown = || Rows::Unknown { hole: false };
        let (alias, rows) = match factor {
            TableFactor::Table {
                name, alias, args, ..
            } => {
                let rows = if args.is_some() {
                    unknown()
                } else {
                    self.relation(name)
                };
                let own = parts(self.wanted, name).pop();
                let alias = alias.as_ref();
                let named = alias.map(|alias| self.wanted.name(&alias.name)).or(own);
                let renamed = alias.is_some_and(|alias| !alias.columns.is_empty());
                let rows = if renamed { unknown() } else { rows };
                sources.push(Source {
                    name: named,
                    rows,
                    aside: false,
                });
                return;
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                let nested = self.sources(std::slice::from_ref(table_with_joins));
                sources.extend(nested);
                return;
            }
            TableFactor::Derived {
                subquery, alias, ..
            } => {
                let mut outputs = self.outputs(subquery);
                let columns = alias.iter().flat_map(|alias| &alias.columns);
                let columns: BTreeSet<_> = columns
                    .map(|column| self.wanted.name(&column.name))
                    .collect();
                if !columns.is_empty() {
                    outputs = Outputs {
                        named: columns,
                        ..Outputs::default()
                    };
                }
                (alias, Rows::Given(outputs))
            }
            TableFactor::TableFunction { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::JsonTable { alias, .. } => {
                // What a function gives is called after its alias.
                let named = alias.iter().flat_map(|alias| {
                    let columns = alias.columns.iter().map(|column| &column.name);
                    columns.chain([&alias.name])
                });
                let named: BTreeSet<_> = named.map(|name| self.wanted.name(name)).collect();
                let open = named.len() < 2;
                let outputs = Outputs {
                    named,
                    through: Vec::new(),
                    open,
                };
                (alias, Rows::Given(outputs))
            }
            _ => (&None, unknown()),
        };
        sources.push(Source {
            name: alias.as_ref().map(|alias| self.wanted.name(&alias.name)),
            rows,
            aside: false,
        });
    }

    /// What a name behind FROM means.
    pub(super) fn relation(&self, name: &ObjectName) -> Rows {
        let parts = parts(self.wanted, name);
        if let [one] = &parts[..]
            && let Some(outputs) = self.given(one)
        {
            return Rows::Given(outputs.clone());
        }
        match self.wanted.table(&parts) {
            Some((table, sure)) => Rows::Table { table, sure },
            None => Rows::Unknown {
                hole: parts.last().is_some_and(|name| name.contains(HOLE)),
            },
        }
    }

    /// What `WITH` gives by this name.
    pub(super) fn given(&self, name: &str) -> Option<&Outputs> {
        self.frames.iter().rev().find_map(|frame| {
            let names = frame.names.iter().take(frame.visible).rev();
            let mut found = names.filter(|(known, _)| known == name);
            found.next().map(|(_, outputs)| outputs)
        })
    }

    /// The columns that a name of `WITH` gives.
    pub(super) fn of_cte(&mut self, cte: &Cte) -> Outputs {
        let columns = cte.alias.columns.iter();
        let named: BTreeSet<_> = columns
            .map(|column| self.wanted.name(&column.name))
            .collect();
        if named.is_empty() {
            return self.outputs(&cte.query);
        }
        Outputs {
            named,
            ..Outputs::default()
        }
    }

    /// Puts the names of a query's `WITH` in, all of them to be seen.
    pub(super) fn enter(&mut self, query: &Query) -> bool {
        let Some(with) = &query.with else {
            return false;
        };
        self.frames.push(Frame::default());
        for cte in &with.cte_tables {
            let outputs = self.of_cte(cte);
            let name = self.wanted.name(&cte.alias.name);
            if let Some(frame) = self.frames.last_mut() {
                frame.names.push((name, outputs));
                frame.visible = frame.names.len();
            }
        }
        true
    }

    fn outputs(&mut self, query: &Query) -> Outputs {
        let entered = self.enter(query);
        let outputs = self.of_body(&query.body);
        if entered {
            self.frames.pop();
        }
        outputs
    }

    fn of_body(&mut self, body: &SetExpr) -> Outputs {
        match body {
            SetExpr::Select(select) => {
                let sources = self.sources(&select.from);
                self.projected(&select.projection, &sources)
            }
            SetExpr::Query(query) => self.outputs(query),
            SetExpr::SetOperation { left, .. } => self.of_body(left),
            SetExpr::Values(_) => Outputs::default(),
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => self.returned(statement),
            SetExpr::Table(_) => Outputs {
                open: true,
                ..Outputs::default()
            },
        }
    }

    fn returned(&mut self, statement: &Statement) -> Outputs {
        let (sources, returning) = match statement {
            Statement::Insert(insert) => (self.inserted(&insert.table), &insert.returning),
            Statement::Update(update) => {
                let from = std::slice::from_ref(&update.table);
                (self.sources(from), &update.returning)
            }
            Statement::Delete(delete) => (self.sources(tables_of(&delete.from)), &delete.returning),
            _ => (Vec::new(), &None),
        };
        let items = returning.as_deref().unwrap_or_default();
        self.projected(items, &sources)
    }

    pub(super) fn inserted(&self, table: &TableObject) -> Vec<Source> {
        let TableObject::TableName(name) = table else {
            return Vec::new();
        };
        vec![Source {
            name: parts(self.wanted, name).pop(),
            rows: self.relation(name),
            aside: false,
        }]
    }

    fn projected(&self, items: &[SelectItem], sources: &[Source]) -> Outputs {
        let mut outputs = Outputs::default();
        for item in items {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => {
                    outputs.named.insert(self.wanted.name(alias));
                }
                SelectItem::UnnamedExpr(Expr::Identifier(name)) => {
                    outputs.named.insert(self.wanted.name(name));
                }
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => {
                    let last = names.last().map(|name| self.wanted.name(name));
                    outputs.named.extend(last);
                }
                SelectItem::UnnamedExpr(Expr::Function(function)) => {
                    outputs
                        .named
                        .extend(parts(self.wanted, &function.name).pop());
                }
                SelectItem::Wildcard(_) => {
                    for source in sources {
                        outputs.take_all(source);
                    }
                }
                SelectItem::QualifiedWildcard(kind, _) => {
                    if let Some(source) = qualified(kind, sources, self.wanted) {
                        outputs.take_all(source);
                    } else {
                        outputs.open = true;
                    }
                }
                SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAliases { .. } => {}
            }
        }
        outputs
    }
}

impl Outputs {
    fn take_all(&mut self, source: &Source) {
        match &source.rows {
            Rows::Table { table, sure } => self.through.push((table.clone(), *sure)),
            Rows::Given(other) => {
                self.named.extend(other.named.iter().cloned());
                self.through.extend(other.through.iter().cloned());
                self.open |= other.open;
            }
            Rows::Unknown { .. } => self.open = true,
        }
    }
}

/// The source that `x.*` means.
pub(super) fn qualified<'s>(
    kind: &SelectItemQualifiedWildcardKind,
    sources: &'s [Source],
    wanted: &Wanted<'_>,
) -> Option<&'s Source> {
    let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
        return None;
    };
    let name = parts(wanted, name).pop();
    sources.iter().find(|source| source.name == name)
}

/// The parts of a name, as the database compares them.
pub(super) fn parts(wanted: &Wanted<'_>, name: &ObjectName) -> Vec<String> {
    let parts = name.0.iter();
    parts
        .filter_map(|part| match part {
            ObjectNamePart::Identifier(ident) => Some(wanted.name(ident)),
            ObjectNamePart::Function(_) => None,
        })
        .collect()
}

pub(super) fn tables_of(from: &sqlparser::ast::FromTable) -> &[TableWithJoins] {
    use sqlparser::ast::FromTable::{WithFromKeyword, WithoutKeyword};
    match from {
        WithFromKeyword(tables) | WithoutKeyword(tables) => tables,
    }
}
