//! The file that keeps an application's tokens. It is replaced in one step, under a lock that brandctl's processes share.

use std::any::Any;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::ops::ports::{TokenReplacement, TokenStore};

/// A longer token file is not read.
const MAX_TOKEN_FILE_BYTES: u64 = 1024 * 1024;

/// A token file.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    /// How messages name it.
    name: String,
}

/// A file beside the token file that is to take its place.
struct PreparedFile {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl TokenFile {
    /// The token file at `path`. `source_name` is where the path came from, such as "the file of `BITRIX24_OAUTH_FILE`".
    pub fn new(path: &Path, source_name: &str) -> Self {
        Self { path: path.to_owned(), name: format!("{source_name} ({})", path.display()) }
    }

    /// The file itself, where a symbolic link leads: only that can be replaced in one step.
    fn target(&self) -> io::Result<PathBuf> {
        fs::canonicalize(&self.path)
    }
}

impl TokenStore for TokenFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        // To open a pipe is to wait for its writer, for ever perhaps; and a pipe cannot be rewritten.
        if !fs::metadata(&self.path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut bytes = Vec::new();
        File::open(&self.path)?.take(MAX_TOKEN_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_TOKEN_FILE_BYTES {
            return Err(io::Error::other(format!("it is longer than {MAX_TOKEN_FILE_BYTES} bytes")));
        }
        Ok(bytes)
    }

    fn try_lock(&self) -> io::Result<Option<Box<dyn Any>>> {
        let mut beside = self.target()?.into_os_string();
        beside.push(".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(beside)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Box::new(lock))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn prepare(&self) -> io::Result<Box<dyn TokenReplacement>> {
        let path = self.target()?;
        let present = fs::metadata(&path)?;
        // Like any temporary file, it is for its owner's eyes only until it has the token file's permissions.
        let mut temporary = tempfile::Builder::new().prefix(".brandctl-").tempfile_in(folder_of(&path))?;
        temporary.as_file().set_permissions(present.permissions())?;
        // Room on the disk is taken now, with nothing in it that is worth stealing.
        io::copy(&mut io::repeat(b' ').take(present.len().saturating_mul(2)), &mut temporary)?;
        temporary.as_file().sync_all()?;
        Ok(Box::new(PreparedFile { temporary, path }))
    }
}

impl TokenReplacement for PreparedFile {
    fn store(mut self: Box<Self>, contents: &[u8]) -> io::Result<()> {
        self.temporary.rewind()?;
        self.temporary.write_all(contents)?;
        self.temporary.as_file().set_len(u64::try_from(contents.len()).map_err(io::Error::other)?)?;
        self.temporary.as_file().sync_all()?;
        let Self { temporary, path } = *self;
        temporary.persist(&path)?;
        // Not every file system can do that, and the file has its name all the same.
        drop(File::open(folder_of(&path)).and_then(|folder| folder.sync_all()));
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
