//! What a command could not do, told so that the reader knows the next move, and the exit codes.
//!
//! Comes in: any stage's error. Goes out: a [`Failure`]: what happened and where, what is safe now, what to do next.
//! Must not know: how it is printed.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use zdm_runtime::migration::LoadError;

/// Why a command stops short of its goal. Each kind has its exit code; 0 is "done, or nothing to do".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Exit code 1: it looked and found something.
    Findings,
    /// Exit code 2: the request cannot be meant as it stands.
    Usage,
    /// Exit code 3: a file, a server or a right is missing.
    Environment,
    /// Exit code 4: a gate is shut; the same command may succeed later.
    Gate,
}

impl Kind {
    /// The process's exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Environment => 3,
            Self::Gate => 4,
        }
    }

    /// That of several ends which gives the exit code: what somebody has to mend outweighs what opens by itself.
    pub fn worst(kinds: impl IntoIterator<Item = Self>) -> Option<Self> {
        kinds.into_iter().max_by_key(|kind| match kind {
            Self::Gate => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Environment => 3,
        })
    }
}

/// A command's unsuccessful end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// What happened, and where.
    pub message: String,
    /// What has not changed or can be relied upon, where that is in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe: Option<String>,
    /// What to do now.
    pub next: String,
    /// For [`Kind::Gate`]: the gates, shut and open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<ShownGate>,
    /// What a database told, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<Box<Value>>,
}

/// A gate as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownGate {
    /// Its stable name.
    pub gate: String,
    /// Whether the way is free.
    pub open: bool,
    /// What it needs and what it found.
    pub reason: String,
    /// What opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_when: Option<String>,
}

impl Failure {
    fn new(kind: Kind, message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.to_string(),
            safe: None,
            next: next.into(),
            gates: Vec::new(),
            measured: None,
        }
    }

    /// It looked and found something.
    pub fn findings(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Kind::Findings, message, next)
    }

    /// The request cannot be meant as it stands.
    pub fn usage(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message, next)
    }

    /// A file, a server or a right is missing.
    pub fn environment(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Kind::Environment, message, next)
    }

    /// A gate is shut.
    pub fn gate(message: impl fmt::Display, next: impl Into<String>) -> Self {
        Self::new(Kind::Gate, message, next)
    }

    /// Adds what can be relied upon.
    #[must_use]
    pub fn safe(mut self, safe: impl Into<String>) -> Self {
        self.safe = Some(safe.into());
        self
    }

    /// Adds the gates.
    #[must_use]
    pub fn with_gates(mut self, gates: Vec<ShownGate>) -> Self {
        self.gates = gates;
        self
    }

    /// Adds what a database told.
    #[must_use]
    pub fn with_measured(mut self, measured: Value) -> Self {
        self.measured = Some(Box::new(measured));
        self
    }

    /// Replaces a text that must not be shown, such as a URL with its password.
    #[must_use]
    pub fn without(mut self, secret: &str, shown: &str) -> Self {
        if !secret.is_empty() {
            self.message = self.message.replace(secret, shown);
            self.next = self.next.replace(secret, shown);
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for gate in self.gates.iter().filter(|gate| !gate.open) {
            write!(f, "\n  shut: {}: {}", gate.gate, gate.reason)?;
            if let Some(opens) = &gate.opens_when {
                write!(f, "\n        opens: {opens}")?;
            }
        }
        if let Some(safe) = &self.safe {
            write!(f, "\n  safe: {safe}")?;
        }
        write!(f, "\n  next: {}", self.next)
    }
}

impl std::error::Error for Failure {}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::environment(
            error,
            "restore the versions' folder from version control; `cargo zdm check` compares all of it",
        )
        .safe("nothing has been executed")
    }
}
