//! The whole graph of a model: every state that can be reached, and from which of them contract can be reached.
//!
//! Stateright's own `eventually` misses what ends in a circle, as its documentation says; this looks at every edge.

use std::collections::HashMap;
use std::fmt::Write as _;

use stateright::{Expectation, Model};

use crate::action::Action;
use crate::mix::Mixed;
use crate::protocol::Protocol;
use crate::state::{Drop, State};

/// All states, in the order in which they were reached.
pub(crate) struct Graph<'a> {
    protocol: &'a Protocol,
    pub(crate) states: Vec<State>,
    /// From which state each was reached first.
    first: Vec<u32>,
    /// Every edge, from and to.
    edges: Vec<(u32, u32)>,
}

impl<'a> Graph<'a> {
    pub(crate) fn of(protocol: &'a Protocol) -> Self {
        let mut places: HashMap<u128, u32, Mixed> = HashMap::default();
        let mut graph = Self {
            protocol,
            states: protocol.init_states(),
            first: vec![0],
            edges: Vec::new(),
        };
        places.insert(graph.states[0].packed(), 0);
        let (mut from, mut actions) = (0, Vec::new());
        while let Some(state) = graph.states.get(from).copied() {
            protocol.actions(&state, &mut actions);
            for action in actions.drain(..) {
                let Some(next) = protocol.next_state(&state, action) else {
                    continue;
                };
                let place = *places.entry(next.packed()).or_insert_with(|| {
                    graph.states.push(next);
                    graph.first.push(number(from));
                    number(graph.states.len() - 1)
                });
                graph.edges.push((number(from), place));
            }
            from += 1;
        }
        graph
    }

    /// The first state in which a property does not hold that always has to.
    pub(crate) fn wrong(&self) -> Option<(usize, &'static str)> {
        self.wrong_beside("")
    }

    /// The same, apart from one property.
    pub(crate) fn wrong_beside(&self, expected: &str) -> Option<(usize, &'static str)> {
        let mut properties = self.protocol.properties();
        properties.retain(|property| property.expectation == Expectation::Always);
        properties.retain(|property| property.name != expected);
        let mut states = self.states.iter().enumerate();
        states.find_map(|(place, state)| {
            let mut broken = properties.iter();
            let broken = broken.find(|property| !(property.condition)(self.protocol, state))?;
            Some((place, broken.name))
        })
    }

    /// Those from which no way leads to a state in which contract is on record.
    pub(crate) fn stuck(&self) -> Vec<usize> {
        let mut back: Vec<Vec<u32>> = vec![Vec::new(); self.states.len()];
        for (from, to) in &self.edges {
            back[*to as usize].push(*from);
        }
        let ended = |place: &usize| self.states[*place].control.drop == Drop::Recorded;
        let mut open: Vec<usize> = (0..self.states.len()).filter(ended).collect();
        let mut leads = vec![false; self.states.len()];
        for place in &open {
            leads[*place] = true;
        }
        while let Some(place) = open.pop() {
            for from in &back[place] {
                let from = *from as usize;
                if !leads[from] {
                    leads[from] = true;
                    open.push(from);
                }
            }
        }
        (0..leads.len()).filter(|place| !leads[*place]).collect()
    }

    /// The first way that led to a state, for a person who has to find out why.
    pub(crate) fn way_to(&self, place: usize) -> String {
        let mut places = vec![place];
        while let Some(last) = places.last().copied().filter(|last| *last > 0) {
            places.push(self.first[last] as usize);
        }
        places.reverse();
        let mut way = String::new();
        for step in places.windows(2) {
            let action = self.action(step[0], step[1]);
            let _ = writeln!(way, "  {action:?}");
        }
        let _ = write!(way, "{:?}", self.states[place]);
        way
    }

    fn action(&self, from: usize, to: usize) -> Option<Action> {
        let (state, wanted) = (&self.states[from], self.states[to].packed());
        let mut actions = Vec::new();
        self.protocol.actions(state, &mut actions);
        let leads = |action: &Action| {
            let next = self.protocol.next_state(state, *action);
            next.is_some_and(|next| next.packed() == wanted)
        };
        actions.into_iter().find(leads)
    }
}

fn number(place: usize) -> u32 {
    u32::try_from(place).expect("so many states are not looked at")
}
