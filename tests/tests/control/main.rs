//! Control tables, handles, hops and gates against real databases.

mod fixture;
mod handle;
mod hops;
mod oracle;
