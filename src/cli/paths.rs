//! The files that a command line names: each output must be a file of its own, and none that the command reads.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::domain::finding::Finding;
use crate::store::files::{FileId, FileKind, Output, UserInput, all_below, place, refuse_link};

/// A file, and how messages name it: `--report x.html`, or `the manifest`.
#[derive(Debug, Clone)]
pub(super) struct NamedFile {
    name: String,
    path: PathBuf,
}

impl NamedFile {
    pub(super) fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into() }
    }

    /// Its name in messages, and its path.
    pub(super) fn parts(&self) -> (String, PathBuf) {
        (self.name.clone(), self.path.clone())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The finding that this file would overwrite something that the command reads.
    pub(super) fn would_overwrite(&self, what: &str) -> Finding {
        let message = format!("`{}` would overwrite a file: {what} is read from there", self.name);
        Finding::error("output", message).help("name another file")
    }
}

/// Checks that the files of `written` are distinct, are not in `read`, and are not links; otherwise the error names the
/// file. Two files are the same if they are one file or would be in one place, in any spelling. Pipes and devices lose
/// nothing.
pub(super) fn check_distinct(read: &[NamedFile], written: &[NamedFile]) -> Result<(), String> {
    let mut taken: Vec<(PathBuf, &NamedFile, &str)> =
        read.iter().map(|named| (destination(&named.path), named, "is read from there")).collect();
    let written: Vec<&NamedFile> = written.iter().filter(|named| !Output::is_stream(&named.path)).collect();
    for named in &written {
        let place = destination(&named.path);
        let id = FileId::of(&named.path).filter(|_| UserInput::at(&named.path).kind() != Some(FileKind::Folder));
        let is_taken = |(taken, other, _): &&(PathBuf, &NamedFile, &str)| {
            *taken == place || id.is_some() && FileId::of(&other.path) == id
        };
        if let Some((_, other, why)) = taken.iter().find(is_taken) {
            return Err(format!("`{}` would overwrite a file: {} {why}: name another one", named.name, other.name));
        }
        taken.push((place, named, "is written there too"));
    }
    for named in &written {
        refuse_link(&named.path)
            .map_err(|error| format!("`{}`: {error}: name another file, or remove the link", named.name))?;
    }
    Ok(())
}

/// Checks that no file of `written` is in a folder where `state` keeps files: a run's, the cache's, the sandbox's. Pages
/// may be written there, also over older ones: no file of the state has such a name.
pub(super) fn check_outside(state: &Path, written: &[NamedFile]) -> Result<(), String> {
    let Ok(state) = place::real(state) else { return Ok(()) };
    let is_page =
        |path: &Path| ["html", "md", "xml"].iter().any(|page| path.extension().is_some_and(|own| own == *page));
    let is_kept = |named: &&NamedFile| {
        let place = destination(&named.path);
        let is_below = place.strip_prefix(&state).is_ok_and(|below| below.components().count() > 1);
        is_below && !is_page(&place) && FileId::of(&place).is_some() && !Output::is_stream(&named.path)
    };
    match written.iter().find(is_kept) {
        None => Ok(()),
        Some(named) => Err(format!(
            "`{}` would overwrite a file: state is kept in {}: name another one",
            named.name,
            state.display()
        )),
    }
}

/// Those of `written` that are a file below `folder`, by their identity.
pub(super) fn below<'a>(written: &'a [NamedFile], folder: &Path) -> Vec<&'a NamedFile> {
    one_of(written, || all_below(folder).into_iter().collect())
}

/// Those of `written` that are one of the `files` that are read, by their identity.
pub(super) fn among(written: &[NamedFile], files: impl Iterator<Item = PathBuf>) -> Vec<&NamedFile> {
    one_of(written, || files.filter_map(|file| FileId::of(&file)).collect())
}

/// `read` is asked for only where there is something that could be written over.
fn one_of(written: &[NamedFile], read: impl FnOnce() -> HashSet<FileId>) -> Vec<&NamedFile> {
    let present: Vec<(&NamedFile, FileId)> = written
        .iter()
        .filter(|named| !Output::is_stream(&named.path))
        .filter_map(|named| Some((named, FileId::of(&named.path)?)))
        .collect();
    if present.is_empty() {
        return Vec::new();
    }
    let read = read();
    present.into_iter().filter(|(_, id)| read.contains(id)).map(|(named, _)| named).collect()
}

/// The place where a file is or would be. If it cannot be found out, the file cannot be written either.
fn destination(path: &Path) -> PathBuf {
    place::destination(path).unwrap_or_else(|_| path.to_owned())
}
