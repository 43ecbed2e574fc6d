//! The files that credentials come from: they are read as that and as nothing else, whatever name leads to them.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use super::identity::FileId;

/// One list for the process, so that no way to open a file can be forgotten.
static KNOWN: RwLock<Vec<FileId>> = RwLock::new(Vec::new());

/// Marks a file as one that credentials come from. One that does not exist yet is marked when it is read.
pub(crate) fn mark_secret(path: &Path) {
    if let Some(id) = FileId::of(path) {
        mark(id);
    }
}

/// Marks an open file.
pub(super) fn mark_open(file: &File, path: &Path) -> io::Result<()> {
    if let Some(id) = FileId::with(&file.metadata()?, path) {
        mark(id);
    }
    Ok(())
}

fn mark(id: FileId) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if !known.contains(&id) {
        known.push(id);
    }
}

/// Refuses a file that credentials come from. It is asked of the open file, so that nobody can swap them in between.
pub(super) fn refuse_secret(file: &File, path: &Path) -> io::Result<()> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if known.is_empty() {
        return Ok(());
    }
    match FileId::with(&file.metadata()?, path) {
        Some(id) if known.contains(&id) => {
            Err(io::Error::other("it is a file that credentials come from, and is read as nothing else"))
        }
        _ => Ok(()),
    }
}
