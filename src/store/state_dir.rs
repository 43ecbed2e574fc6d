//! Where state lives: `.brandctl/<portal>/`, ignored by Git. Losing it is safe; it loses backups and history.
//!
//! Whoever can commit to the repository can put links where state is expected. None is followed: a plan of somebody's
//! pull request must not write or delete outside this folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The state folder of one portal.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
    folder: PathBuf,
}

impl StateDir {
    /// The folder of `portal` below `root`. Nothing is made yet.
    #[must_use]
    pub fn new(root: &Path, portal: &str) -> Self {
        // A host cannot hold a path separator; a colon before the port is no good name on every system.
        let name = portal.replace([':', '/', '\\'], "_");
        Self { root: root.to_owned(), folder: root.join(name) }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made, or is a link.
    pub fn ensure(&self) -> io::Result<&Path> {
        make(&self.root)?;
        make(&self.folder)?;
        Ok(&self.folder)
    }

    /// Whether state can be written, seen without leaving anything behind: a folder that is not there yet can be made
    /// where the nearest one that is can be written.
    ///
    /// # Errors
    /// When it cannot be, or a part of it is a link.
    pub fn try_writing(&self) -> io::Result<()> {
        refuse_link(&self.root)?;
        refuse_link(&self.folder)?;
        let nearest = self.folder.ancestors().find(|folder| folder.exists());
        let folder = nearest.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        tempfile::tempfile_in(folder).map(drop)
    }

    /// A folder below it, made if it is not there.
    ///
    /// # Errors
    /// As [`Self::ensure`].
    pub fn make(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.ensure()?.join(name);
        make(&folder)?;
        Ok(folder)
    }

    /// A path below it, for reading or writing, none of whose parts is a link.
    ///
    /// # Errors
    /// When one is.
    pub fn inside(&self, name: &str) -> io::Result<PathBuf> {
        let mut path = self.folder.clone();
        refuse_link(&path)?;
        for part in Path::new(name) {
            path.push(part);
            refuse_link(&path)?;
        }
        Ok(path)
    }
}

/// Makes a folder, which keeps itself out of Git: not everybody has a .gitignore.
fn make(folder: &Path) -> io::Result<()> {
    refuse_link(folder)?;
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join(".gitignore"), "*\n")
}

fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_symlink() => {
            Err(io::Error::other(format!("{} is a link; state is kept in plain folders only", path.display())))
        }
        _ => Ok(()),
    }
}
