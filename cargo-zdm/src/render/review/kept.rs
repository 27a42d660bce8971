//! What is renamed away in contract, for how long, and what maintains it.
//!
//! Comes in: the manifest's word on it. Goes out: Markdown.
//! Must not know: the other parts of the page.

use std::fmt::Write as _;

use zdm_runtime::manifest::Keep;

use super::cell;
use crate::plan::kept_name;

/// What becomes of old between contract and the end of the time.
pub(super) fn section(page: &mut String, keep: &Keep) {
    let _ = writeln!(
        page,
        "## Kept after contract\n\nContract renames old away (`5_contract/2_keep`), so that no code may name it any more; {} later it is \
         dropped (`5_contract/3_drop`). New rows and new values are written to it by a trigger as long as it is kept.\n\n\
         | old | is called until then | maintained |\n|---|---|---|",
        keep.window()
    );
    for (table, columns) in &keep.columns {
        for (column, kept) in columns {
            let of_it = |left: &&String| {
                let name = left.rsplit_once('.');
                name.is_some_and(|(of, own)| of == table && kept_name(own) == *kept)
            };
            let left = keep
                .left
                .keys()
                .find(of_it)
                .and_then(|left| keep.left.get(left));
            let maintained = match left {
                None => "yes".to_owned(),
                Some(reason) => format!("no, it stays as it is: {}", cell(reason)),
            };
            let _ = writeln!(page, "| `{table}.{column}` | `{kept}` | {maintained} |");
        }
    }
    for (table, kept) in &keep.tables {
        let _ = writeln!(
            page,
            "| `{table}` | `{kept}` | no, it stays as it is: nothing takes its place |"
        );
    }
    page.push('\n');
}
