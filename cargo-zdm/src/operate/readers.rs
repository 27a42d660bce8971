//! Who reads new, where readers are shared out by instance.
//!
//! Comes in: the facts and a target. Goes out: the instances in its share. Pure. Must not know: what an instance has read.

use serde::Serialize;
use zdm_runtime::facts::{Fact, Facts};
use zdm_runtime::fleet::Member;
use zdm_runtime::{By, Share, Stage};

use super::target::Target;

/// The living instances, by the side that they read as soon as they know the share.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Readers {
    new: Vec<String>,
    old: Vec<String>,
}

/// Nothing where shares are counted by key, or it is not known who there is.
pub(crate) fn of(facts: &Facts, target: Target) -> Option<Readers> {
    if (target.stage, target.share.by()) != (Stage::Live, By::Instance) {
        return None;
    }
    let Fact::Known(members) = &facts.instances else {
        return None;
    };
    let living = members.iter().filter(|member| member.living);
    let (new, old): (Vec<_>, Vec<_>) =
        living.partition(|member| reads_new(member, target.share, &facts.migration));
    let labels =
        |members: Vec<&Member>| members.iter().map(|member| member.label.clone()).collect();
    Some(Readers {
        new: labels(new),
        old: labels(old),
    })
}

/// Whether it is in a share of instances; one without a name is in none.
pub(crate) fn reads_new(member: &Member, share: Share, migration: &str) -> bool {
    let name = member.name.as_deref();
    name.is_some_and(|name| share.of_instance(migration, name) == Share::ALL.basis_points())
}

impl Readers {
    /// For people. A small fleet may have nobody in a small share.
    pub(crate) fn line(&self) -> String {
        let (new, all) = (self.new.len(), self.new.len() + self.old.len());
        match new {
            0 => format!(
                "  none of {all} living instances is in this share: all read old; a greater share reaches more of them"
            ),
            _ => format!(
                "  {new} of {all} living instances read new: {}",
                self.new.join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_said_to_be_nobody() {
        let readers = |new: &[&str]| Readers {
            new: new.iter().map(|name| (*name).to_owned()).collect(),
            old: vec!["web-3".to_owned()],
        };
        assert!(readers(&[]).line().contains("none of 1"));
        let some = readers(&["web-1", "web-2"]).line();
        assert!(
            some.contains("2 of 3 living instances read new: web-1, web-2"),
            "{some}"
        );
    }
}
