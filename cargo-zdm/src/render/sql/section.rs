//! `up.sql` and `down.sql` of a section, entry by entry, with what each entry locks.

use std::collections::BTreeMap;

use zdm_runtime::manifest::{Direction, IndexDefinition, Route, SmallTable, Step};
use zdm_runtime::migration::section_file;
use zdm_runtime::phase::Section;

use super::{Identity, header, statement};
use crate::dialect::{Dialect, DialectError, StatementFacts};
use crate::plan::{Action, IndexShape, Plan, PlanStep, Statement, Undo};

/// A section's two files with the manifest's entries for them.
pub(super) struct Files {
    pub(super) steps: Vec<Step>,
    pub(super) files: [(String, String); 2],
}

pub(super) fn render(
    plan: &Plan,
    dialect: &Dialect,
    identity: &Identity,
    section: Section,
) -> Result<Files, DialectError> {
    let steps: Vec<&PlanStep> = plan.steps_of(section).collect();
    let down = down_entries(&steps);
    let takers = takers(&down);
    let mut up_file = File::new(
        section,
        Direction::Up,
        &header(plan, identity, about(plan.route, section, Direction::Up)),
        &plan.direct,
    );
    let mut down_file = File::new(
        section,
        Direction::Down,
        &header(plan, identity, about(plan.route, section, Direction::Down)),
        &plan.direct,
    );
    for (position, step) in steps.iter().enumerate() {
        let number = number(position);
        let way_back = way_back(step, takers.get(&number));
        let loses = match &step.undo {
            Undo::Impossible(reason) => Some(reason.clone()),
            Undo::By { .. } | Undo::Covered => None,
        };
        up_file.entry(dialect, &step.action, &step.source, &way_back, None, loses)?;
        if let Some(entry) = up_file.steps.last_mut() {
            entry.repeatable = step.drops_what_its_undo_adds();
        }
    }
    for entry in &down {
        match entry {
            DownEntry::Statement {
                action,
                undoes,
                loses,
                source,
            } => {
                let takes_back = format!("takes back up.sql {undoes}");
                down_file.entry(
                    dialect,
                    action,
                    source,
                    &takes_back,
                    Some(*undoes),
                    loses.clone(),
                )?;
            }
            DownEntry::Impossible(text) => down_file.remark(text),
        }
    }
    if steps.is_empty() {
        up_file.remark("Nothing to do here.");
    }
    if down.is_empty() {
        down_file.remark("Nothing to do here.");
    }
    let mut entries = up_file.steps;
    entries.extend(down_file.steps);
    Ok(Files {
        steps: entries,
        files: [
            (section_file(section, Direction::Up), up_file.text),
            (section_file(section, Direction::Down), down_file.text),
        ],
    })
}

fn about(route: Route, section: Section, direction: Direction) -> &'static str {
    match (section, direction) {
        (Section::Expand, Direction::Up) => {
            "Expand: new stands beside old. Before the code that needs it is deployed."
        }
        (Section::Expand, Direction::Down) => {
            "Takes expand back, when no code is left that names what it added."
        }
        (Section::DualWrite, Direction::Up) => "Dual write: every write keeps both sides.",
        (Section::DualWrite, Direction::Down) => "Takes dual write back.",
        (Section::SwitchReads, Direction::Up) => {
            "Switch reads: defaults, constraints and indexes of the new columns, after every row was compared."
        }
        (Section::SwitchReads, Direction::Down) => {
            "Takes the constraints of the new columns back, so that code which writes old alone can insert."
        }
        (Section::Release, Direction::Up) if route == Route::Rename => {
            "Contract, 1: the columns get their new names, when no code is left that names the table and the old ones."
        }
        (Section::Release, Direction::Down) if route == Route::Rename => {
            "Gives the columns their old names back, when no code is left that names the table and the new ones."
        }
        (Section::Release, Direction::Up) => {
            "Contract, 1: what constrains the old columns goes, so that writes may leave them. Before any instance writes new alone."
        }
        (Section::Release, Direction::Down) => {
            "Takes release back, after the old columns have been filled again."
        }
        (Section::Drop, Direction::Up) => {
            "Contract, 2: old goes, when no instance and no transaction can name it."
        }
        (Section::Drop, Direction::Down) => "What contract dropped.",
        (Section::Keep, Direction::Up) => {
            "Contract, 2: old is renamed away, when no instance and no transaction can name it, and kept for a time."
        }
        (Section::Keep, Direction::Down) => {
            "Brings back what is kept. Code that writes new alone goes on as before."
        }
        (Section::DropKept, Direction::Up) => {
            "Contract, 3: what was kept goes, when the time is over for which it was kept."
        }
        (Section::DropKept, Direction::Down) => "What was kept and is dropped.",
    }
}

