//! A column that replaces others: a rename, another type, a merge.

use zdm_model::{Column, FinalName, ForeignKey, Table, names};
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::conversion::{Conversion, Way};
use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, ColumnShape, Function, Naming, Pair, column_shape};

pub(super) const KIND: Kind = Kind {
    name: "replace_column",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::ColumnReplaced { at, old, new } = delta else {
        return Ok(None);
    };
    let (Some(table), Some(transition)) = (context.before(&at.table), &new.transition) else {
        return Ok(None);
    };
    for column in old {
        refuse_what_the_database_writes(at, table, column)?;
    }
    refuse_what_the_database_would_write(context, at, new)?;
    let final_name = transition.final_name.as_ref();
    if let Some(names) = final_name.filter(|_| !context.dialect.capabilities().renaming_views) {
        return Err(no_view(context, at, names));
    }
    let way = Way {
        context,
        at,
        table,
        old,
        new,
        transition,
    };
    if let Some(names) = final_name {
        refuse_what_has_the_name(context, at, table, names)?;
    }
    let Conversion { pair, function } = way.replacing()?;
    let names: Vec<&str> = old.iter().map(|column| column.name.as_str()).collect();
    let old_names = format!("{}.{}", at.table, names.join(", "));
    let new_name = format!("{}.{}", at.table, new.name);
    let line = line(&pair, transition.renamed);
    let mut change = Change::new(at, Route::FivePhases, line)
        .because(
            Phase::Expand,
            "new columns stand beside the old ones before any code writes them",
        )
        .because(
            Phase::DualWrite,
            "old and new instances run side by side, so every write keeps both sides",
        )
        .because(Phase::Backfill, "rows from before have no new side yet")
        .because(
            Phase::SwitchReads,
            "readers move to the new side once every row agrees",
        )
        .because(
            Phase::Contract,
            "old columns go only when no instance names them",
        );
    if pair.is_one_way() {
        change = change.because(
            Phase::DualWrite,
            format!("nothing computes {old_names} from {new_name} (`one_way`), so every write takes both values"),
        );
    }
    for column in old {
        if new.nullable && !column.nullable && !pair.is_one_way() {
            change = change.because(
                Phase::DualWrite,
                format!(
                    "a write of NULL to {new_name} needs a value for {}.{}, which is NOT NULL: `down` has to give one",
                    at.table, column.name
                ),
            );
        }
    }
    change = arrive(context, change, at, (old, new), function.as_ref());
    if pair.leads() {
        change = leave(change, at, old, final_name);
    }
    change = sealed(context, change, at, &pair);
    if let Some(names) = final_name {
        change = change.because(
            Phase::Contract,
            format!(
                "{} takes the name {} when every write goes through the view, which knows both columns by the names that \
                 they had",
                names.interim, names.last
            ),
        );
    }
    if let Some(function) = function {
        change = change.alter_for_good(
            Section::Drop,
            at,
            Alteration::DropFunction(function),
            format!("{old_names}, which it reads, is gone"),
        );
    }
    change.pair = Some(pair);
    Ok(Some(change))
}

/// What happens, for people.
fn line(pair: &Pair, renamed: bool) -> String {
    let (table, new) = (&pair.table, &pair.new.name);
    let old: Vec<String> = pair
        .old
        .iter()
        .map(|old| format!("`{table}.{}`", old.name))
        .collect();
    let old = old.join(", ");
    let (verb, word) = if renamed {
        ("rename", "to")
    } else {
        ("replace", "by")
    };
    let taken_over = pair.final_name().map_or_else(String::new, |names| {
        format!(", which is called `{}` in the end", names.last)
    });
    if pair.split.is_empty() {
        return format!("{verb} {old} {word} `{new}`{taken_over}");
    }
    let parts: Vec<String> = pair
        .split
        .iter()
        .map(|part| format!("`{}`", part.column.name))
        .collect();
    format!("split {old} into {}: the column `{new}`", parts.join(", "))
}

/// Expand and switch_reads of a column that arrives in five phases, with the columns that it replaces and the function that `up` calls.
pub(super) fn arrive(
    context: &Context<'_>,
    mut change: Change,
    at: &Place,
    (old, new): (&[Column], &Column),
    function: Option<&Function>,
) -> Change {
    if let Some(function) = function {
        let create = Alteration::CreateFunction(function.clone());
        change = change.alter(Section::Expand, at, create);
    }
    let mut bare = column_shape(new, context.dialect);
    bare.nullable = true;
    bare.rights_of = old.iter().map(|column| column.name.clone()).collect();
    let default = bare.default.take();
    change = change
        .alter(Section::Expand, at, Alteration::AddColumn(bare))
        .comment(Section::Expand, at, new);
    if default.is_some() {
        change = change.alter(
            Section::SwitchReads,
            at,
            Alteration::SetDefault(new.name.clone(), default),
        );
    }
    if !new.nullable {
        change = change.alter(
            Section::SwitchReads,
            at,
            Alteration::SetNotNull(new.name.clone()),
        );
    }
    change
}

/// What says whether the sides agree, where no SQL computes the one from the other: it comes with new and goes with old.
fn sealed(context: &Context<'_>, change: Change, at: &Place, pair: &Pair) -> Change {
    let (Some(seal), Some(function)) = (&pair.seal, &pair.with) else {
        return change;
    };
    let reason = format!(
        "no SQL computes {table}.{} as {} does: {table}.{seal} says what both sides of a row were when somebody last wrote both",
        pair.new.name,
        function.path,
        table = at.table,
    );
    let column = sealing(context, seal, &pair.old);
    change
        .because(Phase::Expand, reason)
        .alter(Section::Expand, at, Alteration::AddColumn(column))
        .alter(Section::Drop, at, Alteration::DropColumn(seal.clone()))
}

