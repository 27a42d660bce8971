//! A statement's syntax tree → which of the columns that are looked for it reads and writes.
//!
//! Comes in: parsed statements. Goes out: [`Use`]s, each at its place in the text.
//! Must not know: where the text stands.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, ObjectName, ObjectNamePart, OrderByKind, Query, Select, SelectItem, SetExpr, Statement,
    TableFactor, TableWithJoins, Visit, Visitor,
};
use sqlparser::tokenizer::Location;

use super::Access;
use super::scope::{Names, Rows, Source};
use super::wanted::Wanted;

/// A target that a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    /// Its position.
    pub(super) target: usize,
    pub(super) access: Access,
    /// It can be nothing else.
    pub(super) sure: bool,
    /// By naming all columns of the table.
    pub(super) every: bool,
    /// The table is put in at run time.
    pub(super) hole: bool,
    pub(super) at: Location,
}

/// What the statements name, and whether some are neither queries nor changes of rows.
pub(super) fn uses(statements: &[Statement], wanted: &Wanted<'_>) -> (Vec<Use>, bool) {
    let mut walk = Walk {
        names: Names {
            wanted,
            frames: Vec::new(),
        },
        scopes: Vec::new(),
        opened: Vec::new(),
        bodies: HashMap::new(),
        closed: HashMap::new(),
        uncounted: HashSet::new(),
        existing: HashSet::new(),
        written: HashSet::new(),
        uses: Vec::new(),
        others: false,
    };
    for statement in statements {
        let _: ControlFlow<()> = statement.visit(&mut walk);
    }
    (walk.uses, walk.others)
}

enum Scope {
    Sources(Vec<Source>),
    /// What is inside does not see so many scopes around it.
    Hides(usize),
}

/// What was there before a query was entered.
struct Opened {
    scopes: usize,
    frames: usize,
    /// It is a name of `WITH`: of which frame, and the how manyeth.
    body: Option<(usize, usize)>,
}

struct Walk<'a> {
    names: Names<'a>,
    scopes: Vec<Scope>,
    opened: Vec<Opened>,
    bodies: HashMap<usize, (usize, usize)>,
    closed: HashMap<usize, usize>,
    /// Expressions that name no column although they look so.
    uncounted: HashSet<usize>,
    /// SELECTs of which only matters whether they give a row. An expression may begin where they do.
    existing: HashSet<usize>,
    /// Names of tables that are written.
    written: HashSet<usize>,
    uses: Vec<Use>,
    others: bool,
}

fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.opened.push(Opened {
            scopes: self.scopes.len(),
            frames: self.names.frames.len(),
            body: self.bodies.get(&address(query)).copied(),
        });
        if let Some(hidden) = self.closed.get(&address(query)) {
            self.scopes.push(Scope::Hides(*hidden));
        }
        let frame = self.names.frames.len();
        self.names.enter(query);
        let sources = match &*query.body {
            SetExpr::Select(select) => self.names.sources(&select.from),
            _ => Vec::new(),
        };
        if let Some(with) = &query.with {
            for (place, cte) in with.cte_tables.iter().enumerate() {
                self.bodies.insert(address(&*cte.query), (frame, place));
                self.closed.insert(address(&*cte.query), 1);
            }
            if !with.recursive {
                self.names.frames[frame].visible = 0;
            }
        }
        self.scopes.push(Scope::Sources(sources));
        if let (SetExpr::Select(select), Some(order)) = (&*query.body, &query.order_by)
            && let OrderByKind::Expressions(expressions) = &order.kind
        {
            let outputs = aliases(select, self.names.wanted);
            for ordered in expressions {
                if let Expr::Identifier(name) = &ordered.expr
                    && outputs.contains(&self.names.wanted.name(name))
                {
                    self.uncounted.insert(address(&ordered.expr));
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        if let Some(opened) = self.opened.pop() {
            self.scopes.truncate(opened.scopes);
            self.names.frames.truncate(opened.frames);
            if let Some((frame, place)) = opened.body
                && let Some(frame) = self.names.frames.get_mut(frame)
            {
                frame.visible = frame.visible.max(place + 1);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let sources = self.names.sources(&select.from);
        self.close(&select.from, 2);
        if !self.existing.contains(&address(select)) {
            self.items(&select.projection, &sources);
        }
        self.joined(&select.from, &sources);
        self.scopes.push(Scope::Sources(sources));
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        let sources = match statement {
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            Statement::Query(_) | Statement::Explain { .. } => Vec::new(),
            _ => {
                self.others = true;
                Vec::new()
            }
        };
        self.scopes.push(Scope::Sources(sources));
        ControlFlow::Continue(())
    }

    fn post_visit_statement(&mut self, _: &Statement) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        if let (Rows::Table { table, sure }, Some(at)) = (self.names.relation(name), place(name)) {
            let access = if self.written.contains(&address(name)) {
                Access::Writes
            } else {
                Access::Reads
            };
            let targets = self.names.wanted.of_table(&table).to_vec();
            self.tell(&targets, &Use::new(access, sure, at));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if self.uncounted.contains(&address(expression)) {
            return ControlFlow::Continue(());
        }
        match expression {
            Expr::Identifier(name) => self.bare(name),
            Expr::CompoundIdentifier(names) => self.qualified(names),
            // Which columns EXISTS selects is nothing to it.
            Expr::Exists { subquery, .. } => {
                if let SetExpr::Select(select) = &*subquery.body {
                    self.existing.insert(address(&**select));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Walk<'_> {
    /// Subqueries in FROM do not see what stands beside them, unless they say so.
    fn close(&mut self, from: &[TableWithJoins], hidden: usize) {
        let joins = from.iter().flat_map(|tables| &tables.joins);
        let joined = joins.map(|join| &join.relation);
        let factors = from.iter().map(|tables| &tables.relation).chain(joined);
        for factor in factors {
            if let TableFactor::Derived {
                lateral: false,
                subquery,
                ..
            } = factor
            {
                self.closed.insert(address(&**subquery), hidden);
            }
        }
    }

    /// A column of a table that is put in at run time.
    fn perhaps(&mut self, column: &str, access: Access, at: Location) {
        let targets = self.names.wanted.of_any_table(column);
        let targets: Vec<usize> = targets.map(|(target, _)| target).collect();
        let told = Use {
            hole: true,
            ..Use::new(access, false, at)
        };
        self.tell(&targets, &told);
    }

    fn column(&mut self, table: &str, column: &str, access: Access, sure: bool, at: Location) {
        let targets = self.names.wanted.of_column(table, column).to_vec();
        self.tell(&targets, &Use::new(access, sure, at));
    }

    fn every(&mut self, table: &str, access: Access, sure: bool, at: Location) {
        let targets: Vec<usize> = self.names.wanted.every(table).collect();
        let told = Use {
            every: true,
            ..Use::new(access, sure, at)
        };
        self.tell(&targets, &told);
    }

    fn tell(&mut self, targets: &[usize], told: &Use) {
        let of_target = |target: &usize| Use {
            target: *target,
            ..told.clone()
        };
        self.uses.extend(targets.iter().map(of_target));
    }
}

impl Use {
    fn new(access: Access, sure: bool, at: Location) -> Self {
        Self {
            target: 0,
            access,
            sure,
            every: false,
            hole: false,
            at,
        }
    }
}

/// The names that a SELECT gives to its columns.
fn aliases(select: &Select, wanted: &Wanted<'_>) -> BTreeSet<String> {
    let items = select.projection.iter();
    items
        .filter_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(wanted.name(alias)),
            _ => None,
        })
        .collect()
}

fn place(name: &ObjectName) -> Option<Location> {
    match name.0.last()? {
        ObjectNamePart::Identifier(ident) => Some(ident.span.start),
        ObjectNamePart::Function(_) => None,
    }
}

mod reads;
#[cfg(test)]
mod tests;
mod writes;
