//! The texts of all files, put together of their pieces and read; what is found in them, each at its place.
//!
//! Comes in: what every file holds. Goes out: [`Reference`]s.
//! Must not know: Rust's syntax.

use std::collections::{HashMap, HashSet};

use super::files::Files;
use super::resolve::{self, Use};
use super::rust::{Constant, How, Read, Wording};
use super::text::{Piece, Spot, Text, whole};
use super::unread::{looks_like_part, looks_like_sql, name_in, word_in};
use super::wanted::Wanted;
use super::{Access, Certainty, HOLE, Reference};
use crate::dialect::byte_at;
use crate::parallel;
use crate::source::RustSource;

/// A constant that is made of others is followed so far.
const DEEPEST: usize = 8;

/// All references, ordered, each place once.
pub(super) fn references(
    texts: &[Read],
    sources: &[&RustSource],
    files: &mut Files,
    wanted: &Wanted<'_>,
) -> Vec<Reference> {
    let only_tests: Vec<_> = texts.iter().flat_map(|read| &read.only_tests).collect();
    let only_tests = |number: usize| {
        let module = sources[number].path.with_extension("");
        only_tests.iter().any(|path| module.starts_with(path))
    };
    for piece in texts.iter().flat_map(pieces) {
        if let Piece::File { path } = piece {
            files.include(path);
        }
    }
    let files = &*files;
    let everything = Everything {
        texts,
        global: by_name(texts),
        files,
        wanted,
    };
    let numbers: Vec<usize> = (0..texts.len()).collect();
    let found = parallel::map(&numbers, |number| {
        let mut found = everything.of_file(*number);
        if only_tests(*number) {
            for reference in &mut found {
                reference.aside = true;
            }
        }
        found
    });
    let mut all: Vec<Reference> = found.into_iter().flatten().collect();
    let key = |one: &Reference| (one.file.clone(), one.line, one.at, one.target);
    all.sort_by_cached_key(|one| (key(one), one.aside, one.certainty, one.every));
    all.dedup_by(|one, before| key(one) == key(before));
    all
}

fn pieces(read: &Read) -> impl Iterator<Item = &Piece> {
    let wordings = read.wordings.iter().flat_map(|wording| &wording.pieces);
    wordings.chain(read.constants.iter().flat_map(|constant| &constant.pieces))
}

/// The constants outside of functions, each with its file.
type Global<'a> = HashMap<&'a str, Vec<(usize, &'a Constant)>>;

fn by_name(texts: &[Read]) -> Global<'_> {
    let mut global: Global<'_> = HashMap::new();
    for (file, read) in texts.iter().enumerate() {
        for constant in read.constants.iter().filter(|found| found.function == 0) {
            let named = global.entry(constant.name.as_str()).or_default();
            named.push((file, constant));
        }
    }
    global
}

struct Everything<'a> {
    texts: &'a [Read],
    global: Global<'a>,
    files: &'a Files,
    wanted: &'a Wanted<'a>,
}

/// What the statements of a function name.
#[derive(Default)]
struct Function {
    /// Positions of targets whose table is named.
    targets: HashSet<usize>,
    /// A part of a statement is put in at run time.
    holes: bool,
}

/// A finding before its place is known.
#[derive(Clone, Copy)]
struct Raw {
    target: usize,
    spot: Spot,
    access: Access,
    certainty: Certainty,
    every: bool,
}

