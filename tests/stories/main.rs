//! What a team lives through with brandctl, told from end to end: the real program, real Git, a portal over HTTP.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod adopt;
#[allow(dead_code, reason = "the tests of the command line use the others")]
#[path = "../cli/common.rs"]
mod common;
mod fork;
mod killed;
mod people;
mod teams;
mod year;
