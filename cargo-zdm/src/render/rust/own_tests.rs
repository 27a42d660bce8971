//! The tests that are generated beside the code of a migration.
//!
//! Comes in: models with their migrations. Goes out: unformatted Rust by its path below the code folder.
//! Must not know: what the tests do.

use zdm_model::Enumeration;

use super::{Model, RenderError, RustFile, Templates, file, view};
use crate::dialect::Dialect;

/// What the tests of a migration need to know beyond its pairs.
#[derive(Debug, Clone)]
pub struct Tests<'a> {
    /// The versions' folder, as seen from the crate's.
    pub versions: String,
    /// The values that columns of these types hold.
    pub enums: &'a [Enumeration],
}

/// The tests of the migrations in transition, where they are wanted and there is something to test.
pub fn tests(
    templates: &Templates,
    dialect: &Dialect,
    models: &[Model<'_>],
) -> Result<Vec<RustFile>, RenderError> {
    let views = view::tests(templates.client(), dialect, models).into_iter();
    views
        .map(|(folder, view)| {
            let text = templates.file("tests", &view)?;
            Ok(file(format!("{folder}/tests.rs"), text))
        })
        .collect()
}
