//! The cache: what is known about the bytes behind each `fileUri` of one portal, so that a second plan downloads
//! nothing.
//!
//! The content of a path never changes, so an entry never becomes stale. Nothing here is needed for safety: a cache
//! that is lost or cannot be read costs downloads.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::files::{Durability, is_unexpected};
use super::state_dir::StateDir;
use crate::domain::asset::Digest;
use crate::domain::state::Content;
use crate::format::ContentDocument;
use crate::ops::ports::ContentCache;

/// The version of the index: an index with another version is ignored.
const VERSION: u32 = 1;

/// The folder of the cache, in the state folder.
const CACHE: &str = "cache";
const INDEX: &str = "cache/index.json";
/// The folder of the images that a plan refers to, each named by its digest.
const BLOBS: &str = "cache/blobs";

/// The largest index that is read, in bytes: more than a hundred thousand entries.
const MAX_INDEX_BYTES: u64 = 64 * 1024 * 1024;

/// The largest image that is read from the cache, in bytes: larger ones are not downloaded.
const MAX_BLOB_BYTES: u64 = 1024 * 1024;

/// The index, as it is on disk.
#[derive(Serialize, Deserialize)]
struct CacheIndex {
    version: u32,
    entries: BTreeMap<String, ContentDocument>,
}

/// The contents of an index; `None` when it does not have this version.
pub(super) fn read_index(bytes: &[u8]) -> Option<BTreeMap<String, Content>> {
    let index = serde_json::from_slice::<CacheIndex>(bytes).ok().filter(|index| index.version == VERSION)?;
    Some(index.entries.into_iter().map(|(uri, content)| (uri, content.into())).collect())
}

/// The cache of one portal.
#[derive(Debug)]
pub struct Cache {
    state_dir: StateDir,
    known: RefCell<KnownContents>,
}

#[derive(Debug, Default)]
struct KnownContents {
    /// The contents by `fileUri`.
    entries: BTreeMap<String, Content>,
    /// Whether the index on disk is older.
    changed: bool,
}

impl Cache {
    /// Opens the cache of `state`. If it cannot be read, it starts empty.
    #[must_use]
    pub fn open(state: &StateDir) -> Self {
        Self::try_open(state).unwrap_or_else(|_| Self::of(state, BTreeMap::new()))
    }

    /// Opens the cache of `state`. If it cannot be read, it starts empty; an error if there is something that is not a
    /// cache of ours.
    pub(crate) fn try_open(state: &StateDir) -> io::Result<Self> {
        if state.why_unread().is_some() {
            return Ok(Self::of(state, BTreeMap::new()));
        }
        let bytes = match state.folder().read(INDEX, MAX_INDEX_BYTES) {
            Err(error) if is_unexpected(&error) => return Err(error),
            bytes => bytes.ok(),
        };
        Ok(Self::of(state, bytes.and_then(|bytes| read_index(&bytes)).unwrap_or_default()))
    }

    fn of(state: &StateDir, entries: BTreeMap<String, Content>) -> Self {
        Self { state_dir: state.clone(), known: RefCell::new(KnownContents { entries, changed: false }) }
    }

    /// Drops every path that is not in `listed`, and writes what is new.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub fn save(&self, state_dir: &StateDir, listed: &BTreeSet<&str>) -> io::Result<()> {
        let mut known = self.known.borrow_mut();
        let before = known.entries.len();
        known.entries.retain(|uri, _| listed.contains(uri.as_str()));
        known.changed |= known.entries.len() != before;
        drop(known);
        self.save_all(state_dir)
    }

    /// Writes what is new.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub fn save_all(&self, state_dir: &StateDir) -> io::Result<()> {
        let mut known = self.known.borrow_mut();
        if !known.changed {
            return Ok(());
        }
        state_dir.make(CACHE)?;
        let folder = state_dir.folder();
        let entries = known.entries.iter().map(|(uri, content)| (uri.clone(), content.clone().into())).collect();
        let index = serde_json::to_vec(&CacheIndex { version: VERSION, entries })?;
        let written = folder.replace(INDEX, &index, Durability::Unsynced);
        let digests: BTreeSet<Digest> = known.entries.values().map(|content| content.sha256).collect();
        known.changed = false;
        written?;
        let blobs = folder.child(BLOBS);
        let items = match blobs.items() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            items => items?,
        };
        for blob in items.flatten() {
            let name = blob.name();
            let Some(name) = name.to_str() else { continue };
            if name.parse::<Digest>().is_ok_and(|digest| !digests.contains(&digest)) {
                blobs.remove(name)?;
            }
        }
        Ok(())
    }
}

impl ContentCache for Cache {
    fn content(&self, file_uri: &str) -> Option<Content> {
        self.known.borrow().entries.get(file_uri).cloned()
    }

    fn remember(&self, file_uri: &str, content: &Content) {
        let mut known = self.known.borrow_mut();
        if known.entries.get(file_uri) != Some(content) {
            known.entries.insert(file_uri.to_owned(), content.clone());
            known.changed = true;
        }
    }

    fn forget(&self, file_uri: &str) {
        let mut known = self.known.borrow_mut();
        let forgotten = known.entries.remove(file_uri).is_some();
        known.changed |= forgotten;
    }

    fn bytes(&self, digest: Digest) -> Option<Arc<[u8]>> {
        if self.state_dir.why_unread().is_some() {
            return None;
        }
        let bytes = self.state_dir.folder().read(&format!("{BLOBS}/{digest}"), MAX_BLOB_BYTES).ok()?;
        (Digest::of(&bytes) == digest).then(|| Arc::from(bytes))
    }

    fn keep(&self, digest: Digest, bytes: &[u8]) {
        // A copy that cannot be kept is downloaded again. What apply replaces is kept in its run folder, and errors
        // there are reported.
        let _ = self
            .state_dir
            .make(CACHE)
            .and_then(|_| self.state_dir.make(BLOBS))
            .and_then(|blobs| blobs.replace(&digest.to_string(), bytes, Durability::Unsynced));
    }
}
