//! Where state lives: `.brandctl/<portal>/`, ignored by Git. Losing it is safe; it loses backups and history.
//!
//! Anyone who can commit to the repository can put links where state is expected. None is followed: a plan of
//! somebody's pull request must not write or delete outside this folder.

use std::io;
use std::path::Path;

use super::files::Folder;

/// The state folder of one portal.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: Folder,
    folder: Folder,
}

impl StateDir {
    /// The folder of `portal` below `root`. Nothing is made yet.
    #[must_use]
    pub fn new(root: &Path, portal: &str) -> Self {
        // A host cannot hold a path separator; a colon before the port is not allowed in names on every system.
        let name = portal.replace([':', '/', '\\'], "_");
        Self { root: Folder::of_state(root), folder: Folder::of_state(root.join(name)) }
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder, which need not be there.
    pub(super) const fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The folder, made if it is not there.
    pub(crate) fn ensure(&self) -> io::Result<&Folder> {
        self.root.make_ignored()?;
        self.folder.make_ignored()?;
        Ok(&self.folder)
    }

    /// A folder below it, made if it is not there.
    pub(super) fn make(&self, name: &str) -> io::Result<Folder> {
        let folder = self.ensure()?.child(name);
        folder.make_ignored()?;
        Ok(folder)
    }

    /// Whether state can be written, seen without leaving anything behind.
    pub(crate) fn try_writing(&self) -> io::Result<()> {
        self.root.check_links()?;
        self.folder.try_writing()
    }
}
