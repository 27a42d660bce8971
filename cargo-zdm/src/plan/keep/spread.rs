//! What goes in contract, put into the changes as what is kept first and goes later.
//!
//! Comes in: recognised changes. Goes out: the same with a rename in the place of each drop, the drop behind it, and a trigger between
//! the two; or why that cannot be.
//! Must not know: statements.

use std::collections::{BTreeMap, BTreeSet};

use zdm_model::names;
use zdm_runtime::manifest::Keep;
use zdm_runtime::phase::{Phase, Section};

use super::{Keeping, Kept, Upkeep, kept_name};
use crate::changes::{Change, ChangeError, own_name};
use crate::diff::Place;
use crate::plan::{Alteration, Drafted, Naming, Net, Netting, Pair, Request};

/// How to go on without.
const WITHOUT: &str = "`cargo zdm generate --no-keep`: contract of this version drops old at once, and nothing brings it back";

/// Puts it in, or says why contract of this version cannot be taken back. `None` where nothing goes, or nobody asked for it.
pub(in crate::plan) fn spread(
    request: &Request<'_>,
    changes: &mut [Change],
) -> Result<Option<Keep>, Vec<ChangeError>> {
    let Some(seconds) = request.keep else {
        return Ok(None);
    };
    let goes = |drafted: &&Drafted| {
        drafted.section == Section::Drop
            && matches!(
                drafted.alteration,
                Alteration::DropColumn(_) | Alteration::DropTable(_)
            )
    };
    let alterations = changes.iter().flat_map(|change| &change.alterations);
    let going: Vec<Drafted> = alterations.filter(goes).cloned().collect();
    let Some(first) = going.first() else {
        return Ok(None);
    };
    if let Err(reason) = request.dialect.statement("keep_columns") {
        return Err(vec![refused(
            first,
            first.table.clone(),
            format!("`keep` asks for a way back from contract: {reason}"),
        )]);
    }
    let mut mistakes = obstacles(request, changes);
    let mut keep = Keep {
        seconds,
        ..Keep::default()
    };
    for drafted in &going {
        if let Err(mistake) = name(request, drafted, changes, &mut keep) {
            mistakes.push(mistake);
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut nets = put_off(changes, &keep);
    let tables: Vec<String> = keep.columns.keys().cloned().collect();
    for table in &tables {
        let net = nets.remove(table);
        hang(request, (table, net), changes, &mut keep).map_err(|mistake| vec![mistake])?;
    }
    Ok(Some(keep))
}

fn refused(drafted: &Drafted, subject: String, problem: String) -> ChangeError {
    ChangeError::Declaration {
        at: Box::new(Place {
            table: drafted.table.clone(),
            source: drafted.source.clone(),
        }),
        subject,
        problem,
        way_on: format!("Leave `keep` out of zdm.toml, or {WITHOUT}"),
    }
}

/// What contract does besides that could not be taken back, or would keep new code waiting until the time is over.
fn obstacles(request: &Request<'_>, changes: &[Change]) -> Vec<ChangeError> {
    let mut found = Vec::new();
    for change in changes {
        let (Some(first), Some(pair)) = (change.alterations.first(), &change.pair) else {
            continue;
        };
        if pair.seal.is_some() {
            found.push(refused(
                first,
                format!("{}.{}", pair.table, pair.new.name),
                "`keep` asks for a way back from contract, and a Rust function (`with`) gives it its value: what old was when it did would \
                 not be kept up to date"
                    .to_owned(),
            ));
        }
    }
    for drafted in changes.iter().flat_map(|change| &change.alterations) {
        let is_exchange = matches!(drafted.alteration, Alteration::Name(Naming::Types(_)));
        if is_exchange || drafted.section == Section::Drop && !waits(request, drafted) {
            let what = drafted.alteration.summary(&drafted.table);
            found.push(refused(
                drafted,
                drafted.table.clone(),
                format!(
                    "`keep` asks for a way back from contract, and contract also does what can neither be taken back nor put off: {what}"
                ),
            ));
        }
    }
    found
}

/// Whether it may be there as long as old is, or goes with it and comes back.
fn waits(request: &Request<'_>, drafted: &Drafted) -> bool {
    match &drafted.alteration {
        Alteration::DropColumn(_)
        | Alteration::DropFunction(_)
        | Alteration::DropEnum(_)
        // A name that is free when the old column is gone.
        | Alteration::Rename(..)
        | Alteration::Net(Netting::Leave(_)) => true,
        // A foreign key would hold the rows of others as long as the table is kept.
        Alteration::DropTable(references) => !references && !is_referenced(request, &drafted.table),
        // Of which new code knows nothing: a unique one would refuse what it writes.
        Alteration::DropIndex(name) => {
            let table = request.from.table(&drafted.table);
            let mut indexes = table.into_iter().flat_map(|table| &table.indexes);
            indexes.any(|index| index.name == *name && !index.unique)
        }
        _ => false,
    }
}

fn is_referenced(request: &Request<'_>, table: &str) -> bool {
    let mut keys = request
        .from
        .tables
        .iter()
        .flat_map(|other| &other.foreign_keys);
    keys.any(|key| key.references == table)
}

/// The name under which it is kept, which nothing else may have.
fn name(
    request: &Request<'_>,
    drafted: &Drafted,
    changes: &[Change],
    keep: &mut Keep,
) -> Result<(), ChangeError> {
    let taken = |subject: String, name: &str| {
        Err(refused(
            drafted,
            subject,
            format!("it would be kept as {name} after contract, and another one is called so"),
        ))
    };
    let table = &drafted.table;
    let sides = || [request.from, request.to].into_iter();
    let Alteration::DropColumn(column) = &drafted.alteration else {
        let bare = kept_name(names::bare(table));
        let kept = match names::schema_of(table) {
            Some(schema) => format!("{schema}.{bare}"),
            None => bare,
        };
        let is_taken = sides().any(|schema| schema.table(&kept).is_some());
        if is_taken || keep.tables.values().any(|other| *other == kept) {
            return taken(table.clone(), &kept);
        }
        keep.tables.insert(table.clone(), kept);
        return Ok(());
    };
    let own = released(changes, table, column).unwrap_or(column);
    let kept = kept_name(own);
    let mut tables = sides().filter_map(|schema| schema.table(table));
    let is_taken = tables.any(|table| table.column(&kept).is_some());
    let of_table = keep.columns.entry(table.clone()).or_default();
    if is_taken || of_table.iter().any(|(_, other)| *other == kept) {
        return taken(format!("{table}.{own}"), &kept);
    }
    of_table.push((column.clone(), kept));
    Ok(())
}

/// What a column was called until another took its name.
fn released<'a>(changes: &'a [Change], table: &str, column: &str) -> Option<&'a str> {
    let mut pairs = pairs(changes, table).filter_map(Pair::final_name);
    let names = pairs.find(|names| names::released(&names.last) == column)?;
    Some(&names.last)
}

