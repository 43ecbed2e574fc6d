//! Reading below a folder, through links that stay inside its root: the folder itself, or one above it.
//!
//! A folder is asked once where it really is, not for each of its files: what is not a link itself lies where its
//! folder does.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::Folder;
use super::kind::FileKind;
use super::place;
use super::secret;

/// A folder whose files may be read, with what is known to lie inside it once links are followed.
#[derive(Debug)]
pub(crate) struct Inside {
    folder: Folder,
    /// The root without links.
    root: PathBuf,
    /// Folders inside it, relative to it, as the names of files spell them.
    folders: HashSet<String>,
}

/// The content of a file.
#[derive(Debug)]
pub(crate) struct FileContents {
    /// In bytes.
    pub(crate) size: u64,
    /// `None` when there are more than may be read.
    pub(crate) bytes: Option<Arc<[u8]>>,
}

/// The reason why a file is not read.
#[derive(Debug)]
pub(crate) enum NotRead {
    /// Its name leads out of the root, whatever is there.
    LeadsOut,
    /// It is a link that leads out of the root.
    Outside,
    /// It leads into a `.git`.
    InGit,
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
    /// The inside of `folder` and its root, knowing the folders of `files`.
    pub(crate) fn of<'a>(folder: &Folder, root: &Path, files: impl Iterator<Item = &'a str>) -> io::Result<Self> {
        fs::metadata(folder.path())?;
        let inside = Self { root: fs::canonicalize(root)?, folder: folder.clone(), folders: HashSet::new() };
        let parents: HashSet<_> = files.map(folder_of).collect();
        let lies_inside = |path: &&str| inside.holds(path).unwrap_or(false);
        let folders = parents.into_iter().filter(lies_inside).map(str::to_owned).collect();
        Ok(Self { folders, ..inside })
    }

    /// Whether a name leads to something inside.
    pub(crate) fn holds(&self, name: impl AsRef<Path>) -> io::Result<bool> {
        Ok(self.find(name)?.is_ok())
    }

    /// Checks where a name leads, once links are followed.
    pub(crate) fn find(&self, name: impl AsRef<Path>) -> io::Result<Result<(), NotRead>> {
        if let Err(why) = self.check_name(name.as_ref()) {
            return Ok(Err(why));
        }
        let real = fs::canonicalize(self.folder.path_of(name))?;
        Ok(match real.strip_prefix(&self.root) {
            Err(_) => Err(NotRead::Outside),
            Ok(below) if place::is_in_git(below) => Err(NotRead::InGit),
            Ok(_) => Ok(()),
        })
    }

    /// Checks a name by itself, before anything is looked for that may lie outside.
    fn check_name(&self, name: &Path) -> Result<(), NotRead> {
        if place::is_in_git(name) {
            Err(NotRead::InGit)
        } else if place::leads_out(&self.root, self.folder.path(), name) {
            Err(NotRead::LeadsOut)
        } else {
            Ok(())
        }
    }

    /// Reads a file, of at most `max_bytes`. One that is `known` to be a regular file, because the list of a folder
    /// inside showed that, is not checked again.
    pub(crate) fn read(&self, name: &str, known: Option<FileKind>, max_bytes: u64) -> Result<FileContents, NotRead> {
        self.check_name(name.as_ref())?;
        let path = self.folder.path_of(name);
        let is_folder_inside = self.folders.contains(folder_of(name));
        if known != Some(FileKind::File) || !is_folder_inside {
            let mut kind = FileKind::from(fs::symlink_metadata(&path)?.file_type());
            if kind == FileKind::Link || !is_folder_inside {
                self.find(name)??;
                kind = fs::metadata(&path)?.file_type().into();
            }
            if kind != FileKind::File {
                return Err(NotRead::Kind(kind));
            }
        }
        let file = File::open(&path)?;
        secret::refuse_secret(&file, &path)?;
        Ok(read(file, max_bytes)?)
    }
}

/// The folder in a name, empty when it has none.
fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Reads an open file.
fn read(mut file: File, max_bytes: u64) -> io::Result<FileContents> {
    /// Most art fits in one piece of this size, which costs no allocation.
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
