//! Which migration an argument means, and which one is meant where there is no argument.
//!
//! Comes in: the versions' manifests and what the user wrote. Goes out: one of them, by its place.
//! Must not know: any database.

use zdm_runtime::manifest::Manifest;

use crate::error::Failure;
use crate::secret::shown_url;

/// The migration that is named, else the last one; `None` where there is none.
pub(crate) fn named_or_last(
    manifests: &[&Manifest],
    argument: Option<&str>,
) -> Result<Option<usize>, Failure> {
    match argument {
        Some(argument) => named(manifests, argument).map(Some),
        None => Ok(manifests.len().checked_sub(1)),
    }
}

/// The migration that `argument` names: by number, folder, name, or the beginning of its id.
pub(crate) fn named(manifests: &[&Manifest], argument: &str) -> Result<usize, Failure> {
    let exact = |manifest: &Manifest| {
        manifest.folder() == argument
            || manifest.name == argument
            || manifest.id == argument
            || argument.parse() == Ok(manifest.version)
    };
    let found = places(manifests, exact);
    let found = if found.is_empty() {
        places(manifests, |manifest| {
            !argument.is_empty() && manifest.id.starts_with(argument)
        })
    } else {
        found
    };
    match found[..] {
        [one] => Ok(one),
        [] => Err(Failure::usage(
            format!("no migration is called `{}`", shown_url(argument)),
            format!("name one of: {}", folders(manifests, 0..manifests.len())),
        )),
        _ => Err(Failure::usage(
            format!("`{argument}` means more than one migration"),
            format!("name one of: {}", folders(manifests, found)),
        )),
    }
}

/// Without an argument: the only candidate for `step`. `None` where there is no candidate at all.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn only(
    manifests: &[&Manifest],
    candidates: &[usize],
    step: &str,
) -> Result<Option<usize>, Failure> {
    match candidates {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        many => Err(Failure::usage(
            format!("{} migrations can take `{step}` now", many.len()),
            format!("name one of: {}", folders(manifests, many.iter().copied())),
        )),
    }
}

fn places(manifests: &[&Manifest], fits: impl Fn(&Manifest) -> bool) -> Vec<usize> {
    (0..manifests.len())
        .filter(|place| fits(manifests[*place]))
        .collect()
}

fn folders(manifests: &[&Manifest], places: impl IntoIterator<Item = usize>) -> String {
    let names: Vec<_> = places
        .into_iter()
        .map(|place| manifests[place].folder())
        .collect();
    if names.is_empty() {
        "(there is none yet: run `cargo zdm generate`)".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use zdm_runtime::manifest::{FORMAT, Route};

    fn manifest(version: u32, name: &str, id: &str) -> Manifest {
        Manifest {
            format: FORMAT,
            id: id.to_owned(),
            version,
            name: name.to_owned(),
            parent: None,
            after: Vec::new(),
            needed_by: Vec::new(),
            for_good: Vec::new(),
            dialect: "sqlite".to_owned(),
            route: Route::FivePhases,
            reversible: true,
            tables: vec!["users".to_owned()],
            reasons: Vec::new(),
            changes: Vec::new(),
            transitions: String::new(),
            steps: Vec::new(),
            backfills: Vec::new(),
            pairs: Vec::new(),
            creates: std::collections::BTreeMap::new(),
            drops: std::collections::BTreeMap::new(),
            retyped: std::collections::BTreeMap::new(),
            described: std::collections::BTreeMap::new(),
            merged: Vec::new(),
            moved: Vec::new(),
            renames: std::collections::BTreeMap::new(),
            renamed_keys: std::collections::BTreeMap::new(),
            exchanged_keys: std::collections::BTreeMap::new(),
            refers: std::collections::BTreeMap::new(),
            refers_to: std::collections::BTreeMap::new(),
            unkeyed: std::collections::BTreeMap::new(),
            acts: std::collections::BTreeMap::new(),
            nets: std::collections::BTreeMap::new(),
            keep: None,
            no_keep: false,
            exchanges: Vec::new(),
            enums: Vec::new(),
            files: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn every_way_of_naming_finds_the_same_one() {
        let (first, second) = (
            manifest(1, "init", "abc000000000"),
            manifest(2, "users_age", "abd000000000"),
        );
        let all = [&first, &second];
        for argument in [
            "2",
            "0002",
            "0002_users_age",
            "users_age",
            "abd000000000",
            "abd",
        ] {
            assert_eq!(named(&all, argument), Ok(1), "{argument}");
        }
    }

    #[test]
    fn nothing_and_too_much_list_the_choice() {
        let (first, second) = (
            manifest(1, "init", "abc000000000"),
            manifest(2, "users_age", "abd000000000"),
        );
        let all = [&first, &second];
        for argument in ["7", "ab", "", "users"] {
            let failure = named(&all, argument).unwrap_err();
            assert_eq!(failure.kind, Kind::Usage);
            assert!(
                failure.next.contains("0001_init, 0002_users_age"),
                "{failure}"
            );
        }
    }

    #[test]
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    fn without_an_argument_only_a_single_candidate_is_taken() {
        let (first, second) = (manifest(1, "a", "a1"), manifest(2, "b", "b1"));
        let all = [&first, &second];
        assert_eq!(only(&all, &[1], "verify"), Ok(Some(1)));
        assert_eq!(only(&all, &[], "verify"), Ok(None));
        let failure = only(&all, &[0, 1], "verify").unwrap_err();
        assert!(failure.next.contains("0001_a, 0002_b"), "{failure}");
    }
}
