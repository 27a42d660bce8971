//! What the other versions of the folder say about a move of this one.
//!
//! Comes in: the session, a version. Goes out: gates.
//! Must not know: what the move does.

use zdm_runtime::database::catalogue::{self, Reference};
use zdm_runtime::gates::{self, Gate, Waiting};
use zdm_runtime::history::Recorded;
use zdm_runtime::phase::Section;

use super::position::{Position, WayBack};
use super::session::Session;
use super::{gate, section};
use crate::error::Failure;

impl Session {
    /// What stands before a version's expand.
    pub(crate) async fn gates_of_expand(&mut self, place: usize) -> Result<Vec<Gate>, Failure> {
        let policy = gate::policy(&self.policy, &self.actor)?;
        let recorded = self.recorded().await?;
        let facts = self.facts(place).await?;
        let waiting = self.waiting(place, &recorded);
        let manifest = self.manifest(place);
        let mut gates = gates::for_expand(manifest, &waiting, &facts, &policy);
        // Before that the columns are not there that the rights are on.
        let is_begun = section::in_effect(&facts, Section::Expand).is_ok_and(|steps| steps > 0);
        if is_begun && manifest.first_triggers(Section::Expand).is_some() {
            gates.extend(gates::for_triggers(&facts, &policy));
        }
        Ok(gates)
    }

    /// What stands before the undo of a version's expand.
    pub(crate) async fn gates_of_undo(&mut self, place: usize) -> Result<Vec<Gate>, Failure> {
        let policy = gate::policy(&self.policy, &self.actor)?;
        let later = self.later(place).await?;
        let references = self.references_that_stay(place).await?;
        let facts = self.facts(place).await?;
        let later: Vec<_> = later.iter().map(|other| self.manifest(*other)).collect();
        Ok(gates::for_undo_of_expand(
            self.manifest(place),
            &later,
            &references,
            &facts,
            &policy,
        ))
    }

    /// Why a later version that stands on this one keeps it where it is, if one does: it has no way back itself.
    pub(crate) async fn kept_by(&mut self, place: usize) -> Result<Option<String>, Failure> {
        let later = self.later(place).await?;
        let manifests: Vec<_> = later.iter().map(|other| self.manifest(*other)).collect();
        let standing: Vec<String> = gates::standing_on(self.manifest(place), &manifests)
            .into_iter()
            .map(|version| version.id.clone())
            .collect();
        for other in later {
            if !standing.contains(&self.manifest(other).id) {
                continue;
            }
            let position = self.position(other).await?;
            let manifest = self.manifest(other);
            let way = position.way_back(manifest.route, manifest.reversible);
            if let WayBack::Gone(reason) = way {
                return Ok(Some(format!(
                    "{} stands on it and has none itself: {reason}",
                    manifest.folder()
                )));
            }
        }
        Ok(None)
    }

    /// The later versions of which something is in this database.
    async fn later(&mut self, place: usize) -> Result<Vec<usize>, Failure> {
        let mut later = Vec::new();
        for other in place + 1..self.migrations.len() {
            if self.position(other).await? != Position::Absent {
                later.push(other);
            }
        }
        Ok(later)
    }

    /// The foreign keys of other tables to those that the version created.
    async fn references_that_stay(&mut self, place: usize) -> Result<Vec<Reference>, Failure> {
        let tables: Vec<String> = self
            .manifest(place)
            .created_tables()
            .map(str::to_owned)
            .collect();
        let mut references = Vec::new();
        for table in &tables {
            references.extend(catalogue::references(&mut self.connection, table).await?);
        }
        references.retain(|reference| !reference.is_of(&tables));
        Ok(references)
    }

    /// The earlier versions that this database has not contracted.
    fn waiting(&self, place: usize, recorded: &[Recorded]) -> Vec<Waiting<'_>> {
        let earlier = (0..place).map(|earlier| self.manifest(earlier));
        earlier
            .filter_map(|version| {
                let mut records = recorded.iter();
                let record = records.find(|recorded| recorded.migration == version.id);
                let waits = record.is_none_or(|record| !record.contracted);
                waits.then(|| Waiting {
                    version,
                    kept_until: record.and_then(|record| record.kept_until),
                })
            })
            .collect()
    }

    /// A later version brings a name back that this one drops: code that names the old one cannot be meant any more.
    pub(crate) fn is_taken_up_later(&self, place: usize) -> bool {
        let drops = &self.manifest(place).drops;
        let mut later = self.migrations.iter().skip(place + 1);
        later.any(|later| {
            !zdm_runtime::manifest::shared(&later.manifest().creates, drops).is_empty()
        })
    }
}
