//! A folder, and the files below it by their names from there.

use std::ffi::OsString;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use super::bounded;
use super::kind::FileKind;
use super::lock::{FileLock, Locking};
use super::replace::{self, Replacement};
use super::secret;

/// A folder that is named but not opened yet. Files below it are named relative to it, with `/` between the parts of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The folder that was named, from which this one was reached.
    base: PathBuf,
    links: Links,
}

/// The handling of symbolic links at and below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    /// They are followed.
    Followed,
    /// They are errors: anyone who can commit to a repository can put links where state is expected, and a plan of
    /// somebody's pull request must not write or delete outside the state folder.
    Refused,
}

/// Whether a write waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The file and its folder are on disk on return.
    Synced,
    /// They will be: for what can be lost and made again.
    Unsynced,
}

impl Folder {
    /// The folder at `path`, which need not exist.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { base: path.clone(), path, links: Links::Followed }
    }

    /// The folder at `path`, which keeps state: neither it nor anything below it may be a link.
    pub(crate) fn of_state(path: impl Into<PathBuf>) -> Self {
        Self { links: Links::Refused, ..Self::at(path) }
    }

    /// A folder below it.
    pub(crate) fn child(&self, name: impl AsRef<Path>) -> Self {
        Self { path: self.path_of(name), ..self.clone() }
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

    /// The path of a name, which leads down from the folder that was named: an absolute name never does, and `..` not where
    /// state is kept.
    fn below(&self, name: impl AsRef<Path>) -> io::Result<PathBuf> {
        let path = self.path_of(name);
        let leads_up = |path: &Path| path.components().any(|part| part == Component::ParentDir);
        match path.strip_prefix(&self.base) {
            Ok(below) if self.links == Links::Followed || !leads_up(below) => Ok(path),
            _ => {
                let message = format!("{} does not lie in {}", path.display(), self.base.display());
                Err(io::Error::new(io::ErrorKind::InvalidInput, message))
            }
        }
    }

    /// The path under which a name is opened, links refused where they are to be.
    fn resolve(&self, name: &str) -> io::Result<PathBuf> {
        let whole = self.below(name)?;
        if self.links == Links::Refused {
            let mut path = self.base.clone();
            refuse_link(&path)?;
            for part in whole.strip_prefix(&self.base).unwrap_or(&whole) {
                path.push(part);
                refuse_link(&path)?;
            }
        }
        Ok(whole)
    }

    /// Whether nothing on the way to it is a link where that is refused.
    pub(crate) fn check_links(&self) -> io::Result<()> {
        self.resolve("").map(drop)
    }

    /// The kind of file under a name, links not followed.
    pub(crate) fn kind_of(&self, name: impl AsRef<Path>) -> io::Result<FileKind> {
        Ok(fs::symlink_metadata(self.below(name)?)?.file_type().into())
    }

    /// Whether there is a regular file, be it through a link.
    pub(crate) fn has_file(&self, name: &str) -> bool {
        self.below(name).is_ok_and(|path| path.is_file())
    }

    /// Whether the folder is there, be it through a link.
    pub(crate) fn is_there(&self) -> bool {
        self.below("").is_ok_and(|path| path.is_dir())
    }

    /// Reads a file whole; an error of the kind [`io::ErrorKind::FileTooLarge`] when it has more than `max_bytes`.
    pub(crate) fn read(&self, name: &str, max_bytes: u64) -> io::Result<Vec<u8>> {
        read_whole(&self.resolve(name)?, max_bytes)
    }

    /// Reads a file whole if it is a regular one: opening a pipe may take for ever.
    pub(crate) fn read_regular(&self, name: &str, max_bytes: u64) -> io::Result<Vec<u8>> {
        let path = self.resolve(name)?;
        if !fs::metadata(&path)?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        read_whole(&path, max_bytes)
    }

    /// The items in it, in any order.
    pub(crate) fn items(&self) -> io::Result<impl Iterator<Item = io::Result<FolderItem>> + use<>> {
        Ok(fs::read_dir(self.resolve("")?)?.map(|item| item.map(FolderItem)))
    }

    /// Puts `bytes` at a name in one step: the file is wholly there or, on an error, what was there before.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8], durability: Durability) -> io::Result<()> {
        let replacement = Replacement::begin(&self.resolve(name)?)?;
        match durability {
            Durability::Synced => replacement.finish(bytes),
            Durability::Unsynced => replacement.finish_unsynced(bytes),
        }
    }

    /// Writes as [`Folder::replace`] does, synced, but never over a file that is there already, also one that came a
    /// moment ago.
    pub(crate) fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        Replacement::begin(&self.resolve(name)?)?.finish_as_new(bytes)
    }

    /// Writes a new file, which is on disk on return; its name is once the folder is synced.
    pub(crate) fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(self.resolve(name)?)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Makes a new file to append to.
    pub(crate) fn new_journal(&self, name: &str) -> io::Result<JournalFile> {
        OpenOptions::new().create_new(true).append(true).open(self.resolve(name)?).map(JournalFile)
    }

    /// Opens a file to append to.
    pub(crate) fn journal(&self, name: &str) -> io::Result<JournalFile> {
        OpenOptions::new().append(true).open(self.resolve(name)?).map(JournalFile)
    }

    /// Locks a file, which is made if it is not there.
    pub(crate) fn lock(&self, name: &str) -> io::Result<Locking> {
        FileLock::take(&self.resolve(name)?)
    }

    /// Makes the folder and those above it that are not there.
    pub(crate) fn make_all(&self) -> io::Result<()> {
        fs::create_dir_all(self.resolve("")?)
    }

    /// Makes the folder.
    pub(crate) fn make(&self) -> io::Result<()> {
        fs::create_dir(self.resolve("")?)
    }

    /// Makes the folder if it is not there, and lets it keep itself out of Git: not everybody has a .gitignore.
    pub(crate) fn make_ignored(&self) -> io::Result<()> {
        let path = self.resolve("")?;
        if path.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&path)?;
        fs::write(path.join(".gitignore"), "*\n")
    }

    /// Whether it can be written, seen without leaving anything behind: a folder that is not there yet can be made where
    /// the nearest one that is can be written.
    pub(crate) fn try_writing(&self) -> io::Result<()> {
        let path = self.resolve("")?;
        let nearest = path.ancestors().find(|folder| folder.exists());
        let folder = nearest.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        tempfile::tempfile_in(folder).map(drop)
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.resolve(name)?)
    }

    /// Removes the folder.
    pub(crate) fn remove_folder(&self) -> io::Result<()> {
        fs::remove_dir(self.resolve("")?)
    }

    /// Removes the temporary files that a killed process left in it.
    pub(crate) fn remove_temporary(&self) -> io::Result<()> {
        let path = self.resolve("")?;
        for item in fs::read_dir(&path)?.flatten().map(FolderItem) {
            if replace::is_temporary(&item.name()) && item.kind() == Some(FileKind::File) {
                fs::remove_file(path.join(item.name()))?;
            }
        }
        Ok(())
    }

    /// Waits until the folder's list of names is on disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        replace::sync_folder(&self.resolve("")?)
    }
}

fn read_whole(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    secret::refuse_secret(&file, path)?;
    bounded::read(file, max_bytes)?
        .ok_or_else(|| bounded::too_large(format!("it is larger than {} MiB", max_bytes >> 20)))
}

fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_symlink() => {
            Err(io::Error::other(format!("{} is a link; state is kept in plain folders only", path.display())))
        }
        _ => Ok(()),
    }
}

/// Something in a folder.
pub(crate) struct FolderItem(DirEntry);

impl FolderItem {
    /// Its name.
    pub(crate) fn name(&self) -> OsString {
        self.0.file_name()
    }

    /// Its kind, links not followed; `None` where that cannot be seen.
    pub(crate) fn kind(&self) -> Option<FileKind> {
        self.0.file_type().ok().map(FileKind::from)
    }
}

/// A file that only ever grows.
#[derive(Debug)]
pub(crate) struct JournalFile(File);

impl JournalFile {
    /// Adds bytes, which are on disk on return.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.sync_data()
    }
}
