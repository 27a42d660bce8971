//! What generated code says about itself: its tables and the migrations that it knows.
//!
//! Comes in: constants of generated code. Goes out: the same, to registration and flags.
//! Must not know: any database.

/// Everything that one set of generated code knows; given to [`Zdm::connect`](crate::Zdm::connect).
#[derive(Debug)]
pub struct Code {
    /// Every table that has a repository.
    pub tables: &'static [TableCode],
}

/// One table of generated code.
#[derive(Debug)]
pub struct TableCode {
    /// The table's name, unquoted.
    pub table: &'static str,
    /// Every migration of this table that the code knows, from the first.
    pub migrations: &'static [MigrationCode],
}

/// A migration as the code knows it.
#[derive(Debug)]
pub struct MigrationCode {
    /// Stable id.
    pub id: &'static str,
    /// `users_full_name`, for messages.
    pub name: &'static str,
    /// Whether the code still names what the migration replaces.
    pub state: CodeState,
}

/// What the code can do about a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeState {
    /// Serves every stage: names old and new.
    Transition,
    /// Serves `complete` alone: names only new.
    Final,
}

impl CodeState {
    /// The name in control tables and `code.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transition => "transition",
            Self::Final => "final",
        }
    }

    /// The state of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Transition, Self::Final]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

impl Code {
    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&'static TableCode> {
        self.tables.iter().find(|table| table.table == name)
    }
}
