//! The files that credentials come from: none of them is ever read as another file that a user names, or as art, under
//! any name.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use super::identity::FileId;

/// There is one list for the process, so that every way to open a file is covered. It holds paths, because the file of
/// an application's tokens is sometimes replaced, and the system reuses the number of the old one for another file.
static KNOWN: RwLock<Vec<PathBuf>> = RwLock::new(Vec::new());

/// Marks a path as one that credentials come from.
pub(crate) fn mark_secret(path: &Path) {
    // Absolute, in case the process changes its folder later.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if !known.contains(&path) {
        known.push(path);
    }
}

/// Refuses a file that credentials come from. It checks the open file, so that the file cannot be swapped in between.
pub(super) fn refuse_secret(file: &File, path: &Path) -> io::Result<()> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if known.is_empty() {
        return Ok(());
    }
    match FileId::with(&file.metadata()?, path) {
        Some(id) if known.iter().any(|known| FileId::of(known).as_ref() == Some(&id)) => {
            Err(io::Error::other("it is a file that credentials come from, so it is not read as anything else"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_known_by_its_path_also_when_it_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let refused = |name: &str| refuse_secret(&File::open(at(name)).unwrap(), &at(name)).is_err();
        fs::write(at("tokens"), "1").unwrap();
        mark_secret(&at("tokens"));
        fs::hard_link(at("tokens"), at("other")).unwrap();
        assert!(refused("tokens") && refused("other"));
        fs::write(at("new"), "2").unwrap();
        fs::rename(at("new"), at("tokens")).unwrap();
        assert!(refused("tokens") && !refused("other"), "the old file is an ordinary file");
    }
}
