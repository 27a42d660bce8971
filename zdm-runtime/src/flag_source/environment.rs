//! Limits out of the process's environment.

use std::env::VarError;

use crate::flag_source::{Answer, FlagSource, ReaderLimits};
use crate::{MigrationCode, Share};

/// The environment of the process, by the migration's name in capitals: `ZDM_AT_MOST_USERS_FULL_NAME=25%`,
/// `ZDM_READ_NEW_USERS_FULL_NAME=1,2`, `ZDM_READ_OLD_USERS_FULL_NAME=3`.
///
/// Keys stand between commas; one that has a comma itself is for a file. What does not read as a share is an error, not no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment;

impl FlagSource for Environment {
    fn name(&self) -> String {
        "the environment".to_owned()
    }

    fn limits<'a>(&'a self, migration: &'a MigrationCode, _instance: &'a str) -> Answer<'a> {
        let answer = read(migration.name, |name| std::env::var(name));
        Box::pin(std::future::ready(answer.map_err(Into::into)))
    }
}

fn read(
    migration: &str,
    variable: impl Fn(&str) -> Result<String, VarError>,
) -> Result<Option<ReaderLimits>, String> {
    let given = |what: &str| {
        let name = format!("ZDM_{what}_{}", migration.to_uppercase());
        match variable(&name) {
            Ok(value) => Ok(Some((name, value))),
            Err(VarError::NotPresent) => Ok(None),
            Err(error) => Err(format!("{name}: {error}")),
        }
    };
    let (at_most, new, old) = (given("AT_MOST")?, given("READ_NEW")?, given("READ_OLD")?);
    if at_most.is_none() && new.is_none() && old.is_none() {
        return Ok(None);
    }
    let mut limits = ReaderLimits::default();
    if let Some((name, value)) = at_most {
        let points = Share::percent(value.trim())
            .ok_or_else(|| format!("{name}: `{value}` is no share: write 25% or 0.5%"))?;
        limits = limits.at_most(points);
    }
    let limits = limits.read_new(keys(new.as_ref()));
    Ok(Some(limits.read_old(keys(old.as_ref()))))
}

fn keys(variable: Option<&(String, String)>) -> impl Iterator<Item = &str> {
    let value = variable.map_or("", |(_, value)| value.as_str());
    let keys = value.split(',').map(str::trim);
    keys.filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<ReaderLimits>, String> {
        read("full_name", |name| {
            let set = variables.iter().find(|(set, _)| *set == name);
            set.map(|(_, value)| (*value).to_owned())
                .ok_or(VarError::NotPresent)
        })
    }

    #[test]
    fn variables_go_by_the_migration_s_name() {
        assert_eq!(of(&[("ZDM_AT_MOST_AGE", "1%")]), Ok(None));
        assert_eq!(
            of(&[
                ("ZDM_AT_MOST_FULL_NAME", "2.5%"),
                ("ZDM_READ_NEW_FULL_NAME", "1, a b,"),
                ("ZDM_READ_OLD_FULL_NAME", "-3"),
            ]),
            Ok(Some(
                ReaderLimits::default()
                    .at_most(250)
                    .read_new(["1", "a b"])
                    .read_old([-3])
            ))
        );
    }

    #[test]
    fn what_is_no_share_is_an_error() {
        for wrong in ["", "25", "101%", "none"] {
            let error = of(&[("ZDM_AT_MOST_FULL_NAME", wrong)]).unwrap_err();
            assert!(error.starts_with("ZDM_AT_MOST_FULL_NAME: `"), "{error}");
        }
    }
}
