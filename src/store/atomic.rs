//! Files that are either wholly there or not at all, also after a power cut.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

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
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
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
        self.file.write_all(bytes)?;
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

/// A temporary file in `folder`. Errors name the folder and not the file, which nobody knows.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".brandctl-");
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
