//! The counterpart of `opened` for systems without folder handles: it works by paths. A path is checked before it is
//! opened, and not held open.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::access::Access;
use super::kind::{FileKind, FolderItem};
use super::unexpected::Unexpected;

/// A folder that was checked.
#[derive(Debug)]
pub(super) struct OpenFolder(PathBuf);

impl OpenFolder {
    /// The folder at `path`, links followed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        if fs::metadata(path)?.is_dir() { Ok(Self(path.to_owned())) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// A folder in it.
    pub(super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        match self.kind_of(name)? {
            FileKind::Folder => Ok(Self(self.0.join(name))),
            kind => Err(Unexpected::Kind(kind).into()),
        }
    }

    /// A regular file in it.
    pub(super) fn file(&self, name: &OsStr, access: Access) -> io::Result<File> {
        match self.kind_of(name) {
            Ok(FileKind::File) | Err(_) => {}
            Ok(kind) => return Err(Unexpected::Kind(kind).into()),
        }
        let mut options = OpenOptions::new();
        match access {
            Access::Read => options.read(true),
            Access::Write => options.write(true),
            Access::Append => options.append(true),
            Access::New(_) => options.write(true).create_new(true),
            Access::NewToAppend(_) => options.append(true).create_new(true),
            Access::Shared(_) => options.read(true).write(true).create(true).truncate(false),
        };
        options.open(self.0.join(name))
    }

    /// The kind of its item with this name.
    pub(super) fn kind_of(&self, name: &OsStr) -> io::Result<FileKind> {
        Ok(fs::symlink_metadata(self.0.join(name))?.file_type().into())
    }

    /// Its items, in any order.
    pub(super) fn items(&self) -> io::Result<impl Iterator<Item = io::Result<FolderItem>> + use<>> {
        let item = |item: fs::DirEntry| FolderItem::new(item.file_name(), item.file_type().ok().map(FileKind::from));
        Ok(fs::read_dir(&self.0)?.map(move |found| found.map(item)))
    }

    /// Creates a folder in it.
    pub(super) fn make(&self, name: &OsStr, _: u32) -> io::Result<()> {
        fs::create_dir(self.0.join(name))
    }

    /// Renames an item in it, replacing the item that has the new name.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    /// Renames an item in it to a name that is free.
    pub(super) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::hard_link(self.0.join(from), self.0.join(to))?;
        self.remove(from)
    }

    /// Removes a file, a link or a pipe in it.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    /// Removes an empty folder in it.
    pub(super) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_dir(self.0.join(name))
    }

    /// Waits until its list of names is on disk, where a folder can be opened for that.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.0).map_or(Ok(()), |folder| folder.sync_all())
    }

    /// Makes it private to its owner, if the system has such permissions.
    pub(super) fn narrow(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens the regular file at `path` to be read, links followed.
pub(super) fn regular(path: &Path) -> io::Result<File> {
    match FileKind::from(fs::metadata(path)?.file_type()) {
        FileKind::File => File::open(path),
        kind => Err(Unexpected::Kind(kind).into()),
    }
}

/// Gives an open file these permissions, if the system has them.
pub(super) fn permit(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

/// Makes an open file private to its owner, if the system has such permissions.
pub(super) fn narrow(_: &File) -> io::Result<()> {
    Ok(())
}
