//! Writes a new branding repository: all of its files or none, nothing over a file that is there, nothing through a link.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::domain::init::{Change, Content, Written};

use super::atomic;

/// Where a branding repository is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its folder, without links; it need not exist yet.
    pub folder: PathBuf,
    /// The root of the Git repository that holds it.
    pub git: Option<PathBuf>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// A file is in the place of a folder.
    #[error("{} is no folder", .0.display())]
    NotAFolder(PathBuf),
    /// A link is where a file or a folder would be.
    #[error("{} is a link: files are written to plain folders only", .0.display())]
    Link(PathBuf),
    /// Files that would be written are there already.
    #[error("already there: {}", .0.join(", "))]
    Exists(Vec<String>),
    /// The disk's own.
    #[error("{} cannot be {doing}: {error}", .path.display())]
    Io {
        /// What it is about.
        path: PathBuf,
        /// What was being done: "read", "written".
        doing: &'static str,
        /// Why that failed.
        error: io::Error,
    },
}

fn failed<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(io::Error) -> ScaffoldError + 'a {
    move |error| ScaffoldError::Io { path: path.to_owned(), doing, error }
}

impl Site {
    /// The place that a user names, with every link on the way to it followed.
    ///
    /// # Errors
    /// When it is no folder, or lies below something that is none or cannot be read.
    pub fn at(named: &Path) -> Result<Self, ScaffoldError> {
        let absolute = std::path::absolute(named).map_err(failed(named, "read"))?;
        let there = |path: &&Path| fs::symlink_metadata(path).is_ok();
        let nearest = absolute.ancestors().find(there).unwrap_or(&absolute);
        let rest = absolute.strip_prefix(nearest).unwrap_or(Path::new(""));
        let base = fs::canonicalize(nearest).map_err(failed(nearest, "read"))?;
        if !base.is_dir() {
            return Err(ScaffoldError::NotAFolder(nearest.to_owned()));
        }
        // `..` of a folder that does not exist leads nowhere that is known.
        if rest.components().any(|part| !matches!(part, Component::Normal(_))) {
            let missing = io::Error::from(io::ErrorKind::NotFound);
            return Err(ScaffoldError::Io { path: named.to_owned(), doing: "found", error: missing });
        }
        let folder = if rest.as_os_str().is_empty() { base } else { base.join(rest) };
        // A worktree and a submodule have a file of that name.
        let git = folder.ancestors().find(|above| above.join(".git").exists()).map(Path::to_owned);
        Ok(Self { folder, git })
    }
}

/// Writes the files below `root`, by their paths from there with `/`; on an error what was written is taken back.
///
/// # Errors
/// When one is there already or cannot be written, or a part of its path is a link.
pub fn write(root: &Path, files: &BTreeMap<String, Content>) -> Result<Vec<Written>, ScaffoldError> {
    let mut steps = Vec::new();
    let mut existing = Vec::new();
    for (path, content) in files {
        let target = root.join(path);
        let there = look(root, path)?;
        let step = match (content, there) {
            (Content::New(bytes), false) => Step::Create(bytes.clone()),
            (Content::New(_), true) => {
                existing.push(path.clone());
                continue;
            }
            (Content::Lines(lines), false) => Step::Create(extended(b"", lines).unwrap_or_default()),
            (Content::Lines(lines), true) => {
                let old = fs::read(&target).map_err(failed(&target, "read"))?;
                extended(&old, lines).map_or(Step::Keep, |new| Step::Replace { old, new })
            }
        };
        steps.push((path, target, step));
    }
    if !existing.is_empty() {
        return Err(ScaffoldError::Exists(existing));
    }
    let mut undo = Undo::default();
    let mut written = Vec::new();
    for (path, target, step) in steps {
        match undo.carry_out(&target, step) {
            Ok(change) => written.push(Written { path: path.clone(), change }),
            Err(error) => {
                undo.take_back();
                return Err(error);
            }
        }
    }
    Ok(written)
}

/// What is to be done to a file.
enum Step {
    Create(Vec<u8>),
    Replace { old: Vec<u8>, new: Vec<u8> },
    Keep,
}

