//! Two tables between which columns move: what a write of one of them means for the row of the other.
//!
//! Main has a row for each row of part. One code has the columns in main, the other one in part; whichever table is written, the other
//! holds the same when the statement ends. Which rows there are in part follows from main's values, unless part stays.
//! Must not know: statements, any database.

use zdm_model::ForeignKey;
use zdm_runtime::manifest::{MoveWay, Moved};

use super::compare::Known;
use super::table::{Kind, Side, Tab};
use super::value::{Value, Values};
use crate::pipeline::rehearsed::Form;

/// The two tables, by their places among those of the rehearsal.
#[derive(Debug)]
pub(super) struct Couple {
    pub(super) main: usize,
    pub(super) part: usize,
    way: MoveWay,
    columns: Vec<Column>,
    /// Deleting main's row deletes part's.
    pub(super) cascades: bool,
}

/// A column that moves, by its groups.
#[derive(Debug)]
struct Column {
    of_main: usize,
    of_part: usize,
    /// Part has no row without a value in it.
    demanded: bool,
}

impl Couple {
    /// The tables of a move; `None` where one of them is not among these.
    pub(super) fn of(tabs: &[Tab], moved: &Moved) -> Option<Self> {
        let place = |name: &str| tabs.iter().position(|tab| tab.name == name);
        let (main, part) = (place(&moved.main)?, place(&moved.part)?);
        let columns = moved.columns.iter().map(|(of_main, of_part)| {
            Some(Column {
                of_main: group(&tabs[main], of_main)?,
                of_part: group(&tabs[part], of_part)?,
                demanded: moved.way != MoveWay::Move && is_demanded(&tabs[part], of_part),
            })
        });
        let columns: Option<Vec<_>> = columns.collect();
        let sides = [Form::Old, Form::New].into_iter();
        let mut sides = sides.filter_map(|form| tabs[part].side(form));
        let refers = |side: &Side| {
            let mut keys = side.table.foreign_keys.iter();
            keys.any(|key| {
                let cascades = key.on_delete.as_deref() == Some("cascade");
                cascades && joins(key, moved)
            })
        };
        Some(Self {
            main,
            part,
            way: moved.way,
            columns: columns?,
            cascades: sides.all(refers),
        })
    }

    /// The other of the two.
    pub(super) fn other(&self, tab: usize) -> usize {
        if tab == self.main {
            self.part
        } else {
            self.main
        }
    }

    /// Both tables stay what they are.
    pub(super) fn part_stays(&self) -> bool {
        self.way == MoveWay::Move
    }

    /// A row of main has all values that part demands, or none that moves: no row of part could hold anything else.
    pub(super) fn make_whole(&self, tab: &Tab, form: Form, row: &mut [Value]) {
        if self.is_torn(tab, form, row) {
            self.empty(tab, form, row);
        }
    }

    /// Takes the values that move out of a row of main.
    pub(super) fn empty(&self, tab: &Tab, form: Form, row: &mut [Value]) {
        for column in &self.columns {
            for place in tab.groups[column.of_main].places(form) {
                row[*place] = Value::Null;
            }
        }
    }

    /// Whether the values that move of a row of main are all NULL.
    pub(super) fn is_empty(&self, tab: &Tab, form: Form, row: &[Value]) -> bool {
        let columns = self.columns.iter();
        let mut places = columns.flat_map(|column| tab.groups[column.of_main].places(form));
        places.all(|place| row[*place].is_null())
    }

