//! The pure core: values in, values out. Nothing here opens a file, reads a clock, waits, prints or is async.

pub mod asset;
pub mod command;
pub mod finding;
pub mod image;
pub mod manifest;
pub mod retry;
pub mod scope;
pub mod state;
