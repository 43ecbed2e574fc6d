//! Where state lives: `.brandctl/<portal>/`, ignored by Git. Losing it is safe; it loses backups and history.
//!
//! Anyone who can commit to the repository can put files and links where state is expected. What Git tracks is not state, and
//! is refused; no link is followed; and what lies where a file of ours belongs must be of its kind.

use std::io;
use std::path::{Path, PathBuf};

use super::budget::ReadingEnd;
use super::files::{FileKind, Folder, UserInput, checkouts_around, is_unexpected, place, unexpected};
use super::git;
use crate::domain::finding::Problem;
use crate::ops::ports::NoHistory;

/// The state folder of one portal.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: Folder,
    folder: Folder,
    portal: String,
    existing: Existing,
    /// When reading what is in it ends.
    reading_end: Option<ReadingEnd>,
}

/// Whether what is in a state folder already is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Existing {
    /// It is.
    Read,
    /// It is not: it may have come with a commit, and this is why that is not known.
    Unread(String),
}

/// The reason why a state folder is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// Git tracks a file in it.
    #[error("{file} is tracked by Git, and state that comes with a commit is not used")]
    Tracked {
        /// The file, from the top of the checkout.
        file: String,
        /// The state folder, from there.
        folder: PathBuf,
    },
    /// Something else is in its place.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It is Git's own.
    #[error("{} lies in a `.git`, where only Git keeps anything", .0.display())]
    InGit(PathBuf),
    /// It cannot be read, or holds what does not belong there.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl StateError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        self.help_with("--state-dir")
    }

    /// What to do about it where this option names the folder.
    pub(crate) fn help_with(&self, option: &str) -> String {
        let instead = format!("name another folder with {option}");
        match self {
            Self::Tracked { folder, .. } if folder.as_os_str().is_empty() => {
                format!("delete the folder: it is a repository of its own; or {instead}")
            }
            Self::Tracked { file, folder } if is_own(folder) => {
                // As Git spells it.
                let depth = folder.components().count();
                let folder: PathBuf = Path::new(file).components().take(depth).collect();
                format!(
                    "remove the folder with `git rm -r -- {}` and commit that: what came with a commit is nobody's state; or \
                     {instead}",
                    folder.display()
                )
            }
            Self::Tracked { .. } => instead,
            Self::NotAFolder(_) | Self::InGit(_) => instead,
            Self::Io(error) if is_unexpected(error) => {
                format!("brandctl did not put it there: move it away, a run with its whole folder, or {instead}")
            }
            Self::Io(_) => format!("check its permissions, or {instead}"),
        }
    }
}

/// Whether a folder can hold nothing but brandctl's state, by its name.
fn is_own(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.eq_ignore_ascii_case(place::STATE))
}

impl From<StateError> for io::Error {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Io(error) => error,
            error => Self::other(format!("{error}: {}", error.help())),
        }
    }
}

/// What lies where in the folder of a portal; `*` is any name.
const LAYOUT: [(&[&str], FileKind); 12] = [
    (&["lock"], FileKind::File),
    (&["cache"], FileKind::Folder),
    (&["cache", "index.json"], FileKind::File),
    (&["cache", "blobs"], FileKind::Folder),
    (&["cache", "blobs", "*"], FileKind::File),
    (&["runs"], FileKind::Folder),
    (&["runs", "*", "journal.jsonl"], FileKind::File),
    (&["runs", "*", "plan.json"], FileKind::File),
    (&["runs", "*", "report.json"], FileKind::File),
    (&["runs", "*", "old"], FileKind::Folder),
    (&["runs", "*", "old", "*"], FileKind::File),
    (&["runs", "*"], FileKind::Folder),
];

impl StateDir {
    /// The folder of `portal` below `root`, whoever put there what is in it. Nothing is made yet.
    #[must_use]
    pub fn new(root: &Path, portal: &str) -> Self {
        let root = Folder::of_state(root);
        Self {
            folder: root.child(folder_name(portal)),
            root,
            portal: portal.to_owned(),
            existing: Existing::Read,
            reading_end: None,
        }
    }

    /// The folder of `portal` below `root`. What is in it already is looked through: nothing of it may have come with a commit,
    /// and nothing may be there that brandctl does not put there.
    pub(crate) fn checked(root: &Path, portal: &str) -> Result<Self, StateError> {
        let state = Self { existing: existing(root)?, ..Self::new(root, portal) };
        look_through(&state.folder)?;
        Ok(state)
    }

    /// The same, where reading ends then.
    pub(crate) fn read_until(self, end: ReadingEnd) -> Self {
        Self { reading_end: Some(end), ..self }
    }

