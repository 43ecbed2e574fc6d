//! What is not touched although it is there, because brandctl keeps no such thing.

use std::io;
use std::path::Path;

use super::kind::FileKind;

/// The reason why something that is there is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unexpected {
    /// It is of another kind than what is kept there.
    #[error("it is {}", .0.words())]
    Kind(FileKind),
    /// Writing to it would change a file of another name too.
    #[error("it has another name too (a hard link), and writing to it would change that file")]
    SeveralNames,
    /// It says something that does not fit its place, or is larger than anything that is kept there.
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

/// An error that says of the file at `path` that it is not what is kept there.
pub(crate) fn unexpected(path: &Path, what: &str) -> io::Error {
    Unexpected::Other(format!("{} {what}", path.display())).into()
}

/// Whether an error says that something is there which brandctl did not put there, rather than that it is missing or cannot be
/// read.
pub(crate) fn is_unexpected(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::FileTooLarge
        || error.get_ref().is_some_and(|inner| inner.downcast_ref::<Unexpected>().is_some())
}

/// What is in the place of something of another kind, if that is the error.
pub(super) fn kind(error: &io::Error) -> Option<FileKind> {
    match error.get_ref()?.downcast_ref()? {
        Unexpected::Kind(kind) => Some(*kind),
        Unexpected::SeveralNames | Unexpected::Other(_) => None,
    }
}

/// The same error with the path that it is about, where it does not name it yet.
pub(super) fn named(path: &Path, links: &str, error: io::Error) -> io::Error {
    let path = path.display();
    let found = error.get_ref().and_then(|inner| inner.downcast_ref::<Unexpected>()).cloned();
    let message = match &found {
        Some(Unexpected::Kind(FileKind::Link)) => format!("{path} is a link{links}"),
        Some(Unexpected::Kind(kind)) => format!("{path} is {}", kind.words()),
        Some(Unexpected::SeveralNames) => {
            format!("{path} has another name too (a hard link), and writing to it would change that file: remove it")
        }
        Some(Unexpected::Other(_)) | None => return error,
    };
    io::Error::new(error.kind(), Unexpected::Other(message))
}
