//! Which columns tell the rows of a table apart, whichever code has written them.
//!
//! Comes in: the tables as both forms of the code know them. Goes out: places of columns whose values the load never changes.
//! Must not know: rows.

use zdm_runtime::manifest::Moved;

use super::table::{Side, Tab};
use crate::pipeline::rehearsed::Form;

/// Has the rows of a table whose key becomes another one known by the key that both codes know; `false`: there is none.
pub(super) fn by_a_key_of_both(tab: &mut Tab) -> bool {
    for of in [Form::Old, Form::New] {
        let to = if of == Form::Old {
            Form::New
        } else {
            Form::Old
        };
        let Some(key) = tab.side(of).map(Side::key) else {
            continue;
        };
        let across: Option<Vec<usize>> = key.iter().map(|place| tab.across(of, *place)).collect();
        let Some(across) = across else { continue };
        let counted = |place: &usize| {
            let side = tab.side(to);
            side.is_some_and(|side| side.columns[*place].auto)
        };
        // Code that does not know the column as its key is not told what the database has counted.
        let own = tab.side(to).map(Side::key).unwrap_or_default();
        if own != across && across.iter().any(counted) {
            continue;
        }
        tab.identity = match of {
            Form::Old => [key, across],
            Form::New | Form::Final => [across, key],
        };
        return true;
    }
    false
}

/// Has the rows of the table that belong to rows of another one known by the key of those.
pub(super) fn by_the_key_of_main(part: &mut Tab, moved: &Moved) {
    let places = |form: Form| -> Vec<usize> {
        let names = moved.key.iter().map(|(_, name)| name.as_str());
        let side = part.side(form);
        names
            .filter_map(|name| side.and_then(|side| side.place(name)))
            .collect()
    };
    part.identity = [places(Form::Old), places(Form::New)];
}
