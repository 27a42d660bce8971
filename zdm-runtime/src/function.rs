//! What a Rust function of the application gives that fills a column (`with`): a value, or a `Result` where something is said of
//! values that it cannot convert.
//!
//! Must not know: which column, who calls it.

use std::fmt::Display;

/// What may be given where `on_invalid` says what becomes of an `Err`.
#[diagnostic::on_unimplemented(
    message = "the function of `with` gives `{Self}`, and the column is a `{T}`",
    label = "neither a `{T}` nor a `Result` of one",
    note = "it takes the columns of `from` by value, in their order, and gives `{T}` or `Result<{T}, E>` where `E` can be displayed"
)]
pub trait Attempted<T> {
    /// The value, or why there is none.
    fn attempted(self) -> Result<T, String>;
}

impl<T> Attempted<T> for T {
    fn attempted(self) -> Result<T, String> {
        Ok(self)
    }
}

impl<T, E: Display> Attempted<T> for Result<T, E> {
    fn attempted(self) -> Result<T, String> {
        self.map_err(|error| error.to_string())
    }
}

/// What may be given where nothing is said of values that the function cannot convert.
#[diagnostic::on_unimplemented(
    message = "the function of `with` gives `{Self}`, and the column is a `{T}`",
    label = "not a `{T}`",
    note = "it takes the columns of `from` by value, in their order; one that gives a `Result` needs `on_invalid = \"quarantine\"` or \
            `\"reject\"`, which says what becomes of the row"
)]
pub trait Always<T> {
    /// The value.
    fn value(self) -> T;
}

impl<T> Always<T> for T {
    fn value(self) -> T {
        self
    }
}

/// The value that a function gives, or why it gives none.
pub fn attempted<T, G: Attempted<T>>(given: G) -> Result<T, String> {
    given.attempted()
}

/// The value that a function gives.
pub fn value<T, G: Always<T>>(given: G) -> T {
    given.value()
}
