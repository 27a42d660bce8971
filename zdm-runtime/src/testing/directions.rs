//! The relation *consistent* in both directions: what old holds, by `up`; what new holds, by `down`; and a write of one column alone
//! over a row that is there. What does not come back is what the version says that it loses.
//!
//! Comes in: a pair, a connection. Goes out: [`Findings`]. Must not know: how they are told.

use std::collections::{BTreeMap, BTreeSet};

use super::TestError;
use super::pair::{Column, Pair, Unconvertible};
use super::try_row::{TryRow, back, short};
use super::values::{self, Sample, Values};
use crate::database::Connection;
use crate::losses::quoted;

/// So many rows stand for all that are there when one column is written.
const ROWS_BEFORE: usize = 3;

/// The kind of the texts that the expressions themselves name.
const IN_EXPRESSIONS: &str = "texts of the expressions";

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// What must not be, whatever a version says.
    pub(super) problems: Vec<String>,
    /// What `down` does not give back of old values.
    pub(super) up: Side,
    /// What `up` does not give back of new values.
    pub(super) down: Side,
}

/// What was tried of one side.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) tried: BTreeSet<&'static str>,
    /// What became of values that do not come back, by their kind.
    pub(super) lost: BTreeMap<&'static str, Vec<String>>,
}

/// A row of values of which one is of this kind.
struct Tried {
    kind: &'static str,
    literals: Vec<String>,
}

/// Tries a pair.
pub(super) async fn of(connection: &mut Connection, pair: &Pair) -> Result<Findings, TestError> {
    let mut tries = Tries {
        row: TryRow::of(connection, pair).await?,
        pair,
        findings: Findings::default(),
        kept: Vec::new(),
    };
    let before = tries.up().await?;
    if !pair.down.is_empty() {
        tries.down().await?;
        tries.one_column(&before).await?;
    }
    Ok(tries.findings)
}

/// Old values that come back from new, each as literals of the old columns.
pub(super) async fn coming_back(
    connection: &mut Connection,
    pair: &Pair,
) -> Result<Vec<Vec<String>>, TestError> {
    let mut tries = Tries {
        row: TryRow::of(connection, pair).await?,
        pair,
        findings: Findings::default(),
        kept: Vec::new(),
    };
    tries.up().await?;
    if tries.kept.is_empty() {
        let problem = tries.findings.problems.pop();
        let problem = problem.unwrap_or_else(|| "none of them comes back".to_owned());
        return Err(TestError::Found(format!("{}: {problem}", pair.name())));
    }
    Ok(tries.kept)
}

struct Tries<'a> {
    row: TryRow<'a>,
    pair: &'a Pair,
    findings: Findings,
    /// Old values that come back.
    kept: Vec<Vec<String>>,
}

