//! What a role needs, by what it may do: triggers act in the name of whoever writes, and write the other table, whose triggers write
//! back; code of the transition reads both. Whoever writes through a view writes by its owner's rights, and triggers act in his own name.
//!
//! Follows the templates `create_main_triggers` and `create_part_triggers` statement by statement.

use std::collections::{BTreeMap, BTreeSet};

use crate::between::{Between, Command, Held, Role, View};
use crate::manifest::{MoveWay, Moved, OneOfTwo};
use Command::{Delete, Insert, Select, Update};
use OneOfTwo::{Main, Part};

/// What one role needs, of which table, with which columns.
pub(super) struct Needs<'a> {
    moved: &'a Moved,
    /// Columns, none for a whole row.
    pub(super) columns: BTreeMap<(OneOfTwo, Command), BTreeSet<String>>,
    /// The same of the table that the role does not write itself.
    pub(super) reached: BTreeSet<(OneOfTwo, Command)>,
    /// What it does on which table, for which it needs them.
    pub(super) because: BTreeMap<OneOfTwo, BTreeSet<Command>>,
    /// What it does beyond that through views.
    pub(super) through: Vec<(&'a View, BTreeSet<Command>)>,
}

impl<'a> Needs<'a> {
    pub(super) fn of(between: &'a Between, role: &'a Role) -> Self {
        let mut needs = Self {
            moved: &between.moved,
            columns: BTreeMap::new(),
            reached: BTreeSet::new(),
            because: BTreeMap::new(),
            through: Vec::new(),
        };
        let source = between.moved.source();
        let [main, part] = [Main, Part].map(|which| between.in_effect(role, which));
        needs.of_writers(Main, &main, between.main.assigns);
        needs.of_writers(Part, &part, false);
        needs.of_readers(match source {
            Main => &main,
            Part => &part,
        });
        for view in &role.views {
            needs.of_writers_through(view, between.main.assigns);
        }
        needs.of_policies(between, role);
        needs
    }

    fn of_writers(&mut self, which: OneOfTwo, held: &Held, assigns: bool) {
        match which {
            Main => self.of_writers_of_main(held, assigns),
            Part => self.of_writers_of_part(held),
        }
    }

    /// The owner's rights and policies let the table itself be written, and the role's own what triggers write back there.
    fn of_writers_through(&mut self, view: &'a View, assigns: bool) {
        let direct = std::mem::take(&mut self.because);
        self.of_writers(view.table, &view.held, assigns);
        let through = std::mem::replace(&mut self.because, direct);
        if self.columns.contains_key(&(view.table, Update)) {
            let back = self.columns.keys().filter(|(on, _)| *on == view.table);
            self.reached.extend(back);
        }
        let mut commands = through.get(&view.table).cloned().unwrap_or_default();
        if let Some(direct) = self.because.get(&view.table) {
            commands.retain(|command| !direct.contains(command));
        }
        if !commands.is_empty() {
            self.through.push((view, commands));
        }
    }

    /// A policy reads the other table in the name of whom it is asked about.
    fn of_policies(&mut self, between: &Between, role: &Role) {
        for which in [Main, Part] {
            let is_asked = role.held(which).secured.is_some() && between.protection(which).asks;
            if is_asked && self.columns.keys().any(|(of, _)| *of == which) {
                let key = self.moved.key_of(which.other());
                self.need(which.other(), Select, key);
            }
        }
    }

    fn of_writers_of_main(&mut self, held: &Held, assigns: bool) {
        let way = self.moved.way;
        let moved = self.moved.columns_of(Main);
        let given = held.inserts && (assigns || moved.iter().any(|name| held.may(Insert, name)));
        // Another key takes part's row along where part is what comes.
        let watched = match way {
            MoveWay::Split => [self.moved.key_of(Main), moved].concat(),
            MoveWay::Merge | MoveWay::Move => moved,
        };
        let changes =
            held.updates && (assigns || watched.iter().any(|name| held.may(Update, name)));
        for (done, command) in [(given, Insert), (changes, Update)] {
            if done {
                self.written(Main, command);
                let of_part = self.of_part().iter();
                self.reached.extend(of_part.map(|needed| (Part, *needed)));
            }
        }
        // Part's row goes with main's by its foreign key, and one that comes without values has none: the triggers only look. Where part
        // stays none fires.
        let looks = held.inserts && way == MoveWay::Split;
        let looks_back = held.deletes && way != MoveWay::Move;
        for (done, command) in [(looks && !given, Insert), (looks_back, Delete)] {
            if done {
                self.looked(command);
            }
        }
    }

    /// Main's triggers answer to what part's write there, so that both are written in the end.
    fn of_writers_of_part(&mut self, held: &Held) {
        for (done, command) in [
            (held.inserts, Insert),
            (held.updates, Update),
            (held.deletes, Delete),
        ] {
            if done {
                self.written(Part, command);
                self.reached.extend([(Main, Select), (Main, Update)]);
            }
        }
    }

    /// What triggers on main do with part's rows.
    const fn of_part(&self) -> &'static [Command] {
        match self.moved.way {
            MoveWay::Split | MoveWay::Merge => &[Select, Insert, Update, Delete],
            MoveWay::Move => &[Select, Update],
        }
    }

    /// Whoever may read one of the columns where it is may read it where it goes.
    fn of_readers(&mut self, held: &Held) {
        let (source, target) = (self.moved.source(), self.moved.source().other());
        let both = self.moved.columns_of(source).into_iter();
        let both: Vec<_> = both.zip(self.moved.columns_of(target)).collect();
        for (_, there) in both.iter().filter(|(here, _)| held.may(Select, here)) {
            self.because.entry(source).or_default().insert(Select);
            let key = self.moved.key_of(target);
            self.need(target, Select, key);
            self.need(target, Select, [*there]);
            self.reached.insert((target, Select));
        }
    }

    /// A statement on one of the tables ends with these on both.
    fn written(&mut self, on: OneOfTwo, command: Command) {
        self.because.entry(on).or_default().insert(command);
        for needed in self.of_part() {
            let columns = self.columns_of(Part, *needed);
            self.need(Part, *needed, columns);
        }
        for needed in [Select, Update] {
            let columns = self.columns_of(Main, needed);
            self.need(Main, needed, columns);
        }
    }

    /// A statement on main ends with a look whether there are rows.
    fn looked(&mut self, command: Command) {
        self.because.entry(Main).or_default().insert(command);
        for which in [Main, Part] {
            let key = self.moved.key_of(which);
            self.need(which, Select, key);
        }
        self.reached.insert((Part, Select));
    }

    fn columns_of(&self, which: OneOfTwo, command: Command) -> Vec<&'a str> {
        let columns = self.moved.columns_of(which);
        match command {
            Select | Insert => [self.moved.key_of(which), columns].concat(),
            Update => columns,
            Delete => Vec::new(),
        }
    }

    fn need<'n>(
        &mut self,
        which: OneOfTwo,
        command: Command,
        columns: impl IntoIterator<Item = &'n str>,
    ) {
        let needed = self.columns.entry((which, command)).or_default();
        needed.extend(columns.into_iter().map(str::to_owned));
    }
}
