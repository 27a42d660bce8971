//! One call of the function, with everything that can come of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Error;

/// Why a row has no value.
#[derive(Debug)]
pub enum Fault {
    /// The function gave an `Err`.
    Refused(String),
    /// It panicked, or what it takes could not be read: nothing that a row could be put aside for.
    Failed(String),
}

/// Calls the function of a row. A panic is the row's, not the worker's.
pub(super) fn call<R, T>(compute: fn(&R) -> Result<T, Error>, row: &R) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(|| compute(row))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Error::NotComputed { reason, .. })) => Err(Fault::Refused(reason)),
        Ok(Err(error)) => Err(Fault::Failed(error.to_string())),
        Err(panic) => {
            let told = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned());
            let told = told.unwrap_or_else(|| "no message".to_owned());
            Err(Fault::Failed(format!("the function panicked: {told}")))
        }
    }
}
