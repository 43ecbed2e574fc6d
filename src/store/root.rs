//! The places that belong to a manifest: its root, the Git checkout around it, its path in the repository, its state.
//!
//! | question | answer |
//! |---|---|
//! | How far may a path of the manifest lead? | [`Root`] |
//! | Which Git repository does it belong to? | [`surroundings`] |
//! | What is a file's name, independent of where the repository is checked out? | [`path_in_repository`] |

use std::io;
use std::path::{Component, Path, PathBuf};

use super::files::place::{self, with_slashes};
use super::files::{FileKind, Folder, Inside, NotRead, UserInput};
use crate::domain::finding::Finding;
use crate::domain::manifest::BAD_PATH;

/// The most bytes of a `.git` file.
const MAX_GIT_FILE_BYTES: u64 = 16 * 1024;

/// The checkout of a Git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    top: PathBuf,
    git_dir: PathBuf,
}

impl Checkout {
    /// A checkout by its folders, both named without links.
    #[cfg(test)]
    pub(super) const fn new(top: PathBuf, git_dir: PathBuf) -> Self {
        Self { top, git_dir }
    }

    /// The top folder of everything that is checked out.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// Whether `folder` is where the repository keeps this checkout's data.
    pub(super) fn has_git_dir(&self, folder: &Path) -> bool {
        place::real(folder).is_ok_and(|folder| folder == self.git_dir)
    }
}

/// The Git repository around a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Surroundings {
    /// There is none.
    Plain,
    /// The folder is a part of this checkout.
    Checkout(Checkout),
    /// There is something that looks like one but cannot be used, and why.
    Unusable(String),
}

/// Finds the repository around `folder`, which is named without links: only the nearest `.git` decides.
pub(super) fn surroundings(folder: &Path) -> Surroundings {
    let mut found = folder.ancestors().map(git_at).filter(|found| *found != Surroundings::Plain);
    found.next().unwrap_or(Surroundings::Plain)
}

/// The `.git` in a folder: a folder with a HEAD, or a file that leads to one. It must belong to this user or to the
/// folder's owner: in a folder that several users may write to, anyone could put one there.
fn git_at(top: &Path) -> Surroundings {
    let git = top.join(".git");
    let unusable = |why: &str| Surroundings::Unusable(format!("{} {why}", git.display()));
    let git_dir = match UserInput::at(&git).kind() {
        None if place::is_link(&git) => return unusable("is a link to something that does not exist"),
        None => return Surroundings::Plain,
        Some(FileKind::Folder) if Folder::at(&git).has_file("HEAD") => place::real(&git).ok(),
        // Git ignores it too. Any other one without a HEAD is damaged.
        Some(FileKind::Folder) if !Folder::at(&git).has_file("config") => return Surroundings::Plain,
        Some(FileKind::Folder) => return unusable("has no HEAD"),
        Some(FileKind::File) => named_git_dir(&git).and_then(|named| place::real(&top.join(named)).ok()),
        Some(FileKind::Link | FileKind::Other) => None,
    };
    let Some(git_dir) = git_dir.filter(|folder| Folder::at(folder).has_file("HEAD")) else {
        return unusable("does not lead to a repository");
    };
    if is_committed(top, &git_dir) {
        return unusable("leads to a folder inside the checkout");
    }
    if !place::belongs_to(&git, top) || !place::belongs_to(&git_dir, top) {
        return unusable("belongs neither to this user nor to the owner of its folder");
    }
    Surroundings::Checkout(Checkout { top: top.to_owned(), git_dir })
}

/// The folder that a `.git` file names.
fn named_git_dir(file: &Path) -> Option<PathBuf> {
    let text = UserInput::at(file).read_text(MAX_GIT_FILE_BYTES).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    (!named.is_empty()).then(|| PathBuf::from(named))
}

/// Whether a repository's folder is among the checked-out files, so that it could come from a commit: in this checkout
/// or in one around it. Nothing below a `.git` is ever committed.
fn is_committed(top: &Path, git_dir: &Path) -> bool {
    if place::is_in_git(git_dir) {
        return false;
    }
    let keeps = |above: &Path| {
        let named = named_git_dir(&above.join(".git")).and_then(|named| place::real(&above.join(named)).ok());
        above != top && named.is_some_and(|named| git_dir.starts_with(named))
    };
    let is_checkout = |above: &Path| place::exists(&above.join(".git")) && !keeps(above);
    top.ancestors().any(|above| git_dir.starts_with(above) && is_checkout(above))
}

/// The folder that the paths of a manifest must not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    folder: PathBuf,
    origin: RootOrigin,
}

/// The way in which a root was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RootOrigin {
    /// The user named it.
    Named,
    /// It holds a `.git`.
    Git,
    /// It is the manifest's folder.
    Manifest,
}

