//! The pure core: values in, values out. Nothing here opens a file, reads a clock, waits, prints or is async.

pub mod asset;
pub mod checkup;
pub mod command;
pub mod diff;
pub mod document;
pub mod export;
pub mod finding;
pub mod guard;
pub mod image;
pub mod inventory;
pub mod journal;
pub mod log;
pub mod manifest;
pub mod origin;
pub mod ownership;
pub mod plan;
pub mod report;
pub mod restore;
pub mod retry;
pub mod rules;
pub mod scaffold;
pub mod schemas;
pub mod scope;
pub mod state;
#[cfg(test)]
mod tests;
pub mod usage;
