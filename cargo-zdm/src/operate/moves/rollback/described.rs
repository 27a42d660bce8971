//! What a way back will do, in a sentence.
//!
//! Comes in: a way, the manifest. Goes out: text.
//! Must not know: the database.

use zdm_runtime::manifest::Manifest;

use crate::operate::position::WayBack;
use crate::operate::session::Session;

/// What the way back will do. The undo of an expand names all that goes, that of contract whether anything leads further.
pub(super) fn describe(session: &Session, place: usize, way: WayBack) -> String {
    let mut text = way.describe().to_owned();
    let manifest = session.manifest(place);
    match way {
        WayBack::UndoExpand => text.push_str(&goes(manifest)),
        WayBack::BringBack if manifest.leads_back() => {
            text.push_str(", and what leads further back is open again");
        }
        WayBack::BringBack => {
            text.push_str(", and nothing leads further back: the migration is one-way (`one_way`)");
        }
        _ => {}
    }
    text
}

fn goes(manifest: &Manifest) -> String {
    let (mut alone, mut copies, mut stay) = (Vec::new(), Vec::new(), Vec::new());
    let mut goes = Vec::new();
    for (table, names) in &manifest.creates {
        if names.table {
            goes.push(format!("the table {table} with every row of {table}"));
            continue;
        }
        let columns = names.columns.iter();
        let stays = |column: &&String| {
            manifest.is_released(table, column) || manifest.is_another_name(table, column)
        };
        for column in columns.filter(|column| !stays(column)) {
            let name = format!("the column {table}.{column}");
            match manifest.pair_of(table, column) {
                Some(pair) if !pair.old.is_empty() => {
                    copies.push(name);
                    stay.extend(pair.old.iter().map(|old| format!("{table}.{}", old.column)));
                }
                _ => alone.push(name),
            }
        }
    }
    if !alone.is_empty() {
        let values = if alone.len() == 1 { "it" } else { "them" };
        goes.push(format!(
            "{} with every value in {values}",
            alone.join(" and ")
        ));
    }
    goes.extend(copies);
    let stay = match stay.len() {
        0 => String::new(),
        1 => format!("; {} stays", stay[0]),
        _ => format!("; {} stay", stay.join(" and ")),
    };
    if goes.is_empty() {
        return String::new();
    }
    format!(", which drops {}{stay}", goes.join(" and "))
}
