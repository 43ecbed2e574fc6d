//! The entry points of the fuzz targets for data that is read back from disk and from Git. Fuzz targets see public
//! items only. These are not part of any released build.

#![allow(clippy::panic, clippy::missing_panics_doc, reason = "a check fails by panicking")]

use std::path::{Component, Path};

use super::cache::read_index;
use super::exported::is_inside;
use super::git;
use super::stored_run::take_up;
use crate::domain::journal::{MAX_LINE_BYTES, RunState};
use crate::domain::state::Content;
use crate::format::SnapshotDocument;

/// Reads `bytes` as a journal: each line adds to the lines before it, and never takes anything back.
pub fn journal(bytes: &[u8]) {
    let (mut state, mut steps) = (None, 0);
    for line in bytes.split_inclusive(|byte| *byte == b'\n').take_while(|line| line.len() <= MAX_LINE_BYTES) {
        if take_up(&mut state, line).is_err() {
            return;
        }
        let known = state.as_ref().map_or(0, |state: &RunState| state.steps.len());
        assert!(known >= steps, "{known} steps instead of {steps}");
        steps = known;
    }
}

/// Reads `bytes` as the index of a cache: what it says of an image can be compared.
pub fn cache(bytes: &[u8]) {
    for content in read_index(bytes).unwrap_or_default().into_values() {
        assert!(content.same_appearance(&content) && !content.same_appearance(&Content::of(b"another")));
    }
}

/// Reads `bytes` as the file of an export: a path that is accepted as one inside the folder does not lead out of it.
pub fn export(bytes: &[u8]) {
    let Ok(snapshot) = SnapshotDocument::read(bytes) else { return };
    for file in snapshot.entries.iter().filter_map(|entry| entry.file.as_deref()).filter(|file| is_inside(file)) {
        assert!(Path::new(file).components().all(|part| matches!(part, Component::Normal(_))), "{file}");
    }
}

/// Reads `bytes` as what Git prints.
pub fn git(bytes: &[u8]) {
    git::read_as_output(bytes);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    fn replay(target: &str, check: fn(&[u8])) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 3, "{target}: this test looks in the wrong folder");
        files.iter().for_each(|file| check(&std::fs::read(file).unwrap()));
    }

    #[test]
    fn the_corpora_of_what_is_read_back_hold() {
        replay("journal", super::journal);
        replay("cache", super::cache);
        replay("export", super::export);
        replay("git", super::git);
    }
}
