//! Where state lives: `.brandctl/<portal>/`, ignored by Git. Losing it is safe; it loses backups and history.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The state folder of one portal.
#[derive(Debug, Clone)]
pub struct StateDir {
    folder: PathBuf,
}

impl StateDir {
    /// The folder of `portal` below `root`. Nothing is made yet.
    #[must_use]
    pub fn new(root: &Path, portal: &str) -> Self {
        // A host cannot hold a path separator; a colon before the port is no good name on every system.
        let name = portal.replace([':', '/', '\\'], "_");
        Self { folder: root.join(name) }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn ensure(&self) -> io::Result<&Path> {
        fs::create_dir_all(&self.folder)?;
        self.ignore()?;
        Ok(&self.folder)
    }

    /// A folder below it, made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.ensure()?.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Keeps state out of Git even where nobody wrote a .gitignore: the folder ignores itself.
    fn ignore(&self) -> io::Result<()> {
        let Some(root) = self.folder.parent() else { return Ok(()) };
        let file = root.join(".gitignore");
        if file.exists() { Ok(()) } else { fs::write(file, "*\n") }
    }
}