/// What `down.sql` says, in its order: the last step first.
enum DownEntry {
    Statement {
        action: Box<Action>,
        undoes: u32,
        loses: Option<String>,
        source: String,
    },
    Impossible(String),
}

fn down_entries(steps: &[&PlanStep]) -> Vec<DownEntry> {
    let mut entries = Vec::new();
    for (position, step) in steps.iter().enumerate().rev() {
        let undoes = number(position);
        match &step.undo {
            Undo::By { actions, loses } => {
                entries.extend(actions.iter().map(|action| DownEntry::Statement {
                    action: Box::new(action.clone()),
                    undoes,
                    loses: loses.clone(),
                    source: step.source.clone(),
                }));
            }
            Undo::Covered => {}
            Undo::Impossible(reason) => entries.push(DownEntry::Impossible(format!(
                "up.sql {undoes} ({}) has no way back: {reason}.",
                step.action.summary
            ))),
        }
    }
    entries
}

/// The first and the last statement of `down.sql` that take an entry of `up.sql` back, by the number of that entry.
fn takers(down: &[DownEntry]) -> BTreeMap<u32, (u32, u32)> {
    let statements = down.iter().filter_map(|entry| match entry {
        DownEntry::Statement { undoes, .. } => Some(*undoes),
        DownEntry::Impossible(_) => None,
    });
    let mut takers = BTreeMap::new();
    for (position, undoes) in statements.enumerate() {
        let number = number(position);
        takers.entry(undoes).or_insert((number, number)).1 = number;
    }
    takers
}

fn way_back(step: &PlanStep, takers: Option<&(u32, u32)>) -> String {
    match (&step.undo, takers) {
        (Undo::Impossible(reason), _) => format!("no way back: {reason}"),
        (_, None) => "nothing to take back".to_owned(),
        (_, Some((first, last))) if first == last => format!("undo: down.sql {first}"),
        (_, Some((first, last))) => format!("undo: down.sql {first}-{last}"),
    }
}

/// Positions count from 0, entries from 1.
fn number(position: usize) -> u32 {
    u32::try_from(position).map_or(u32::MAX, |position| position.saturating_add(1))
}

/// A file on its way, with the manifest's entries for it.
struct File<'a> {
    section: Section,
    direction: Direction,
    /// The tables that may be written anew at once.
    direct: &'a [SmallTable],
    text: String,
    /// How many lines the text has.
    lines: usize,
    steps: Vec<Step>,
}

impl<'a> File<'a> {
    fn new(section: Section, direction: Direction, header: &str, direct: &'a [SmallTable]) -> Self {
        let mut file = Self {
            section,
            direction,
            direct,
            text: String::new(),
            lines: 0,
            steps: Vec::new(),
        };
        file.write(header);
        file
    }

    /// Puts whole lines behind the text.
    fn write(&mut self, lines: &str) {
        self.text.push_str(lines);
        self.lines += lines.matches('\n').count();
    }

    fn remark(&mut self, remark: &str) {
        self.write(&format!("\n-- {remark}\n"));
    }

