//! Reads, each compared with the oracle in the snapshot that it is made in.

use std::time::Instant;

use super::Shared;
use crate::load::random::Random;
use crate::rehearse::compare::{self, difference, is_found_by};
use crate::rehearse::error::WorkError;
use crate::rehearse::handle::Handle;
use crate::rehearse::instance::Instance;
use crate::rehearse::line::Line;
use crate::rehearse::oracle;
use crate::rehearse::repository::Repository;
use crate::rehearse::value::{Value, Values, shown};

/// Rows of a list, and of a page of the full comparison.
const LIST_ROWS: i64 = 20;
const PAGE_ROWS: i64 = 500;
/// How many differences a full comparison names.
const NAMED: usize = 20;

impl Shared {
    /// One read in a snapshot of its own; what is not as it should be goes to the tally.
    pub(in crate::rehearse) async fn read(
        &self,
        line: &mut Line,
        instance: &Instance,
        random: &mut Random,
    ) -> Result<(), WorkError> {
        let Some(at) = self.some_tab(instance, random) else {
            return Ok(());
        };
        let (Some(row), Some(repository)) =
            (self.some_row(at, 0, random), self.repository(instance, at))
        else {
            return Ok(());
        };
        line.connection.begin_snapshot().await?;
        let list = random.below(4) == 0;
        let result = self
            .read_some(line, &repository, at, instance, (&row, list))
            .await;
        let differences = line.connection.end(result).await?;
        let part = self.part();
        for difference in differences {
            self.tally().read_stale(part, &difference);
        }
        Ok(())
    }

    async fn read_some(
        &self,
        line: &mut Line,
        repository: &Repository<'_>,
        at: usize,
        instance: &Instance,
        (wanted, list): (&Handle, bool),
    ) -> Result<Vec<String>, WorkError> {
        let (part, begun) = (self.part(), Instant::now());
        let (tab, form) = (&self.subject.tabs[at], instance.form);
        let key = wanted.key(form);
        let rows = match key {
            Some(key) if !list => repository.get(line, key).await?.into_iter().collect(),
            key => {
                let after = key.map(Vec::as_slice);
                repository.list(line, after, LIST_ROWS).await?
            }
        };
        self.tally().took(part, begun.elapsed());
        let mut differences = Vec::new();
        if rows.is_empty() && !list && key.is_some() {
            let known = oracle::one(&mut line.connection, at, &wanted.name()).await?;
            if known.is_some_and(|known| is_found_by(tab, form, &known, wanted)) {
                differences.push(format!(
                    "{} ({}) was written and is not found",
                    tab.name,
                    shown(&wanted.identity)
                ));
            }
        }
        for row in rows {
            let found = tab.handle_of(form, &row);
            let known = oracle::one(&mut line.connection, at, &found.name()).await?;
            let known = known.as_deref();
            differences.extend(self.differs(at, instance, &found, known, &row).await);
            self.seen(at, form, &row);
        }
        Ok(differences)
    }

    async fn differs(
        &self,
        at: usize,
        instance: &Instance,
        found: &Handle,
        known: Option<&[compare::Known]>,
        row: &[Value],
    ) -> Option<String> {
        let tab = &self.subject.tabs[at];
        let called = shown(&found.identity);
        let Some(known) = known else {
            return Some(format!(
                "{} ({called}) was deleted or never written, and is read",
                tab.name
            ));
        };
        let found = difference(&self.meaning, (at, tab), instance.form, known, row).await?;
        Some(format!("{} ({called}): {found}", tab.name))
    }

    /// Every row of every table and every row that should be there, in one snapshot.
    pub(in crate::rehearse) async fn compare_all(
        &self,
        instance: &Instance,
    ) -> Result<(), WorkError> {
        let mut line = Line::open(&self.url).await?;
        line.connection.begin_snapshot().await?;
        let result = self.compare_tables(&mut line, instance).await;
        let (rows, lost) = line.connection.end(result).await?;
        let mut tally = self.tally();
        tally.rows_compared = rows;
        for lost in lost {
            tally.lose(&lost);
        }
        Ok(())
    }

    async fn compare_tables(
        &self,
        line: &mut Line,
        instance: &Instance,
    ) -> Result<(u64, Vec<String>), WorkError> {
        let (mut rows, mut lost) = (0, Vec::new());
        for at in 0..self.subject.tabs.len() {
            let Some(repository) = self.repository(instance, at) else {
                continue;
            };
            let tab = &self.subject.tabs[at];
            let mut wanted = oracle::all(&mut line.connection, at).await?;
            let mut after: Option<Values> = None;
            loop {
                let page = repository.list(line, after.as_deref(), PAGE_ROWS).await?;
                let Some(end) = page.last() else { break };
                after = Some(repository.key_of(end));
                rows += page.len() as u64;
                for row in &page {
                    let found = tab.handle_of(instance.form, row);
                    let known = wanted.remove(&found.name());
                    lost.extend(
                        self.differs(at, instance, &found, known.as_deref(), row)
                            .await,
                    );
                    self.seen(at, instance.form, row);
                }
            }
            let name = &tab.name;
            lost.extend(
                wanted
                    .into_keys()
                    .map(|key| format!("{name} {key} was written and is gone")),
            );
            lost.truncate(NAMED);
        }
        Ok((rows, lost))
    }
}
