//! Writes a new branding repository: all of its files or none, never over an existing file, never through a link.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::domain::init::{FileChange, FileContent, WrittenFile};

use super::files::{Durability, FileKind, Folder, place, refuse_way_out};
use super::root;

/// The largest file to which lines are added, in bytes.
const MAX_EXTENDED_BYTES: u64 = 16 * 1024 * 1024;

/// The place of a new branding repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewRepository {
    /// Its folder, without links. It may not exist yet.
    pub(crate) folder: PathBuf,
    /// The root of the Git repository that holds it.
    pub(crate) git: Option<PathBuf>,
}

/// The reason why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    /// There is a file where a folder must be.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// There is a link where a file or a folder must be.
    #[error("{} is a link, and files are only written to plain folders", .0.display())]
    Link(PathBuf),
    /// Files to write already exist.
    #[error("these files already exist: {}", .0.join(", "))]
    Exists(Vec<String>),
    /// Something cannot be read, created or written.
    #[error("{} cannot be {doing}: {error}", .path.display())]
    Io {
        /// What it is about.
        path: PathBuf,
        /// What was being done: "read", "written".
        doing: &'static str,
        /// The reason of the failure.
        error: io::Error,
    },
}

fn failed<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(io::Error) -> InitError + 'a {
    move |error| InitError::Io { path: path.to_owned(), doing, error }
}

impl NewRepository {
    /// The place that a user names, with every link on the way to it followed.
    pub(crate) fn at(named: &Path) -> Result<Self, InitError> {
        let absolute = std::path::absolute(named).map_err(failed(named, "read"))?;
        refuse_way_out(&absolute).map_err(failed(named, "written"))?;
        let nearest = absolute.ancestors().find(|path| place::is_taken(path)).unwrap_or(&absolute);
        let rest = absolute.strip_prefix(nearest).unwrap_or(Path::new(""));
        let base = place::real(nearest).map_err(failed(nearest, "read"))?;
        if !Folder::at(&base).is_there() {
            return Err(InitError::NotAFolder(nearest.to_owned()));
        }
        // It is unknown where the `..` of a folder that does not exist leads.
        if rest.components().any(|part| !matches!(part, Component::Normal(_))) {
            let missing = io::Error::from(io::ErrorKind::NotFound);
            return Err(InitError::Io { path: named.to_owned(), doing: "found", error: missing });
        }
        let folder = if rest.as_os_str().is_empty() { base } else { base.join(rest) };
        let git = root::git_root(&folder).map(Path::to_owned);
        Ok(Self { folder, git })
    }
}

/// Writes the files below `root`, by their paths from there with `/`; on an error, everything written is removed again.
pub(crate) fn write(root: &Path, files: &BTreeMap<String, FileContent>) -> Result<Vec<WrittenFile>, InitError> {
    let root = Folder::at(root);
    let mut steps = Vec::new();
    let mut existing = Vec::new();
    for (path, content) in files {
        let step = match (content, is_there(&root, path)?) {
            (FileContent::New(bytes), false) => Step::Create(bytes.clone()),
            (FileContent::New(_), true) => {
                existing.push(path.clone());
                continue;
            }
            (FileContent::Lines(lines), false) => Step::Create(extended(b"", lines).unwrap_or_default()),
            (FileContent::Lines(lines), true) => {
                let old = root.read(path, MAX_EXTENDED_BYTES).map_err(failed(&root.path_of(path), "read"))?;
                extended(&old, lines).map_or(Step::Keep, |new| Step::Replace { old, new })
            }
        };
        steps.push((path, step));
    }
    if !existing.is_empty() {
        return Err(InitError::Exists(existing));
    }
    let mut undo = Undo { root, folders: Vec::new(), files: Vec::new(), replaced: Vec::new() };
    let mut written = Vec::new();
    for (path, step) in steps {
        match undo.carry_out(path, step) {
            Ok(change) => written.push(WrittenFile { path: path.clone(), change }),
            Err(error) => {
                undo.take_back();
                return Err(error);
            }
        }
    }
    Ok(written)
}

/// The step that a file needs.
enum Step {
    Create(Vec<u8>),
    Replace { old: Vec<u8>, new: Vec<u8> },
    Keep,
}

/// Whether there is a file. No part of its path may be a link or a file.
fn is_there(root: &Folder, path: &str) -> Result<bool, InitError> {
    let mut at = PathBuf::new();
    let mut parts = Path::new(path).components().peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        match root.kind_of(&at) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(&root.path_of(&at), "read")(error)),
            Ok(FileKind::Link) => return Err(InitError::Link(root.path_of(&at))),
            Ok(kind) if parts.peek().is_some() && kind != FileKind::Folder => {
                return Err(InitError::NotAFolder(root.path_of(&at)));
            }
            Ok(_) => {}
        }
    }
    Ok(true)
}

