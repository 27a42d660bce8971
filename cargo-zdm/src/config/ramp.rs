//! The ramp: which shares of the readers go to new, one after the other.
//!
//! Comes in: texts of `zdm.toml`. Goes out: shares. Must not know: which of them is reached.

use serde::{Deserialize, Deserializer};
use zdm_runtime::{By, Share};

use super::{FILE, Policy};
use crate::error::Failure;

impl Policy {
    /// The ramp in basis points, ascending up to 10 000.
    pub fn ramp_basis_points(&self) -> Result<Vec<u32>, Failure> {
        let ramp = self
            .ramp
            .iter()
            .map(|share| basis_points(share))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|problem| {
                Failure::usage(
                    format!("{FILE}, [policy] ramp: {problem}"),
                    "write shares such as ramp = [\"1%\", \"10%\", \"50%\", \"100%\"]",
                )
            })?;
        if ramp.last() != Some(&10_000) || !ramp.is_sorted_by(|before, after| before < after) {
            return Err(Failure::usage(
                format!(
                    "{FILE}, [policy] ramp: the shares must ascend and end with \"100%\", but are {:?}",
                    self.ramp
                ),
                "write for example ramp = [\"1%\", \"10%\", \"50%\", \"100%\"]",
            ));
        }
        Ok(ramp)
    }

    /// The same, with what they are shares of.
    pub fn ramp_shares(&self) -> Result<Vec<Share>, Failure> {
        let ramp = self.ramp_basis_points()?.into_iter();
        Ok(ramp.map(|points| Share::of(points, self.ramp_by)).collect())
    }
}

/// `25%` or `0.5%` in hundredths of a percent.
pub fn basis_points(share: &str) -> Result<u32, String> {
    let points = Share::percent(share).filter(|points| *points > 0);
    points.ok_or_else(|| {
        format!("`{share}` is no share of reads: write 25% or 0.5%, above 0% and up to 100%")
    })
}

/// What the shares are counted by.
pub(super) fn by<'de, D: Deserializer<'de>>(deserializer: D) -> Result<By, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn a_ramp_is_one_of_keys_or_of_instances() {
        let of = |text: &str| toml::from_str::<Config>(text);
        let shares = of("[policy]\nramp_by = \"instance\"\n")
            .unwrap()
            .policy
            .ramp_shares();
        assert_eq!(shares.unwrap()[0], Share::of(100, By::Instance));
        let error = of("[policy]\nramp_by = \"host\"\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("neither `key` nor `instance`"), "{error}");
    }

    #[test]
    fn shares_are_exact() {
        assert_eq!(basis_points("25%"), Ok(2500));
        assert_eq!(basis_points("0.5%"), Ok(50));
        assert_eq!(basis_points("0.05%"), Ok(5));
        assert_eq!(basis_points("100%"), Ok(10_000));
        for wrong in [
            "0%", "101%", "100.01%", "25", "-1%", "%", "1.234%", "1.%", "1e1%",
        ] {
            assert!(basis_points(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_ramp_must_ascend_to_all() {
        let policy = |ramp: &[&str]| Policy {
            ramp: ramp.iter().map(|share| (*share).to_owned()).collect(),
            ..Policy::default()
        };
        assert!(policy(&["50%", "10%", "100%"]).ramp_basis_points().is_err());
        assert!(policy(&["10%", "50%"]).ramp_basis_points().is_err());
        assert!(policy(&[]).ramp_basis_points().is_err());
        assert!(policy(&["100%"]).ramp_basis_points().is_ok());
    }
}
