//! Another comment on what stays.

use zdm_runtime::manifest::Route;
use zdm_runtime::phase::{Phase, Section};

use super::{Change, ChangeError, Context, Kind};
use crate::diff::Delta;
use crate::plan::Alteration;

pub(super) const KIND: Kind = Kind {
    name: "change_comment",
    claim,
};

#[expect(clippy::unnecessary_wraps, reason = "every kind may refuse")]
fn claim(_: &Context<'_>, delta: &Delta) -> Result<Option<Change>, ChangeError> {
    let Delta::CommentChanged(at, column, comment) = delta else {
        return Ok(None);
    };
    let subject = match column {
        Some(column) => format!("{}.{column}", at.table),
        None => at.table.clone(),
    };
    let line = match comment {
        Some(_) => format!("comment on `{subject}`"),
        None => format!("take the comment on `{subject}` away"),
    };
    Ok(Some(
        Change::new(at, Route::Direct, line)
            .because(Phase::Expand, "comments are for people alone")
            .alter(
                Section::Expand,
                at,
                Alteration::SetComment(column.clone(), comment.clone()),
            ),
    ))
}