fn pairs<'a>(changes: &'a [Change], table: &str) -> impl Iterator<Item = &'a Pair> {
    let pairs = changes.iter().filter_map(|change| change.pair.as_ref());
    pairs.filter(move |pair| pair.table == table)
}

/// What goes does so by the names under which it is kept, when the time is over; a net, whose columns have other names from then on,
/// goes with these and comes back. Until then nobody's write by the old names may miss it: these nets are given back, by table.
fn put_off(changes: &mut [Change], keep: &Keep) -> BTreeMap<String, Net> {
    let renamed = nets_after(changes);
    let nets = nets_of_kept(changes, keep, &renamed);
    for drafted in changes
        .iter_mut()
        .flat_map(|change| &mut change.alterations)
        .filter(|drafted| drafted.section == Section::Drop)
    {
        drafted.section = Section::DropKept;
        match &mut drafted.alteration {
            Alteration::DropColumn(column) => {
                if let Some(kept) = keep.column(&drafted.table, column) {
                    kept.clone_into(column);
                }
            }
            Alteration::DropTable(_) => {
                if let Some(kept) = keep.tables.get(&drafted.table) {
                    kept.clone_into(&mut drafted.table);
                }
            }
            Alteration::Net(Netting::Leave(net)) => {
                drafted.section = Section::Keep;
                drafted.no_way_back = None;
                if let Some(after) = renamed.get(&drafted.table) {
                    after.clone_into(net);
                }
            }
            _ => {}
        }
    }
    for change in &mut *changes {
        let tables: Vec<Drafted> = change
            .alterations
            .iter()
            .filter(|drafted| matches!(drafted.alteration, Alteration::DropTable(_)))
            .filter_map(|drafted| {
                let (before, kept) = keep
                    .tables
                    .iter()
                    .find(|(_, kept)| **kept == drafted.table)?;
                let away = Keeping::Table(before.clone(), kept.clone());
                Some(drafted_by(drafted, before, Section::Keep, away))
            })
            .collect();
        change.alterations.extend(tables);
    }
    nets
}