impl Tries<'_> {
    /// What old holds. Rows that `up` converts come back, for later.
    async fn up(&mut self) -> Result<Vec<Vec<String>>, TestError> {
        let pair = self.pair;
        let mut converted = Vec::new();
        for tried in self.rows(pair.old) {
            let given = shown(&tried.literals);
            // What the column does not hold is nobody's value.
            if self.row.put(pair.old, &tried.literals).await.is_err() || self.is_invalid().await? {
                continue;
            }
            if let Err(error) = self.row.set(&names(pair.new), &owned(pair.up)).await {
                self.problem(format!(
                    "`up` fails on {given}: {error}. Every read and every write of such a row would fail"
                ));
                continue;
            }
            if self.waits().await? {
                if pair.unconvertible == Unconvertible::Nothing {
                    self.problem(format!(
                        "`up` gives NULL for {given}, and new may not be NULL: say by `on_invalid` what becomes of such rows"
                    ));
                }
                continue;
            }
            self.agrees(&format!("old is {given} and `up` has given new"))
                .await?;
            self.findings.up.tried.insert(tried.kind);
            if !pair.down.is_empty() {
                let new = self.row.shown(&names(pair.new)).await?;
                match self.given_back(pair.old, pair.down).await? {
                    None => self.kept.push(tried.literals.clone()),
                    Some(lost) => {
                        let lost = format!("{given} → {new} → {lost}");
                        let kind = self.findings.up.lost.entry(tried.kind);
                        kind.or_default().push(lost);
                    }
                }
            }
            converted.push(tried.literals);
        }
        if self.findings.up.tried.is_empty() {
            self.problem("none of the old values that were tried has a new one".to_owned());
        }
        Ok(converted)
    }

    /// What new holds.
    async fn down(&mut self) -> Result<(), TestError> {
        let pair = self.pair;
        for tried in self.rows(pair.new) {
            let given = shown(&tried.literals);
            if self.row.put(pair.new, &tried.literals).await.is_err() {
                continue;
            }
            self.findings.down.tried.insert(tried.kind);
            let mut lost = match self.row.set(&names(pair.old), &owned(pair.down)).await {
                Err(error) => Some(format!("`down` refuses it: {error}")),
                Ok(()) if self.lacks(pair.old).await? => {
                    Some("NULL, which old may not be: a write is refused".to_owned())
                }
                Ok(()) => None,
            };
            if lost.is_none() {
                self.agrees(&format!("new is {given} and `down` has given old"))
                    .await?;
                let old = self.row.shown(&names(pair.old)).await?;
                lost = self.given_back(pair.new, pair.up).await?;
                lost = lost.map(|back| format!("{old} → {back}"));
            }
            if let Some(lost) = lost {
                let kind = self.findings.down.lost.entry(tried.kind);
                kind.or_default().push(format!("{given} → {lost}"));
            }
        }
        if self.findings.down.tried.is_empty() {
            self.problem("new holds none of the values that were tried".to_owned());
        }
        Ok(())
    }

    /// One new column written over a row whose sides agree, as generated code does: old stays where it is what new says already.
    async fn one_column(&mut self, before: &[Vec<String>]) -> Result<(), TestError> {
        let pair = self.pair;
        for old in before.iter().take(ROWS_BEFORE) {
            for column in pair.new {
                for Sample { literal, .. } in self.samples(column) {
                    self.row.put(pair.old, old).await?;
                    self.row.set(&names(pair.new), &owned(pair.up)).await?;
                    let written = [column.name.to_owned()];
                    let held = self.row.set(&written, std::slice::from_ref(&literal)).await;
                    let doubles: Vec<_> = pair.new.iter().map(back).collect();
                    self.row.set(&doubles, &owned(pair.up)).await?;
                    let kept = self.kept();
                    // What old does not hold is refused, which the other direction has found.
                    if held.is_err()
                        || self.row.set(&names(pair.old), &kept).await.is_err()
                        || self.lacks(pair.old).await?
                    {
                        continue;
                    }
                    self.agrees(&format!(
                        "old was {}, and {} was written to `{}` alone",
                        shown(old),
                        short(&literal),
                        column.name
                    ))
                    .await?;
                }
            }
        }
        Ok(())
    }

    /// Each old column as it is where it gives new already, and as `down` says elsewhere.
    fn kept(&self) -> Vec<String> {
        let same = self.row.came_back(self.pair.new);
        let downs = self.pair.old.iter().zip(self.pair.down);
        downs
            .map(|(column, down)| {
                let old = quoted(column.name);
                format!("CASE WHEN {same} THEN {old} ELSE {down} END")
            })
            .collect()
    }

    /// The rows to try: each column in turn has all values, the others stay ordinary.
    fn rows(&self, columns: &[Column]) -> Vec<Tried> {
        let samples: Vec<_> = columns.iter().map(|column| self.samples(column)).collect();
        let ordinary: Vec<_> = samples
            .iter()
            .filter_map(|samples| samples.first())
            .map(|sample| sample.literal.clone())
            .collect();
        let mut rows = Vec::new();
        for (at, samples) in samples.into_iter().enumerate() {
            for Sample { kind, literal } in samples {
                let mut literals = ordinary.clone();
                literals[at] = literal;
                rows.push(Tried { kind, literals });
            }
        }
        rows
    }

    fn samples(&self, column: &Column) -> Vec<Sample> {
        let mut samples = values::samples(column.values, column.nullable, self.row.dialect());
        if column.values == Values::Text {
            for literal in texts(self.pair) {
                if samples.iter().all(|sample| sample.literal != literal) {
                    let kind = IN_EXPRESSIONS;
                    samples.push(Sample { kind, literal });
                }
            }
        }
        samples
    }

    /// Whether the version says that the row has no new value.
    async fn is_invalid(&mut self) -> Result<bool, TestError> {
        let Unconvertible::Known { condition, up, .. } = self.pair.unconvertible else {
            return Ok(false);
        };
        if let Some(condition) = condition
            && self.row.holds(condition).await?
        {
            return Ok(true);
        }
        Ok(!self.row.computes(up).await)
    }

    /// Whether new is NULL though old is not, or though it may not be.
    async fn waits(&mut self) -> Result<bool, TestError> {
        let pair = self.pair;
        let must: Vec<_> = pair.new.iter().filter(|column| !column.nullable).collect();
        for column in must {
            let condition = format!("{} IS NULL", quoted(column.name));
            if self.row.holds(&condition).await? {
                return Ok(true);
            }
        }
        if !pair.waits() {
            return Ok(false);
        }
        let given = pair
            .old
            .iter()
            .map(|old| format!("{} IS NOT NULL", quoted(old.name)));
        let given = given.collect::<Vec<_>>().join(" OR ");
        let lacking = pair
            .new
            .iter()
            .map(|new| format!("{} IS NULL", quoted(new.name)));
        let lacking = lacking.collect::<Vec<_>>().join(" OR ");
        self.row.holds(&format!("({given}) AND ({lacking})")).await
    }

    /// Whether a column that may not be NULL is.
    async fn lacks(&mut self, columns: &[Column]) -> Result<bool, TestError> {
        for column in columns.iter().filter(|column| !column.nullable) {
            let condition = format!("{} IS NULL", quoted(column.name));
            if self.row.holds(&condition).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What comes back in the place of these columns' values; `None`: they do.
    async fn given_back(
        &mut self,
        columns: &[Column],
        by: &[&str],
    ) -> Result<Option<String>, TestError> {
        let doubles: Vec<_> = columns.iter().map(back).collect();
        if let Err(error) = self.row.set(&doubles, &owned(by)).await {
            return Ok(Some(format!("refused: {error}")));
        }
        let came_back = self.row.came_back(columns);
        if self.row.holds(&came_back).await? {
            return Ok(None);
        }
        self.row.shown(&doubles).await.map(Some)
    }

    async fn agrees(&mut self, how: &str) -> Result<(), TestError> {
        if !self.row.holds(self.pair.consistent).await? {
            let (old, new) = (names(self.pair.old), names(self.pair.new));
            let (old, new) = (self.row.shown(&old).await?, self.row.shown(&new).await?);
            self.problem(format!(
                "{how}: the row is not consistent, with old {old} and new {new}"
            ));
        }
        Ok(())
    }

    fn problem(&mut self, problem: String) {
        self.findings.problems.push(problem);
    }
}

fn names(columns: &[Column]) -> Vec<String> {
    columns
        .iter()
        .map(|column| column.name.to_owned())
        .collect()
}

fn owned(expressions: &[&str]) -> Vec<String> {
    expressions.iter().map(|text| (*text).to_owned()).collect()
}

fn shown(literals: &[String]) -> String {
    let shown: Vec<_> = literals.iter().map(|literal| short(literal)).collect();
    shown.join(", ")
}

/// The texts that a pair's expressions name: what they tell apart by name has to be tried.
fn texts(pair: &Pair) -> Vec<String> {
    let known = match pair.unconvertible {
        Unconvertible::Known { condition, up, .. } => [condition, Some(up)],
        Unconvertible::Nothing => [None, None],
    };
    let expressions = pair.up.iter().chain(pair.down).copied();
    let expressions = expressions.chain(known.into_iter().flatten());
    // Between quotes; what is quoted in a text is two of these.
    let texts = expressions.flat_map(|expression| expression.split('\'').skip(1).step_by(2));
    let texts: BTreeSet<_> = texts.map(|text| format!("'{text}'")).collect();
    texts.into_iter().collect()
}
