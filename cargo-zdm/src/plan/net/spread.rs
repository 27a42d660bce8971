//! The net of each table with pairs, put into the changes that bring them.
//!
//! Comes in: recognised changes. Goes out: the same with triggers before the first write of both sides, until old goes.
//! Must not know: statements.

use std::collections::BTreeSet;

use zdm_runtime::phase::{Phase, Section};

use super::{Net, Netting};
use crate::changes::{Change, ChangeError, own_name};
use crate::dialect::ExpressionError;
use crate::diff::Place;
use crate::plan::{Alteration, Columns, Drafted, Naming, Pair, Request};

/// Puts them in, or says why a table can have none.
pub(in crate::plan) fn spread(
    request: &Request<'_>,
    changes: &mut [Change],
) -> Result<(), Vec<ChangeError>> {
    if !request.nets {
        return Ok(());
    }
    let tables: BTreeSet<String> = changes
        .iter()
        .filter(|change| change.pair.is_some())
        .map(|change| change.table.clone())
        .collect();
    let mut refused = uncallable(changes);
    for table in tables {
        refused.extend(under(request, &table, changes).err());
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(refused)
    }
}

/// Columns that no trigger can fill: a row of a writer outside would wait for a backfill that has ended, and be refused by NOT NULL.
fn uncallable(changes: &[Change]) -> Vec<ChangeError> {
    let pairs = changes.iter().filter_map(|change| change.pair.as_ref());
    let refused = pairs.filter_map(|pair| {
        let function = pair.with.as_ref()?;
        Some(ChangeError::Declaration {
            at: Box::new(Place {
                table: pair.table.clone(),
                source: pair.new.source.clone(),
            }),
            subject: format!("{}.{}", pair.table, pair.new.name),
            problem: format!(
                "others write this database (`dual_write = \"both\"`), and no trigger can call {}: their rows would have no value",
                function.path
            ),
            way_on: "Compute it with SQL, by `up`; or leave `dual_write` out, where all that writes this table gives the value by itself"
                .to_owned(),
        })
    });
    refused.collect()
}

fn under(request: &Request<'_>, table: &str, changes: &mut [Change]) -> Result<(), ChangeError> {
    let of_table = changes.iter().filter(|change| change.table == table);
    let pairs: Vec<Pair> = of_table.filter_map(|change| change.pair.clone()).collect();
    let pairs: Vec<&Pair> = pairs.iter().collect();
    let name = own_name(request.id, table, "_caught");
    let source = |changes: &[Change]| {
        let mut changes = changes.iter().filter(|change| change.table == table);
        let first = changes.find_map(|change| change.alterations.first());
        first.map(|first| first.source.clone()).unwrap_or_default()
    };
    let at = Place {
        table: table.to_owned(),
        source: source(changes),
    };
    let generated: Vec<&str> = request
        .to
        .tables
        .iter()
        .filter(|declared| declared.name == table)
        .flat_map(|declared| &declared.columns)
        .filter(|column| column.generated.is_some())
        .map(|column| column.name.as_str())
        .collect();
    let net = |renames: &[(String, String)]| {
        let own = (request.id, name.as_str());
        Net::of(request.dialect, own, &pairs, &generated, renames)
            .map_err(|source| not_understood(&at, source))
    };
    let Some(first) = net(&[])? else {
        return Ok(());
    };
    if let Err(reason) = request.dialect.statement("create_net") {
        return Err(ChangeError::Declaration {
            subject: table.to_owned(),
            problem: format!("`dual_write = \"both\"` asks for a trigger that keeps its two sides: {reason}"),
            way_on: "Leave `dual_write` out of zdm.toml: generated code writes both sides, and every verification finds what else was \
                     written"
                .to_owned(),
            at: Box::new(at),
        });
    }
    let mut before = first.clone();
    let mut renames: Vec<(String, String)> = Vec::new();
    for columns in renamings(table, changes) {
        renames.extend(columns.renames.iter().cloned());
        if let Some(after) = net(&renames)? {
            columns.nets = Some(Box::new((before, after.clone())));
            before = after;
        }
    }
    if let Some(change) = changes
        .iter_mut()
        .find(|change| change.table == table && change.pair.is_some())
    {
        hang(change, &at, first);
    }
    Ok(())
}

/// What gives columns of the table other names, in the order of execution.
fn renamings<'a>(
    table: &'a str,
    changes: &'a mut [Change],
) -> impl Iterator<Item = &'a mut Columns> {
    let alterations = changes
        .iter_mut()
        .flat_map(|change| &mut change.alterations);
    let of_table = alterations.filter(move |drafted| drafted.table == table);
    of_table.filter_map(|drafted| match &mut drafted.alteration {
        Alteration::Name(Naming::Columns(columns)) => Some(columns),
        _ => None,
    })
}

fn hang(change: &mut Change, at: &Place, net: Net) {
    change.reasons.push((
        Phase::DualWrite,
        format!(
            "a trigger on {} gives a row its other side, whoever writes one alone (`dual_write = \"both\"`)",
            at.table
        ),
    ));
    // What had nothing to do there has something now.
    if !change
        .reasons
        .iter()
        .any(|(phase, _)| *phase == Phase::Contract)
    {
        change.reasons.push((
            Phase::Contract,
            "the trigger goes when no code of the transition is left".to_owned(),
        ));
    }
    let drafted = |section, netting, no_way_back| Drafted {
        section,
        table: at.table.clone(),
        alteration: Alteration::Net(netting),
        no_way_back,
        late: false,
        source: at.source.clone(),
    };
    let reason = format!("no code of the transition writes {} any more", at.table);
    change.alterations.extend([
        drafted(Section::DualWrite, Netting::Keep(net.clone()), None),
        drafted(Section::Drop, Netting::Leave(net), Some(reason)),
    ]);
}

fn not_understood(at: &Place, source: ExpressionError) -> ChangeError {
    ChangeError::Expression {
        at: Box::new(at.clone()),
        subject: at.table.clone(),
        attribute: "up".to_owned(),
        source: Box::new(source),
    }
}
