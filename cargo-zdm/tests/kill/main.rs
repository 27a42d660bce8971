//! kill -9 at every step of the demo's way, enumerated: each command is ended at each of its steps in turn, then the same
//! command is run again. Whatever the step, old and new code go on writing and reading in between, and afterwards the
//! database is what an uninterrupted run leaves.
//!
//! Nothing here waits for a time. On `PostgreSQL` a proxy between the command and the server sends SIGKILL before the n-th
//! statement ([`proxy`]); on `SQLite` the database file is put back to each prefix of what the command wrote ([`wal`]).

mod again;
mod code;
mod demo;
mod enumerate;
mod keys;
mod likeness;
mod on_postgres;
mod on_sqlite;
mod proxy;
mod rows;
mod wal;
mod way;
