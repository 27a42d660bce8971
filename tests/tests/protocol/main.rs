//! The write protocol as a model that is searched to its end. Which command may run in a state is what the runtime's own gates say of
//! the facts of that state; what commands, statements and instances then do is told here again, in short.
//!
//! What the model has: two rows (or one), of which one is there at first and the other may be inserted by whoever gets to it; two or
//! three instances that are deployed forward and back at any moment, with code from before, in transition and final; cached flags that
//! are behind; transactions that took their snapshot before a hop and commit after it; instances that sleep beyond their lease and go on
//! where they were; backfill both ways and verification, row by row, with anything in between; every hop forward and back at every stage,
//! whether or not a person would try it; both sections of constraints with their undo; the undo of expand; contract.
//!
//! What it leaves out, so that it has an end:
//! - A side holds the last committed write of its row, an earlier one, or NULL. `up` and `down` lose nothing, except that in some worlds
//!   old holds a value that `up` cannot convert.
//! - A read or an update of another column changes nothing that the model looks at, so what it would meet is asked of each state.
//! - A transaction is there only if a hop to other writes comes between its snapshot and its end: nothing else can tell it from one
//!   statement. Rows are not deleted.
//! - Epochs are compared, not counted. A gate gets numbers that compare the same.
//! - Nothing waits for a time: soak, dwell and backup are off, nobody pauses. An instance that went silent is waited for until it is gone;
//!   that one which was silent for longer does not come back is what `sleepers` assumes.
//! - One migration, and no writers outside the application.

mod action;
mod application;
mod facts;
mod gatekeeper;
mod going;
mod guards;
mod mix;
mod operator;
mod possible;
mod properties;
mod protocol;
mod search;
mod state;
mod work;

use stateright::{Checker, Model};

use crate::protocol::{Configuration, Protocol};
use crate::search::Graph;

/// Searches a world to its end; how many states it has.
fn nothing_goes_wrong(configuration: Configuration, threads: usize) -> usize {
    let checker = Protocol::of(configuration).checker().threads(threads);
    let checker = checker.spawn_bfs().join();
    checker.assert_properties();
    println!("{configuration:?}: {} states", checker.unique_state_count());
    checker.unique_state_count()
}

#[test]
fn two_instances_and_two_rows() {
    let states = nothing_goes_wrong(Configuration::of(2, 2), 2);
    assert!(states > 500_000, "{states} are not the whole world");
}

#[test]
fn three_instances() {
    nothing_goes_wrong(
        Configuration {
            sleepers: false,
            ..Configuration::of(3, 1)
        },
        1,
    );
}

/// Worlds in which more can happen to fewer.
fn small_worlds() -> [Configuration; 5] {
    let one = Configuration {
        repeats: true,
        ..Configuration::of(1, 1)
    };
    let one_way = Configuration {
        reversible: false,
        ..Configuration::of(2, 1)
    };
    let required = Configuration { hard: true, ..one };
    let optional = Configuration {
        new_required: false,
        old_required: false,
        sleepers: false,
        ..required
    };
    [Configuration::of(2, 1), one, one_way, required, optional]
}

/// Nothing goes wrong, and whatever was done, somebody can still bring the migration to its end.
#[test]
fn contract_can_be_reached_from_everywhere() {
    for configuration in small_worlds() {
        let protocol = Protocol::of(configuration);
        let graph = Graph::of(&protocol);
        println!("{configuration:?}: {} states", graph.states.len());
        if let Some((place, property)) = graph.wrong() {
            panic!("not so: {property}\n{}", graph.way_to(place));
        }
        if let Some(place) = graph.stuck().first() {
            panic!("no way on from here:\n{}", graph.way_to(*place));
        }
    }
}

#[test]
fn a_world_without_an_end_is_found() {
    let nobody_deploys = Configuration {
        deploys: false,
        sleepers: false,
        ..Configuration::of(1, 1)
    };
    let protocol = Protocol::of(nobody_deploys);
    let graph = Graph::of(&protocol);
    assert_eq!(graph.stuck().len(), graph.states.len());
}
