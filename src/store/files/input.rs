//! Files that the user names to be read.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::bounded;
use super::kind::FileKind;
use super::opened;
use super::place;
use super::secret;

/// A file that the user names to be read, by a flag or a variable: links are followed, and a pipe is accepted, such as
/// a shell's `<(…)`.
#[derive(Debug, Clone)]
pub(crate) struct UserInput {
    path: PathBuf,
}

impl UserInput {
    /// The file at `path`. Nothing is opened yet.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Whether nothing exists at its path, not even something that cannot be read.
    pub(crate) fn is_absent(&self) -> bool {
        fs::symlink_metadata(&self.path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Its kind, and its length in bytes.
    pub(crate) fn facts(&self) -> io::Result<(FileKind, u64)> {
        fs::metadata(&self.path).map(|facts| (facts.file_type().into(), facts.len()))
    }

    /// Its kind; `None` when it is missing or cannot be read.
    pub(crate) fn kind(&self) -> Option<FileKind> {
        self.facts().ok().map(|(kind, _)| kind)
    }

    /// The path of the file itself, every link followed.
    pub(crate) fn real_path(&self) -> io::Result<PathBuf> {
        place::real(&self.path).map_err(|error| self.explain(error))
    }

    /// Reads it whole; an error of the kind [`io::ErrorKind::FileTooLarge`] when it has more than `max_bytes`. A file
    /// that credentials come from is refused.
    pub(crate) fn read(&self, max_bytes: u64) -> io::Result<Vec<u8>> {
        let file = self.open()?;
        secret::refuse_secret(&file, &self.path)?;
        read_bounded(file, max_bytes)
    }

    /// Reads it whole as [`UserInput::read`] does, as a file that credentials come from: from here on it is not read as
    /// anything else.
    pub(crate) fn read_secret(&self, max_bytes: u64) -> io::Result<Vec<u8>> {
        secret::mark_secret(&self.path);
        read_bounded(self.open()?, max_bytes)
    }

    /// Reads it whole as [`UserInput::read`] does, if it is a regular file: others may never end, or never begin. A
    /// link that leads out of a repository may come from a commit, and is not followed.
    pub(crate) fn read_regular(&self, max_bytes: u64) -> io::Result<Vec<u8>> {
        self.check_way()?;
        let file = opened::regular(&self.path).map_err(|error| self.explain(error))?;
        secret::refuse_secret(&file, &self.path)?;
        if file.metadata()?.len() > max_bytes {
            return Err(bounded::too_large(format!("it is longer than {max_bytes} bytes")));
        }
        read_bounded(file, max_bytes)
    }

    /// Refuses a link that leads out of the repository that it is in.
    pub(crate) fn check_way(&self) -> io::Result<()> {
        match place::way_out(&std::path::absolute(&self.path)?).filter(|_| place::exists(&self.path)) {
            Some((link, target)) => {
                let (link, target) = (link.display(), target.display());
                let message =
                    format!("{link} is a link to {target}, which is outside the repository, so it is not followed");
                Err(io::Error::other(message))
            }
            None => Ok(()),
        }
    }

    fn open(&self) -> io::Result<File> {
        File::open(&self.path).map_err(|error| self.explain(error))
    }

    /// The error, with the link that leads to a missing file if there is one.
    fn explain(&self, error: io::Error) -> io::Error {
        match place::dangling(&self.path).filter(|_| error.kind() == io::ErrorKind::NotFound) {
            Some(target) => {
                io::Error::new(error.kind(), format!("it is a link to {}, which does not exist", target.display()))
            }
            None => error,
        }
    }

    /// Reads it whole, as text in UTF-8.
    pub(crate) fn read_text(&self, max_bytes: u64) -> io::Result<String> {
        String::from_utf8(self.read(max_bytes)?)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
    }
}

fn read_bounded(file: File, max_bytes: u64) -> io::Result<Vec<u8>> {
    bounded::read(file, max_bytes)?.ok_or_else(|| bounded::too_large(format!("it is longer than {max_bytes} bytes")))
}
