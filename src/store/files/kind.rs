//! The kinds of files.

use std::ffi::OsString;
use std::fs::FileType;

/// The kind of the item with a name.
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

impl FileKind {
    /// Its name in messages.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::File => "a regular file",
            Self::Folder => "a folder",
            Self::Link => "a link",
            Self::Other => "not a regular file",
        }
    }
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

/// An item of a folder.
#[derive(Debug)]
pub(crate) struct FolderItem {
    name: OsString,
    kind: Option<FileKind>,
}

impl FolderItem {
    pub(super) const fn new(name: OsString, kind: Option<FileKind>) -> Self {
        Self { name, kind }
    }

    /// Its name.
    pub(crate) fn name(&self) -> OsString {
        self.name.clone()
    }

    /// Its kind, without following links; `None` if it is unknown.
    pub(crate) const fn kind(&self) -> Option<FileKind> {
        self.kind
    }
}
