//! What other versions say: a name that is not free yet, a later version that stands on this one.

use super::super::Gate;
use super::super::finding::{names, open, shut};
use super::patience::span;
use crate::database::catalogue::Reference;
use crate::manifest::{Manifest, Route, shared};

/// An earlier version that is not contracted in this database.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    /// Its plan.
    pub version: &'a Manifest,
    /// Until when old is kept under another name, in milliseconds since 1970; `None`: it is there under its own.
    pub kept_until: Option<i64>,
}

/// What a later version has built on the same tables would go with them, and stay on record.
pub(in crate::gates) fn nothing_stands_on_it(version: &Manifest, later: &[&Manifest]) -> Gate {
    const NAME: &str = "nothing_stands_on_it";
    // The last one first: that is the order in which they are taken back.
    let Some(last) = standing_on(version, later).pop() else {
        return open(NAME, "no later version stands on its tables");
    };
    let reason = if last.stands_on(version) {
        format!("stands on {}", names(shared_tables(version, last)))
    } else if let Some(taken) = taken_from_under(last, version) {
        format!("takes away what a foreign key names that comes back: {taken}")
    } else {
        format!("stands on what stands on {}", version.folder())
    };
    shut(
        NAME,
        format!("{} is in this database and {reason}", last.folder()),
        format!(
            "`cargo zdm rollback {}` first, until nothing of it is left",
            last.name
        ),
    )
}

/// The later versions that have to be taken back first, in their order: those that stand on the version, and on these.
pub fn standing_on<'a>(version: &Manifest, later: &[&'a Manifest]) -> Vec<&'a Manifest> {
    let mut standing: Vec<&Manifest> = Vec::new();
    for later in later {
        let needs =
            |below: &Manifest| later.stands_on(below) || taken_from_under(later, below).is_some();
        if needs(version) || standing.iter().any(|below| needs(below)) {
            standing.push(later);
        }
    }
    standing
}

fn shared_tables<'a>(version: &'a Manifest, later: &'a Manifest) -> impl Iterator<Item = &'a str> {
    let tables = version.tables.iter().filter(|table| {
        let mut named = later.creates.values().flat_map(|names| &names.references);
        later.tables.contains(table) || named.any(|referenced| referenced == *table)
    });
    tables.map(String::as_str)
}

/// Rows that name a row of a table that goes would go with it, lose the name, or name nothing.
pub(in crate::gates) fn nothing_refers_to_it(references: &[Reference]) -> Gate {
    const NAME: &str = "nothing_refers_to_it";
    if references.is_empty() {
        return open(NAME, "no other table refers to a table that goes");
    }
    shut(
        NAME,
        Reference::listed(references),
        "take back the version that made it; or, if none did, drop that foreign key, or the table if nobody needs it",
    )
}

