//! Files that are written completely or not at all, even after a power cut.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::place::folder_of;
use super::temporary::AFFIXES;

/// A file that is about to be replaced: the old file stays complete until the replacement is finished.
#[derive(Debug)]
pub(crate) struct Replacement {
    path: PathBuf,
    file: NamedTempFile,
}

impl Replacement {
    /// Creates a temporary file beside `path`, which shows whether that is possible.
    pub(super) fn begin(path: &Path) -> io::Result<Self> {
        Ok(Self { file: temporary(folder_of(path), new_file_permissions())?, path: path.to_owned() })
    }

    /// Creates a temporary file beside `path`, with the permissions of the existing file, and with disk space for one
    /// that is about as long.
    pub(super) fn begin_like(path: &Path) -> io::Result<Self> {
        let present = fs::metadata(path)?;
        // Until then, only its owner may read it.
        let mut file = temporary(folder_of(path), None)?;
        file.as_file().set_permissions(present.permissions())?;
        // At this point it does not hold any secret.
        io::copy(&mut io::repeat(b' ').take(present.len().saturating_mul(2)), &mut file)?;
        file.as_file().sync_all()?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Puts `bytes` at the path, and returns the file that is there now; both it and its folder are on disk on return,
    /// except on file systems that cannot sync a folder (the file still has its name).
    pub(super) fn finish(mut self, bytes: &[u8]) -> io::Result<File> {
        self.write_synced(bytes)?;
        let file = self.file.persist(&self.path).map_err(|failed| failed.error)?;
        drop(sync_folder(folder_of(&self.path)));
        Ok(file)
    }

    /// Puts `bytes` at the path as [`Replacement::finish`] does. If the file cannot be replaced, for example because it
    /// is mounted as a single file, it is written in place.
    pub(super) fn finish_or_overwrite(self, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.clone();
        self.finish(bytes).map(drop).or_else(|error| overwrite_busy(&path, bytes, error))
    }

    /// Writes through the open file, because errors of the other way name the temporary file, which users do not know.
    fn write_synced(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = self.file.as_file_mut();
        file.rewind()?;
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()
    }
}

/// Overwrites the content of an open file with `bytes`.
pub(super) fn overwrite(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Overwrites the file at `path` with `bytes` if the error says that the file cannot be replaced.
fn overwrite_busy(path: &Path, bytes: &[u8], error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::ResourceBusy => overwrite(&OpenOptions::new().write(true).open(path)?, bytes),
        _ => Err(error),
    }
}

/// Whether an error says that a folder does not accept new files.
pub(super) fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Waits until the folder's list of names is on disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The permissions of any new file, with the umask applied. A plan may be read by the next job, which may run as
/// another user.
fn new_file_permissions() -> Option<Permissions> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Some(Permissions::from_mode(0o666))
    }
    #[cfg(not(unix))]
    None
}

/// A temporary file in `folder`, readable by its owner only unless it is given other permissions. Errors name the
/// folder and not the file, which users do not know.
fn temporary(folder: &Path, permissions: Option<Permissions>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(AFFIXES.0).suffix(AFFIXES.1);
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    builder.tempfile_in(folder).map_err(|error| {
        let text = error.to_string();
        let plain = text.split(" at path ").next().unwrap_or(&text);
        io::Error::new(error.kind(), format!("{}: {plain}", folder.display()))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn a_file_whose_name_is_taken_for_good_is_written_where_it_is() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("mounted");
        std::fs::write(&path, "something longer than the new text").unwrap();
        let before = super::super::identity::FileId::of(&path).unwrap();
        overwrite_busy(&path, b"new", io::ErrorKind::ResourceBusy.into()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(super::super::identity::FileId::of(&path).unwrap(), before);
        let error = overwrite_busy(&path, b"newer", io::ErrorKind::PermissionDenied.into()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_replacement_that_fails_leaves_nothing_beside_what_is_there() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("folder");
        std::fs::create_dir(&path).unwrap();
        Replacement::begin(&path).unwrap().finish(b"new").unwrap_err();
        assert!(path.is_dir());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
