//! Findings as people read them on the terminal, with the values of rows.

use zdm_runtime::manifest::{EdgeFacts, Fact, Losses, RowFacts};

use super::Finding;
use super::answer::Example;

impl Finding {
    /// `users.age_int`
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }

    /// The database names something that it lacks or cannot read in the declaration; or rows that `up` cannot convert, though
    /// it is declared to convert all of them.
    pub(crate) fn is_refuted(&self) -> bool {
        !self.misunderstood.is_empty() || self.refuting_rows().is_some()
    }

    /// The rows among all that `up` is declared to convert and does not.
    pub(crate) fn refuting_rows(&self) -> Option<&RowFacts> {
        match &self.measured.rows {
            Fact::Found(facts) if self.rule == "total" && facts.unconvertible.count > 0 => {
                Some(facts)
            }
            _ => None,
        }
    }

    /// What was found, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let facts = match &self.measured.rows {
            Fact::Unknown(reason) => return vec![format!("not counted: {reason}")],
            Fact::Found(facts) => facts,
        };
        let mut lines = vec![self.unconvertible(facts)];
        if let Some(losses) = &facts.losses {
            lines.extend(self.losses(facts, losses));
        }
        lines
    }

    /// `3 of 6 rows cannot be converted: (1) 'abc', …`
    pub(crate) fn unconvertible(&self, facts: &RowFacts) -> String {
        let (count, rows) = (facts.unconvertible.count, facts.rows);
        if count == 0 {
            return format!("every one of {rows} rows can be converted");
        }
        let rule = match self.rule {
            "total" => String::new(),
            rule => format!(", on_invalid = {rule}"),
        };
        format!(
            "{count} of {rows} rows cannot be converted{rule}: {}",
            listed(&self.examples.unconvertible, count)
        )
    }

    fn losses(&self, facts: &RowFacts, losses: &Losses) -> [String; 2] {
        let converted = facts.rows.saturating_sub(facts.unconvertible.count);
        let lost = |count: u64, examples: &[Example]| match count {
            0 => format!("nothing in {converted} rows"),
            _ => format!("{count} of {converted} rows: {}", listed(examples, count)),
        };
        let edges = match &self.measured.edges {
            None => String::new(),
            Some(Fact::Unknown(reason)) => {
                format!("; values at the edges of the type were not tried: {reason}")
            }
            Some(Fact::Found(facts)) => format!("; {}", edges(facts)),
        };
        [
            format!(
                "lost by `up`: {}",
                lost(losses.up.count, &self.examples.lost_by_up)
            ),
            format!(
                "lost by `down`: {}{edges}",
                lost(losses.down.count, &self.examples.lost_by_down)
            ),
        ]
    }
}

fn edges(facts: &EdgeFacts) -> String {
    let changed = facts.changed.iter();
    let changed = changed.map(|(value, back)| format!("{value} → {back}"));
    let refused = facts.refused.iter();
    let refused = refused.map(|value| format!("{value} refused"));
    let all: Vec<_> = changed.chain(refused).collect();
    let found = if all.is_empty() {
        "nothing".to_owned()
    } else {
        all.join(", ")
    };
    format!("at the edges of the type ({} values): {found}", facts.tried)
}

fn listed(examples: &[Example], count: u64) -> String {
    let shown = examples
        .iter()
        .map(|example| format!("({}) {}", example.key.join(", "), example.steps.join(" → ")));
    let more = (count > examples.len() as u64).then(|| "…".to_owned());
    shown.chain(more).collect::<Vec<_>>().join(", ")
}
