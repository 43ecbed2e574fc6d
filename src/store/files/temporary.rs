//! Files that are written under a temporary name and get their final name when they are complete.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};

use super::access::Access;
use super::opened::OpenFolder;

/// The prefix and suffix of the names of temporary files; the middle is unique.
pub(super) const AFFIXES: (&str, &str) = (".brandctl-", ".tmp");

/// How long the middle is.
const MIDDLE: usize = 6;

/// Whether a file name is one of those that are given to temporary files here, and hardly to any other file.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let middle = name.to_str().and_then(|name| name.strip_prefix(AFFIXES.0)?.strip_suffix(AFFIXES.1));
    middle.is_some_and(|middle| middle.len() == MIDDLE && middle.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// A file in an open folder that is removed again unless it gets its final name.
#[derive(Debug)]
pub(super) struct Temporary<'a> {
    folder: &'a OpenFolder,
    name: OsString,
    file: File,
    placed: bool,
}

impl<'a> Temporary<'a> {
    /// Creates one.
    pub(super) fn new(folder: &'a OpenFolder, permissions: u32) -> io::Result<Self> {
        /// How many names are tried.
        const TRIES: usize = 100;
        for _ in 0..TRIES {
            let middle: String = std::iter::repeat_with(fastrand::alphanumeric).take(MIDDLE).collect();
            let name = OsString::from([AFFIXES.0, &middle, AFFIXES.1].concat());
            match folder.file(&name, Access::New(permissions)) {
                Ok(file) => return Ok(Self { folder, name, file, placed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is no free name for a temporary file"))
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Writes bytes, which are on disk on return.
    pub(super) fn write_synced(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.file.sync_all()
    }

    /// Gives it its final name, replacing the file that has that name.
    pub(super) fn put_at(mut self, name: &OsStr) -> io::Result<()> {
        self.folder.rename(&self.name, name)?;
        self.placed = true;
        Ok(())
    }

    /// Gives it its final name, which must be free.
    pub(super) fn put_at_free(mut self, name: &OsStr) -> io::Result<()> {
        self.folder.rename_new(&self.name, name)?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.placed {
            // The error that led here is the one to report.
            let _ = self.folder.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn temporary_files_are_known_by_their_names() {
        let root = tempfile::tempdir().unwrap();
        let folder = OpenFolder::at(root.path()).unwrap();
        let file = Temporary::new(&folder, 0o600).unwrap();
        assert!(is_temporary(&file.name) && root.path().join(&file.name).exists());
        drop(file);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0, "it is removed again");
        for other in [".brandctl", ".brandctl-config", ".brandctl-.tmp", ".brandctl-config.tmp.png", "abcdef.tmp"] {
            assert!(!is_temporary(OsStr::new(other)), "{other}");
        }
    }
}
