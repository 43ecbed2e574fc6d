//! Writing below a folder: files that are replaced, made, appended to, locked and removed, and folders that are made.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::access::{ANY_FILE, ANY_FOLDER, Access, OWN_FILE, OWN_FOLDER, PUBLIC_FILE};
use super::checkout::{self, Entrance};
use super::folder::{Folder, Owner, above};
use super::kind::FileKind;
use super::lock::{FileLock, Locking};
use super::opened::{self, OpenFolder};
use super::place;
use super::temporary::{Temporary, is_temporary};
use super::unexpected::Unexpected;

/// The file that keeps a folder out of Git, because not every repository has a .gitignore.
const IGNORE: (&str, &[u8]) = (".gitignore", b"*\n");

/// Whether a write waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The file and its folder are on disk on return.
    Synced,
    /// They will be on disk later: for files that can be lost and made again.
    Unsynced,
}

impl Folder {
    /// The permissions of a new file.
    const fn file_permissions(&self) -> u32 {
        match self.owner {
            Owner::User => ANY_FILE,
            Owner::State(_) => OWN_FILE,
        }
    }

    const fn folder_permissions(&self) -> u32 {
        match self.owner {
            Owner::User => ANY_FOLDER,
            Owner::State(_) => OWN_FOLDER,
        }
    }

