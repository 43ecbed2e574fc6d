//! The portal client against a scripted server that answers raw bytes: what goes over the wire, how often, and what
//! becomes of answers that no portal should give.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod bodies;
mod downloads;
mod errors;
mod oauth;
mod process;
mod reading;
mod server;
mod settings;
mod tls;
mod waiting;
mod writing;
