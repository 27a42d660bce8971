//! What keeps the protocol safe, one by one: taken away, it lets something go wrong, or it is on the list of what nothing in this
//! model needs, with the reason.

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use crate::properties::{ACCEPTED, CONTRACTED, FRESH, KEPT, NAMED, SERVED};
use crate::protocol::{Configuration, Guard, Protocol};
use crate::search::Graph;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    Gate(&'static str),
    Guard(Guard),
}

use Taken::{Gate, Guard as Beside};

/// The smallest worlds in which it can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    Plain,
    /// With a second instance.
    Two,
    OneWay,
    /// Old holds what cannot be converted, and new is NOT NULL.
    Required,
    /// The same, and new may be NULL.
    Optional,
}

impl World {
    const ALL: [Self; 5] = [
        Self::Plain,
        Self::Two,
        Self::OneWay,
        Self::Required,
        Self::Optional,
    ];

    fn configuration(self) -> Configuration {
        Configuration {
            reversible: self != Self::OneWay,
            hard: matches!(self, Self::Required | Self::Optional),
            new_required: self != Self::Optional,
            sleepers: !matches!(self, Self::Required | Self::Optional),
            ..Configuration::of(1 + usize::from(self == Self::Two), 1)
        }
    }
}

/// What is taken away, where, and what goes wrong first.
const NEEDED: &[(Taken, World, &str)] = &[
    (Gate("backfilled"), World::Plain, FRESH),
    (Gate("drained"), World::Plain, ACCEPTED),
    (Gate("final_everywhere"), World::Plain, NAMED),
    (Gate("known_everywhere"), World::Plain, SERVED),
    (Gate("nobody_final"), World::Plain, SERVED),
    (Gate("nobody_knows"), World::Plain, NAMED),
    (Gate("one_hop"), World::Plain, ACCEPTED),
    (Gate("quarantine_readable"), World::Required, ACCEPTED),
    (Gate("quarantine_settled"), World::Optional, KEPT),
    (Gate("section_done"), World::Plain, ACCEPTED),
    (Gate("section_undone"), World::Plain, ACCEPTED),
    (Gate("sleepers"), World::Plain, NAMED),
    (Gate("standing"), World::Plain, FRESH),
    (Gate("undo_ended"), World::Plain, ACCEPTED),
    (Gate("verified"), World::Plain, ACCEPTED),
    (Gate("way_back"), World::Plain, SERVED),
    (Beside(Guard::FenceOfWrites), World::Plain, ACCEPTED),
    (Beside(Guard::FenceOfReads), World::Two, FRESH),
    (Beside(Guard::WaitForTransactions), World::Plain, ACCEPTED),
    (Beside(Guard::Consistent), World::Optional, KEPT),
    (Beside(Guard::LockedRow), World::Optional, FRESH),
    (Beside(Guard::ResetOfBackfill), World::Plain, FRESH),
    (Beside(Guard::ResetOfReverse), World::Optional, KEPT),
    (Beside(Guard::Maintained), World::Plain, FRESH),
    (Beside(Guard::EpochOfBeginning), World::Plain, FRESH),
    (Beside(Guard::CodeTooOld), World::Plain, ACCEPTED),
    (Beside(Guard::CodeTooNew), World::Plain, FRESH),
    (Beside(Guard::NotExpanded), World::Plain, NAMED),
    (Beside(Guard::Contracted), World::Plain, NAMED),
    (Beside(Guard::RecordBeforeUndo), World::Plain, NAMED),
    (Beside(Guard::MarkBeforeDrop), World::Plain, NAMED),
    (Beside(Guard::SecondLook), World::Plain, NAMED),
    (Beside(Guard::OneStatement), World::Plain, FRESH),
];

