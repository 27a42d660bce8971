//! A column that goes and that nothing replaces.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::expressions::Written;
use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "drop_column",
    claim,
};

fn claim(context: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::ColumnRemoved(at, column, default) = delta else {
        return Ok(None);
    };
    let subject = format!("{}.{}", at.table, column.name);
    let mut change = Change::new(
        at,
        Route::ExpandContract,
        format!("drop the column `{subject}`"),
    )
    .because(
        Phase::Contract,
        format!("{subject} can go only when no instance names it"),
    );
    let is_given = column.auto || column.generated.is_some();
    if !column.nullable && column.default.is_none() && !is_given {
        let Some(default) = default else {
            return Err(ChangeError::Declaration {
                at: Box::new(at.clone()),
                subject,
                problem: "it is NOT NULL and has no default, so inserts by new code would fail until it is gone"
                    .to_owned(),
                way_on: format!(
                    "Say what such rows carry for old code: `#[zdm(drops(\"{}\", default = \"{}\"))]`",
                    column.name,
                    context.dialect.example_of(column)
                ),
            });
        };
        Written {
            at,
            subject: &subject,
            attribute: "drops default",
            text: default,
        }
        .names_only(context.dialect, &[])?;
        let spelled = context.dialect.default_of(default);
        change = change
            .because(
                Phase::Expand,
                format!("new code inserts rows without {subject}, which is NOT NULL: they carry {default} for old code"),
            )
            .alter(
                Section::Expand,
                at,
                Alteration::SetDefault(column.name.clone(), Some(spelled)),
            );
    }
    Ok(Some(change.alter(
        Section::Drop,
        at,
        Alteration::DropColumn(column.name.clone()),
    )))
}
