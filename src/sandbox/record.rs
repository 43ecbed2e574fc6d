//! The sandbox's record of requests, for tests of what a client sends.

use std::collections::VecDeque;

/// The most requests and commands, counted together, that are recorded. A long-running sandbox drops the oldest.
const MAX_RECORDED: usize = 200_000;

/// Which requests are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recording {
    /// The newest ones: 200,000 requests and commands together.
    #[default]
    Newest,
    /// None, for sandboxes that run for days.
    Nothing,
}

/// One request, in the order in which requests arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The REST method in lower case, without `.json`; `download` for a file, `oauth/token` for a refresh; empty for anything else.
    pub method: String,
    /// The path without its query. It holds the secret of a webhook: for tests, not for display.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The user of the webhook or token; `None` without valid credentials.
    pub user: Option<u32>,
    /// The commands: one for a single call, and for a batch all in order, also those that were never executed.
    pub commands: Vec<RecordedCommand>,
    /// Whether it changed what the portal holds.
    pub wrote: bool,
    /// The HTTP status of the answer; `None` until there is an answer.
    pub status: Option<u16>,
}

/// One command of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCommand {
    /// The REST method in lower case.
    pub method: String,
    /// The parameter `code`, if it is a string, before references are resolved.
    pub code: Option<String>,
    /// The end of the command.
    pub end: End,
}

/// The end of a command.
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
    pub fn would_write(&self) -> bool {
        self.commands.iter().any(|command| writes(&command.method))
    }
}

/// Whether a method in lower case is one that writes.
pub(super) fn writes(method: &str) -> bool {
    method.ends_with(".add") || method.ends_with(".delete")
}

/// The newest requests, by an index that counts all requests since the start.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    kept: VecDeque<Recorded>,
    forgotten: usize,
    size: usize,
}

impl Recorder {
    /// Records a request and gives its index.
    pub(super) fn push(&mut self, request: Recorded) -> usize {
        self.size += size(&request);
        self.kept.push_back(request);
        while self.size > MAX_RECORDED && self.kept.len() > 1 {
            if let Some(oldest) = self.kept.pop_front() {
                self.size -= size(&oldest);
                self.forgotten += 1;
            }
        }
        self.forgotten + self.kept.len() - 1
    }

    /// The request with an index, if it is still recorded.
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Recorded> {
        self.kept.get_mut(index.checked_sub(self.forgotten)?)
    }

    /// All recorded requests, in the order of arrival.
    pub(super) fn all(&self) -> Vec<Recorded> {
        self.kept.iter().cloned().collect()
    }
}

fn size(request: &Recorded) -> usize {
    1 + request.commands.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn the_oldest_requests_are_forgotten_and_indices_stay() {
        let request = |path: usize, commands| Recorded {
            method: "batch".to_owned(),
            path: path.to_string(),
            headers: Vec::new(),
            user: None,
            commands: vec![RecordedCommand { method: String::new(), code: None, end: End::Open }; commands],
            wrote: false,
            status: None,
        };
        let mut recorder = Recorder::default();
        for index in 0..10 {
            assert_eq!(recorder.push(request(index, MAX_RECORDED / 4 - 1)), index);
        }
        let kept: Vec<_> = recorder.all().into_iter().map(|request| request.path).collect();
        assert_eq!(kept, ["6", "7", "8", "9"]);
        assert_eq!(recorder.get_mut(5), None);
        assert_eq!(recorder.get_mut(6).unwrap().path, "6");
        assert_eq!(recorder.push(request(10, 2 * MAX_RECORDED)), 10);
        assert_eq!(recorder.all().len(), 1, "the newest stays regardless of its size");
        assert_eq!(recorder.get_mut(10).unwrap().path, "10");
    }
}
