//! Control tables, handles, hops and gates against real databases.

mod audit;
mod beats;
mod by_instance;
mod fixture;
mod flag_sources;
mod handle;
mod hops;
mod in_turn;
mod oracle;
mod tables;
mod tampering;
