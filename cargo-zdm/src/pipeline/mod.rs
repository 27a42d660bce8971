//! The stages between source and files, as [`crate::generate`] puts them together.

pub(crate) mod code;
pub(crate) mod declare;
mod draft;
mod error;
pub(crate) mod finalize;
pub(crate) mod findings;
pub(crate) mod in_flight;
pub(crate) mod module_line;
mod one_version;
mod options;
mod paths;
pub(crate) mod raw;
pub(crate) mod references;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod rehearsed;
pub(crate) mod roles;
mod spent;
pub(crate) mod templates;
pub(crate) mod transitions;
pub(crate) mod version;

pub use declare::Fate;
pub use draft::Draft;
pub use error::PipelineError;
pub use findings::Finding;
pub use module_line::ModuleLine;
pub use options::{Mode, Options};
pub use raw::Raw;
pub use references::Named;
