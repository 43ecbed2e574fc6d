//! What is known of the bytes behind each `fileUri` of one portal, so that a second plan downloads nothing.
//!
//! A path, once seen, keeps its content, so an entry never grows stale. Nothing here is needed for safety: a cache that
//! is lost or cannot be read costs downloads.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::atomic;
use super::state_dir::StateDir;
use crate::domain::asset::Digest;
use crate::domain::state::Content;
use crate::ops::ports::ContentCache;

/// The version of the index; another one is as good as none.
const VERSION: u32 = 1;

const INDEX: &str = "index.json";
const BLOBS: &str = "cache/blobs";

/// The largest index that is read, in bytes: some hundred thousand entries.
const MAX_INDEX: u64 = 128 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Index {
    version: u32,
    entries: BTreeMap<String, Content>,
}

/// The cache of one portal.
#[derive(Debug)]
pub struct Cache {
    folder: StateDir,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<String, Content>,
    changed: bool,
}

impl Cache {
    /// Opens the cache of `state`. Without one that can be read, it starts empty.
    #[must_use]
    pub fn open(state: &StateDir) -> Self {
        let entries = read_index(state)
            .and_then(|bytes| serde_json::from_slice::<Index>(&bytes).ok())
            .filter(|index| index.version == VERSION)
            .map(|index| index.entries)
            .unwrap_or_default();
        Self { folder: state.clone(), state: RefCell::new(State { entries, changed: false }) }
    }

    /// Forgets every path that is not in `listed`, and writes what is new.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub fn save(&self, state_dir: &StateDir, listed: &BTreeSet<&str>) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let before = state.entries.len();
        state.entries.retain(|uri, _| listed.contains(uri.as_str()));
        state.changed |= state.entries.len() != before;
        drop(state);
        self.save_all(state_dir)
    }

    /// Writes what is new.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub fn save_all(&self, state_dir: &StateDir) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        if !state.changed {
            return Ok(());
        }
        let folder = state_dir.make("cache")?;
        let index = Index { version: VERSION, entries: std::mem::take(&mut state.entries) };
        let written = atomic::write_unsynced(&folder.join(INDEX), &serde_json::to_vec(&index)?);
        let known: BTreeSet<Digest> = index.entries.values().map(|content| content.sha256).collect();
        state.entries = index.entries;
        state.changed = false;
        written?;
        let blobs = state_dir.inside(BLOBS)?;
        if blobs.is_dir() {
            for blob in fs::read_dir(blobs)?.flatten() {
                let digest = blob.file_name().to_str().and_then(|name| name.parse::<Digest>().ok());
                if digest.is_some_and(|digest| !known.contains(&digest)) {
                    fs::remove_file(blob.path())?;
                }
            }
        }
        Ok(())
    }
}

fn read_index(state: &StateDir) -> Option<Vec<u8>> {
    let path = state.inside(&format!("cache/{INDEX}")).ok()?;
    let facts = fs::metadata(&path).ok()?;
    (facts.is_file() && facts.len() <= MAX_INDEX).then(|| fs::read(path).ok())?
}

impl ContentCache for Cache {
    fn content(&self, file_uri: &str) -> Option<Content> {
        self.state.borrow().entries.get(file_uri).cloned()
    }

    fn remember(&self, file_uri: &str, content: &Content) {
        let mut state = self.state.borrow_mut();
        if state.entries.get(file_uri) != Some(content) {
            state.entries.insert(file_uri.to_owned(), content.clone());
            state.changed = true;
        }
    }

    fn bytes(&self, digest: Digest) -> Option<Arc<[u8]>> {
        let bytes = fs::read(self.folder.inside(&format!("{BLOBS}/{digest}")).ok()?).ok()?;
        (Digest::of(&bytes) == digest).then(|| Arc::from(bytes))
    }

    fn keep(&self, digest: Digest, bytes: &[u8]) {
        // A copy that cannot be kept is downloaded again; what apply replaces is kept in its run folder, with errors told.
        let _ = self
            .folder
            .make("cache")
            .and_then(|_| self.folder.make(BLOBS))
            .and_then(|blobs| atomic::write_unsynced(&blobs.join(digest.to_string()), bytes));
    }
}
