//! A folder, and the files below it by their names from there.
//!
//! Each file is opened below the handle of the folder: no link on the way is followed, only regular files are read and
//! written, and other things, such as pipes, are not waited for.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Component, Path, PathBuf};

use super::access::Access;
use super::bounded;
use super::checkout::{self, End, Entrance};
use super::kind::{FileKind, FolderItem};
use super::opened::{self, OpenFolder};
use super::unexpected;

/// A folder that is named but not opened yet. Files below it are named relative to it, with `/` between the parts of a name;
/// links below it are errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    /// The folder that was named, in which the path of this one begins.
    pub(super) base: PathBuf,
    /// The path from there.
    pub(super) below: PathBuf,
    /// Both, for messages.
    path: PathBuf,
    pub(super) owner: Owner,
}

/// The owner of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user, who named it: links on the way to it are followed.
    User,
    /// brandctl itself: links are followed only outside of a checkout. Anyone who can commit to a repository can put
    /// links where state is expected, and a plan for someone's pull request must not write or delete outside the state
    /// folder. Only its owner may read it.
    State(End),
}

impl Folder {
    /// The folder at `path`, which may not exist.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { base: path.clone(), below: PathBuf::new(), path, owner: Owner::User }
    }

    /// The folder at `path`, which keeps state: neither it nor anything below it may be a link, and new files in it are
    /// private to their owner.
    pub(crate) fn of_state(path: impl Into<PathBuf>) -> Self {
        Self { owner: Owner::State(End::Refused), ..Self::at(path) }
    }

    /// The folder at `path`, which keeps state where the user wants it: it may be a link, unless it is in a checkout.
    pub(crate) fn of_named_state(path: impl Into<PathBuf>) -> Self {
        Self { owner: Owner::State(End::Followed), ..Self::at(path) }
    }

    /// A folder below it.
    pub(crate) fn child(&self, name: impl AsRef<Path>) -> Self {
        let name = name.as_ref();
        Self { below: self.below.join(name), path: self.path_of(name), ..self.clone() }
    }

    /// The folder's path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it, for messages. An empty name is the folder's own.
    pub(crate) fn path_of(&self, name: impl AsRef<Path>) -> PathBuf {
        let name = name.as_ref();
        if name.as_os_str().is_empty() { self.path.clone() } else { self.path.join(name) }
    }

    /// Opens the folder.
    pub(super) fn open(&self) -> io::Result<OpenFolder> {
        self.open_below(self.open_base()?, &self.below)
    }

    fn open_base(&self) -> io::Result<OpenFolder> {
        let Owner::State(end) = self.owner else { return OpenFolder::at(&self.base) };
        let Entrance { folder, below } = checkout::entrance(&self.base, end)?;
        let mut open = OpenFolder::at(&folder)?;
        let count = below.components().count();
        for (at, name) in below.iter().enumerate() {
            open = open.folder(name).map_err(|error| self.about(&above(&self.base, count - at - 1), error))?;
        }
        Ok(open)
    }

    /// Opens a folder below its base.
    fn open_below(&self, mut open: OpenFolder, below: &Path) -> io::Result<OpenFolder> {
        let mut path = self.base.clone();
        for name in self.parts(below)? {
            path.push(&name);
            open = open.folder(&name).map_err(|error| self.about(&path, error))?;
        }
        Ok(open)
    }

    /// The parts of a path down from its base.
    pub(super) fn parts(&self, below: &Path) -> io::Result<Vec<OsString>> {
        let part = |part: Component<'_>| match part {
            Component::Normal(name) => Some(Some(name.to_owned())),
            Component::CurDir => Some(None),
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => None,
        };
        below
            .components()
            .map(part)
            .collect::<Option<Vec<_>>>()
            .map(|parts| parts.into_iter().flatten().collect())
            .ok_or_else(|| {
                let message = format!("{} is not in {}", below.display(), self.base.display());
                io::Error::new(io::ErrorKind::InvalidInput, message)
            })
    }

    /// Opens the folder of a name, which may be a path further down, and returns it with the last part of the name.
    pub(super) fn place_of(&self, name: impl AsRef<Path>) -> io::Result<(OpenFolder, OsString)> {
        let below = self.below.join(name);
        let mut parts = self.parts(&below)?;
        let last = parts.pop().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it does not name a file"))?;
        Ok((self.open_below(self.open_base()?, &parts.iter().collect::<PathBuf>())?, last))
    }

    pub(super) fn about(&self, path: &Path, error: io::Error) -> io::Error {
        let links = if self.is_state() { ", and state is only kept in plain folders" } else { "" };
        unexpected::named(path, links, error)
    }

    pub(super) fn open_file(&self, name: &str, access: Access) -> io::Result<File> {
        let (folder, last) = self.place_of(name)?;
        let file = folder.file(&last, access).map_err(|error| self.about(&self.path_of(name), error))?;
        if self.is_state() && access != Access::Read {
            opened::narrow(&file)?;
        }
        Ok(file)
    }

    pub(super) const fn is_state(&self) -> bool {
        matches!(self.owner, Owner::State(_))
    }

    /// The kind of the file with this name.
    pub(crate) fn kind_of(&self, name: impl AsRef<Path>) -> io::Result<FileKind> {
        let name = name.as_ref();
        if self.below.as_os_str().is_empty() && name.as_os_str().is_empty() {
            return Ok(fs::symlink_metadata(&self.base)?.file_type().into());
        }
        let (folder, last) = self.place_of(name)?;
        folder.kind_of(&last)
    }

    /// Whether there is a regular file.
    pub(crate) fn has_file(&self, name: &str) -> bool {
        self.kind_of(name).is_ok_and(|kind| kind == FileKind::File)
    }

    /// Whether the folder is there.
    pub(crate) fn is_there(&self) -> bool {
        self.open().is_ok()
    }

    /// Reads a regular file whole; an error of the kind [`io::ErrorKind::FileTooLarge`] when it has more than `max_bytes`.
    pub(crate) fn read(&self, name: &str, max_bytes: u64) -> io::Result<Vec<u8>> {
        let file = self.open_file(name, Access::Read)?;
        let bytes = if file.metadata()?.len() > max_bytes { None } else { bounded::read(file, max_bytes)? };
        bytes.ok_or_else(|| {
            bounded::too_large(format!("{} is larger than {} MiB", self.path_of(name).display(), max_bytes >> 20))
        })
    }

    /// The items in it, in any order.
    pub(crate) fn items(&self) -> io::Result<impl Iterator<Item = io::Result<FolderItem>> + use<>> {
        self.open()?.items()
    }

    /// Reads a regular file line by line, each with its end, as long as `line` wants more; an error of the kind
    /// [`io::ErrorKind::FileTooLarge`] when a line or the file has more bytes than these. A missing file has no lines.
    pub(crate) fn read_lines(
        &self,
        name: &str,
        (max_line, max_bytes): (u64, u64),
        mut line: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<()> {
        let file = match self.open_file(name, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let too_large = |what: &str, max: u64| {
            bounded::too_large(format!("{} {what} {} MiB", self.path_of(name).display(), max >> 20))
        };
        if file.metadata()?.len() > max_bytes {
            return Err(too_large("is larger than", max_bytes));
        }
        let mut lines = BufReader::new(file.take(max_bytes));
        let mut text = Vec::new();
        loop {
            text.clear();
            (&mut lines).take(max_line + 1).read_until(b'\n', &mut text)?;
            if text.len() as u64 > max_line {
                return Err(too_large("has a line of more than", max_line));
            }
            if text.is_empty() || !line(&text) {
                return Ok(());
            }
        }
    }
}

/// The folder `levels` above a path, as the path names it.
pub(super) fn above(path: &Path, levels: usize) -> PathBuf {
    path.ancestors().nth(levels).filter(|above| !above.as_os_str().is_empty()).unwrap_or(path).to_owned()
}
