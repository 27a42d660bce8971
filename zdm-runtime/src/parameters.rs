//! The parameters of a statement whose text is put together, each by the name that the text calls it.
//!
//! Comes in: values. Goes out: names for the text, and the values as sqlx sends them.
//! Must not know: the statement.

use sqlx::error::BoxDynError;
use sqlx::{Arguments as _, Database, Encode, Type};

/// Values for a statement, numbered as they come.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// let mut parameters = zdm_runtime::Parameters::<sqlx::Sqlite>::default();
/// let condition = format!("age > {} AND name = {}", parameters.bind(17), parameters.bind("Ada"));
/// assert_eq!(condition, "age > $1 AND name = $2");
/// # }
/// ```
pub struct Parameters<DB: Database> {
    arguments: DB::Arguments,
    refused: Option<BoxDynError>,
}

impl<DB: Database> Default for Parameters<DB> {
    fn default() -> Self {
        Self {
            arguments: DB::Arguments::default(),
            refused: None,
        }
    }
}

impl<DB: Database> std::fmt::Debug for Parameters<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secret.
        f.debug_struct("Parameters")
            .field("number", &self.arguments.len())
            .finish_non_exhaustive()
    }
}

impl<DB: Database> Parameters<DB> {
    /// Takes a value and returns what stands for it in the statement, `$3`; it may stand there several times.
    ///
    /// A value that cannot be sent is an error of [`Parameters::into_arguments`].
    pub fn bind<'t, T>(&mut self, value: T) -> String
    where
        T: 't + Encode<'t, DB> + Type<DB>,
    {
        if let Err(refused) = self.arguments.add(value) {
            self.refused.get_or_insert(refused);
        }
        format!("${}", self.arguments.len())
    }

    /// The values in their order, for `sqlx::query_with`.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error::Encode`] for the first value that cannot be sent.
    pub fn into_arguments(self) -> Result<DB::Arguments, sqlx::Error> {
        match self.refused {
            None => Ok(self.arguments),
            Some(refused) => Err(sqlx::Error::Encode(refused)),
        }
    }
}