    /// The column of main is one that moves.
    pub(super) fn moves(&self, tab: &Tab, form: Form, place: usize) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|column| tab.groups[column.of_main].places(form) == [place])
    }

    fn is_torn(&self, tab: &Tab, form: Form, row: &[Value]) -> bool {
        let mut demanded = self.columns.iter().filter(|column| column.demanded);
        demanded.any(|column| {
            let mut places = tab.groups[column.of_main].places(form).iter();
            places.any(|place| row[*place].is_null())
        })
    }

    /// A value for this column of main alone leaves the row whole.
    pub(super) fn is_set_alone(&self, tab: &Tab, form: Form, place: usize) -> bool {
        let moves = self.moves(tab, form, place);
        !moves || self.part_stays() || self.columns.len() == 1
    }

    /// What is known of part's row once that is of main's.
    pub(super) fn after_main(
        &self,
        tabs: &[Tab],
        main: Option<&[Known]>,
        part: Option<Vec<Known>>,
    ) -> Option<Vec<Known>> {
        let main = main?;
        let moved = |column: &Column| main.get(column.of_main).and_then(Known::value).cloned();
        let there = if self.part_stays() {
            part.is_some()
        } else {
            let mut demanded = self.columns.iter().filter(|column| column.demanded);
            demanded.all(|column| moved(column).is_some_and(|value| !value.is_null()))
        };
        let mut known = match part {
            _ if !there => return None,
            Some(known) => known,
            None => vec![Known::default(); tabs[self.part].groups.len()],
        };
        for column in &self.columns {
            known[column.of_part] = main.get(column.of_main).cloned().unwrap_or_default();
        }
        Some(known)
    }

    /// What is known of main's row once that is of part's, where the code has the columns there.
    pub(super) fn after_part(
        &self,
        part: Option<&[Known]>,
        main: Option<Vec<Known>>,
    ) -> Option<Vec<Known>> {
        let mut main = main?;
        for column in &self.columns {
            let of_part = part.and_then(|part| part.get(column.of_part)).cloned();
            main[column.of_main] = of_part.unwrap_or_else(|| Known::exactly(vec![Value::Null]));
        }
        Some(main)
    }

    /// Part's row holds what main's does: the code that wrote it has the columns there.
    pub(super) fn take_from_main(&self, main: &[Known], part: &mut [Known]) {
        for column in &self.columns {
            part[column.of_part] = main.get(column.of_main).cloned().unwrap_or_default();
        }
    }

    /// What is left of the columns in main's row, as it was read after part's row was deleted: they stay once they are main's own.
    pub(super) fn left_in_main(
        &self,
        tab: &Tab,
        form: Form,
        read: &[Value],
        main: &[Known],
    ) -> Result<Vec<Known>, Values> {
        let mut left = main.to_vec();
        for column in &self.columns {
            let values = tab.groups[column.of_main].of(form, read);
            let stays = main.get(column.of_main).and_then(Known::value) == values.first();
            if !stays && !values.iter().all(Value::is_null) {
                return Err(values);
            }
            left[column.of_main] = Known::exactly(values);
        }
        Ok(left)
    }
}

/// Whether the foreign key is the one by which a row of part belongs to one of main.
pub(super) fn joins(key: &ForeignKey, moved: &Moved) -> bool {
    let of_part = |column: &String| moved.key.iter().any(|(_, part)| part == column);
    key.references == moved.main
        && key.columns.len() == moved.key.len()
        && key.columns.iter().all(of_part)
}

fn group(tab: &Tab, name: &str) -> Option<usize> {
    let mut groups = tab.groups.iter();
    groups.position(|group| {
        let has = |form: Form| {
            let columns = tab.side(form).map_or(&[][..], |side| &side.columns);
            let mut places = group.places(form).iter();
            places.any(|place| {
                columns
                    .get(*place)
                    .is_some_and(|column| column.name == name)
            })
        };
        group.kind == Kind::Moved && (has(Form::Old) || has(Form::New))
    })
}

fn is_demanded(part: &Tab, name: &str) -> bool {
    let sides = [Form::Old, Form::New].into_iter();
    let mut sides = sides.filter_map(|form| part.side(form));
    sides.any(|side| {
        let column = side.table.column(name);
        column.is_some_and(|column| !column.nullable)
    })
}
