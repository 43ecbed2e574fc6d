//! The only access to files: what lies in the checkout or the state folder, or is named by the user, is opened here and
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
//! A file that credentials come from is read as nothing else, whatever name leads to it (`secret`).
//! What is written replaces an older file in one step. [`FileId`] tells whether two names are of one file. [`place`] says where paths lead and opens nothing.

mod bounded;
mod folder;
mod identity;
mod input;
mod inside;
mod kind;
mod lock;
mod output;
pub(crate) mod place;
mod replace;
mod secret;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use bounded::plain;
pub(crate) use folder::{Durability, Folder, FolderItem, JournalFile};
pub(crate) use identity::{FileId, all_below};
pub(crate) use input::UserInput;
pub(crate) use inside::{FileContents, Inside, NotRead};
pub(crate) use kind::FileKind;
pub(crate) use lock::{FileLock, Locking};
pub(crate) use output::{Output, refuse_link, refuse_way_out};
pub(crate) use secret::mark_secret;
pub use tokens::TokenFile;
