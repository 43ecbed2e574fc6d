//! The tests that need programs which a Rust developer may not have: Chromium, Node and Python with packages of their
//! registries, fish, zsh, jq, strace. `tests/run` installs what is missing; `tests/run --fast` leaves these tests out.
// `tests/run` and the programs that it installs are those of Debian.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

#[path = "../shared/mod.rs"]
mod shared;

mod browser;
mod clients;
#[cfg(target_os = "linux")]
mod hostile;
mod init;
mod json;
mod publishing;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod release;
mod shells;
