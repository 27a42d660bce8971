//! A table in which nothing tells rows apart: the backfill walks along where they stand, and what needs a row's name is refused.

use zdm_model::OnInvalid;

use super::Way;
use crate::changes::ChangeError;
use crate::dialect::Addresses;

const A_KEY: &str =
    "give the table a primary key, or a unique key and `row_key(…)`, in a version before";

impl Way<'_> {
    /// Where the rows stand, if there is no key by which they are found.
    pub(super) fn addresses(&self) -> Result<Option<Addresses>, ChangeError> {
        if !self.table.primary_key.is_empty() {
            return Ok(None);
        }
        self.no_row_waits()?;
        if let Some(function) = &self.transition.with {
            return Err(self.mistake(
                format!(
                    "nothing tells the rows of {} apart, and the values of {} are put back by the key of the row that each was computed for",
                    self.table.name, function.path
                ),
                format!("Let SQL fill it (`up`), or {A_KEY}"),
            ));
        }
        if self.view().is_some() {
            return Err(self.mistake(
                format!(
                    "nothing tells the rows of {} apart but where they stand, and the view through which names are exchanged does not \
                     say that",
                    self.table.name
                ),
                format!(
                    "Let the new column live on under a name of its own (`column = \"…\"` without `final_name`; for an enum a new one and \
                     a new column), or {A_KEY}"
                ),
            ));
        }
        let after = self.context.to.table(&self.table.name);
        match self.context.dialect.addresses(self.table, after) {
            Some(addresses) => Ok(Some(addresses)),
            None => Err(self.mistake(
                format!(
                    "nothing tells the rows of {} apart but where they stand, and columns of its own have every name of that",
                    self.table.name
                ),
                format!("Rename one of them, or {A_KEY}"),
            )),
        }
    }

    /// Who waits is found again by its key.
    fn no_row_waits(&self) -> Result<(), ChangeError> {
        let rule = match &self.transition.on_invalid {
            Some(OnInvalid::Quarantine) => "quarantine",
            Some(OnInvalid::Reject) => "reject",
            Some(OnInvalid::Null | OnInvalid::Default(_)) | None => return Ok(()),
        };
        Err(self.mistake(
            format!(
                "`on_invalid = \"{rule}\"` names rows that cannot be converted, and nothing tells the rows of {} apart: where a row stands \
                 today another may stand tomorrow",
                self.table.name
            ),
            format!(
                "Choose `on_invalid = default(\"…\")`, or `\"null\"` with an `Option`; or {A_KEY}"
            ),
        ))
    }
}
