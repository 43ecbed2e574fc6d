//! Files that processes lock. The operating system releases a lock when its holder ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

#[cfg(unix)]
use super::identity::FileId;

/// How much of the holder's text is read.
const MAX_HOLDER_BYTES: u64 = 4096;

/// A held lock. Dropping it releases it.
#[derive(Debug)]
pub(crate) struct FileLock(File);

/// The result of trying to lock a file.
#[derive(Debug)]
pub(crate) enum Locking {
    /// It is locked.
    Taken(FileLock),
    /// Another process holds it, and wrote this into it.
    Held(String),
}

/// The error, with its cause if the file system has no locks: the system's own message is misleading.
fn explain(error: io::Error) -> io::Error {
    if is_without_locks(&error) {
        let text = error.to_string();
        let plain = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        let message =
            format!("its file system does not support locks ({plain}), for example NFS without a lock server");
        return io::Error::new(io::ErrorKind::Unsupported, message);
    }
    error
}

#[cfg(unix)]
fn is_without_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let known = [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP];
    error.kind() == io::ErrorKind::Unsupported
        || Errno::from_io_error(error).is_some_and(|error| known.contains(&error))
}

#[cfg(not(unix))]
fn is_without_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

impl FileLock {
    /// Locks the file at `path` itself, which the holder of the lock may replace; `None` when another process holds it.
    /// The lock is on the file itself, not on a file beside it, because the folder may not accept another file, or may
    /// differ between containers.
    #[cfg(unix)]
    pub(super) fn of_replaceable(path: &Path) -> io::Result<Option<Self>> {
        let open = |write| OpenOptions::new().read(true).write(write).open(path);
        // On NFS, only a file that is open for writing can be locked.
        let file = open(true).or_else(|_| open(false))?;
        match Self::of(file)? {
            // Otherwise it was replaced meanwhile, and this is the lock of the old file.
            Locking::Taken(lock) if FileId::with(&lock.0.metadata()?, path) == FileId::of(path) => Ok(Some(lock)),
            Locking::Taken(_) | Locking::Held(_) => Ok(None),
        }
    }

    /// Locks a file beside `path`: on other systems, a locked file can be neither read nor replaced.
    #[cfg(not(unix))]
    pub(super) fn of_replaceable(path: &Path) -> io::Result<Option<Self>> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        match Self::of(OpenOptions::new().read(true).write(true).create(true).truncate(false).open(beside)?)? {
            Locking::Taken(lock) => Ok(Some(lock)),
            Locking::Held(_) => Ok(None),
        }
    }

    /// Locks an open file unless another process holds it.
    pub(super) fn of(file: File) -> io::Result<Locking> {
        match file.try_lock() {
            Ok(()) => Ok(Locking::Taken(Self(file))),
            Err(TryLockError::WouldBlock) => {
                let mut text = Vec::new();
                // Windows lets no other process read a locked file: the holder is then unknown.
                let _ = file.take(MAX_HOLDER_BYTES).read_to_end(&mut text);
                Ok(Locking::Held(String::from_utf8_lossy(&text).into_owned()))
            }
            Err(TryLockError::Error(error)) => Err(explain(error)),
        }
    }

    /// Writes a text into the file, for processes that find it locked.
    pub(crate) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        self.0.write_all(text)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_named_as_the_cause() {
        use rustix::io::Errno;
        for errno in [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOSYS] {
            let error = explain(errno.into());
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            assert!(error.to_string().starts_with("its file system does not support locks ("), "{error}");
        }
        let other = explain(Errno::ACCESS.into());
        assert_eq!(other.kind(), io::ErrorKind::PermissionDenied);
    }
}
