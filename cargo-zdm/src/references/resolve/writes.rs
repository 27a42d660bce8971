//! The statements that change rows: which columns they assign, and what stands around them.
//!
//! Comes in: a statement. Goes out: its sources, and the uses told to the walk.
//! Must not know: what is inside expressions.

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, Ident, Insert, Merge, MergeAction,
    MergeUpdateKind, ObjectName, ObjectNamePart, OnConflictAction, OnInsert, TableFactor,
    TableObject, Update, UpdateTableFromKind,
};

use super::super::Access;
use super::super::scope::{Has, Source, tables_of};
use super::{Walk, address, place};

impl Walk<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Vec<Source> {
        let mut sources = self.names.inserted(&insert.table);
        if let TableObject::TableName(name) = &insert.table {
            self.written.insert(address(name));
            let table = sources.iter().flat_map(Source::tables).next();
            let lists = insert.columns.is_empty() && insert.assignments.is_empty();
            if let (Some((table, sure)), Some(at), true, Some(_)) =
                (table, place(name), lists, &insert.source)
            {
                self.every(&table, Access::Writes, sure, at);
            }
        }
        for column in &insert.columns {
            self.written(column, &sources);
        }
        self.assigned(&insert.assignments, &sources);
        if let Some(source) = &insert.source {
            self.closed.insert(address(&**source), 1);
        }
        if let (Some(alias), Some(table)) = (&insert.table_alias, sources.first_mut()) {
            table.name = Some(self.names.wanted.name(&alias.alias));
        }
        if let Some(OnInsert::OnConflict(conflict)) = &insert.on {
            if let Some(ConflictTarget::Columns(columns)) = &conflict.conflict_target {
                for column in columns {
                    self.of_sources(column, &sources, Access::Reads);
                }
            }
            if let OnConflictAction::DoUpdate(update) = &conflict.action {
                self.assigned(&update.assignments, &sources);
            }
        }
        self.items(insert.returning.as_deref().unwrap_or_default(), &sources);
        for name in ["excluded", "old", "new"] {
            let aside = sources.first().map(|table| Source {
                name: Some(name.to_owned()),
                rows: table.rows.clone(),
                aside: true,
            });
            sources.extend(aside);
        }
        sources
    }

    pub(super) fn update(&mut self, update: &Update) -> Vec<Source> {
        self.writes_to(&update.table.relation);
        let table = std::slice::from_ref(&update.table);
        let mut sources = self.names.sources(table);
        self.assigned(&update.assignments, &sources[..sources.len().min(1)]);
        self.close(table, 1);
        if let Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) =
            &update.from
        {
            self.close(from, 1);
            sources.extend(self.names.sources(from));
        }
        self.items(update.returning.as_deref().unwrap_or_default(), &sources);
        sources
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Vec<Source> {
        let from = tables_of(&delete.from);
        for tables in from {
            self.writes_to(&tables.relation);
        }
        let mut sources = self.names.sources(from);
        self.close(from, 1);
        if let Some(using) = &delete.using {
            self.close(using, 1);
            sources.extend(self.names.sources(using));
        }
        self.items(delete.returning.as_deref().unwrap_or_default(), &sources);
        sources
    }

    pub(super) fn merge(&mut self, merge: &Merge) -> Vec<Source> {
        self.writes_to(&merge.table);
        let mut sources = Vec::new();
        self.names.factor(&merge.table, &mut sources);
        for clause in &merge.clauses {
            match &clause.action {
                MergeAction::Insert(insert) => {
                    for column in &insert.columns {
                        self.written(column, &sources);
                    }
                    if insert.columns.is_empty() {
                        let tables = sources.iter().flat_map(Source::tables);
                        for (table, sure) in tables.collect::<Vec<_>>() {
                            let at = insert.insert_token.0.span.start;
                            self.every(&table, Access::Writes, sure, at);
                        }
                    }
                }
                MergeAction::Update(update) => {
                    if let MergeUpdateKind::Set(assignments) = &update.kind {
                        self.assigned(assignments, &sources);
                    }
                }
                MergeAction::Delete { .. } | MergeAction::DoNothing { .. } => {}
            }
        }
        if let TableFactor::Derived { subquery, .. } = &merge.source {
            self.closed.insert(address(&**subquery), 1);
        }
        self.names.factor(&merge.source, &mut sources);
        sources
    }

    fn writes_to(&mut self, factor: &TableFactor) {
        if let TableFactor::Table { name, .. } = factor {
            self.written.insert(address(name));
        }
    }

    fn assigned(&mut self, assignments: &[Assignment], sources: &[Source]) {
        for assignment in assignments {
            match &assignment.target {
                AssignmentTarget::ColumnName(name) => self.written(name, sources),
                AssignmentTarget::Tuple(names) => {
                    for name in names {
                        self.written(name, sources);
                    }
                }
            }
        }
    }

    /// A column that is written: it is the table's whose rows are.
    fn written(&mut self, name: &ObjectName, sources: &[Source]) {
        if let Some(ObjectNamePart::Identifier(column)) = name.0.last() {
            self.of_sources(column, sources, Access::Writes);
        }
    }

    fn of_sources(&mut self, column: &Ident, sources: &[Source], access: Access) {
        let name = self.names.wanted.name(column);
        for source in sources {
            let at = column.span.start;
            match source.has(&name, self.names.wanted) {
                Has::Wanted { table, sure } => self.column(&table, &name, access, sure, at),
                Has::Maybe { hole: true } => self.perhaps(&name, access, at),
                Has::Maybe { .. } | Has::Other | Has::No => {}
            }
        }
    }
}