/// Whether there is a file; no part of the way to it may be a link, or a file.
fn look(root: &Path, path: &str) -> Result<bool, ScaffoldError> {
    let mut at = root.to_owned();
    let mut parts = Path::new(path).components().peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        match fs::symlink_metadata(&at) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(&at, "read")(error)),
            Ok(facts) if facts.is_symlink() => return Err(ScaffoldError::Link(at)),
            Ok(facts) if parts.peek().is_some() && !facts.is_dir() => return Err(ScaffoldError::NotAFolder(at)),
            Ok(_) => {}
        }
    }
    Ok(true)
}

/// A text with the lines that it lacks at its end; `None` when it lacks none.
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

/// What was done, so that it can be taken back.
#[derive(Default)]
struct Undo {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    replaced: Vec<(PathBuf, Vec<u8>)>,
}

impl Undo {
    fn carry_out(&mut self, target: &Path, step: Step) -> Result<Change, ScaffoldError> {
        match step {
            Step::Create(bytes) => {
                if let Some(folder) = target.parent() {
                    self.make(folder)?;
                }
                atomic::create(target, &bytes).map_err(failed(target, "written"))?;
                self.files.push(target.to_owned());
                Ok(Change::Created)
            }
            Step::Replace { old, new } => {
                atomic::write(target, &new).map_err(failed(target, "written"))?;
                self.replaced.push((target.to_owned(), old));
                Ok(Change::Extended)
            }
            Step::Keep => Ok(Change::Unchanged),
        }
    }

    /// Makes a folder and those above it that are not there.
    fn make(&mut self, folder: &Path) -> Result<(), ScaffoldError> {
        let missing: Vec<_> = folder.ancestors().take_while(|above| !above.exists()).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).map_err(failed(folder, "made"))?;
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }

    /// As far as that goes: the error that led here is the one to tell.
    fn take_back(self) {
        for file in self.files {
            let _ = fs::remove_file(file);
        }
        for (file, old) in self.replaced {
            let _ = atomic::write(&file, &old);
        }
        for folder in self.folders.into_iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const LINES: &[&str] = &[".brandctl/", "/plan.*"];

    fn files(all: &[(&str, Content)]) -> BTreeMap<String, Content> {
        all.iter().map(|(path, content)| ((*path).to_owned(), content.clone())).collect()
    }

    fn new(text: &str) -> Content {
        Content::New(text.as_bytes().to_vec())
    }

    #[test]
    fn what_was_written_before_an_error_is_taken_back() {
        let root = tempfile::tempdir().unwrap();
        let site = root.path().join("a/b");
        fs::write(root.path().join(".gitignore"), "target").unwrap();
        // `c` cannot be a file and a folder.
        let wanted = files(&[(".gitignore", Content::Lines(LINES)), ("a/b/c", new("1")), ("a/b/c/d", new("2"))]);
        let error = write(root.path(), &wanted).unwrap_err();
        assert!(error.to_string().starts_with(site.join("c/d").to_str().unwrap()), "{error}");
        assert!(!root.path().join("a").exists(), "folders that were made are gone too");
        assert_eq!(fs::read(root.path().join(".gitignore")).unwrap(), b"target");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn lines_are_added_once() {
        let root = tempfile::tempdir().unwrap();
        let wanted = files(&[(".gitignore", Content::Lines(LINES))]);
        let ignored = || fs::read_to_string(root.path().join(".gitignore")).unwrap();
        let changes = || write(root.path(), &wanted).unwrap().remove(0).change;
        assert_eq!((changes(), ignored().as_str()), (Change::Created, ".brandctl/\n/plan.*\n"));
        assert_eq!((changes(), ignored().as_str()), (Change::Unchanged, ".brandctl/\n/plan.*\n"));
        fs::write(root.path().join(".gitignore"), "target\r\n/plan.*\r\n\u{feff}x").unwrap();
        assert_eq!((changes(), ignored().as_str()), (Change::Extended, "target\r\n/plan.*\r\n\u{feff}x\n.brandctl/\n"));
    }
}