/// What nothing goes wrong without, all of it taken away at once, and why it is there.
const NOT_NEEDED: &[(Taken, &str)] = &[
    // Caution, or somebody's decision.
    (Gate("backup"), "caution: against what no protocol knows of"),
    (Gate("approved"), "caution: a second pair of eyes"),
    (Gate("dwell"), "caution: time to look at a share of readers"),
    (
        Gate("everyone_reads_new"),
        "caution: what the last readers would show",
    ),
    (
        Gate("nobody_holds_back"),
        "caution: what the last readers would show",
    ),
    (Gate("not_paused"), "somebody's decision"),
    (Gate("soak"), "caution: time to look at the stage"),
    (
        Gate("enough_instances"),
        "instances that never register, of which there are none here",
    ),
    (
        Gate("final_code"),
        "instances that never register, of which there are none here",
    ),
    (
        Gate("no_shadow_mismatch"),
        "writers outside the application, of which there are none here",
    ),
    (
        Gate("verified_again"),
        "writers outside the application, of which there are none here",
    ),
    // What there is not in this model.
    (Gate("contracted_in_turn"), "other migrations of the table"),
    (Gate("in_turn"), "other migrations of the table"),
    (Gate("nothing_later_begun"), "other migrations of the table"),
    (Gate("names_free"), "other versions"),
    (Gate("nothing_stands_on_it"), "other versions"),
    (Gate("nothing_refers_to_it"), "other tables"),
    (
        Gate("rights_on_both_tables"),
        "roles: the database refuses what they may not do, and the application goes without",
    ),
    (
        Gate("row_security_on_both_tables"),
        "roles: who sees and writes which rows",
    ),
    (Gate("wider_rights"), "roles, and somebody's decision"),
    // Something else is behind it.
    (
        Gate("acknowledged"),
        "every statement carries its epoch; whoever is behind would find out by itself",
    ),
    (
        Gate("expanded"),
        "a hop needs a stage, and the undo of expand needs `off` at its second look",
    ),
    (
        Gate("maintained"),
        "where comparisons are allowed, both sides are written",
    ),
    (
        Gate("not_contracted"),
        "a contracted migration is at `complete`, and expand is undone at `off`",
    ),
    (
        Gate("reversible"),
        "without `down` nothing fills old, and then it is never verified",
    ),
    (
        Beside(Guard::Overtaken),
        "what was compared from before the side was left to itself does not count",
    ),
];

#[test]
fn the_list_is_exact() {
    let needed = NEEDED.iter().map(|(taken, ..)| *taken);
    let listed: Vec<Taken> = needed
        .chain(NOT_NEEDED.iter().map(|(taken, _)| *taken))
        .collect();
    let mut all: BTreeSet<Taken> = Guard::ALL.into_iter().map(Beside).collect();
    for world in World::ALL {
        let protocol = Protocol::of(world.configuration());
        all.extend(protocol.gatekeeper.names().iter().map(|name| Gate(name)));
    }
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), all);
    assert_eq!(listed.len(), all.len(), "something is listed twice");
}

#[test]
fn without_any_of_what_is_needed_something_goes_wrong() {
    for world in World::ALL {
        let protocol = Protocol::of(world.configuration());
        for (taken, _, expected) in NEEDED.iter().filter(|(_, seen, _)| *seen == world) {
            let less = match taken {
                Gate(name) => protocol.without(&[name], &[]),
                Beside(guard) => protocol.without(&[], &[*guard]),
            };
            let checker = less.checker().finish_when(HasDiscoveries::AnyFailures);
            let checker = checker.spawn_bfs().join();
            let wrong: Vec<_> = checker.discoveries().into_keys().collect();
            assert!(wrong.contains(expected), "without {taken:?}: {wrong:?}");
        }
    }
}

#[test]
fn without_all_of_what_is_not_needed_nothing_goes_wrong() {
    let (mut gates, mut guards) = (Vec::new(), Vec::new());
    for (taken, _) in NOT_NEEDED {
        match taken {
            Gate(name) => gates.push(*name),
            Beside(guard) => guards.push(*guard),
        }
    }
    for world in World::ALL {
        let configuration = Configuration {
            sleepers: world == World::Plain,
            ..world.configuration()
        };
        let less = Protocol::of(configuration).without(&gates, &guards);
        let checker = less.checker().finish_when(HasDiscoveries::AnyFailures);
        let checker = checker.spawn_bfs().join();
        let found: Vec<_> = checker.discoveries().into_keys().collect();
        assert_eq!(found, [CONTRACTED], "{configuration:?}");
    }
}

/// A hop does not keep anybody from registering between its gates and its commit, so that these see such an instance too late. It is
/// turned away, and nothing worse: every statement carries its epoch.
#[test]
fn an_instance_that_a_hop_has_not_seen_is_turned_away_and_nothing_else() {
    let late = ["known_everywhere", "nobody_final", "acknowledged"];
    for world in [World::Plain, World::Two] {
        let configuration = Configuration {
            sleepers: world == World::Plain,
            ..world.configuration()
        };
        let less = Protocol::of(configuration).without(&late, &[]);
        let graph = Graph::of(&less);
        assert_eq!(graph.wrong().map(|(_, property)| property), Some(SERVED));
        if let Some((place, property)) = graph.wrong_beside(SERVED) {
            panic!("not so: {property}\n{}", graph.way_to(place));
        }
    }
}