    /// Puts `bytes` at a name in one step: the file is complete or, on an error, the old one is unchanged.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8], durability: Durability) -> io::Result<()> {
        self.replace_with(name, bytes, durability, self.file_permissions())
    }

    /// Puts `bytes` at a name in one step, readable by everyone.
    pub(crate) fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace_with(name, bytes, Durability::Unsynced, PUBLIC_FILE)
    }

    fn replace_with(&self, name: &str, bytes: &[u8], durability: Durability, permissions: u32) -> io::Result<()> {
        let (folder, last) = self.place_of(name)?;
        if self.is_state()
            && let Ok(kind) = folder.kind_of(&last)
            && kind != FileKind::File
        {
            return Err(self.about(&self.path_of(name), Unexpected::Kind(kind).into()));
        }
        let mut file = self.temporary(&folder, permissions)?;
        if permissions == PUBLIC_FILE {
            opened::permit(file.file(), permissions)?;
        }
        match durability {
            Durability::Synced => {
                file.write_synced(bytes)?;
                file.put_at(&last)?;
                folder.sync()
            }
            Durability::Unsynced => {
                file.write(bytes)?;
                file.put_at(&last)
            }
        }
    }

    /// Writes as [`Folder::replace`] does, synced, but never over an existing file, even one that was created a moment
    /// ago.
    pub(crate) fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (folder, last) = self.place_of(name)?;
        let mut file = self.temporary(&folder, self.file_permissions())?;
        file.write_synced(bytes)?;
        file.put_at_free(&last)?;
        folder.sync()
    }

    fn temporary<'a>(&self, folder: &'a OpenFolder, permissions: u32) -> io::Result<Temporary<'a>> {
        Temporary::new(folder, permissions)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path().display())))
    }

    /// Writes a new file, which is on disk on return; its name is once the folder is synced.
    pub(crate) fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.open_file(name, Access::New(self.file_permissions()))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Creates a new file to append to.
    pub(crate) fn new_journal(&self, name: &str) -> io::Result<JournalFile> {
        self.journal_with(name, Access::NewToAppend(self.file_permissions()))
    }

    /// Opens a file to append to.
    pub(crate) fn journal(&self, name: &str) -> io::Result<JournalFile> {
        self.journal_with(name, Access::Append)
    }

    fn journal_with(&self, name: &str, access: Access) -> io::Result<JournalFile> {
        let end = self.open_file(name, access)?;
        Ok(JournalFile {
            #[cfg(windows)]
            whole: self.open_file(name, Access::Write)?,
            end,
        })
    }

    /// Opens a file to append to, and creates it if it does not exist.
    pub(crate) fn journal_or_new(&self, name: &str) -> io::Result<JournalFile> {
        match self.journal(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.new_journal(name),
            opened => opened,
        }
    }

    /// Locks a file, and creates it if it does not exist.
    pub(crate) fn lock(&self, name: &str) -> io::Result<Locking> {
        FileLock::of(self.open_file(name, Access::Shared(self.file_permissions()))?)
    }

    /// Creates the folder and the missing folders above it.
    pub(crate) fn make_all(&self) -> io::Result<()> {
        self.open_or_make().map(drop)
    }

    fn open_or_make(&self) -> io::Result<OpenFolder> {
        let base = match self.owner {
            Owner::User => {
                fs::create_dir_all(&self.base)?;
                OpenFolder::at(&self.base)?
            }
            Owner::State(end) => {
                let Entrance { folder, below } = checkout::entrance(&self.base, end)?;
                let mut open = OpenFolder::at(&folder)?;
                let count = below.components().count();
                for (at, name) in below.iter().enumerate() {
                    open = self.enter(&open, name, &above(&self.base, count - at - 1))?;
                }
                open
            }
        };
        let (mut open, mut path) = (base, self.base.clone());
        for name in self.parts(&self.below)? {
            path.push(&name);
            open = self.enter(&open, &name, &path)?;
        }
        Ok(open)
    }

    /// Opens a folder in an open one, and creates it if it does not exist.
    fn enter(&self, open: &OpenFolder, name: &OsStr, path: &Path) -> io::Result<OpenFolder> {
        match open.folder(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened.map_err(|error| self.about(path, error)),
        }
        match open.make(name, self.folder_permissions()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        open.folder(name).map_err(|error| self.about(path, error))
    }

    /// Creates the folder.
    pub(crate) fn make(&self) -> io::Result<()> {
        if self.below.as_os_str().is_empty() {
            return fs::create_dir(&self.base);
        }
        let (folder, last) = self.place_of("")?;
        folder.make(&last, self.folder_permissions())
    }

    /// Creates the folder if it does not exist, with a file that keeps it out of Git. An existing one is made private
    /// to its owner, as a new one would be.
    pub(crate) fn make_ignored(&self) -> io::Result<()> {
        let (name, text) = IGNORE;
        match self.open() {
            Ok(folder) => {
                if self.is_own() {
                    // If the folder belongs to another user, only its files can be made private.
                    let _ = folder.narrow();
                }
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let folder = self.open_or_make()?;
        match folder.file(OsStr::new(name), Access::New(self.file_permissions())) {
            Ok(mut file) => file.write_all(text),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether an existing state folder was created by this program, instead of being a folder of the user that state
    /// is put into.
    fn is_own(&self) -> bool {
        let (name, text) = IGNORE;
        self.is_state()
            && (!self.below.as_os_str().is_empty()
                || self.base.file_name().is_some_and(|name| name == place::STATE)
                || self.read(name, 16).is_ok_and(|found| found == text))
    }

    /// Whether it can be written, checked without leaving anything behind: a folder that does not exist yet can be
    /// created if the nearest existing one can be written.
    pub(crate) fn try_writing(&self) -> io::Result<()> {
        let mut folder = self.clone();
        let open = loop {
            match folder.open() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => break opened?,
            }
            if !folder.below.pop() && !folder.base.pop() {
                folder.base = PathBuf::from(".");
            }
            if folder.base.as_os_str().is_empty() {
                folder.base = PathBuf::from(".");
            }
        };
        Temporary::new(&open, OWN_FILE).map(drop)
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let (folder, last) = self.place_of(name)?;
        match folder.kind_of(&last)? {
            FileKind::Link if self.is_state() => {
                Err(self.about(&self.path_of(name), Unexpected::Kind(FileKind::Link).into()))
            }
            _ => folder.remove(&last),
        }
    }

    /// Removes the folder.
    pub(crate) fn remove_folder(&self) -> io::Result<()> {
        if self.below.as_os_str().is_empty() {
            return fs::remove_dir(&self.base);
        }
        let (folder, last) = self.place_of("")?;
        folder.remove_folder(&last)
    }

    /// Removes the temporary files that a killed process left in it.
    pub(crate) fn remove_temporary(&self) -> io::Result<()> {
        let folder = self.open()?;
        for item in folder.items()?.flatten() {
            if is_temporary(&item.name()) && item.kind() == Some(FileKind::File) {
                folder.remove(&item.name())?;
            }
        }
        Ok(())
    }

    /// Waits until the folder's list of names is on disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.open()?.sync()
    }
}

/// A file that only ever grows.
#[derive(Debug)]
pub(crate) struct JournalFile {
    /// Open to append.
    end: File,
    /// Open to be cut: Windows does not cut a file that is only open to append.
    #[cfg(windows)]
    whole: File,
}

impl JournalFile {
    /// Adds bytes, which are on disk on return.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.end.write_all(bytes)?;
        self.end.sync_data()
    }

    /// Adds bytes without waiting for the disk.
    pub(crate) fn append_unsynced(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.end.write_all(bytes)
    }

    /// Cuts off what follows after `length` bytes.
    pub(crate) fn cut(&self, length: u64) -> io::Result<()> {
        #[cfg(windows)]
        return self.whole.set_len(length);
        #[cfg(not(windows))]
        self.end.set_len(length)
    }
}
