//! Puts the questions to a database. What cannot be answered has a reason; it is never taken for none.

use std::time::Duration;

use zdm_runtime::database::{Connection, DatabaseError, Row, Value};
use zdm_runtime::manifest::{EdgeFacts, Fact, Measured, RowFacts};

use super::answer::{self, Examples};
use super::question::{Question, question};
use super::{Finding, is_open};
use crate::dialect::{Dialect, DialectError};
use crate::plan::Pair;

/// Asks about every pair that is not proved, in their order. One statement may take `deadline`.
pub(crate) async fn ask(
    connection: &mut Connection,
    pairs: &[Pair],
    dialect: &Dialect,
    deadline: Duration,
) -> Result<Vec<Finding>, DialectError> {
    let mut findings = Vec::new();
    for pair in pairs.iter().filter(|pair| is_open(pair)) {
        let asked = Asked {
            question: question(pair, dialect)?,
            table: &pair.table,
            deadline,
        };
        let mut misunderstood = Vec::new();
        let (rows, edges, examples) = if let Err(reason) = asked.prepared(connection).await {
            let edges = asked.question.edges.as_ref();
            let edges = edges.map(|_| Fact::Unknown(reason.clone()));
            (Fact::Unknown(reason), edges, Examples::default())
        } else {
            misunderstood = asked.misunderstood(connection).await;
            let (rows, examples) = asked.rows(connection).await;
            (rows, asked.edges(connection).await, examples)
        };
        findings.push(Finding {
            table: pair.table.clone(),
            column: pair.new.name.clone(),
            rule: pair.rule(),
            source: pair.new.source.clone(),
            measured: Measured { rows, edges },
            misunderstood,
            examples,
        });
    }
    Ok(findings)
}

struct Asked<'a> {
    question: Question,
    table: &'a str,
    deadline: Duration,
}

impl Asked<'_> {
    /// Whether the table is there as it was before the version, and may be read; or the reason why it cannot be asked.
    async fn prepared(&self, connection: &mut Connection) -> Result<(), String> {
        let table = self.table;
        let columns = self.texts(connection, &self.question.columns).await?;
        if columns.is_empty() {
            return Err(format!(
                "there is no table `{table}` in this database, or none that the role may see"
            ));
        }
        let lacking: Vec<_> = self
            .question
            .needs
            .iter()
            .filter(|column| !columns.contains(column))
            .map(|column| format!("`{column}`"))
            .collect();
        if !lacking.is_empty() {
            return Err(format!(
                "`{table}` has no column {} in this database, which is behind the versions or past this one",
                lacking.join(", ")
            ));
        }
        let grants = self.texts(connection, &self.question.grants).await?;
        if !grants.is_empty() {
            return Err(format!(
                "the role lacks a right; let the owner run `{};`",
                grants.join("; ")
            ));
        }
        Ok(())
    }

    /// What is declared and the database cannot read: it names a function, for example, that is not there.
    async fn misunderstood(&self, connection: &mut Connection) -> Vec<String> {
        let mut misunderstood = Vec::new();
        for (attribute, sql) in &self.question.declared {
            if let Err(error) = connection.prepare_file(sql).await {
                misunderstood.push(format!("`{attribute}`: {}", self.reason(&error)));
            }
        }
        misunderstood
    }

    async fn rows(&self, connection: &mut Connection) -> (Fact<RowFacts>, Examples) {
        match self.query(connection, &self.question.rows).await {
            Err(reason) => (Fact::Unknown(reason), Examples::default()),
            Ok(rows) => match answer::rows(&rows) {
                Some((facts, examples)) => (Fact::Found(facts), examples),
                None => (Fact::Unknown(misunderstood(&rows)), Examples::default()),
            },
        }
    }

    async fn edges(&self, connection: &mut Connection) -> Option<Fact<EdgeFacts>> {
        let edges = self.question.edges.as_ref()?;
        Some(match self.query(connection, edges).await {
            Err(reason) => Fact::Unknown(reason),
            Ok(rows) => answer::edges(&rows)
                .map_or_else(|| Fact::Unknown(misunderstood(&rows)), Fact::Found),
        })
    }

    async fn query(&self, connection: &mut Connection, sql: &str) -> Result<Vec<Row>, String> {
        connection
            .query_only(&self.question.preparation, sql, &[], self.deadline)
            .await
            .map_err(|error| self.reason(&error))
    }

    /// The first column of a question about the table.
    async fn texts(&self, connection: &mut Connection, sql: &str) -> Result<Vec<String>, String> {
        let rows = connection
            .query_only("", sql, &[Value::from(self.table)], self.deadline)
            .await
            .map_err(|error| self.reason(&error))?;
        let texts = rows
            .into_iter()
            .filter_map(|row| match row.into_iter().next() {
                Some(Value::Text(text)) => text,
                _ => None,
            });
        Ok(texts.collect())
    }

    fn reason(&self, error: &DatabaseError) -> String {
        reason(error, self.deadline)
    }
}

/// Why a question has no answer.
pub(super) fn reason(error: &DatabaseError, deadline: Duration) -> String {
    if error.is_cancelled() {
        let deadline = humantime::format_duration(deadline);
        return format!("it takes longer than {deadline}; `--count-timeout` gives it more");
    }
    error.to_string().replace('\n', " ")
}

fn misunderstood(rows: &[Row]) -> String {
    format!("the answer has an unexpected shape: {rows:?}")
}
