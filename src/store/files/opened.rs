//! An open folder, and the items directly in it. Nothing here follows a link, waits for a pipe, or looks at a path
//! twice: an item that was opened is the one that is used, even if its name changes meanwhile.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{self as sys, AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::access::Access;
use super::kind::{FileKind, FolderItem};
use super::unexpected::Unexpected;

/// A handle for walking further down, also of a folder that may be entered but not listed.
#[cfg(any(target_os = "linux", target_os = "android"))]
const WALK: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const WALK: OFlags = OFlags::RDONLY;

impl Access {
    const fn flags(self) -> OFlags {
        match self {
            Self::Read => OFlags::RDONLY,
            Self::Write => OFlags::WRONLY,
            Self::Append => OFlags::WRONLY.union(OFlags::APPEND),
            Self::New(_) => OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL),
            Self::NewToAppend(_) => OFlags::WRONLY.union(OFlags::APPEND).union(OFlags::CREATE).union(OFlags::EXCL),
            Self::Shared(_) => OFlags::RDWR.union(OFlags::CREATE),
        }
    }

    const fn mode(self) -> u32 {
        match self {
            Self::Read | Self::Write | Self::Append => 0,
            Self::New(mode) | Self::NewToAppend(mode) | Self::Shared(mode) => mode,
        }
    }
}

/// An open folder.
#[derive(Debug)]
pub(super) struct OpenFolder(OwnedFd);

impl OpenFolder {
    /// The folder at `path`, links followed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = WALK | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(sys::openat(CWD, path, flags, Mode::empty())?))
    }

    /// A folder in it.
    pub(super) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        let flags = WALK | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match sys::openat(&self.0, name, flags, Mode::empty()) {
            Ok(handle) => Ok(Self(handle)),
            Err(errno) => Err(self.explain(name, FileKind::Folder, errno)),
        }
    }

    /// A regular file in it. A file that will be written must not have another name, which could be in another folder.
    pub(super) fn file(&self, name: &OsStr, access: Access) -> io::Result<File> {
        let flags = access.flags() | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let handle = sys::openat(&self.0, name, flags, mode(access.mode()))
            .map_err(|errno| self.explain(name, FileKind::File, errno))?;
        let facts = sys::fstat(&handle)?;
        match kind_of(FileType::from_raw_mode(facts.st_mode)) {
            FileKind::File if access != Access::Read && facts.st_nlink > 1 => Err(Unexpected::SeveralNames.into()),
            FileKind::File => Ok(File::from(handle)),
            kind => Err(Unexpected::Kind(kind).into()),
        }
    }

    /// The kind of its item with this name.
    pub(super) fn kind_of(&self, name: &OsStr) -> io::Result<FileKind> {
        Ok(kind_of(FileType::from_raw_mode(self.facts(name)?.st_mode)))
    }

    fn facts(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(sys::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// The reason why an item is not opened: its kind, if that is the reason.
    fn explain(&self, name: &OsStr, expected: FileKind, errno: Errno) -> io::Error {
        match (self.kind_of(name), expected) {
            // A user's file in place of a folder is an ordinary mistake.
            (Ok(FileKind::File), FileKind::Folder) => errno.into(),
            (Ok(kind), _) if kind != expected && errno != Errno::EXIST => Unexpected::Kind(kind).into(),
            _ => errno.into(),
        }
    }

    /// Its items, in any order.
    pub(super) fn items(&self) -> io::Result<impl Iterator<Item = io::Result<FolderItem>> + use<>> {
        let items = Dir::new(self.readable()?)?;
        // For the kinds of items that the listing does not give.
        let again = Self(sys::openat(&self.0, ".", WALK | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?);
        Ok(items.filter_map(move |item| match item {
            Err(errno) => Some(Err(errno.into())),
            Ok(item) if matches!(item.file_name().to_bytes(), b"." | b"..") => None,
            Ok(item) => {
                let name = OsStr::from_bytes(item.file_name().to_bytes()).to_owned();
                let kind = match item.file_type() {
                    FileType::Unknown => again.kind_of(&name).ok(),
                    known => Some(kind_of(known)),
                };
                Some(Ok(FolderItem::new(name, kind)))
            }
        }))
    }

    /// Creates a folder in it.
    pub(super) fn make(&self, name: &OsStr, permissions: u32) -> io::Result<()> {
        Ok(sys::mkdirat(&self.0, name, mode(permissions))?)
    }

    /// Renames an item in it, replacing the item that has the new name.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(sys::renameat(&self.0, from, &self.0, to)?)
    }

    /// Renames an item in it to a name that is free.
    pub(super) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        match sys::renameat_with(&self.0, from, &self.0, to, sys::RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            renamed => return Ok(renamed?),
        }
        sys::linkat(&self.0, from, &self.0, to, AtFlags::empty())?;
        self.remove(from)
    }

    /// Removes a file, a link or a pipe in it.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(sys::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes an empty folder in it.
    pub(super) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        Ok(sys::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Waits until its list of names is on disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(sys::fsync(self.readable()?)?)
    }

    /// Makes it private to its owner.
    pub(super) fn narrow(&self) -> io::Result<()> {
        Ok(narrow_to(self.readable()?, Mode::RWXU)?)
    }

    fn readable(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(sys::openat(&self.0, ".", flags, Mode::empty())?)
    }
}

/// Opens the regular file at `path` to be read, links followed.
pub(super) fn regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let handle = sys::openat(CWD, path, flags, Mode::empty())?;
    match kind_of(FileType::from_raw_mode(sys::fstat(&handle)?.st_mode)) {
        FileKind::File => Ok(File::from(handle)),
        kind => Err(Unexpected::Kind(kind).into()),
    }
}

/// Gives an open file these permissions, regardless of the umask.
pub(super) fn permit(file: &File, permissions: u32) -> io::Result<()> {
    Ok(sys::fchmod(file, mode(permissions))?)
}

/// Makes an open file private to its owner.
pub(super) fn narrow(file: &File) -> io::Result<()> {
    Ok(narrow_to(file, Mode::RUSR | Mode::WUSR)?)
}

/// Reduces the permissions of an open item to those in this set.
fn narrow_to(open: impl AsFd, permissions: Mode) -> rustix::io::Result<()> {
    let found = Mode::from_raw_mode(sys::fstat(&open)?.st_mode);
    if permissions.contains(found) { Ok(()) } else { sys::fchmod(open, found & permissions) }
}

fn mode(permissions: u32) -> Mode {
    Mode::from_bits_truncate(permissions as sys::RawMode)
}

fn kind_of(found: FileType) -> FileKind {
    match found {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Folder,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    }
}
