//! What the sandbox remembers of every request, for tests that say what a client may send.

/// Which requests are remembered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recording {
    /// Every one since the start, for as long as the sandbox lives.
    #[default]
    Every,
    /// None: for sandboxes that serve for days.
    Nothing,
}

/// One request, in the order in which requests arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The REST method in lower case, without `.json`; `download` for a file; empty for anything else.
    pub method: String,
    /// The path without its query. It holds the secret of a webhook: for tests, not for display.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The user whose webhook was used; `None` without valid credentials.
    pub user: Option<u32>,
    /// What was called: one command for a single call, for a batch all its commands in order, also those that were never executed.
    pub commands: Vec<RecordedCommand>,
    /// Whether it changed what the portal holds.
    pub wrote: bool,
    /// The HTTP status of the answer; `None` while there is none, and for good when the connection was closed without one.
    pub status: Option<u16>,
}

/// One command of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCommand {
    /// The REST method in lower case.
    pub method: String,
    /// Its parameter `code`, if that is a string, before substitution.
    pub code: Option<String>,
    /// How it ended.
    pub end: End,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Not executed, or not yet.
    Open,
    /// It succeeded.
    Done,
    /// It was refused with this error code.
    Refused(String),
}

impl Recorded {
    /// Whether any of its commands is an `add` or a `delete`, executed or not.
    #[must_use]
    pub fn would_write(&self) -> bool {
        self.commands.iter().any(|command| writes(&command.method))
    }
}

/// Whether a method in lower case is one that writes.
pub(super) fn writes(method: &str) -> bool {
    method.ends_with(".add") || method.ends_with(".delete")
}
