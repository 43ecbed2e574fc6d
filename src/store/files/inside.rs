//! Reads files below a folder, through links that stay inside its root: the folder itself, or one above it.
//!
//! The target of a link is looked up, and then opened below the handle of the folder without following any other link:
//! a link that changes in between is an error. A folder is looked up once, not for each of its files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::access::Access;
use super::folder::Folder;
use super::kind::{FileKind, FolderItem};
use super::opened::OpenFolder;
use super::place;
use super::secret;
use super::unexpected;

/// How many folders are kept open; files in other folders are opened from the root.
const MAX_OPEN: usize = 8;

/// A folder whose files may be read, with the paths that are known to be inside it after following links.
#[derive(Debug)]
pub(crate) struct Inside {
    folder: Folder,
    /// The folder that no path may lead out of, named without links.
    root: PathBuf,
    /// That folder, open.
    open: OpenFolder,
    /// The names of folders that no path may lead into.
    closed: &'static [&'static str],
    /// Folders inside it, as the names of files spell them.
    folders: HashMap<String, OpenFolder>,
}

/// The content of a file.
#[derive(Debug)]
pub(crate) struct FileContents {
    /// In bytes.
    pub(crate) size: u64,
    /// `None` when the file is larger than the limit.
    pub(crate) bytes: Option<Arc<[u8]>>,
}

/// The reason why a file is not read.
#[derive(Debug)]
pub(crate) enum NotRead {
    /// Its name leads out of the root, whether or not something is there.
    LeadsOut,
    /// It is a link that leads out of the root.
    Outside,
    /// It leads into a folder of this name, which is used for something else.
    Kept(&'static str),
    /// It is something other than a regular file.
    Kind(FileKind),
    /// It cannot be read.
    Io(io::Error),
}

impl From<io::Error> for NotRead {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Inside {
    /// The files below `root`, a folder at or above `folder`, by names from `folder`, except for those in folders with
    /// one of the names `closed`. The folders of `files` are looked up in advance.
    pub(crate) fn below<'a>(
        root: &Path,
        folder: &Folder,
        closed: &'static [&'static str],
        files: impl Iterator<Item = &'a str>,
    ) -> io::Result<Self> {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let root = place::real(root)?;
        let open = OpenFolder::at(&root)?;
        let mut inside = Self { root, open, folder: folder.clone(), closed, folders: HashMap::new() };
        for name in files.map(folder_of) {
            if inside.folders.len() < MAX_OPEN
                && !inside.folders.contains_key(name)
                && let Ok(open) = inside.open_folder(name)
            {
                inside.folders.insert(name.to_owned(), open);
            }
        }
        Ok(inside)
    }

    /// The items of a folder inside, in any order.
    pub(crate) fn items(&self, name: &str) -> Result<impl Iterator<Item = io::Result<FolderItem>> + use<>, NotRead> {
        Ok(self.open_folder(name)?.items()?)
    }

    /// Reads a regular file, of at most `max_bytes`. `known` is its kind according to the listing of its folder.
    pub(crate) fn read(&self, name: &str, known: Option<FileKind>, max_bytes: u64) -> Result<FileContents, NotRead> {
        self.check_name(Path::new(name))?;
        let parent = folder_of(name);
        let last = name.get(parent.len()..).unwrap_or_default().trim_start_matches('/');
        let is_name = !matches!(last, "" | "." | "..");
        // A link in a folder outside may also lead inside.
        if is_name
            && known != Some(FileKind::Link)
            && let Some(opened) = self.open_in(parent, OsStr::new(last))?
        {
            match opened {
                Ok(file) => return self.read_open(file, name, max_bytes),
                Err(error) => match unexpected::kind(&error) {
                    Some(FileKind::Link) => {}
                    Some(kind) => return Err(NotRead::Kind(kind)),
                    None => return Err(error.into()),
                },
            }
        }
        let way = self.way_to(Path::new(name))?;
        let (Some(parent), Some(last)) = (way.parent(), way.file_name()) else {
            return Err(NotRead::Kind(FileKind::Folder));
        };
        let file = self.walk(parent)?.file(last, Access::Read);
        let file = file.map_err(|error| unexpected::kind(&error).map_or(NotRead::Io(error), NotRead::Kind))?;
        self.read_open(file, name, max_bytes)
    }

    /// Opens a file that is not a link; `None` if its folder is outside.
    fn open_in(&self, folder: &str, name: &OsStr) -> Result<Option<io::Result<File>>, NotRead> {
        if let Some(folder) = self.folders.get(folder) {
            return Ok(Some(folder.file(name, Access::Read)));
        }
        match self.open_folder(folder) {
            Ok(folder) => Ok(Some(folder.file(name, Access::Read))),
            Err(NotRead::Outside) => Ok(None),
            Err(why) => Err(why),
        }
    }

    fn read_open(&self, file: File, name: &str, max_bytes: u64) -> Result<FileContents, NotRead> {
        secret::refuse_secret(&file, &self.folder.path_of(name))?;
        Ok(read(file, max_bytes)?)
    }

    /// Checks the name itself, before looking for anything that may be outside.
    fn check_name(&self, name: &Path) -> Result<(), NotRead> {
        if let Some(closed) = self.closed_on(name) {
            Err(NotRead::Kept(closed))
        } else if place::leads_out(&self.root, self.folder.path(), name) {
            Err(NotRead::LeadsOut)
        } else {
            Ok(())
        }
    }

    /// The path from the root to the target of a name, with links followed.
    pub(crate) fn way_to(&self, name: &Path) -> Result<PathBuf, NotRead> {
        self.check_name(name)?;
        let folder = self.folder.path_of(name);
        let real = place::real(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder })?;
        match real.strip_prefix(&self.root) {
            Err(_) => Err(NotRead::Outside),
            Ok(below) => {
                self.closed_on(below).map_or_else(|| Ok(below.to_owned()), |closed| Err(NotRead::Kept(closed)))
            }
        }
    }

    fn closed_on(&self, way: &Path) -> Option<&'static str> {
        self.closed.iter().copied().find(|name| place::is_through(way, name))
    }

    fn open_folder(&self, name: &str) -> Result<OpenFolder, NotRead> {
        let way = self.way_to(Path::new(name))?;
        Ok(self.walk(&way)?)
    }

    /// Opens a folder by a path without links.
    fn walk(&self, way: &Path) -> io::Result<OpenFolder> {
        let mut parts = way.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        });
        let first = self.open.folder(parts.next().unwrap_or(OsStr::new(".")))?;
        parts.try_fold(first, |open, name| open.folder(name))
    }
}

/// The folder in a name, empty when it has none.
fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Reads an open file.
fn read(mut file: File, max_bytes: u64) -> io::Result<FileContents> {
    /// Most art fits into one piece of this size, which needs no allocation.
    const PIECE: usize = 4 * 1024;
    let mut piece = [0; PIECE];
    let mut filled = 0;
    while let Some(free) = piece.get_mut(filled..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => return Ok(FileContents { size: filled as u64, bytes: piece.get(..filled).map(Arc::from) }),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut bytes = piece.to_vec();
    (&file).take((max_bytes + 1).saturating_sub(PIECE as u64)).read_to_end(&mut bytes)?;
    let size = bytes.len() as u64;
    Ok(if size > max_bytes {
        FileContents { size: file.metadata()?.len().max(size), bytes: None }
    } else {
        FileContents { size, bytes: Some(bytes.into()) }
    })
}
