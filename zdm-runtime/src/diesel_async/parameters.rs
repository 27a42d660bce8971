//! The parameters of a statement whose text is put together, each by the name that the text calls it.
//!
//! Comes in: values. Goes out: names for the text, and the values as diesel sends them.
//! Must not know: the statement.

use std::fmt;

use diesel::pg::Pg;
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;

use super::query::{Sent, sent};

/// Values for a statement, numbered as they come.
///
/// ```
/// use diesel::sql_types::{Integer, Text};
///
/// let mut parameters = zdm_runtime::diesel_async::Parameters::default();
/// let (age, name) = (parameters.bind::<Integer, _>(17), parameters.bind::<Text, _>("Ada"));
/// assert_eq!(format!("age > {age} AND name = {name}"), "age > $1 AND name = $2");
/// ```
#[derive(Default)]
pub struct Parameters<'q> {
    values: Vec<Sent<'q>>,
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_struct("Parameters")
            .field("number", &self.values.len())
            .finish_non_exhaustive()
    }
}

impl<'q> Parameters<'q> {
    /// Takes a value, as what the first type says, and returns what stands for it in the statement, `$3`; it may stand there
    /// several times.
    pub fn bind<ST, T>(&mut self, value: T) -> String
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + Send + 'q,
        ST: Send + 'q,
    {
        self.values.push(sent::<ST, T>(value));
        format!("${}", self.values.len())
    }

    pub(super) fn into_values(self) -> Vec<Sent<'q>> {
        self.values
    }
}
