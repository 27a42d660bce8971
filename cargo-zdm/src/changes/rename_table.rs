//! A table under another name.

use zdm_model::names;
use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::{Delta, Place};
use crate::plan::{Alteration, Naming};

pub(super) const KIND: Kind = Kind {
    name: "rename_table",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::TableRenamed(at, name) = delta else {
        return Ok(None);
    };
    refuse(context, at, name)?;
    let old = &at.table;
    let mut change = Change::new(
        at,
        Route::ExpandContract,
        format!("rename the table `{old}` to `{name}`"),
    )
    .because(
        Phase::Expand,
        format!("new code names {name} while old code names {old}: a view has the new name"),
    )
    .because(
        Phase::Contract,
        format!("the table takes its new name when no instance names {old}"),
    )
    .alter(
        Section::Drop,
        at,
        Alteration::Name(Naming::Table(name.clone())),
    )
    .late();
    change.others.push(name.clone());
    Ok(Some(change))
}

fn refuse(context: &Context<'_>, at: &Place, name: &str) -> Result<(), ChangeError> {
    let old = &at.table;
    let refused = |problem: String, way_on: String| {
        Err(ChangeError::Declaration {
            at: Box::new(at.clone()),
            subject: name.to_owned(),
            problem,
            way_on,
        })
    };
    let keep = || {
        let old = names::bare(old);
        format!("Keep the table's name under the struct's new one: `table = \"{old}\"`")
    };
    if !context.dialect.capabilities().renaming_views {
        let vendor = context.dialect.vendor();
        let problem = format!(
            "old code names {old}, new code {name}, and {vendor} has no view that takes writes"
        );
        return refused(problem, keep());
    }
    let Some(after) = context.to.table(old) else {
        return Ok(());
    };
    if after.written_columns().all(|column| column.auto) {
        let problem =
            "its rows are nothing but the number that the table counts, which a view does not know";
        return refused(problem.to_owned(), keep());
    }
    let mut columns = after.columns.iter();
    match columns.find(|column| context.arrives_in_phases(old, &column.name)) {
        None => Ok(()),
        Some(column) => refused(
            format!(
                "its {} arrives in five phases, by statements that name the table: they would have to name both",
                column.name
            ),
            "Rename the table in a version of its own, before or after this one".to_owned(),
        ),
    }
}
