//! The command that the user typed, when it began, and how it went: what the JSON of every command begins with.

use std::time::{Duration, Instant};

use crate::render::json::Invoked;

use super::exit::Exit;

/// The command that the user typed, and when it began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Invocation {
    /// Its name, such as `plan`; empty before the command line is parsed.
    pub(super) command: &'static str,
    began: jiff::Timestamp,
    since: Instant,
}

impl Default for Invocation {
    /// An invocation that begins now.
    fn default() -> Self {
        Self { command: "", began: jiff::Timestamp::now(), since: Instant::now() }
    }
}

impl Invocation {
    /// When the command began, in RFC 3339.
    pub(super) fn started(&self) -> String {
        self.began.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// For how long it has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// The header of a document, for this exit code.
    pub(super) fn header(&self, exit: Exit) -> Invoked {
        Invoked {
            command: (!self.command.is_empty()).then(|| self.command.to_owned()),
            started: self.started(),
            elapsed: self.elapsed(),
            exit_code: exit as u8,
        }
    }
}
