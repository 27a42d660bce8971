//! Reads, each compared with the oracle in the snapshot that it is made in.

use std::time::Instant;

use super::Shared;
use crate::load::random::Random;
use crate::rehearse::compare::{self, difference};
use crate::rehearse::error::WorkError;
use crate::rehearse::instance::Instance;
use crate::rehearse::line::Line;
use crate::rehearse::oracle;
use crate::rehearse::repository::Repository;
use crate::rehearse::value::{Value, Values, identity, shown};

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
        let (Some(key), Some(repository)) =
            (self.some_key(at, 0, random), self.repository(instance, at))
        else {
            return Ok(());
        };
        line.connection.begin_snapshot().await?;
        let list = random.below(4) == 0;
        let result = self
            .read_some(line, &repository, at, instance, (&key, list))
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
        (key, list): (&[Value], bool),
    ) -> Result<Vec<String>, WorkError> {
        let (part, begun) = (self.part(), Instant::now());
        let rows = if list {
            repository.list(line, Some(key), LIST_ROWS).await?
        } else {
            repository.get(line, key).await?.into_iter().collect()
        };
        self.tally().took(part, begun.elapsed());
        let tab = &self.subject.tabs[at];
        let mut differences = Vec::new();
        if rows.is_empty()
            && !list
            && oracle::one(&mut line.connection, at, &identity(key))
                .await?
                .is_some()
        {
            differences.push(format!(
                "{} ({}) was written and is not found",
                tab.name,
                shown(key)
            ));
        }
        for row in rows {
            let found = repository.key_of(&row);
            let known = oracle::one(&mut line.connection, at, &identity(&found)).await?;
            let known = known.as_deref();
            differences.extend(self.differs(at, instance, &found, known, &row).await);
        }
        Ok(differences)
    }

    async fn differs(
        &self,
        at: usize,
        instance: &Instance,
        key: &[Value],
        known: Option<&[compare::Known]>,
        row: &[Value],
    ) -> Option<String> {
        let tab = &self.subject.tabs[at];
        let Some(known) = known else {
            return Some(format!(
                "{} ({}) was deleted or never written, and is read",
                tab.name,
                shown(key)
            ));
        };
        let found = difference(&self.meaning, (at, tab), instance.form, known, row).await?;
        Some(format!("{} ({}): {found}", tab.name, shown(key)))
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
            let mut wanted = oracle::all(&mut line.connection, at).await?;
            let mut after: Option<Values> = None;
            loop {
                let page = repository.list(line, after.as_deref(), PAGE_ROWS).await?;
                let Some(end) = page.last() else { break };
                after = Some(repository.key_of(end));
                rows += page.len() as u64;
                for row in &page {
                    let key = repository.key_of(row);
                    let known = wanted.remove(&identity(&key));
                    let found = self
                        .differs(at, instance, &key, known.as_deref(), row)
                        .await;
                    lost.extend(found);
                }
            }
            let name = &self.subject.tabs[at].name;
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