/// A text with its missing lines added at the end; `None` if none is missing.
fn extended(old: &[u8], lines: &[&str]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(old);
    let has = |line: &&str| text.lines().any(|there| there.trim() == *line);
    let mut missing = lines.iter().filter(|line| !has(line)).peekable();
    missing.peek()?;
    let mut new = old.to_vec();
    if !new.is_empty() && !new.ends_with(b"\n") {
        new.push(b'\n');
    }
    for line in missing {
        new.extend_from_slice(line.as_bytes());
        new.push(b'\n');
    }
    Some(new)
}

/// The changes below a folder, so that they can be undone.
struct Undo<'a> {
    root: Folder,
    folders: Vec<Folder>,
    files: Vec<&'a str>,
    replaced: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Undo<'a> {
    fn carry_out(&mut self, path: &'a str, step: Step) -> Result<FileChange, InitError> {
        let target = self.root.path_of(path);
        match step {
            Step::Create(bytes) => {
                self.make(place::folder_of(&target))?;
                self.root.create(path, &bytes).map_err(failed(&target, "written"))?;
                self.files.push(path);
                Ok(FileChange::Created)
            }
            Step::Replace { old, new } => {
                self.root.replace(path, &new, Durability::Synced).map_err(failed(&target, "written"))?;
                self.replaced.push((path, old));
                Ok(FileChange::Extended)
            }
            Step::Keep => Ok(FileChange::Unchanged),
        }
    }

    /// Creates a folder and the missing folders above it.
    fn make(&mut self, folder: &Path) -> Result<(), InitError> {
        let missing: Vec<_> = folder.ancestors().take_while(|above| !place::exists(above)).map(Folder::at).collect();
        for folder in missing.into_iter().rev() {
            folder.make().map_err(failed(folder.path(), "made"))?;
            self.folders.push(folder);
        }
        Ok(())
    }

    /// Undoes everything, as far as that works: the error that led here is the one to report.
    fn take_back(self) {
        for path in self.files {
            let _ = self.root.remove(path);
        }
        for (path, old) in self.replaced {
            let _ = self.root.replace(path, &old, Durability::Synced);
        }
        for folder in self.folders.into_iter().rev() {
            let _ = folder.remove_folder();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::fs;

    use super::*;

    const LINES: &[&str] = &[".brandctl/", "/plan.*"];

    fn files(all: &[(&str, FileContent)]) -> BTreeMap<String, FileContent> {
        all.iter().map(|(path, content)| ((*path).to_owned(), content.clone())).collect()
    }

    fn new(text: &str) -> FileContent {
        FileContent::New(text.as_bytes().to_vec())
    }

    #[test]
    fn what_was_written_before_an_error_is_taken_back() {
        let root = tempfile::tempdir().unwrap();
        let site = root.path().join("a/b");
        fs::write(root.path().join(".gitignore"), "target").unwrap();
        // `c` cannot be a file and a folder.
        let wanted = files(&[(".gitignore", FileContent::Lines(LINES)), ("a/b/c", new("1")), ("a/b/c/d", new("2"))]);
        let error = write(root.path(), &wanted).unwrap_err();
        assert!(error.to_string().starts_with(site.join("c/d").to_str().unwrap()), "{error}");
        assert!(!root.path().join("a").exists(), "folders that were created are gone too");
        assert_eq!(fs::read(root.path().join(".gitignore")).unwrap(), b"target");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn lines_are_added_once() {
        let root = tempfile::tempdir().unwrap();
        let wanted = files(&[(".gitignore", FileContent::Lines(LINES))]);
        let ignored = || fs::read_to_string(root.path().join(".gitignore")).unwrap();
        let changes = || write(root.path(), &wanted).unwrap().remove(0).change;
        assert_eq!((changes(), ignored().as_str()), (FileChange::Created, ".brandctl/\n/plan.*\n"));
        assert_eq!((changes(), ignored().as_str()), (FileChange::Unchanged, ".brandctl/\n/plan.*\n"));
        fs::write(root.path().join(".gitignore"), "target\r\n/plan.*\r\n\u{feff}x").unwrap();
        assert_eq!(
            (changes(), ignored().as_str()),
            (FileChange::Extended, "target\r\n/plan.*\r\n\u{feff}x\n.brandctl/\n")
        );
    }
}
