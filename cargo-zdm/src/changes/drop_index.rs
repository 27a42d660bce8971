//! An index or a unique constraint that goes.

use zdm_model::Index;
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::references::taking_along;
use super::{Change, ChangeError, Context, Kind, Leaving};
use crate::diff::{Delta, Place};
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "drop_index",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let going = match delta {
        Delta::IndexRemoved(at, index) => Going {
            at,
            index: index.clone(),
            kind: "index",
            alteration: Alteration::DropIndex(index.name.clone()),
        },
        Delta::UniqueRemoved(at, unique) => Going {
            at,
            index: Index {
                name: unique.name.clone(),
                columns: unique.columns.clone(),
                include: unique.include.clone(),
                unique: true,
                ..Index::default()
            },
            kind: "unique constraint",
            alteration: Alteration::DropUnique(unique.name.clone()),
        },
        _ => return Ok(None),
    };
    if going.index.unique
        && let Some(change) = before_it_refuses(context, &going)
    {
        return Ok(Some(change));
    }
    let change = going.described(Route::ExpandContract);
    let is_deferrable = matches!(delta, Delta::UniqueRemoved(_, unique) if unique.deferrable);
    let Going {
        at,
        index,
        alteration,
        ..
    } = going;
    let goes = |column: &String| context.goes(&at.table, column);
    let mut stored = index.columns.iter().chain(&index.include);
    if let Some(column) = stored.find(|column| goes(column)) {
        let reason = format!("{} goes with {}.{column}", index.name, at.table);
        let change = change.because(Phase::Contract, reason.clone());
        let goes_along = matches!(alteration, Alteration::DropIndex(_))
            || context.dialect.capabilities().drop_column_drops_indexes;
        return Ok(Some(if goes_along {
            change
        } else {
            change.alter_for_good(Section::Drop, at, alteration, reason)
        }));
    }
    let named = context.expressed(&index);
    if let Some(column) = named.iter().find(|column| goes(column)) {
        let reason = format!("{} names {}.{column}, which is gone", index.name, at.table);
        return Ok(Some(
            change
                .because(Phase::Contract, reason.clone())
                .alter_for_good(Section::Drop, at, alteration, reason),
        ));
    }
    let change = change
        .because(
            Phase::Contract,
            format!("queries of old code may need {}", index.name),
        )
        .alter(Section::Drop, at, alteration);
    Ok(Some(
        if index.unique && index.predicate.is_none() && !is_deferrable {
            taking_along(context, change, &index.columns)
        } else {
            change
        },
    ))
}

/// What goes; a unique constraint as the index that it stands on.
struct Going<'a> {
    at: &'a Place,
    index: Index,
    kind: &'static str,
    alteration: Alteration,
}

impl Going<'_> {
    fn described(&self, route: Route) -> Change {
        let (kind, table) = (self.kind, &self.at.table);
        let line = format!("drop the {kind} `{}` of `{table}`", self.index.name);
        Change::new(self.at, route, line)
    }
}

/// A unique index on columns that go, which by their values would refuse what new code writes.
fn before_it_refuses(context: &Context<'_>, going: &Going<'_>) -> Option<Change> {
    let (at, index) = (going.at, &going.index);
    let named = context.indexed(index);
    let leaving = |way| {
        let mut named = named.iter();
        named.find(|column| context.leaving(&at.table, column) == Some(way))
    };
    let alteration = going.alteration.clone();
    if let Some(column) = leaving(Leaving::Dropped) {
        if is_left_null(context, &at.table, column) && named == [column.clone()] {
            return None;
        }
        let reason = format!(
            "new code does not write {}.{column} any more: by its values {} would refuse writes",
            at.table, index.name
        );
        return Some(
            going
                .described(Route::Direct)
                .because(Phase::Expand, reason)
                .alter(Section::Expand, at, alteration),
        );
    }
    let column = leaving(Leaving::Replaced)?;
    let reason = format!(
        "{}.{column} is stale once writes leave it: by its values {} would refuse writes",
        at.table, index.name
    );
    Some(
        going
            .described(Route::FivePhases)
            .because(Phase::Contract, reason)
            .alter(Section::Release, at, alteration),
    )
}

/// Rows that new code inserts have NULL in the column, which no unique index takes for a duplicate.
fn is_left_null(context: &Context<'_>, table: &str, column: &str) -> bool {
    let before = context.before(table);
    before
        .and_then(|before| before.column(column))
        .is_some_and(|column| column.nullable && column.default.is_none())
}
