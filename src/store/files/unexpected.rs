//! Items that are not touched, because brandctl does not keep such items at that path.

use std::io;
use std::path::Path;

use super::kind::FileKind;

/// The reason why an existing item is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unexpected {
    /// It is of a kind that is not kept there.
    #[error("it is {}", .0.words())]
    Kind(FileKind),
    /// Writing to it would change a file with another name too.
    #[error("it also has another name (a hard link), and writing to it would change that file")]
    #[cfg_attr(not(unix), expect(dead_code, reason = "the standard library does not count names there"))]
    SeveralNames,
    /// Its content does not fit its path, or it is larger than anything that is kept there.
    #[error("{0}")]
    Other(String),
}

impl From<Unexpected> for io::Error {
    fn from(unexpected: Unexpected) -> Self {
        let kind = if let Unexpected::Kind(FileKind::Folder) = unexpected {
            io::ErrorKind::IsADirectory
        } else {
            io::ErrorKind::InvalidInput
        };
        Self::new(kind, unexpected)
    }
}

/// An error about a file at `path` that is not what is kept there.
pub(crate) fn unexpected(path: &Path, what: &str) -> io::Error {
    Unexpected::Other(format!("{} {what}", path.display())).into()
}

/// Whether an error says that there is something that brandctl did not put there, instead of that it is missing or
/// cannot be read.
pub(crate) fn is_unexpected(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::FileTooLarge
        || error.get_ref().is_some_and(|inner| inner.downcast_ref::<Unexpected>().is_some())
}

/// The kind of the item, if the error is that it is of another kind than expected.
pub(super) fn kind(error: &io::Error) -> Option<FileKind> {
    match error.get_ref()?.downcast_ref()? {
        Unexpected::Kind(kind) => Some(*kind),
        Unexpected::SeveralNames | Unexpected::Other(_) => None,
    }
}

/// The same error with its path, unless it already names it.
pub(super) fn named(path: &Path, links: &str, error: io::Error) -> io::Error {
    let path = path.display();
    let found = error.get_ref().and_then(|inner| inner.downcast_ref::<Unexpected>()).cloned();
    let message = match &found {
        Some(Unexpected::Kind(FileKind::Link)) => format!("{path} is a link{links}"),
        Some(Unexpected::Kind(kind)) => format!("{path} is {}", kind.words()),
        Some(Unexpected::SeveralNames) => {
            format!("{path} also has another name (a hard link), and writing to it would change that file: remove it")
        }
        Some(Unexpected::Other(_)) | None => return error,
    };
    io::Error::new(error.kind(), Unexpected::Other(message))
}