/// The column for seals: whoever may write the sides alone has to write it too.
fn sealing(context: &Context<'_>, seal: &str, old: &[Column]) -> ColumnShape {
    ColumnShape {
        name: seal.to_owned(),
        sql_type: context.dialect.seal_type().to_owned(),
        nullable: true,
        auto: false,
        counted: None,
        default: None,
        generated: None,
        is_virtual: false,
        comment: None,
        rights_of: old.iter().map(|column| column.name.clone()).collect(),
    }
}

/// Contract of the columns that go. Code at `complete` no longer names them: a NOT NULL without a default would refuse
/// its inserts.
fn leave(mut change: Change, at: &Place, old: &[Column], final_name: Option<&FinalName>) -> Change {
    for column in old {
        if !column.nullable && column.default.is_none() {
            change = change.alter(
                Section::Release,
                at,
                Alteration::DropNotNull(column.name.clone()),
            );
        }
    }
    for column in old {
        let released = final_name.filter(|names| names.last == column.name);
        let name =
            released.map_or_else(|| column.name.clone(), |names| names::released(&names.last));
        change = change.alter(Section::Drop, at, Alteration::DropColumn(name));
    }
    if let Some(names) = final_name {
        change = exchange_names(change, at, names);
    }
    change
}

/// The new column takes the old one's name. It comes after all that is released by its name.
fn exchange_names(change: Change, at: &Place, names: &FinalName) -> Change {
    let (interim, last) = (names.interim.clone(), names.last.clone());
    let renames = vec![(last.clone(), names::released(&last)), (interim, last)];
    change
        .alter(
            Section::Release,
            at,
            Alteration::Name(Naming::Columns(renames.into())),
        )
        .late()
}

/// Between release and drop the old column has a name of its own, under which nothing else may be found.
fn refuse_what_has_the_name(
    context: &Context<'_>,
    at: &Place,
    before: &Table,
    names: &FinalName,
) -> Result<(), ChangeError> {
    let released = names::released(&names.last);
    let after = context.to.table(&at.table);
    let is_taken = [Some(before), after]
        .into_iter()
        .flatten()
        .any(|table| table.column(&released).is_some());
    if !is_taken && names.interim != released {
        return Ok(());
    }
    Err(ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: format!("{}.{}", at.table, names.last),
        problem: format!(
            "the old column is called {released} until it is dropped, and another one would be as well"
        ),
        way_on: if names.interim == released {
            "Choose another name for the time until then with `column = \"…\"`".to_owned()
        } else {
            format!("Rename or drop {released} in a version before")
        },
    })
}

fn no_view(context: &Context<'_>, at: &Place, names: &FinalName) -> ChangeError {
    ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: format!("{}.{}", at.table, names.last),
        problem: format!(
            "columns exchange their names behind a view that takes writes, and {} has none",
            context.dialect.vendor()
        ),
        way_on: format!(
            "Leave `final_name` out and let the column live on under its own name: `column = \"{}\"`",
            names.interim
        ),
    }
}

/// A column that the database itself writes cannot be kept equal to another by the application's writes.
fn refuse_what_the_database_writes(
    at: &Place,
    table: &Table,
    column: &Column,
) -> Result<(), ChangeError> {
    let subject = format!("{}.{}", table.name, column.name);
    if let Some((key, action)) = set_by(table, column) {
        return Err(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject,
            problem: format!(
                "the foreign key {} changes it ({action}) without any of your code, so the new column would \
                 keep the old value",
                key.name
            ),
            way_on: "Drop that action first, in a version of its own, and let the application write the change"
                .to_owned(),
        });
    }
    if let Some(expression) = &column.generated {
        return Err(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject,
            problem: format!(
                "the database computes it (`{expression}`), so no write could keep it beside the new column"
            ),
            way_on: format!(
                "Let the new column come by itself, `#[zdm(up = \"{}\")]` without `from`, and drop `{}` in a later version",
                column.name, column.name
            ),
        });
    }
    if table.primary_key.contains(&column.name) || column.auto {
        return Err(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject,
            problem: "it is part of the key, by which the backfill walks through the table"
                .to_owned(),
            way_on: if table.primary_key.contains(&column.name) {
                super::grow_key::instead(&column.name)
            } else {
                "Keep it; a new table can take the rows over".to_owned()
            },
        });
    }
    Ok(())
}

/// The same of the new column, which its foreign key would change while the old one is kept beside it.
fn refuse_what_the_database_would_write(
    context: &Context<'_>,
    at: &Place,
    new: &Column,
) -> Result<(), ChangeError> {
    let after = context.to.table(&at.table);
    let Some((key, action)) = after.and_then(|table| set_by(table, new)) else {
        return Ok(());
    };
    Err(ChangeError::Declaration {
        at: Box::new(at.clone()),
        subject: format!("{}.{}", at.table, new.name),
        problem: format!(
            "the foreign key {} would change it ({action}) without any of your code, so the old column would keep \
             the old value",
            key.name
        ),
        way_on: "Leave that action out until the old column is gone, and let the application write the change; add it \
                 in a version of its own, under another name"
            .to_owned(),
    })
}

/// The foreign key that writes the column when the referenced row is deleted or changed, and on what.
fn set_by<'a>(table: &'a Table, column: &Column) -> Option<(&'a ForeignKey, String)> {
    let mut keys = table.foreign_keys.iter();
    keys.find_map(|key| Some((key, key.sets(&column.name)?)))
}
