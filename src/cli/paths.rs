//! The files that a command line names: each that is written must be a file of its own, and none that is read.

use std::path::{Path, PathBuf};

use crate::store::files::{Output, place};

/// A file, and how messages name it: `--report x.html`, or `the manifest`.
pub(super) struct Named {
    name: String,
    path: PathBuf,
}

impl Named {
    pub(super) fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into() }
    }
}

/// Checks that the files of `written` are all different and none of `read`; the error says which is not. Files are the same
/// when they are in the same place, however they are spelt. Pipes and devices lose nothing.
pub(super) fn are_apart(read: &[Named], written: &[Named]) -> Result<(), String> {
    let mut taken: Vec<(PathBuf, &Named, &str)> =
        read.iter().map(|named| (destination(&named.path), named, "is read from there")).collect();
    for named in written.iter().filter(|named| !Output::is_stream(&named.path)) {
        let place = destination(&named.path);
        if let Some((_, other, why)) = taken.iter().find(|(taken, ..)| *taken == place) {
            return Err(format!("`{}` would overwrite a file: {} {why}: name another one", named.name, other.name));
        }
        taken.push((place, named, "goes there too"));
    }
    Ok(())
}

/// The place where a file is or would be. Where that cannot be found out, it cannot be written either.
fn destination(path: &Path) -> PathBuf {
    place::destination(path).unwrap_or_else(|_| path.to_owned())
}
