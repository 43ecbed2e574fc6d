//! The tests of the library and the program from outside. They need no network, no root, and no programs but Git and
//! what every Unix has. One binary, because each one links the library: `cargo test --test it cli::usage` runs a part.
// They make links, permissions, pipes and signals, which Windows has others of. There, the tests of the library run
// (`cargo test --lib`), and `release/type-check` checks that they compile.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "tests fail by panicking")]

#[path = "../fuzz/checks.rs"]
mod checks;
mod common;
#[path = "../shared/mod.rs"]
mod shared;

mod cli;
mod corpus;
mod english;
mod faults;
mod hostile;
mod house;
mod init;
mod model;
mod names;
mod picture;
mod pngsuite;
mod portal;
mod readme;
mod reference;
mod reports;
mod rules;
mod sandbox;
mod sandbox_server;
mod schemas;
mod shells;
mod stories;
mod terminal;
mod validate_formats;
