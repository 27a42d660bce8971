//! An enum that comes, gets values, or goes.

use zdm_model::{Enumeration, Schema};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::conversion::casts;
use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::exchange::keeps_order;
use crate::plan::{Alteration, EnumValue, Exchange, Naming};

pub(super) const KIND: Kind = Kind {
    name: "change_enum",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    Ok(match delta {
        Delta::EnumAdded(found) => Some(created(context, found)),
        Delta::EnumRemoved(found) => Some(dropped(context, found)),
        Delta::EnumChanged(old, new) if keeps_order(&old.values, &new.values) => {
            Some(extended(context, old, new))
        }
        Delta::EnumChanged(old, new) if context.dialect.capabilities().enum_types => {
            let mut exchanges = context.exchanges.iter();
            let exchange = exchanges.find(|exchange| exchange.new.name == new.name);
            exchange.map(|exchange| exchanged(context, exchange, old, new))
        }
        // The order of texts is that of their letters.
        Delta::EnumChanged(old, new)
            if old.values.iter().all(|value| new.values.contains(value)) =>
        {
            Some(extended(context, old, new))
        }
        _ => None,
    })
}

/// The change of an enum concerns the tables with a column of it.
fn described(schema: &Schema, found: &Enumeration, route: Route, line: String) -> (Place, Change) {
    let mut tables = schema.tables_with(found).map(|table| table.name.clone());
    let table = tables.next().unwrap_or_default();
    let at = Place {
        source: match found.source.as_str() {
            "" if table.is_empty() => format!("the enum {}", found.name),
            "" => format!("the columns of {table}"),
            source => source.to_owned(),
        },
        table,
    };
    let mut change = Change::new(&at, route, line);
    change.others = tables.collect();
    (at, change)
}

fn created(context: &Context<'_>, found: &Enumeration) -> Change {
    let line = format!("create the enum `{}`", found.name);
    let (at, change) = described(context.to, found, Route::Direct, line);
    change
        .because(
            Phase::Expand,
            format!("{} has to be there before a column that has it", found.name),
        )
        .in_schema_of(&found.name)
        .alter(Section::Expand, &at, Alteration::CreateEnum(found.clone()))
}

fn dropped(context: &Context<'_>, found: &Enumeration) -> Change {
    let line = format!("drop the enum `{}`", found.name);
    let (at, change) = described(context.from, found, Route::ExpandContract, line);
    change
        .because(
            Phase::Contract,
            format!("{} can go when its last column is gone", found.name),
        )
        .alter(Section::Drop, &at, Alteration::DropEnum(found.clone()))
}

fn extended(context: &Context<'_>, old: &Enumeration, new: &Enumeration) -> Change {
    let added: Vec<&String> = new
        .values
        .iter()
        .filter(|value| !old.values.contains(value))
        .collect();
    let shown: Vec<String> = added.iter().map(|value| format!("`{value}`")).collect();
    let shown = shown.join(", ");
    if added.is_empty() {
        let line = format!(
            "let the enum `{}` have its values in another order",
            new.name
        );
        return described(context.to, new, Route::Direct, line).1;
    }
    let line = format!("add {shown} to the enum `{}`", new.name);
    let (at, mut change) = described(context.to, new, Route::Direct, line);
    change = change.because(
        Phase::Expand,
        format!(
            "code from before cannot read {shown} of {}: write no such value before all instances run the new code. \
             What is added stays in the enum for good, also when expand is taken back",
            new.name
        ),
    );
    for (position, value) in new.values.iter().enumerate() {
        if old.values.contains(value) {
            continue;
        }
        // What stands before it is there by then: the values come in their order.
        let after = position.checked_sub(1).map(|before| &new.values[before]);
        let is_last = new.values[position..]
            .iter()
            .all(|value| !old.values.contains(value));
        let alteration = Alteration::AddEnumValue(EnumValue {
            name: new.name.clone(),
            value: value.clone(),
            after: after.filter(|_| !is_last).cloned(),
            before: old.values.first().filter(|_| after.is_none()).cloned(),
        });
        change = change.alter(Section::Expand, &at, alteration);
    }
    change
}

/// Another type beside it, whose name goes over as the names of its columns do.
fn exchanged(
    context: &Context<'_>,
    exchange: &Exchange,
    old: &Enumeration,
    new: &Enumeration,
) -> Change {
    let (interim, released) = (exchange.interim(), exchange.released());
    let line = format!("let the enum `{}` {}", new.name, what_changes(exchange));
    let (at, change) = described(context.from, old, Route::FivePhases, line);
    let at = Place {
        source: new.source.clone(),
        ..at
    };
    let mut change = change
        .because(
            Phase::Expand,
            format!(
                "no database takes values out of an enum or moves them, so another type {interim} comes beside {}",
                old.name
            ),
        )
        .because(
            Phase::Contract,
            format!(
                "{interim} takes the name {} when the code that knows the old type by it has gone; that of the transition \
                 makes values by functions, which know both types by themselves",
                old.name
            ),
        );
    let created = Enumeration {
        name: interim.clone(),
        ..new.clone()
    };
    change = change.alter(Section::Expand, &at, Alteration::CreateEnum(created));
    for cast in casts(context, exchange) {
        change = change
            .alter(
                Section::Expand,
                &at,
                Alteration::Name(Naming::CreateCast(cast.clone())),
            )
            .alter_for_good(
                Section::Drop,
                &at,
                Alteration::Name(Naming::DropCast(cast)),
                "code of the transition makes values by it, and no other does".to_owned(),
            );
    }
    let renames = vec![
        (old.name.clone(), released.clone()),
        (interim, old.name.clone()),
    ];
    let dropped = Enumeration {
        name: released,
        ..old.clone()
    };
    change
        .alter(
            Section::Release,
            &at,
            Alteration::Name(Naming::Types(renames)),
        )
        .late()
        .alter_for_good(
            Section::Drop,
            &at,
            Alteration::DropEnum(dropped),
            format!("the columns of {} that had it are gone", old.name),
        )
}

/// In plain English: "have `unhappy` in the place of `sad`".
fn what_changes(exchange: &Exchange) -> String {
    let others = exchange.up.iter().filter(|(from, to)| from != to);
    let others: Vec<String> = others
        .map(|(from, to)| format!("`{to}` in the place of `{from}`"))
        .collect();
    if others.is_empty() {
        "have its values in another order".to_owned()
    } else {
        format!("have {}", others.join(", "))
    }
}