/// A name that an earlier version still has to drop would be dropped again, new as it is.
pub(in crate::gates) fn names_free(version: &Manifest, waiting: &[Waiting<'_>], now: i64) -> Gate {
    const NAME: &str = "names_free";
    for waiting in waiting {
        let earlier = waiting.version;
        let first = || contract_first(waiting, now);
        if let Some((old, new)) = earlier.renames.iter().find(|(old, new)| {
            let mut named = version.creates.values().flat_map(|names| &names.references);
            let brings_old = version.creates.get(*old).is_some_and(|names| names.table);
            brings_old || version.tables.contains(new) || named.any(|table| table == *new)
        }) {
            return shut(
                NAME,
                format!(
                    "{new} is a view of {old} until {} gives the table its name",
                    earlier.folder()
                ),
                first(),
            );
        }
        if let Some(table) = earlier.renamed_keys.keys().find(|table| {
            let mut named = version.creates.values().flat_map(|names| &names.references);
            version.tables.contains(table) || named.any(|referenced| referenced == *table)
        }) {
            return shut(
                NAME,
                format!(
                    "the key of {table} has its new names in a view alone until {} gives them to the table",
                    earlier.folder()
                ),
                first(),
            );
        }
        if let Some((table, key)) = meeting(version, earlier) {
            return shut(
                NAME,
                format!(
                    "{} exchanges a key of {key}, and takes the foreign keys along that stand on it: {table} has one, or is to have one",
                    earlier.folder()
                ),
                first(),
            );
        }
        if let Some(name) = version
            .enums
            .iter()
            .find(|name| earlier.exchanges.contains(name))
        {
            return shut(
                NAME,
                format!(
                    "the enum {name} is the type from before until {} gives the name to another",
                    earlier.folder()
                ),
                first(),
            );
        }
        if let Some(table) = known_to_a_trigger(version, earlier) {
            return shut(
                NAME,
                format!(
                    "{} keeps both sides of {table} by a trigger, which knows its columns by their names and types as they are",
                    earlier.folder()
                ),
                first(),
            );
        }
        if let Some(reason) = meets_a_way_back(version, earlier) {
            return shut(NAME, reason, first());
        }
        let taken = shared(&version.creates, &earlier.drops);
        if !taken.is_empty() {
            return shut(
                NAME,
                format!(
                    "{} still has to drop {}",
                    earlier.folder(),
                    taken.join(", ")
                ),
                first(),
            );
        }
    }
    open(
        NAME,
        "no earlier version still has to drop a name that it brings",
    )
}

/// A table whose columns a trigger of the earlier version names, and which this one would change under it. A session that has run
/// the trigger fails on a column whose type is another since. What is kept is to be given back as it was, so beside it a version
/// may only add to the table.
fn known_to_a_trigger<'a>(version: &'a Manifest, earlier: &Manifest) -> Option<&'a str> {
    let tables = version.tables.iter().map(String::as_str);
    let mut tables = tables.filter(|table| earlier.tables.iter().any(|other| other == table));
    let (keeps, exchanges) = (earlier.keep.is_some(), !version.exchanges.is_empty());
    tables.find(|table| {
        let mut pairs = version.pairs.iter().filter(|pair| pair.table == **table);
        let is_another = version.retyped.contains_key(*table)
            || version.renames.contains_key(*table)
            || version.renamed_keys.contains_key(*table)
            || exchanges;
        if keeps {
            let drops = version.drops.contains_key(*table);
            return is_another || drops || pairs.next().is_some();
        }
        let is_netted = earlier.nets.contains_key(*table);
        is_netted && (is_another || pairs.any(|pair| pair.released.is_some()))
    })
}

/// What this version would do to what the earlier one's way back stands on.
fn meets_a_way_back(version: &Manifest, earlier: &Manifest) -> Option<String> {
    let folder = earlier.folder();
    // One that has nothing to contract never is contracted: a later version is taken back before it.
    let taken = taken_from_under(version, earlier).filter(|_| earlier.route != Route::Direct);
    if let Some(taken) = taken {
        let puts_back = format!("a way back of {folder} puts a foreign key back that");
        return Some(match taken {
            Taken::Columns(table) => format!(
                "{puts_back} names columns of {table}, and this version takes these away, or calls them otherwise"
            ),
            Taken::Key(table, columns) => format!(
                "{puts_back} stands on the key or unique index of {table} ({}), and this version takes it away",
                columns.join(", ")
            ),
        });
    }
    let (table, column) = set_on_one_side(version, earlier)?;
    Some(format!(
        "{folder} keeps {table}.{column} and its other side equal, and a foreign key of this version sets it by itself (`on_delete`, \
         `on_update`), without the other"
    ))
}

/// What a version takes away of what a foreign key stands on.
#[derive(Debug, Clone, Copy)]
enum Taken<'a> {
    /// Columns of a table.
    Columns(&'a str),
    /// The key or unique index of a table over these columns.
    Key(&'a str, &'a [String]),
}

impl std::fmt::Display for Taken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Columns(table) => write!(f, "columns of {table}"),
            Self::Key(table, columns) => {
                write!(
                    f,
                    "the key or unique index of {table} ({})",
                    columns.join(", ")
                )
            }
        }
    }
}

