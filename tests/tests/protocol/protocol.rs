//! The model itself: how large a world is, what may be taken away from its rules, and how one state follows another.

use std::sync::Arc;

use stateright::{Model, Property};

use crate::action::Action;
use crate::gatekeeper::{Gatekeeper, Shut};
use crate::properties;
use crate::state::{Code, Instance, Quarantine, Row, Seen, State, Value};

/// How large the world is, and which migration it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Configuration {
    pub(crate) instances: usize,
    pub(crate) rows: usize,
    /// The migration declares `down`.
    pub(crate) reversible: bool,
    /// Old is NOT NULL.
    pub(crate) old_required: bool,
    /// New is NOT NULL in the end.
    pub(crate) new_required: bool,
    /// Old may hold what `up` cannot convert.
    pub(crate) hard: bool,
    /// Instances may sleep beyond their leases.
    pub(crate) sleepers: bool,
    /// A comparison may be done again although the last one counts.
    pub(crate) repeats: bool,
    /// Other code may be started.
    pub(crate) deploys: bool,
}

impl Configuration {
    pub(crate) const fn of(instances: usize, rows: usize) -> Self {
        Self {
            instances,
            rows,
            reversible: true,
            old_required: true,
            new_required: true,
            hard: false,
            sleepers: true,
            repeats: false,
            deploys: true,
        }
    }
}

/// What keeps the protocol safe beside its gates. The model does without one of them at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Guard {
    /// A write carries its epoch.
    FenceOfWrites,
    /// A read carries its epoch.
    FenceOfReads,
    /// The hop waits for transactions from before.
    WaitForTransactions,
    /// A row is stale where its sides are not consistent, not where new is NULL.
    Consistent,
    /// The backfill computes from the row that it has locked.
    LockedRow,
    /// At `off` the backfill begins anew.
    ResetOfBackfill,
    /// Back from `complete` the reverse backfill begins anew.
    ResetOfReverse,
    /// A verification counts only for as long as its side is maintained without a break.
    Maintained,
    /// A verification is as old as its beginning.
    EpochOfBeginning,
    /// A verification in progress ends with the stages at which both sides are written.
    Overtaken,
    /// Code from before the migration refuses beyond `off`.
    CodeTooOld,
    /// Final code refuses before `complete`.
    CodeTooNew,
    /// Code in transition refuses once expand is off the record.
    NotExpanded,
    /// Code in transition refuses once the migration is contracted.
    Contracted,
    /// Expand goes off the record before its first statement is taken back.
    RecordBeforeUndo,
    /// From before old is dropped, no code that names it starts.
    MarkBeforeDrop,
    /// Who is there is asked once more after that, and before the first statement.
    SecondLook,
    /// A dual write is one statement.
    OneStatement,
}

impl Guard {
    pub(crate) const ALL: [Self; 18] = [
        Self::FenceOfWrites,
        Self::FenceOfReads,
        Self::WaitForTransactions,
        Self::Consistent,
        Self::LockedRow,
        Self::ResetOfBackfill,
        Self::ResetOfReverse,
        Self::Maintained,
        Self::EpochOfBeginning,
        Self::Overtaken,
        Self::CodeTooOld,
        Self::CodeTooNew,
        Self::NotExpanded,
        Self::Contracted,
        Self::RecordBeforeUndo,
        Self::MarkBeforeDrop,
        Self::SecondLook,
        Self::OneStatement,
    ];
}

/// One world with its rules.
#[derive(Debug, Clone)]
pub(crate) struct Protocol {
    pub(crate) configuration: Configuration,
    pub(crate) gatekeeper: Arc<Gatekeeper>,
    /// The gates that count as open.
    pub(crate) removed: Shut,
    guards: Vec<Guard>,
}

impl Protocol {
    /// With everything that guards it.
    pub(crate) fn of(configuration: Configuration) -> Self {
        Self {
            configuration,
            gatekeeper: Arc::new(Gatekeeper::of(configuration)),
            removed: 0,
            guards: Vec::new(),
        }
    }

    /// The same world without something; what the gates say is remembered for both.
    pub(crate) fn without(&self, gates: &[&str], guards: &[Guard]) -> Self {
        Self {
            removed: self.gatekeeper.bits(gates),
            guards: guards.to_vec(),
            ..self.clone()
        }
    }

    pub(crate) fn has(&self, guard: Guard) -> bool {
        !self.guards.contains(&guard)
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    /// Code from before the migration everywhere; one row is there, the others may come.
    fn init_states(&self) -> Vec<State> {
        let mut state = State::default();
        state.rows[0] = Row {
            there: true,
            old: Value::Fresh,
            hard: self.configuration.hard,
            ..Row::default()
        };
        let instances = &mut state.instances[..self.configuration.instances];
        instances.fill(Instance {
            code: Code::Old,
            living: true,
            seen: Seen::Present,
            open: None,
        });
        vec![self.in_order(state)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.of_operator(state, actions);
        self.of_work(state, actions);
        self.of_application(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        self.take(&mut next, action);
        let next = self.in_order(next);
        (next.packed() != state.packed()).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Protocol {
    fn in_order(&self, state: State) -> State {
        state.in_order(self.configuration.rows, self.configuration.instances)
    }

    fn take(&self, state: &mut State, action: Action) {
        match action {
            Action::Operate { which, open } => self.operate(state, which, open),
            Action::Drain => state.control.drained = true,
            Action::Fill { side, row } => self.fill(state, side, row),
            Action::Look { side, row } => Self::look(state, side, row),
            Action::Compare { row } => self.compare(state, row),
            Action::End => self.end(state),
            Action::Next { which } => self.go_on(state, which),
            Action::Withdraw { which } => Self::withdraw(state, which),
            Action::Waive { row } => state.rows[row].quarantine = Quarantine::Waived,
            Action::Start { instance, code } => Self::start(state, instance, code),
            Action::Beat { instance } => self.beat(state, instance),
            Action::Miss { instance } => self.load(state, instance),
            Action::Sleep { instance } => state.instances[instance].living = false,
            Action::Gone { instance } => Self::gone(state, instance),
            Action::Write {
                instance,
                row,
                written,
            } => self.write(state, instance, row, written),
            Action::Commit {
                instance,
                row,
                written,
            } => Self::commit(state, instance, row, written),
            Action::Abort { instance } => state.instances[instance].open = None,
        }
        self.forget_the_past(state);
    }
}
