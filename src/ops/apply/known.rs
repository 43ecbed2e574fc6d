//! A journal that also remembers in memory what its run puts under each code, to compare it with what is read back.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::domain::asset::Digest;
use crate::domain::journal::JournalEntry;
use crate::domain::last_known::LastKnown;
use crate::domain::request::Write;
use crate::ops::ports::{Journal, StoreError};

pub(super) struct RememberingJournal<'a> {
    journal: Box<dyn Journal>,
    known: &'a RefCell<LastKnown>,
    /// The changes of requests that are not answered yet.
    sent: RefCell<BTreeMap<u32, Vec<Write>>>,
}

impl<'a> RememberingJournal<'a> {
    pub(super) fn new(journal: Box<dyn Journal>, known: &'a RefCell<LastKnown>) -> Self {
        Self { journal, known, sent: RefCell::default() }
    }

    fn remember(&self, entry: &JournalEntry) {
        match entry {
            JournalEntry::Intent { request, commands } => {
                self.known.borrow_mut().intend(commands);
                self.sent.borrow_mut().insert(*request, commands.clone());
            }
            JournalEntry::Outcome { request, answers, .. } => {
                if let Some(commands) = self.sent.borrow_mut().remove(request) {
                    self.known.borrow_mut().answered(&commands, answers);
                }
            }
            _ => {}
        }
    }
}

impl Journal for RememberingJournal<'_> {
    fn id(&self) -> &str {
        self.journal.id()
    }

    fn folder(&self) -> &Path {
        self.journal.folder()
    }

    fn copy(&self, digest: Digest) -> Option<Arc<[u8]>> {
        self.journal.copy(digest)
    }

    fn append_all(&self, entries: &[JournalEntry]) -> Result<(), StoreError> {
        // Even if it cannot be written: a request that completes a replace is sent anyway.
        entries.iter().for_each(|entry| self.remember(entry));
        self.journal.append_all(entries)
    }
}
