//! Executing reviewed files on real databases: sections, backfill, verification, quarantine, and what interrupts them.

mod backfill;
mod cases;
mod checksums;
mod concurrency;
mod crash;
mod direct;
mod executor;
mod failing_rows;
mod indexes;
mod loading;
mod pairs;
mod patience;
mod quarantine;
mod reclaim;
mod stealing;
mod target;
mod throttling;
mod turned;
mod unkeyed;
mod verification;
