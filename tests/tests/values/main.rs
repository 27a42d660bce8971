//! Keys, words and types that a user may well declare: every row is converted and compared, and nothing changes in it.

mod equality;
mod generated;
mod keys;
mod numbers;
mod project;
mod types;
mod words;
