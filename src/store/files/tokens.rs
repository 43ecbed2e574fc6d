//! The file that keeps an application's tokens. It is replaced in one step, under a lock that brandctl's processes share.

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};

use crate::ops::ports::{TokenReplacement, TokenStore};

use super::input::UserInput;
use super::kind::FileKind;
use super::lock::{FileLock, Locking};
use super::place;
use super::replace::Replacement;

/// A longer token file is not read.
const MAX_TOKEN_FILE_BYTES: u64 = 1024 * 1024;

/// A token file.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    /// How messages name it.
    name: String,
}

impl TokenFile {
    /// The token file at `path`. `source_name` is where the path came from, such as "the file of `BITRIX24_OAUTH_FILE`".
    pub fn new(path: &Path, source_name: &str) -> Self {
        Self { path: path.to_owned(), name: format!("{source_name} ({})", path.display()) }
    }
}

impl TokenStore for TokenFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let file = UserInput::at(&self.path);
        // To open a pipe is to wait for its writer, for ever perhaps; and a pipe cannot be rewritten.
        if file.facts()?.0 != FileKind::File {
            return Err(io::Error::other("it is no regular file"));
        }
        file.read_secret(MAX_TOKEN_FILE_BYTES)
    }

    fn try_lock(&self) -> io::Result<Option<Box<dyn Any>>> {
        let mut beside = place::real(&self.path)?.into_os_string();
        beside.push(".lock");
        match FileLock::take(Path::new(&beside))? {
            Locking::Taken(lock) => Ok(Some(Box::new(lock))),
            Locking::Held(_) => Ok(None),
        }
    }

    fn prepare(&self) -> io::Result<Box<dyn TokenReplacement>> {
        // The file itself, where a symbolic link leads: only that can be replaced in one step.
        Ok(Box::new(Replacement::begin_like(&place::real(&self.path)?)?))
    }
}

impl TokenReplacement for Replacement {
    fn store(self: Box<Self>, contents: &[u8]) -> io::Result<()> {
        self.finish_or_overwrite(contents)
    }
}