impl Everything<'_> {
    fn of_file(&self, file: usize) -> Vec<Reference> {
        let read = &self.texts[file];
        let mut functions: HashMap<usize, Function> = HashMap::new();
        let composed: Vec<(Text, bool)> = read
            .wordings
            .iter()
            .map(|wording| self.composed(file, wording, HOLE))
            .collect();
        for (wording, (text, holes)) in read.wordings.iter().zip(&composed) {
            if wording.how != How::Literal || looks_like_sql(&text.value) {
                let function = functions.entry(wording.function).or_default();
                let lower = text.value.to_lowercase();
                let words = self.wanted.words().iter().enumerate();
                let named = words.filter(|(_, (table, _))| word_in(&lower, table).is_some());
                function.targets.extend(named.map(|(at, _)| at));
                function.holes |= *holes && wording.how != How::Part;
            }
        }
        let mut found = Vec::new();
        for (wording, (text, holes)) in read.wordings.iter().zip(composed) {
            let raw = self.of_wording(file, wording, &text, holes, &functions);
            let first = text.spot(0);
            found.extend(
                raw.into_iter()
                    .map(|raw| self.placed(raw, wording.aside, first)),
            );
        }
        for named in &read.diesel.named {
            let table = &self.wanted.targets[named.target].table;
            let table = zdm_model::names::bare(table);
            let declared = |read: &Read| read.diesel.tables.contains(table);
            if self.texts.iter().any(declared) {
                let raw = Raw {
                    target: named.target,
                    spot: named.spot,
                    access: named.access,
                    certainty: Certainty::Certain,
                    every: named.every,
                };
                found.push(self.placed(raw, named.aside, None));
            }
        }
        found
    }

    fn of_wording(
        &self,
        file: usize,
        wording: &Wording,
        text: &Text,
        holes: bool,
        functions: &HashMap<usize, Function>,
    ) -> Vec<Raw> {
        let lower = text.value.to_lowercase();
        let mut words = self.wanted.words().iter();
        let matters = words.any(|(table, column)| {
            let word = column.as_ref().unwrap_or(table);
            lower.contains(table) || lower.contains(word)
        });
        if !matters {
            return Vec::new();
        }
        let like_sql = looks_like_sql(&text.value);
        if like_sql || wording.how == How::Statement {
            match self.parsed(file, wording, text, holes) {
                Some((text, uses, others)) => {
                    let mut raw: Vec<Raw> = uses
                        .into_iter()
                        .filter(|found| {
                            !found.hole || self.texts[file].mentions.contains(&found.target)
                        })
                        .filter_map(|found| raw(&text, &found))
                        .collect();
                    if others && raw.is_empty() {
                        raw = self.by_words(&text, Certainty::Perhaps);
                    }
                    return raw;
                }
                None => return self.by_words(text, Certainty::Unread),
            }
        }
        let function = functions.get(&wording.function);
        let Some(function) = function.filter(|_| wording.function > 0) else {
            return Vec::new();
        };
        let may_be = wording.how == How::Part || (function.holes && looks_like_part(&text.value));
        if may_be {
            self.part(text, function)
        } else {
            Vec::new()
        }
    }

    /// A part of a statement, in a function that names the table elsewhere.
    fn part(&self, text: &Text, function: &Function) -> Vec<Raw> {
        let words = self.wanted.words().iter().enumerate();
        words
            .filter(|(target, _)| function.targets.contains(target))
            .filter_map(|(target, (_, column))| {
                let at = name_in(&text.value, column.as_ref()?)?;
                Some(Raw {
                    target,
                    spot: text.spot(at)?,
                    access: Access::Names,
                    certainty: Certainty::Perhaps,
                    every: false,
                })
            })
            .collect()
    }

    /// A text that holds both names.
    fn by_words(&self, text: &Text, certainty: Certainty) -> Vec<Raw> {
        let lower = text.value.to_lowercase();
        let words = self.wanted.words().iter().enumerate();
        words
            .filter_map(|(target, (table, column))| {
                let of_table = word_in(&lower, table)?;
                let at = match column {
                    Some(column) => word_in(&lower, column)?,
                    None => of_table,
                };
                Some(Raw {
                    target,
                    spot: text.spot(at)?,
                    access: Access::Names,
                    certainty,
                    every: false,
                })
            })
            .collect()
    }

    /// The text as it can be read: what is put in at run time may be a name, nothing, or a list, and more may follow.
    fn parsed(
        &self,
        file: usize,
        wording: &Wording,
        text: &Text,
        holes: bool,
    ) -> Option<(Text, Vec<Use>, bool)> {
        let dialect = self.wanted.dialect();
        let list = format!("({HOLE})");
        let fillers: &[&str] = if holes { &[HOLE, "", &list] } else { &[HOLE] };
        let rest = [
            String::new(),
            format!(" {HOLE}"),
            format!(" ({HOLE})"),
            format!(" {HOLE})"),
            format!(" FROM {HOLE}"),
        ];
        for (filler, rest) in fillers
            .iter()
            .flat_map(|filler| rest.iter().map(move |rest| (filler, rest)))
        {
            let mut text = if *filler == HOLE {
                text.clone()
            } else {
                self.composed(file, wording, filler).0
            };
            if let Some(spot) = text.spot(text.value.len()).filter(|_| !rest.is_empty()) {
                text.fill(rest, spot);
            }
            if let Some(statements) = dialect.statements(&text.value) {
                let (uses, others) = resolve::uses(&statements, self.wanted);
                return Some((text, uses, others));
            }
        }
        None
    }

    /// The text with `filler` in the place of what is not known, and whether there is any.
    fn composed(&self, file: usize, wording: &Wording, filler: &str) -> (Text, bool) {
        let mut text = Text::default();
        let place = (file, wording.function);
        let known = self.compose(&mut text, place, &wording.pieces, filler, 0);
        (text, !known)
    }

    fn compose(
        &self,
        text: &mut Text,
        (file, function): (usize, usize),
        pieces: &[Piece],
        filler: &str,
        depth: usize,
    ) -> bool {
        let mut known = true;
        for piece in pieces {
            match piece {
                Piece::Text { value, spots } => text.push(value, spots),
                Piece::Hole { spot } => {
                    text.fill(filler, *spot);
                    known = false;
                }
                Piece::File { path } => {
                    if let Some(number) = self.files.included(path) {
                        let (value, spots) = whole(self.files.text(number), number);
                        text.push(&value, &spots);
                    }
                }
                Piece::Named { name, spot } => match self.constant(file, function, name) {
                    Some((file, constant)) if depth < DEEPEST => {
                        let place = (file, constant.function);
                        known &= self.compose(text, place, &constant.pieces, filler, depth + 1);
                    }
                    _ => {
                        text.fill(filler, *spot);
                        known = false;
                    }
                },
            }
        }
        known
    }

    /// The one text that a name stands for: in its function, its file, or the workspace.
    fn constant(&self, file: usize, function: usize, name: &str) -> Option<(usize, &Constant)> {
        let constants = &self.texts[file].constants;
        for function in [function, 0] {
            let of_place = |found: &&Constant| found.function == function && found.name == name;
            let mut found = constants.iter().filter(of_place);
            match (found.next(), found.next()) {
                (Some(one), None) => return Some((file, one)),
                (Some(_), Some(_)) => return None,
                (None, _) => {}
            }
        }
        match &self.global.get(name)?[..] {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn placed(&self, raw: Raw, aside: bool, first: Option<Spot>) -> Reference {
        let line = self.files.line(raw.spot);
        let target = &self.wanted.targets[raw.target];
        let mut lines = vec![line.text, line.above];
        if let Some(first) = first {
            let begins = self.files.line(first);
            lines.extend([begins.text, begins.above]);
        }
        Reference {
            target: raw.target,
            file: self.files.path(raw.spot.file).to_owned(),
            line: line.number,
            at: line.column,
            access: raw.access,
            certainty: raw.certainty,
            every: raw.every,
            aside,
            excused: lines.iter().any(|line| excuses(line, target)),
            text: line.text.trim().to_owned(),
        }
    }
}

/// `zdm: allow users.age`, in a comment.
fn excuses(line: &str, target: &super::Target) -> bool {
    let Some((_, allowed)) = line.split_once("zdm: allow ") else {
        return false;
    };
    let named = target.name();
    allowed
        .split([',', ' '])
        .any(|word| word.trim() == named || word.trim() == target.table)
}

fn raw(text: &Text, found: &Use) -> Option<Raw> {
    Some(Raw {
        target: found.target,
        spot: text.spot(byte_at(&text.value, found.at))?,
        access: found.access,
        certainty: if found.sure {
            Certainty::Certain
        } else {
            Certainty::Perhaps
        },
        every: found.every,
    })
}
