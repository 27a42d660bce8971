//! What `switch --to` accepts.

use std::str::FromStr;

use zdm_runtime::{By, Share, Stage};

use super::position::said;
use crate::config::basis_points;

/// A stage with its share of reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// The stage.
    pub(crate) stage: Stage,
    /// The share of reads that go to new there.
    pub(crate) share: Share,
}

impl Target {
    /// A stage other than `live`, whose share follows from it.
    pub(crate) fn at(stage: Stage) -> Self {
        let share = match stage {
            Stage::Off | Stage::DualWrite | Stage::Shadow => Share::NONE,
            Stage::Live | Stage::RampDown | Stage::Complete => Share::ALL,
        };
        Self { stage, share }
    }

    /// `live` for a share of the reads.
    pub(crate) fn live(share: Share) -> Self {
        Self {
            stage: Stage::Live,
            share,
        }
    }

    /// The same share of something else.
    pub(crate) fn counted_by(self, by: By) -> Self {
        let share = Share::of(self.share.basis_points(), by);
        Self { share, ..self }
    }

    /// As people write it.
    pub(crate) fn name(self) -> String {
        match self.stage {
            Stage::Live => said(self.share),
            stage => stage.name().to_owned(),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(Stage::Off) => Err(
                "`off` is a way back: `zdm rollback` takes it, with the constraints on new dropped first"
                    .to_owned(),
            ),
            Ok(stage) => Ok(Self::at(stage)),
            Err(_) if text.ends_with('%') => {
                basis_points(text).map(|share| Self::live(Share::of(share, By::Key)))
            },
            Err(_) => Err(format!(
                "`{text}` is neither a stage nor a share of reads: write dual_write, shadow, 25%, ramp_down or complete"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_and_shares_are_understood() {
        let quarter = Target::live(Share::of(2500, By::Key));
        assert_eq!("25%".parse(), Ok(quarter));
        assert_eq!("live".parse(), Ok(Target::live(Share::ALL)));
        assert_eq!(quarter.counted_by(By::Instance).name(), "25% by instance");
        assert_eq!("shadow".parse(), Ok(Target::at(Stage::Shadow)));
        for name in [
            "dual_write",
            "shadow",
            "25%",
            "0.5%",
            "ramp_down",
            "complete",
        ] {
            assert_eq!(name.parse::<Target>().unwrap().name(), name);
        }
    }

    #[test]
    fn off_is_left_to_rollback() {
        assert!("off".parse::<Target>().unwrap_err().contains("rollback"));
        assert!("contract".parse::<Target>().is_err());
        assert!("0%".parse::<Target>().is_err());
    }
}