impl Root {
    /// The root for a manifest, or another file, at `file`: the nearest folder at or above it with a usable `.git`,
    /// else its own folder. A `.git` in `/`, in a folder like `/tmp`, or in the home folder does not count for the
    /// folders below it.
    pub(crate) fn around(file: &Path) -> Self {
        let folder = in_full(place::folder_of(file));
        let nearest = folder.ancestors().find_map(|above| match git_at(&place::of_folder(above)) {
            Surroundings::Checkout(checkout) => Some((above, checkout.top)),
            Surroundings::Plain | Surroundings::Unusable(_) => None,
        });
        match nearest {
            // A home folder or `/` does not count for the folders below it.
            Some((above, top)) if !place::is_everybodys(&top) && (above == folder || !place::is_home(&top)) => {
                Self { folder: top, origin: RootOrigin::Git }
            }
            _ => Self { folder: place::of_folder(&folder), origin: RootOrigin::Manifest },
        }
    }

    /// The root that the user names.
    pub(crate) fn named(folder: &Path) -> Self {
        Self { folder: place::of_folder(folder), origin: RootOrigin::Named }
    }

    /// Its folder, without links.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its name in messages.
    pub(crate) fn words(&self) -> String {
        match self.origin {
            RootOrigin::Named => format!("the folder of --root, {}", self.folder.display()),
            RootOrigin::Git => "the repository".to_owned(),
            RootOrigin::Manifest => "the manifest's folder".to_owned(),
        }
    }

    /// The error for a manifest's path that must not be followed, to a file or folder (`what`); `None` if it cannot be
    /// read for another reason.
    pub(super) fn refusal(&self, why: &NotRead, what: &str, path: &str) -> Option<Finding> {
        let wider = "or name a folder that contains both with --root";
        match why {
            NotRead::LeadsOut => {
                let message = format!("the path `{path}` leads out of {}", self.words());
                Some(Finding::error(BAD_PATH, message).help(format!("move the art into it, {wider}")))
            }
            NotRead::Outside => {
                let message = format!("the {what} `{path}` is a link that leads out of {}", self.words());
                let help = format!("copy the {what} into the repository, {wider}");
                Some(Finding::error("path-outside", message).help(help))
            }
            NotRead::Kept(folder) => {
                let message = format!("the {what} `{path}` is in {folder}");
                let help = format!("move the art to another folder: only {} uses that one", keeper(folder));
                Some(Finding::error("path-outside", message).help(help))
            }
            NotRead::Kind(_) | NotRead::Io(_) => None,
        }
    }

    /// The reason why a manifest, at a path without links, is not read, and what to do about it.
    pub(super) fn why_not_manifest(&self, real: &Path) -> Option<(String, String)> {
        let Ok(below) = real.strip_prefix(&self.folder) else {
            return Some((
                format!("the manifest is not in {}", self.words()),
                "move it there, or name a folder that contains it and its art with --root".to_owned(),
            ));
        };
        let kept = KEPT.into_iter().find(|name| place::is_through(below, name))?;
        let help = format!("move it to another folder: only {} uses that one", keeper(kept));
        Some((format!("the manifest is in {kept}"), help))
    }

    /// The files that the manifest's paths may lead to, by names from `folder`, the manifest's own; the folders of
    /// `files` are known in advance.
    pub(super) fn inside<'a>(&self, folder: &Folder, files: impl Iterator<Item = &'a str>) -> io::Result<Inside> {
        Inside::below(&self.folder, folder, &KEPT, files)
    }
}

/// The folders in a repository that must not hold a manifest or art.
pub(super) const KEPT: [&str; 2] = [place::GIT, place::STATE];

/// The program that uses a folder of that name.
fn keeper(folder: &str) -> &'static str {
    if folder == place::STATE { "brandctl" } else { "Git" }
}

/// The full path of a folder as it was named: links stay, except for those that a `..` steps back over.
fn in_full(folder: &Path) -> PathBuf {
    let Ok(absolute) = std::path::absolute(folder) else { return place::of_folder(folder) };
    let mut full = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                full = place::of_folder(&full);
                full.pop();
            }
            Component::CurDir => {}
            part => full.push(part),
        }
    }
    full
}

/// The root of the Git repository that holds `folder`, which is named without links. It is only used to name files.
pub(crate) fn git_root(folder: &Path) -> Option<&Path> {
    // It is a file where the checkout is a worktree or a submodule.
    folder.ancestors().find(|above| place::exists(&above.join(".git")))
}

/// The path of `file` from the root of the Git repository that it is in, with `/` between its parts; outside of one,
/// its name. The path is the same wherever the repository is checked out.
pub(crate) fn path_in_repository(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    let Ok(folder) = place::real(place::folder_of(file)) else { return name.to_string_lossy().into_owned() };
    let root = git_root(&folder).unwrap_or(&folder);
    with_slashes(&folder.strip_prefix(root).unwrap_or(Path::new("")).join(name))
}

/// The path of a folder from the root of the Git repository that it is in, empty for the root itself; `None` outside of one.
/// Links on the way to it are followed.
pub(crate) fn folder_from_git_root(folder: &Path) -> Option<String> {
    let folder = place::real(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }).ok()?;
    Some(with_slashes(folder.strip_prefix(git_root(&folder)?).ok()?))
}

/// The folder for state unless the user names another place: beside the manifest, in its folder.
pub(crate) fn state_beside(folder: &Path) -> PathBuf {
    // If the manifest's path has no folder, this one has none either.
    folder.strip_prefix(".").unwrap_or(folder).join(place::STATE)
}