    /// When reading what is in it ends.
    pub(super) fn reading_end(&self) -> Option<ReadingEnd> {
        self.reading_end.clone()
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The portal whose state it is.
    pub(super) fn portal(&self) -> &str {
        &self.portal
    }

    /// The reason why what is in it already is not read, if it is not.
    pub(crate) fn why_unread(&self) -> Option<&str> {
        match &self.existing {
            Existing::Read => None,
            Existing::Unread(why) => Some(why),
        }
    }

    /// Whether there is state that could be read.
    pub(crate) fn is_there(&self) -> bool {
        self.folder.is_there()
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
        self.folder.try_writing()
    }
}

/// The name of the folder of a portal's state.
pub(super) fn folder_name(portal: &str) -> String {
    // A host cannot hold a path separator; a colon before the port is not allowed in names on every system.
    portal.replace([':', '/', '\\'], "_")
}

/// Whether what is in the state folder `root` may be read; an error when Git tracks any of it.
pub(super) fn existing(root: &Path) -> Result<Existing, StateError> {
    if leads_into_git(root) {
        return Err(StateError::InGit(root.to_owned()));
    }
    if UserInput::at(root).kind() == Some(FileKind::Other) {
        return Err(StateError::NotAFolder(root.to_owned()));
    }
    for (checkout, folder) in checkouts_around(root)? {
        match git::tracked_below(&checkout, &folder) {
            Ok(None) => {}
            Ok(Some(file)) => return Err(StateError::Tracked { file, folder }),
            Err(NoHistory::Outside(why)) => return Ok(Existing::Unread(why)),
            Err(NoHistory::Unreadable(Problem { message, help: Some(help) })) => {
                return Ok(Existing::Unread(format!("{message} ({help})")));
            }
            Err(NoHistory::Unreadable(Problem { message, help: None })) => return Ok(Existing::Unread(message)),
        }
    }
    Ok(Existing::Read)
}

/// Refuses a folder for the sandbox that may have come with a commit, or is Git's own.
pub(crate) fn refuse_committed(folder: &Path) -> Result<(), StateError> {
    existing(folder).map(drop)
}

/// Whether a folder, which may be missing, is or lies in a `.git`, links followed or not.
fn leads_into_git(folder: &Path) -> bool {
    let Ok(whole) = std::path::absolute(folder) else { return place::is_in_git(folder) };
    let real = whole.ancestors().find_map(|above| place::real(above).ok());
    place::is_in_git(&whole) || real.is_some_and(|real| place::is_in_git(&real))
}

/// Looks whether everything in a portal's folder is of the kind that is kept in its place. Nothing is opened but the folders of
/// the layout, and what cannot be listed is not read either.
pub(super) fn look_through(folder: &Folder) -> io::Result<()> {
    look_below(folder, &mut Vec::new())
}

fn look_below(folder: &Folder, way: &mut Vec<String>) -> io::Result<()> {
    let items = match folder.items() {
        Err(error) if is_unexpected(&error) => return Err(error),
        Err(_) => return Ok(()),
        Ok(items) => items,
    };
    for item in items.flatten() {
        let name = item.name();
        let Some(kind) = item.kind() else { continue };
        way.push(name.to_string_lossy().into_owned());
        let expected = LAYOUT.iter().find(|(pattern, _)| fits(pattern, way)).map(|(_, kind)| *kind);
        let child = folder.child(&name);
        match (kind, expected) {
            (FileKind::Link, _) => {
                return Err(unexpected(child.path(), "is a link; state is kept in plain folders only"));
            }
            (FileKind::Other, _) => return Err(unexpected(child.path(), "is not a regular file")),
            (FileKind::Folder, Some(FileKind::File)) => return Err(unexpected(child.path(), "is a folder")),
            (FileKind::File, Some(FileKind::Folder)) if !is_any(way) => {
                return Err(unexpected(child.path(), "is not a folder"));
            }
            (FileKind::Folder, Some(_)) => look_below(&child, way)?,
            (FileKind::File | FileKind::Folder, _) => {}
        }
        way.pop();
    }
    Ok(())
}

fn fits(pattern: &[&str], way: &[String]) -> bool {
    pattern.len() == way.len() && pattern.iter().zip(way).all(|(part, name)| *part == "*" || *part == name)
}

/// Whether a name stands for itself only: files beside the runs' folders, such as a .gitignore, are nobody's.
fn is_any(way: &[String]) -> bool {
    matches!(way, [runs, _] if runs == "runs")
}
