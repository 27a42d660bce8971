//! The names of a query that read: each means a column of the innermost query that has it.
//!
//! Comes in: a name, or what stands for several. Goes out: the uses told to the walk.
//! Must not know: statements that change rows.

use sqlparser::ast::{Ident, JoinConstraint, JoinOperator, SelectItem, Spanned, TableWithJoins};
use sqlparser::tokenizer::Location;

use super::super::Access;
use super::super::scope::{self, Has, Source, parts};
use super::{Scope, Walk, place};

impl Walk<'_> {
    /// `*` among what is selected or returned.
    pub(super) fn items(&mut self, items: &[SelectItem], sources: &[Source]) {
        for item in items {
            let (named, at) = match item {
                SelectItem::Wildcard(options) => {
                    let named: Vec<&Source> = sources.iter().collect();
                    (named, options.wildcard_token.0.span.start)
                }
                SelectItem::QualifiedWildcard(kind, _) => {
                    let source = scope::qualified(kind, sources, self.names.wanted);
                    (source.into_iter().collect(), kind.span().start)
                }
                _ => continue,
            };
            let tables = named.into_iter().filter(|source| !source.aside);
            for (table, sure) in tables.flat_map(Source::tables) {
                self.every(&table, Access::Reads, sure, at);
            }
        }
    }

    /// The columns by which tables are joined, where a condition does not name them.
    pub(super) fn joined(&mut self, from: &[TableWithJoins], sources: &[Source]) {
        for join in from.iter().flat_map(|tables| &tables.joins) {
            use JoinOperator as Of;
            let (Of::Join(constraint)
            | Of::Inner(constraint)
            | Of::Left(constraint)
            | Of::LeftOuter(constraint)
            | Of::Right(constraint)
            | Of::RightOuter(constraint)
            | Of::FullOuter(constraint)) = &join.join_operator
            else {
                continue;
            };
            let columns = match constraint {
                JoinConstraint::Using(columns) => columns,
                JoinConstraint::Natural => {
                    self.in_common(sources, join.relation.span().start);
                    continue;
                }
                JoinConstraint::On(_) | JoinConstraint::None => continue,
            };
            for column in columns {
                let Some(at) = place(column) else { continue };
                let name = parts(self.names.wanted, column).pop().unwrap_or_default();
                for source in sources {
                    if let Has::Wanted { table, sure } = source.has(&name, self.names.wanted) {
                        self.column(&table, &name, Access::Reads, sure, at);
                    }
                }
            }
        }
    }

    /// The columns that several tables have: `NATURAL JOIN`.
    fn in_common(&mut self, sources: &[Source], at: Location) {
        let wanted = self.names.wanted;
        for (table, sure) in sources.iter().flat_map(Source::tables) {
            let columns = wanted.columns_of(&table);
            for column in columns {
                let having = sources.iter().map(|source| source.has(&column, wanted));
                let others = having.filter(|has| !matches!(has, Has::No)).count();
                if others > 1 {
                    self.column(&table, &column, Access::Reads, sure, at);
                }
            }
        }
    }

    /// A name without a table: of the innermost query that has it.
    pub(super) fn bare(&mut self, ident: &Ident) {
        let wanted = self.names.wanted;
        let (name, at) = (wanted.name(ident), ident.span.start);
        let (mut doubt, mut hole) = (false, false);
        let (mut found, mut row) = (Vec::new(), None);
        for sources in seen(&self.scopes) {
            let mut elsewhere = false;
            for source in sources.iter().filter(|source| !source.aside) {
                match source.has(&name, wanted) {
                    Has::Wanted { table, sure } => found.push((table, sure)),
                    Has::Other => elsewhere = true,
                    Has::Maybe { hole: is_hole } => {
                        doubt = true;
                        hole |= is_hole;
                    }
                    Has::No => {}
                }
            }
            doubt |= elsewhere;
            if elsewhere || !found.is_empty() {
                hole = false;
                break;
            }
            let mut sources = sources.iter();
            row = sources.find(|source| source.name.as_deref() == Some(&name));
            if row.is_some() {
                break;
            }
        }
        // The whole row: `to_jsonb(users)`.
        let rows = row.map(Source::tables).unwrap_or_default();
        let is_row = row.is_some();
        for (table, sure) in rows {
            self.every(&table, Access::Reads, sure && !doubt, at);
        }
        if found.is_empty() && hole && !is_row {
            self.perhaps(&name, Access::Reads, at);
        }
        let one = found.len() == 1;
        for (table, sure) in found {
            self.column(&table, &name, Access::Reads, sure && one && !doubt, at);
        }
    }

    /// `u.name`, `users.name`, `public.users.name`.
    pub(super) fn qualified(&mut self, parts: &[Ident]) {
        let wanted = self.names.wanted;
        let [.., qualifier, column] = parts else {
            return;
        };
        let (of, name) = (wanted.name(qualifier), wanted.name(column));
        let at = column.span.start;
        let named = |source: &&Source| source.name.as_deref() == Some(&of);
        let source = seen(&self.scopes).find_map(|sources| sources.iter().find(named));
        match source.map(|source| source.has(&name, wanted)) {
            Some(Has::Wanted { table, sure }) => {
                self.column(&table, &name, Access::Reads, sure, at);
            }
            Some(Has::Maybe { hole: true }) => self.perhaps(&name, Access::Reads, at),
            Some(Has::Maybe { .. } | Has::Other | Has::No) | None => {}
        }
    }
}

/// The sources that can be seen, those of the innermost query first.
fn seen(scopes: &[Scope]) -> impl Iterator<Item = &[Source]> {
    let mut hidden = 0;
    scopes.iter().rev().filter_map(move |scope| match scope {
        Scope::Hides(more) => {
            hidden = *more;
            None
        }
        Scope::Sources(_) if hidden > 0 => {
            hidden -= 1;
            None
        }
        Scope::Sources(sources) => Some(sources.as_slice()),
    })
}
