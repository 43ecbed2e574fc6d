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

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::fs;

    use super::*;

    #[test]
    fn one_at_a_time_has_the_lock_also_after_the_file_was_replaced() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("oauth.json");
        fs::write(&path, "old").unwrap();
        let file = TokenFile::new(&path, "test");
        let first = file.try_lock().unwrap().unwrap();
        assert!(file.try_lock().unwrap().is_none());
        file.prepare().unwrap().store(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let second = file.try_lock().unwrap().unwrap();
        drop(first);
        assert!(file.try_lock().unwrap().is_none(), "the old file's lock is not the new one's");
        drop(second);
        assert!(file.try_lock().unwrap().is_some());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_written_in_place_leaves_nothing_of_what_was_there() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (before, now, expected) in
            [("{\"a\": \"long\"}", "{}", "{}           "), ("{}", "{\"a\": 1}", "{\"a\": 1}"), ("", "{}", "{}")]
        {
            fs::write(file.path(), before).unwrap();
            let open = OpenOptions::new().write(true).open(file.path()).unwrap();
            Box::new(InPlace(open)).store(now.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(file.path()).unwrap(), expected);
        }
    }
}
