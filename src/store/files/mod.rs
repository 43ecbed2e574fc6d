//! The only access to files: files in the checkout or the state folder, and files that the user names, are opened only
//! here.
//!
//! | type | what it opens |
//! |---|---|
//! | [`Folder`] | files below a folder, by their names from there, never through a link: state, runs, the sandbox's files, an export, a new repository |
//! | [`Inside`] | files below a folder to be read, links followed as long as they stay inside it: art, a snapshot and its images |
//! | [`UserInput`] | a file that the user names to be read: the manifest, a saved plan, credentials, certificates |
//! | [`Output`] | a file that the user names to be written: a plan, a report |
//! | [`FileLock`] | a file that processes lock |
//! | [`TokenFile`] | the file of an application's tokens, locked, and replaced or written in place |
//!
//! The first two open files below the handle of a folder, part by part, without following a link or waiting for a pipe
//! (`opened`); only regular files are read and written. `checkout` decides from where on links are not followed. A file
//! that credentials come from is not read as anything else, under any of its names (`secret`). A write replaces the
//! older file in one step. [`FileId`] shows whether two names are of one file. [`place`] resolves paths and opens
//! nothing.

mod access;
mod bounded;
#[cfg(any(not(unix), test))]
#[allow(dead_code, reason = "on Unix it is only tested")]
mod by_path;
mod checkout;
mod fixed;
mod folder;
mod identity;
mod input;
mod inside;
mod kind;
mod lock;
#[cfg(unix)]
mod opened;
mod output;
pub(crate) mod place;
mod replace;
mod secret;
mod temporary;
#[cfg(test)]
mod tests;
mod tokens;
mod unexpected;
mod writing;

pub(crate) use bounded::plain;
#[cfg(not(unix))]
use by_path as opened;
pub(crate) use checkout::checkouts_around;
pub(crate) use folder::Folder;
pub(crate) use identity::{FileId, all_below};
pub(crate) use input::UserInput;
pub(crate) use inside::{FileContents, Inside, NotRead};
pub(crate) use kind::{FileKind, FolderItem};
pub(crate) use lock::{FileLock, Locking};
pub(crate) use output::{Output, refuse_link, refuse_way_out};
pub(crate) use secret::mark_secret;
pub use tokens::TokenFile;
pub(crate) use unexpected::{is_unexpected, unexpected};
pub(crate) use writing::{Durability, JournalFile};