/// What the earlier version's foreign keys that come back name, on either end, and what would not be there on its way back.
fn taken_from_under<'a>(version: &Manifest, earlier: &'a Manifest) -> Option<Taken<'a>> {
    let goes = |(table, columns): &(&String, &Vec<String>)| {
        let drops = version.drops.get(*table);
        let gone = drops.is_some_and(|names| {
            let mut gone = names.columns.iter();
            names.table || gone.any(|column| columns.contains(column))
        });
        let retyped = version.retyped.get(*table);
        let is_another = retyped.is_some_and(|retyped| {
            let mut retyped = retyped.iter();
            retyped.any(|column| columns.contains(column))
        });
        let renamed = version.renamed_keys.contains_key(*table);
        gone || is_another || renamed || version.renames.contains_key(*table)
    };
    let mut refers = earlier.refers.iter();
    if let Some((table, _)) = refers.find(goes) {
        return Some(Taken::Columns(table));
    }
    earlier.refers_to.iter().find_map(|(table, keys)| {
        let gone = version.unkeyed.get(table)?;
        let is_gone = |key: &&Vec<String>| gone.iter().any(|gone| same(gone, key));
        let key = keys.iter().find(is_gone)?;
        Some(Taken::Key(table, key))
    })
}

/// A foreign key finds its index in whatever order the columns are.
fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|column| other.contains(column))
}

/// A side of the earlier version's pairs that a foreign key of this one sets.
fn set_on_one_side<'a>(version: &'a Manifest, earlier: &Manifest) -> Option<(&'a str, &'a str)> {
    version.acts.iter().find_map(|(table, columns)| {
        let pairs = earlier.pairs.iter().filter(|pair| pair.table == *table);
        let pairs: Vec<_> = pairs.filter(|pair| !pair.old.is_empty()).collect();
        let is_side = |column: &&String| {
            pairs.iter().any(|pair| {
                let released = pair.released.iter();
                let mut names = released.flat_map(|names| [&names.column, &names.name]);
                let mut old = pair.old.iter();
                pair.new.column == **column
                    || old.any(|old| old.column == **column)
                    || names.any(|name| name == *column)
            })
        };
        let column = columns.iter().find(is_side)?;
        Some((table.as_str(), column.as_str()))
    })
}

/// A table of the version that has a part in an exchange of keys of an earlier one, and the table whose key that is.
fn meeting<'a>(version: &'a Manifest, earlier: &'a Manifest) -> Option<(&'a str, &'a str)> {
    earlier.exchanged_keys.iter().find_map(|(parent, keys)| {
        let referring = keys.iter().flat_map(|key| &key.foreign_keys);
        let referring = referring.map(|(table, _)| table);
        let mut named = version.creates.iter();
        let coming = named.find(|(table, names)| {
            let refers_to_itself = *table == parent && !names.constraints.is_empty();
            refers_to_itself || names.references.contains(parent)
        });
        let concerned = |table: &&String| referring.clone().any(|other| other == *table);
        let own = version.tables.iter().find(concerned);
        let table = coming.map(|(table, _)| table).or(own)?;
        Some((table.as_str(), parent.as_str()))
    })
}

fn contract_first(waiting: &Waiting<'_>, now: i64) -> String {
    let (folder, name) = (waiting.version.folder(), &waiting.version.name);
    let at_once = format!(
        "`cargo zdm contract {name} --now` drops it before that, and nothing brings it back then"
    );
    if let Some(until) = waiting.kept_until {
        return format!(
            "{}, when the time is over for which {folder} keeps old: `cargo zdm advance` or `cargo zdm contract {name}` drops it then; \
             {at_once}",
            match until - now {
                ..=0 => "now".to_owned(),
                left => format!("in {}", span(left)),
            }
        );
    }
    let kept = match &waiting.version.keep {
        Some(keep) => format!(
            "; old is dropped {} later, and the names are free then (`cargo zdm advance`, or `cargo zdm contract {name}` once more); {at_once}",
            keep.window()
        ),
        None => String::new(),
    };
    match waiting.version.route {
        Route::FivePhases | Route::Rename => format!(
            "contract {folder} first: `cargo zdm advance` leads to `complete`; when the code of `cargo zdm finalize {name}` runs everywhere, \
             `cargo zdm contract {name}`{kept}"
        ),
        Route::ExpandContract | Route::Direct => format!(
            "contract {folder} first: when no code runs any more that names what it drops, `cargo zdm advance`{kept}"
        ),
    }
}
