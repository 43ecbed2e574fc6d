//! The portal client against a scripted server that answers raw bytes: what goes over the wire, how often, and what
//! becomes of answers that no portal should give.

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
