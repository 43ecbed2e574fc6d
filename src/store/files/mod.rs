//! The one way in to files: whatever lies in the checkout or the state folder, or is named by the user, is opened here and
//! nowhere else.
//!
//! | type | what it opens |
//! |---|---|
//! | [`Folder`] | files below a folder, by their names from there: state, runs, an export, a new repository |
//! | [`Inside`] | files below a folder to be read, links followed as long as they stay inside it: art, a snapshot's images |
//! | [`UserInput`] | a file that the user names to be read: the manifest, a saved plan, credentials, certificates |
//! | [`Output`] | a file that the user names to be written: a plan, a report |
//! | [`FileLock`] | a file that processes lock |
//! | [`TokenFile`] | the file of an application's tokens, locked and replaced |
//!
//! What is written replaces an older file in one step. [`place`] says where paths lead and opens nothing.

mod folder;
mod input;
mod inside;
mod lock;
mod output;
pub(crate) mod place;
mod replace;
mod tokens;

use std::fs::{File, FileType};
use std::io::{self, Read as _};

pub(crate) use folder::{Durability, Folder, FolderItem, JournalFile};
pub(crate) use input::UserInput;
pub(crate) use inside::{FileContents, Inside, NotRead};
pub(crate) use lock::{FileLock, Locking};
pub(crate) use output::Output;
pub use tokens::TokenFile;

/// What is found under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, where links are not followed.
    Link,
    /// A pipe, a device, a socket.
    Other,
}

impl From<FileType> for FileKind {
    fn from(found: FileType) -> Self {
        if found.is_file() {
            Self::File
        } else if found.is_dir() {
            Self::Folder
        } else if found.is_symlink() {
            Self::Link
        } else {
            Self::Other
        }
    }
}

/// Reads an open file whole; `None` when it has more than `max_bytes`. Its length is known at its end only: it may be a
/// pipe.
fn read_bounded(file: File, max_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max_bytes).then_some(bytes))
}

/// The error of a file that is larger than it may be.
fn too_large(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, message)
}
