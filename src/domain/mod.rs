//! The pure core: values in, values out. Nothing here opens a file, reads a clock, waits, prints or is async.

pub mod asset;
pub mod command;
pub mod diff;
pub mod doctor;
pub mod evidence;
pub mod export;
pub mod finding;
pub mod guard;
pub mod init;
pub mod journal;
pub mod last_known;
pub mod list;
pub mod logmessage;
pub mod manifest;
pub mod origin;
pub mod ownership;
pub mod plan;
pub mod png;
mod quote;
pub(crate) use quote::looks_secret;
pub mod report;
pub mod request;
pub mod restore;
pub mod resumption;
pub mod retry;
pub mod rulebook;
pub mod rules;
pub(crate) mod schema;
pub mod scope;
pub mod state;
pub mod step;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod unanswered;
pub mod usage;
pub(crate) mod yaml;
