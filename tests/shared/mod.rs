//! What both test binaries use.
#![allow(dead_code, reason = "each binary uses a part")]

use std::time::Duration;

use brandctl::render::json::Invoked;

pub(crate) mod checkout;
pub(crate) mod init;
pub(crate) mod jobs;
pub(crate) mod scenes;
pub(crate) mod shells;
#[cfg(unix)]
pub(crate) mod traps;

/// The header of a document that a test renders.
pub(crate) fn header() -> Invoked {
    let started = "2026-11-22T10:15:00Z".to_owned();
    Invoked { command: Some("plan".to_owned()), started, elapsed: Duration::from_millis(1234), exit_code: 0 }
}