/// Takes the nets of tables out that keep columns.
fn nets_of_kept(
    changes: &mut [Change],
    keep: &Keep,
    renamed: &BTreeMap<String, Net>,
) -> BTreeMap<String, Net> {
    let mut nets = BTreeMap::new();
    for change in changes {
        change.alterations.retain(|drafted| {
            let Alteration::Net(Netting::Leave(net)) = &drafted.alteration else {
                return true;
            };
            let table = &drafted.table;
            if drafted.section != Section::Drop || !keep.columns.contains_key(table) {
                return true;
            }
            let by_then = renamed.get(table).unwrap_or(net);
            nets.insert(table.clone(), by_then.clone());
            false
        });
    }
    nets
}

/// The nets by the names that columns have once they were exchanged.
fn nets_after(changes: &[Change]) -> BTreeMap<String, Net> {
    let alterations = changes.iter().flat_map(|change| &change.alterations);
    let renamed = alterations.filter_map(|drafted| match &drafted.alteration {
        Alteration::Name(Naming::Columns(columns)) => {
            let (_, after) = columns.nets.as_deref()?;
            Some((drafted.table.clone(), after.clone()))
        }
        _ => None,
    });
    renamed.collect()
}

fn drafted_by(like: &Drafted, table: &str, section: Section, keeping: Keeping) -> Drafted {
    Drafted {
        section,
        table: table.to_owned(),
        alteration: Alteration::Keep(keeping),
        no_way_back: None,
        late: section == Section::Keep,
        source: like.source.clone(),
    }
}

/// The columns of a table get their names in one step, with what maintains them.
fn hang(
    request: &Request<'_>,
    (table, net): (&str, Option<Net>),
    changes: &mut [Change],
    keep: &mut Keep,
) -> Result<(), ChangeError> {
    let columns = keep.columns.get(table).cloned().unwrap_or_default();
    let names = names_by_then(changes, table, &columns);
    let of_table: Vec<&Pair> = pairs(changes, table).collect();
    let maintained: BTreeSet<&str> = of_table
        .iter()
        .filter(|pair| !pair.is_one_way())
        .flat_map(|pair| &pair.old)
        .map(|column| column.name.as_str())
        .collect();
    for (column, _) in &columns {
        let own = released(changes, table, column).unwrap_or(column);
        if maintained.contains(own) {
            continue;
        }
        let is_replaced = of_table
            .iter()
            .any(|pair| pair.old.iter().any(|old| old.name == own));
        let reason = if is_replaced {
            "`one_way`: nothing computes it from new"
        } else {
            "nothing takes its place: new rows have its default, or NULL"
        };
        keep.left
            .insert(format!("{table}.{own}"), reason.to_owned());
    }
    let own = (request.id, own_name(request.id, table, "_kept"));
    let upkeep = Upkeep::of(request.dialect, own, &of_table, &names).map_err(|source| {
        ChangeError::Expression {
            at: Box::new(Place {
                table: table.to_owned(),
                source: String::new(),
            }),
            subject: table.to_owned(),
            attribute: "down".to_owned(),
            source: Box::new(source),
        }
    })?;
    let window = keep.window();
    let Some((change, like)) = changes.iter_mut().find_map(|change| {
        let mut drafted = change.alterations.iter();
        let like = drafted.find(|drafted| {
            drafted.table == table && matches!(drafted.alteration, Alteration::DropColumn(_))
        });
        let like = like.cloned()?;
        Some((change, like))
    }) else {
        return Ok(());
    };
    change.reasons.push((
        Phase::Contract,
        format!("old columns of {table} are kept under other names for {window}, so that contract can be taken back"),
    ));
    let kept = Kept {
        renames: columns,
        upkeep: upkeep.clone(),
        net,
    };
    let away = drafted_by(&like, table, Section::Keep, Keeping::Away(kept));
    change.alterations.push(away);
    change.alterations.extend(
        upkeep.map(|upkeep| drafted_by(&like, table, Section::DropKept, Keeping::Leave(upkeep))),
    );
    Ok(())
}

/// What the columns that pairs name are called once old is kept: from, to.
fn names_by_then(
    changes: &[Change],
    table: &str,
    columns: &[(String, String)],
) -> Vec<(String, String)> {
    let kept = columns.iter().map(|(column, kept)| {
        let own = released(changes, table, column).unwrap_or(column);
        (own.to_owned(), kept.clone())
    });
    let taken_over = pairs(changes, table).filter_map(Pair::final_name);
    let taken_over = taken_over.map(|names| (names.interim.clone(), names.last.clone()));
    kept.chain(taken_over).collect()
}
