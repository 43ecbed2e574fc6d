//! The lock that allows one apply at a time for each portal and state folder. The operating system releases the lock
//! when its holder ends.

use std::io;

use serde::{Deserialize, Serialize};

use super::files::{FileLock, Locking};
use super::state_dir::StateDir;

/// The holder of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Its process id.
    pub(crate) pid: u32,
    /// When it took the lock, in RFC 3339.
    pub(crate) since: String,
    /// What it does under the lock.
    pub(crate) purpose: LockPurpose,
}

/// The purpose of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockPurpose {
    /// Writing to the portal.
    Apply,
    /// Finding out what an interrupted run did. That takes seconds.
    Settle,
}

/// A held lock. Dropping it releases it.
#[derive(Debug)]
pub struct Lock {
    _file: FileLock,
}

/// The reason why a lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another apply runs.
    #[error("{} on this portal and state folder{}", doing(.0.as_ref()), who(.0.as_ref()))]
    Held(Option<LockHolder>),
    /// The lock file cannot be used.
    #[error("cannot lock the state folder: {0}")]
    Io(#[from] io::Error),
}

impl LockError {
    /// Whether the lock will be free again within seconds.
    pub(crate) fn is_brief(&self) -> bool {
        matches!(self, Self::Held(Some(LockHolder { purpose: LockPurpose::Settle, .. })))
    }
}

fn doing(holder: Option<&LockHolder>) -> &'static str {
    match holder {
        Some(LockHolder { purpose: LockPurpose::Settle, .. }) => {
            "another command is checking what an interrupted run did"
        }
        Some(LockHolder { purpose: LockPurpose::Apply, .. }) | None => "another apply is running",
    }
}

fn who(holder: Option<&LockHolder>) -> String {
    holder.map(|holder| format!(" (process {}, since {})", holder.pid, holder.since)).unwrap_or_default()
}

impl Lock {
    /// Takes the lock of `state`. `since` is now, in RFC 3339.
    ///
    /// # Errors
    /// When another process holds it, or the state folder cannot be written.
    pub fn take(state: &StateDir, purpose: LockPurpose, since: String) -> Result<Self, LockError> {
        match state.ensure()?.lock("lock")? {
            Locking::Held(text) => Err(LockError::Held(serde_json::from_str(&text).ok())),
            Locking::Taken(mut file) => {
                let holder = LockHolder { pid: std::process::id(), since, purpose };
                file.write(&serde_json::to_vec(&holder).map_err(io::Error::from)?)?;
                Ok(Self { _file: file })
            }
        }
    }
}
