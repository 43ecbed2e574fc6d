//! The files that a command line names: what is written must be no two things in one file, and nothing that is read.

use std::fs;
use std::path::{Path, PathBuf};

use crate::store::saved;

/// A file, and how the user knows it: `--report x.html`, or `the manifest`.
pub(super) struct Named {
    name: String,
    path: PathBuf,
}

impl Named {
    pub(super) fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into() }
    }
}

/// Whether every file of `written` is one of its own and none of `read`; the error says which is not. Files are the same
/// when they are in the same place, however they are spelt. Pipes and devices lose nothing.
pub(super) fn are_apart(read: &[Named], written: &[Named]) -> Result<(), String> {
    let mut taken: Vec<(PathBuf, &Named, &str)> =
        read.iter().map(|named| (place(&named.path), named, "is read from there")).collect();
    for named in written.iter().filter(|named| !is_stream(&named.path)) {
        let place = place(&named.path);
        if let Some((_, other, why)) = taken.iter().find(|(taken, ..)| *taken == place) {
            return Err(format!("`{}` would overwrite a file: {} {why}: name another one", named.name, other.name));
        }
        taken.push((place, named, "goes there too"));
    }
    Ok(())
}

fn is_stream(path: &Path) -> bool {
    path == Path::new("-") || fs::metadata(path).is_ok_and(|facts| !facts.is_file() && !facts.is_dir())
}

/// Where a file is or would be. Where that cannot be found out, it cannot be written either.
fn place(path: &Path) -> PathBuf {
    saved::real(path).unwrap_or_else(|_| path.to_owned())
}
