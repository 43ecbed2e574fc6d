//! What both test binaries use.
#![allow(dead_code, reason = "each binary uses a part")]

pub(crate) mod checkout;
pub(crate) mod init;
pub(crate) mod jobs;
pub(crate) mod scenes;
pub(crate) mod shells;
#[cfg(unix)]
pub(crate) mod traps;
