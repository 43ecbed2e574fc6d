//! The file that keeps an application's tokens. It is replaced in one step where that can be, and else written where it is, under
//! a lock that all who renew it share.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ops::ports::{TokenLock, TokenReplacement, TokenStore};

use super::fixed;
use super::input::UserInput;
use super::kind::FileKind;
use super::lock::FileLock;
use super::place;
use super::replace::{Replacement, is_closed, overwrite};

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

    fn try_lock(&self) -> io::Result<Option<TokenLock>> {
        let lock = FileLock::of_replaceable(&place::real(&self.path)?)?;
        Ok(lock.map(|lock| Arc::new(lock) as TokenLock))
    }

    fn prepare(&self) -> io::Result<Box<dyn TokenReplacement>> {
        // The file itself, where a symbolic link leads: only that can be replaced in one step.
        let place = place::real(&self.path)?;
        match fixed::why_irreplaceable(&place).map_or_else(|| Replacement::begin_like(&place), Err) {
            Ok(replacement) => Ok(Box::new(replacement)),
            Err(why) if is_closed(&why) || why.kind() == io::ErrorKind::ResourceBusy => {
                match OpenOptions::new().write(true).open(&place) {
                    Ok(file) => Ok(Box::new(InPlace(file))),
                    Err(error) => {
                        let message = format!("{why}, and it cannot be written where it is: {error}");
                        Err(io::Error::new(error.kind(), message))
                    }
                }
            }
            Err(why) => Err(why),
        }
    }
}

impl TokenReplacement for Replacement {
    fn store(self: Box<Self>, contents: &[u8]) -> io::Result<()> {
        self.finish_or_overwrite(contents)
    }
}

/// A file that is written where it is, because no other can be given its name.
#[derive(Debug)]
struct InPlace(File);

impl TokenReplacement for InPlace {
    /// A power cut, or a full disk, in this one write may leave a part of either pair: then the application must be authorised
    /// again. There is no way around it, since nothing can be put beside the file. A kill cannot come between, and what is
    /// shorter than before is filled up with blanks, so that at no moment the end of the old text follows the new one.
    fn store(self: Box<Self>, contents: &[u8]) -> io::Result<()> {
        let mut contents = contents.to_vec();
        let before = usize::try_from(self.0.metadata()?.len()).unwrap_or_default();
        contents.resize(contents.len().max(before), b' ');
        overwrite(&self.0, &contents)
    }
}
