//! The identity of a file: two names of one file, links and hard links included, have the same identity.

use std::fs::{self, Metadata};
use std::path::Path;

/// The most names below a folder that are looked at.
const MAX_NAMES: usize = 20_000;

/// The identity of a file that exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FileId(Inner);

#[cfg(unix)]
type Inner = (u64, u64);
/// The path without links: here, a hard link counts as another file.
#[cfg(not(unix))]
type Inner = std::path::PathBuf;

impl FileId {
    /// The identity of the file that a name leads to, with every link followed; `None` when there is none.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let facts = fs::metadata(path).ok()?;
        Self::with(&facts, path)
    }

    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "on other systems it must be looked up")]
    pub(super) fn with(facts: &Metadata, _: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(Self((facts.dev(), facts.ino())))
    }

    #[cfg(not(unix))]
    pub(super) fn with(_: &Metadata, path: &Path) -> Option<Self> {
        super::place::real(path).ok().map(Self)
    }
}

/// The identities of the files below a folder, without following links to folders; if it is a file, its own identity.
pub(crate) fn all_below(path: &Path) -> Vec<FileId> {
    let (mut found, mut left) = (Vec::new(), vec![path.to_owned()]);
    let mut looked_at = 0;
    while let Some(path) = left.pop() {
        let Ok(items) = fs::read_dir(&path) else {
            found.extend(FileId::of(&path));
            continue;
        };
        for item in items.flatten() {
            looked_at += 1;
            if looked_at > MAX_NAMES {
                return found;
            }
            match item.file_type() {
                Ok(kind) if kind.is_dir() => left.push(item.path()),
                _ => found.extend(FileId::of(&item.path())),
            }
        }
    }
    found
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn all_names_of_a_file_have_one_identity() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("below")).unwrap();
        fs::write(at("below/file"), "").unwrap();
        fs::write(at("other"), "").unwrap();
        fs::hard_link(at("below/file"), at("hard")).unwrap();
        symlink("below/file", at("soft")).unwrap();
        symlink(".", at("below/round")).unwrap();
        let file = FileId::of(&at("below/file")).unwrap();
        assert_eq!([FileId::of(&at("hard")), FileId::of(&at("soft"))], [Some(file.clone()), Some(file.clone())]);
        assert_ne!(FileId::of(&at("other")).unwrap(), file);
        assert_eq!(FileId::of(&at("absent")), None);
        let below = all_below(root.path());
        assert!(below.contains(&file) && below.contains(&FileId::of(&at("other")).unwrap()), "{below:?}");
        assert_eq!(all_below(&at("hard")), [file]);
        assert!(all_below(&at("absent")).is_empty());
    }
}
