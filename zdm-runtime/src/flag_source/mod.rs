//! Where an instance is told which of its readers may take new, within what the control tables allow.
//!
//! Comes in: a migration of the code. Goes out: [`ReaderLimits`]. Must not know: stages, tables, who asks and how often.
//!
//! The control tables stay the authority. A stage is never a source's to choose, and at `live` alone, where both sides are maintained
//! and verified, does a source choose between them: it lowers the share that they allow, and names keys that read new or old whatever
//! the share is. At every other stage nothing of it counts.

mod environment;
#[cfg(feature = "flag-file")]
mod file;
mod limits;
#[cfg(feature = "open-feature")]
mod open_feature;
mod readers;

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use crate::MigrationCode;

pub use environment::Environment;
#[cfg(feature = "flag-file")]
pub use file::FlagFile;
pub(crate) use limits::Decider;
pub use limits::ReaderLimits;
#[cfg(feature = "open-feature")]
pub use open_feature::OpenFeatureFlags;
pub(crate) use readers::Readers;

/// What a source answers: limits, none where it has nothing to say of a migration, or why it cannot tell.
pub type Answer<'a> = Pin<
    Box<
        dyn Future<Output = Result<Option<ReaderLimits>, Box<dyn Error + Send + Sync>>> + Send + 'a,
    >,
>;

/// Something that knows which readers of this instance may take new: the environment, a file, a service of feature flags.
///
/// It is asked about once a second. Where it fails or does not answer within a few seconds, what it said last holds; where it has never
/// answered, this instance reads old at `live`.
pub trait FlagSource: Debug + Send + Sync {
    /// For people: `the file /etc/app/readers.toml`.
    fn name(&self) -> String;

    /// What it says of a migration's readers in this instance, which goes by the name of `instance`.
    fn limits<'a>(&'a self, migration: &'a MigrationCode, instance: &'a str) -> Answer<'a>;
}
