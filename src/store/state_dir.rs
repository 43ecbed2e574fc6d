//! The state folder: `.brandctl/<portal>/`, ignored by Git. Losing it is safe, except for the backups and the history
//! in it.
//!
//! Anyone who can commit to the repository can put files and links where state is expected. So files that Git tracks
//! are refused, links are not followed, and anything at the path of one of our files must be of the expected kind.

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
    /// When reading it must end.
    reading_end: Option<ReadingEnd>,
}

/// Whether the existing content of a state folder is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Existing {
    /// It is.
    Read,
    /// It is not, because it may come from a commit; this is the reason why that is unknown.
    Unread(String),
}

/// The reason why a state folder is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// Git tracks a file in it.
    #[error("{file} is tracked by Git, and brandctl does not use state that comes from a commit")]
    Tracked {
        /// The file, from the top of the checkout.
        file: String,
        /// The state folder, from there.
        folder: PathBuf,
    },
    /// Something else is in its place.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It is Git's own folder.
    #[error("{} is in a `.git` folder, which only Git uses", .0.display())]
    InGit(PathBuf),
    /// It cannot be read, or holds something that does not belong there.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl StateError {
    /// What to do about it.
    pub(crate) fn help(&self) -> String {
        self.help_with("--state-dir")
    }

    /// What to do about it if this option names the folder.
    pub(crate) fn help_with(&self, option: &str) -> String {
        let instead = format!("name another folder with {option}");
        match self {
            Self::Tracked { folder, .. } if folder.as_os_str().is_empty() => {
                format!("delete the folder, which is a separate repository, or {instead}")
            }
            Self::Tracked { file, folder } if is_own(folder) => {
                // As Git spells it.
                let depth = folder.components().count();
                let folder: PathBuf = Path::new(file).components().take(depth).collect();
                format!("remove the folder with `git rm -r -- {}` and commit that, or {instead}", folder.display())
            }
            Self::Tracked { .. } => instead,
            Self::NotAFolder(_) | Self::InGit(_) => instead,
            Self::Io(error) if is_unexpected(error) => {
                format!(
                    "brandctl did not create it: move it away (if it is in a run's folder, move that whole folder), or {instead}"
                )
            }
            Self::Io(_) => format!("check its permissions, or {instead}"),
        }
    }
}

/// Whether a folder's name shows that it only holds brandctl's state.
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

/// The layout of a portal's folder; `*` is any name.
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
    /// The folder of `portal` below `root`, without a check of its existing content. Nothing is created yet.
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

    /// The folder of `portal` below `root`. Its existing content is checked: none of it may come from a commit, and all
    /// of it must be of a kind that brandctl puts there.
    pub(crate) fn checked(root: &Path, portal: &str) -> Result<Self, StateError> {
        let state = Self { existing: existing(root)?, ..Self::new(root, portal) };
        look_through(&state.folder)?;
        Ok(state)
    }

    /// The same, with a time at which reading ends.
    pub(crate) fn read_until(self, end: ReadingEnd) -> Self {
        Self { reading_end: Some(end), ..self }
    }

    /// When reading it must end.
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

    /// The reason why its existing content is not read, if it is not.
    pub(crate) fn why_unread(&self) -> Option<&str> {
        match &self.existing {
            Existing::Read => None,
            Existing::Unread(why) => Some(why),
        }
    }

    /// Whether there is state to read.
    pub(crate) fn is_there(&self) -> bool {
        self.folder.is_there()
    }

    /// The folder, which may not exist.
    pub(super) const fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The folder, created if it does not exist.
    pub(crate) fn ensure(&self) -> io::Result<&Folder> {
        self.root.make_ignored()?;
        self.folder.make_ignored()?;
        Ok(&self.folder)
    }

    /// A folder below it, created if it does not exist.
    pub(super) fn make(&self, name: &str) -> io::Result<Folder> {
        let folder = self.ensure()?.child(name);
        folder.make_ignored()?;
        Ok(folder)
    }

    /// Whether state can be written, checked without leaving anything behind.
    pub(crate) fn try_writing(&self) -> io::Result<()> {
        self.folder.try_writing()
    }
}

/// The name of the folder of a portal's state.
pub(super) fn folder_name(portal: &str) -> String {
    // A host cannot contain a path separator; some systems do not allow the colon before the port in names.
    portal.replace([':', '/', '\\'], "_")
}

/// Whether the content of the state folder `root` may be read; an error when Git tracks any of it.
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

/// Refuses a sandbox folder that may come from a commit, or is Git's own.
pub(crate) fn refuse_committed(folder: &Path) -> Result<(), StateError> {
    existing(folder).map(drop)
}

/// Whether a folder, which may be missing, is a `.git` or is inside one, with or without following links.
fn leads_into_git(folder: &Path) -> bool {
    let Ok(whole) = std::path::absolute(folder) else { return place::is_in_git(folder) };
    let real = whole.ancestors().find_map(|above| place::real(above).ok());
    place::is_in_git(&whole) || real.is_some_and(|real| place::is_in_git(&real))
}

/// Checks that everything in a portal's folder is of the kind that its path requires. It opens only the folders of the
/// layout; a folder that cannot be listed is not read later either.
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
                return Err(unexpected(child.path(), "is a link, and state is only kept in plain folders"));
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

/// Whether a path is directly below `runs`, where any name is allowed: a file there, such as a .gitignore, is ignored.
fn is_any(way: &[String]) -> bool {
    matches!(way, [runs, _] if runs == "runs")
}
