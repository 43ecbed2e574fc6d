//! Files that processes lock. The operating system drops a lock with its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

/// A lock that is held: dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct FileLock(File);

/// The result of trying to lock a file.
#[derive(Debug)]
pub(crate) enum Locking {
    /// It is locked.
    Taken(FileLock),
    /// Another process has it, and wrote this into it.
    Held(String),
}

impl FileLock {
    /// Locks the file at `path`, which is made if it is not there, unless somebody else has it.
    pub(super) fn take(path: &Path) -> io::Result<Locking> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Locking::Taken(Self(file))),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text)?;
                Ok(Locking::Held(text))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Writes into the file, for those who find it locked.
    pub(crate) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        self.0.write_all(text)
    }
}
