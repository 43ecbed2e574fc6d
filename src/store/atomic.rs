//! Files that are either wholly there or not at all, also after a power cut.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// What the names of temporary files begin and end with; between is what makes each its own.
const TEMPORARY: (&str, &str) = (".brandctl-", ".tmp");

/// Whether a file's name is one that is given to temporary files here, and hardly to any other.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let middle = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY.0)?.strip_suffix(TEMPORARY.1));
    middle.is_some_and(|middle| middle.len() == 6 && middle.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Writes `bytes` to `path` through a temporary file beside it; both the file and its folder are on disk on return.
///
/// # Errors
/// When the folder does not exist or cannot be written; an older file at `path` is then still whole.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Replacement::begin(path)?.finish(bytes)
}

/// Writes `bytes` to `path` in one step, without waiting for the disk: for what can be lost and made again.
///
/// # Errors
/// As [`write()`].
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = temporary(folder_of(path))?;
    file.as_file_mut().write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

/// As [`write()`], but never over a file that is there already, also one that came a moment ago.
///
/// # Errors
/// As [`write()`], and when there is such a file.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = temporary(folder)?;
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    sync_folder(folder)
}

/// A file that is about to be replaced: what there is at its place stays whole until [`Replacement::finish`].
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    file: NamedTempFile,
}

impl Replacement {
    /// Makes a temporary file beside `path`, which shows whether there can be one.
    ///
    /// # Errors
    /// When the folder does not exist or cannot be written.
    pub fn begin(path: &Path) -> io::Result<Self> {
        Ok(Self { file: temporary(folder_of(path))?, path: path.to_owned() })
    }

    /// Puts `bytes` at the path; both the file and its folder are on disk on return.
    ///
    /// # Errors
    /// When it cannot be written; an older file is then still whole.
    pub fn finish(mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_file_mut().write_all(bytes)?;
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path)?;
        sync_folder(folder_of(&self.path))
    }
}

/// Waits until the folder's list of names is on disk.
///
/// # Errors
/// When it cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A temporary file in `folder`. Errors name the folder and not the file, which nobody knows; whoever writes to it goes by
/// the open file for the same reason.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY.0).suffix(TEMPORARY.1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: what the umask leaves. A plan may be read by the next job, which may be another user's.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder).map_err(|error| {
        let text = error.to_string();
        let plain = text.split(" at path ").next().unwrap_or(&text);
        io::Error::new(error.kind(), format!("{}: {plain}", folder.display()))
    })
}

/// Where a file is, as it was named.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn creating_never_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        create(&path, b"first").unwrap();
        let error = create(&path, b"second").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn temporary_files_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_temporary(temporary(folder.path()).unwrap().path().file_name().unwrap()));
        for other in [".brandctl", ".brandctl-config", ".brandctl-.tmp", ".brandctl-config.tmp.png", "abcdef.tmp"] {
            assert!(!is_temporary(OsStr::new(other)), "{other}");
        }
    }
}
