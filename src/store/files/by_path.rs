//! The counterpart of `opened` for systems where the standard library has no folder handles: it works by paths.
//!
//! What is weaker than there: a folder is checked before its files are opened, and not held open, so that someone who may
//! write to it can put a link in its place in between. A file with a second name is opened as any other, and permissions
//! are those that the folder passes on. The file itself is as safe: on Windows a link is opened instead of followed, what
//! was opened is checked, and names are refused that Windows takes for a device or for a part of another file.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::access::Access;
use super::kind::{FileKind, FolderItem};
use super::unexpected::Unexpected;

/// The flag that opens a link itself (`FILE_FLAG_OPEN_REPARSE_POINT`).
#[cfg(windows)]
const OPEN_LINK_ITSELF: u32 = 0x0020_0000;

/// Whether Windows takes a name for something other than a file of that name: a device, which has its name with any
/// extension, a stream of another file, or the name without its last dots and spaces.
fn is_special(name: &OsStr) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let Some(name) = name.to_str() else { return false };
    let stem = name.split(['.', ':']).next().unwrap_or_default().trim_end().to_lowercase();
    let is_numbered = |port: &str| {
        stem.strip_prefix(port).is_some_and(|number| {
            let mut characters = number.chars();
            matches!((characters.next(), characters.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    name.contains(':')
        || name.ends_with(['.', ' '])
        || DEVICES.contains(&stem.as_str())
        || is_numbered("com")
        || is_numbered("lpt")
}

/// A folder that was checked.
#[derive(Debug)]
pub(super) struct OpenFolder(PathBuf);

impl OpenFolder {
    /// The folder at `path`, links followed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        if fs::metadata(path)?.is_dir() { Ok(Self(path.to_owned())) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// The path of an item in it.
    fn path_of(&self, name: &OsStr) -> io::Result<PathBuf> {
        match cfg!(windows) && is_special(name) {
            true => Err(Unexpected::Other(format!("Windows has no file called {}", name.display())).into()),
            false => Ok(self.0.join(name)),
        }
    }

    /// A folder in it.
    pub(super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        match self.kind_of(name)? {
            FileKind::Folder => Ok(Self(self.path_of(name)?)),
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
        #[cfg(windows)]
        std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, OPEN_LINK_ITSELF);
        match access {
            Access::Read => options.read(true),
            Access::Write => options.write(true),
            Access::Append => options.append(true),
            Access::New(_) => options.write(true).create_new(true),
            Access::NewToAppend(_) => options.append(true).create_new(true),
            Access::Shared(_) => options.read(true).write(true).create(true).truncate(false),
        };
        let file = options.open(self.path_of(name)?)?;
        match FileKind::from(file.metadata()?.file_type()) {
            FileKind::File => Ok(file),
            kind => Err(Unexpected::Kind(kind).into()),
        }
    }

    /// The kind of its item with this name.
    pub(super) fn kind_of(&self, name: &OsStr) -> io::Result<FileKind> {
        Ok(fs::symlink_metadata(self.path_of(name)?)?.file_type().into())
    }

    /// Its items, in any order.
    pub(super) fn items(&self) -> io::Result<impl Iterator<Item = io::Result<FolderItem>> + use<>> {
        let item = |item: fs::DirEntry| FolderItem::new(item.file_name(), item.file_type().ok().map(FileKind::from));
        Ok(fs::read_dir(&self.0)?.map(move |found| found.map(item)))
    }

    /// Creates a folder in it.
    pub(super) fn make(&self, name: &OsStr, _: u32) -> io::Result<()> {
        fs::create_dir(self.path_of(name)?)
    }

    /// Renames an item in it, replacing the item that has the new name.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.path_of(from)?, self.path_of(to)?)
    }

    /// Renames an item in it to a name that is free.
    pub(super) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::hard_link(self.path_of(from)?, self.path_of(to)?)?;
        self.remove(from)
    }

    /// Removes a file, a link or a pipe in it.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.path_of(name)?)
    }

    /// Removes an empty folder in it.
    pub(super) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_dir(self.path_of(name)?)
    }

    /// Waits until its list of names is on disk. On Windows a folder cannot be opened for that: a power cut may lose the
    /// newest names, though not the content of files that keep theirs.
    pub(super) fn sync(&self) -> io::Result<()> {
        if cfg!(windows) { Ok(()) } else { File::open(&self.0)?.sync_all() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_files_on_windows_are_known() {
        for name in ["nul", "CON.png", "Com1.tar.gz", "lpt¹", "aux .png", "a.png:b", "a.png.", "a.png ", "CONIN$"] {
            assert!(is_special(OsStr::new(name)), "{name}");
        }
        for name in ["null.png", "com.png", "com10", "acme-con.png", "console", ".brandctl", "a b.png", "lptx"] {
            assert!(!is_special(OsStr::new(name)), "{name}");
        }
    }
}