    fn entry(
        &mut self,
        dialect: &Dialect,
        action: &Action,
        source: &str,
        way_back: &str,
        undoes: Option<u32>,
        loses: Option<String>,
    ) -> Result<(), DialectError> {
        let statement = &action.statement;
        let (facts, sql) = statement::written(dialect, statement)?;
        let facts = facts.as_ref();
        let number = number(self.steps.len());
        let index = built_index(facts, statement);
        // Forward, `way_back` says it.
        let losing = match (undoes, &loses) {
            (Some(_), Some(loses)) => format!(" | loses {loses}"),
            _ => String::new(),
        };
        let small = self.small(facts, statement);
        let only = small.iter().map(|small| {
            let (table, limit) = (&small.table, small.limit());
            format!(
                "--    only while {table} holds {limit}; it held {}\n",
                small.held()
            )
        });
        let heading = format!(
            "\n-- {number}. {}\n--    {} | {way_back}{losing} | from {source}\n{}",
            action.summary,
            effect(facts),
            only.collect::<String>(),
        );
        self.write(&heading);
        let first = self::number(self.lines);
        self.write(sql.trim_end());
        self.write("\n");
        self.steps.push(Step {
            section: self.section,
            direction: self.direction,
            number,
            lines: (first, self::number(self.lines) - 1),
            summary: action.summary.clone(),
            table: statement.table().to_owned(),
            also_locks: statement::also_locked(statement),
            lock: facts.lock.clone(),
            blocks_writers: facts.blocks_writers,
            scans: facts.scans,
            rewrites: facts.rewrites,
            transactional: facts.transactional,
            builds_index: index.map(|index| index.name.clone()),
            expects: expected(dialect, statement)?,
            undoes,
            loses,
            source: source.to_owned(),
            index: index.map(|index| definition(dialect, index)).transpose()?,
            uses: used(statement, number),
            repeatable: false,
            prepared: matches!(statement, Statement::ExchangeKey { back: false, .. }),
            small,
        });
        Ok(())
    }

    /// The tables whose rows the statement goes through only as long as they are small.
    fn small(&self, facts: &StatementFacts, statement: &Statement) -> Vec<SmallTable> {
        let is_own = facts.takes_all_rows() && !matches!(statement, Statement::Raw(_));
        let direct = self.direct.iter();
        let of_statement = direct.filter(|small| is_own && small.table == statement.table());
        of_statement.cloned().collect()
    }
}

fn built_index<'a>(facts: &StatementFacts, statement: &'a Statement) -> Option<&'a IndexShape> {
    match statement {
        Statement::CreateIndex { index, .. } if facts.builds_index => Some(index),
        _ => None,
    }
}

/// An exchange takes the indexes that were built right before it, so that nothing is left of them.
fn used(statement: &Statement, number: u32) -> Vec<u32> {
    match statement {
        Statement::ExchangeKey {
            back: false,
            indexes,
            ..
        } => {
            let built = u32::try_from(indexes.len()).map_or(number, |others| others + 1);
            (number.saturating_sub(built)..number).collect()
        }
        _ => Vec::new(),
    }
}

/// What the executor compares with what the database has under the index's name.
fn definition(dialect: &Dialect, index: &IndexShape) -> Result<IndexDefinition, DialectError> {
    let over = if index.is_plain() {
        None
    } else {
        let over = dialect.render("statement/_index", BTreeMap::from([("index", index)]))?;
        Some(over.trim().to_owned())
    };
    Ok(IndexDefinition {
        columns: index.columns.clone(),
        unique: index.unique,
        predicate: index.predicate.clone(),
        over,
    })
}

/// What makes the table that a rebuild expects to find.
fn expected(dialect: &Dialect, statement: &Statement) -> Result<Vec<String>, DialectError> {
    let Statement::RebuildTable { before, .. } = statement else {
        return Ok(Vec::new());
    };
    let table = Statement::CreateTable {
        table: before.clone(),
    };
    let indexes = before.indexes.iter().map(|index| Statement::CreateIndex {
        table: before.name.clone(),
        index: index.clone(),
    });
    std::iter::once(table)
        .chain(indexes)
        .map(|statement| {
            let sql = dialect.render_statement(statement.name(), &statement)?;
            Ok(sql.trim().to_owned())
        })
        .collect()
}

/// `lock ACCESS EXCLUSIVE (brief) | no scan | no rewrite | in a transaction`
fn effect(facts: &StatementFacts) -> String {
    let brief = if facts.blocks_writers && !facts.scans && !facts.rewrites {
        " (brief)"
    } else {
        ""
    };
    let lock = if facts.lock == "none" {
        "no lock".to_owned()
    } else if facts.lock.ends_with("lock") {
        format!("{}{brief}", facts.lock)
    } else {
        format!("lock {}{brief}", facts.lock)
    };
    let scan = if facts.scans { "scans" } else { "no scan" };
    let rewrite = if facts.rewrites {
        "rewrites"
    } else {
        "no rewrite"
    };
    let transaction = if facts.transactional {
        "in a transaction"
    } else {
        "outside a transaction"
    };
    format!("{lock} | {scan} | {rewrite} | {transaction}")
}
