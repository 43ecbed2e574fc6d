//! Where things are that belong to a manifest: its root, the Git checkout around it, its path from there, its state.
//!
//! | question | answer |
//! |---|---|
//! | How far may a path of the manifest lead? | [`Root`] |
//! | Which repository does Git have to answer for? | [`surroundings`] |
//! | What is a file called, wherever the repository is checked out? | [`path_in_repository`] |

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

    /// The folder that holds everything that is checked out.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// Whether `folder` is where the repository keeps what belongs to this checkout.
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
    /// There is something that ought to be one and cannot be used, and why.
    Unusable(String),
}

/// Finds the repository around `folder`, which is named without links: the nearest `.git` decides, whatever else looks like
/// a repository.
pub(super) fn surroundings(folder: &Path) -> Surroundings {
    let mut found = folder.ancestors().map(git_at).filter(|found| *found != Surroundings::Plain);
    found.next().unwrap_or(Surroundings::Plain)
}

/// The `.git` in a folder: a folder with a HEAD, or a file that leads to one. It has to belong to this user, or to whom the
/// folder belongs: where several may write, anyone could put one there.
fn git_at(top: &Path) -> Surroundings {
    let git = top.join(".git");
    let unusable = |why: &str| Surroundings::Unusable(format!("{} {why}", git.display()));
    let git_dir = match UserInput::at(&git).kind() {
        None if place::is_link(&git) => return unusable("is a link to nothing"),
        None => return Surroundings::Plain,
        Some(FileKind::Folder) if Folder::at(&git).has_file("HEAD") => place::real(&git).ok(),
        // Git passes it over as well. Another one that has lost its HEAD is damaged.
        Some(FileKind::Folder) if !Folder::at(&git).has_file("config") => return Surroundings::Plain,
        Some(FileKind::Folder) => return unusable("has no HEAD"),
        Some(FileKind::File) => named_git_dir(&git).and_then(|named| place::real(&top.join(named)).ok()),
        Some(FileKind::Link | FileKind::Other) => None,
    };
    let Some(git_dir) = git_dir.filter(|folder| Folder::at(folder).has_file("HEAD")) else {
        return unusable("does not lead to a repository");
    };
    if is_committed(top, &git_dir) {
        return unusable("leads into what is checked out");
    }
    if !place::belongs_to(&git, top) || !place::belongs_to(&git_dir, top) {
        return unusable("belongs to somebody else than the folder that it is in");
    }
    Surroundings::Checkout(Checkout { top: top.to_owned(), git_dir })
}

/// The folder that a `.git` file names.
fn named_git_dir(file: &Path) -> Option<PathBuf> {
    let text = UserInput::at(file).read_text(MAX_GIT_FILE_BYTES).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    (!named.is_empty()).then(|| PathBuf::from(named))
}

/// Whether a repository's folder lies where files are checked out to, so that a commit could have brought it: in this
/// checkout or in one around it. Nothing below a `.git` is ever committed.
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

/// How far the paths of a manifest may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    folder: PathBuf,
    origin: RootOrigin,
}

/// How a root was found.
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
    /// The root for a manifest, or another file, at `file`: the nearest folder at or above it with a usable `.git`, else its
    /// own folder. A `.git` in `/`, in a folder like `/tmp`, or in the home folder is not meant for what lies deeper.
    pub(crate) fn around(file: &Path) -> Self {
        let folder = in_full(place::folder_of(file));
        let nearest = folder.ancestors().find_map(|above| match git_at(&place::of_folder(above)) {
            Surroundings::Checkout(checkout) => Some((above, checkout.top)),
            Surroundings::Plain | Surroundings::Unusable(_) => None,
        });
        match nearest {
            // All that somebody has is not meant for what lies deeper.
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

    /// What messages call it.
    pub(crate) fn words(&self) -> String {
        match self.origin {
            RootOrigin::Named => format!("the folder of --root, {}", self.folder.display()),
            RootOrigin::Git => "the repository".to_owned(),
            RootOrigin::Manifest => "the manifest's folder".to_owned(),
        }
    }

    /// The error of a manifest's path to a file or folder, as `what` says, that may not be followed; `None` where that is not
    /// why it is not read.
    pub(super) fn refusal(&self, why: &NotRead, what: &str, path: &str) -> Option<Finding> {
        let wider = "or name a folder that holds both with --root";
        match why {
            NotRead::LeadsOut => {
                let message = format!("the path `{path}` leaves {}", self.words());
                Some(Finding::error(BAD_PATH, message).help(format!("keep the art in it, {wider}")))
            }
            NotRead::Outside => {
                let message = format!("the {what} `{path}` is a link that leaves {}", self.words());
                let help = format!("keep the art in the repository: copy the {what} into it, {wider}");
                Some(Finding::error("path-outside", message).help(help))
            }
            NotRead::Kept(folder) => {
                let message = format!("the {what} `{path}` lies in {folder}");
                let help = format!("keep the art elsewhere: {} keeps what is in there for itself", keeper(folder));
                Some(Finding::error("path-outside", message).help(help))
            }
            NotRead::Kind(_) | NotRead::Io(_) => None,
        }
    }

    /// The reason why a manifest at a path without links is not read, and what to do about it.
    pub(super) fn why_not_manifest(&self, real: &Path) -> Option<(String, String)> {
        let Ok(below) = real.strip_prefix(&self.folder) else {
            return Some((
                format!("the manifest does not lie in {}", self.words()),
                "keep it there, or name a folder that holds it and its art with --root".to_owned(),
            ));
        };
        let kept = KEPT.into_iter().find(|name| place::is_through(below, name))?;
        let help = format!("keep it elsewhere: {} keeps what is in there for itself", keeper(kept));
        Some((format!("the manifest lies in {kept}"), help))
    }

    /// What the manifest's paths may lead to, by names from `folder`, its own; knowing the folders of `files`.
    pub(super) fn inside<'a>(&self, folder: &Folder, files: impl Iterator<Item = &'a str>) -> io::Result<Inside> {
        Inside::below(&self.folder, folder, &KEPT, files)
    }
}

/// The folders in a repository that nobody keeps a manifest or art in.
pub(super) const KEPT: [&str; 2] = [place::GIT, place::STATE];

/// Who keeps things in a folder of that name.
fn keeper(folder: &str) -> &'static str {
    if folder == place::STATE { "brandctl" } else { "Git" }
}

/// The full path of a folder as it was named: links stay, but for those that a `..` goes back over.
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

/// The root of the Git repository that holds `folder`, which is named without links. It only serves to name files.
pub(crate) fn git_root(folder: &Path) -> Option<&Path> {
    // It is a file where the checkout is a worktree or a submodule.
    folder.ancestors().find(|above| place::exists(&above.join(".git")))
}

/// The path of `file` from the root of the Git repository that it is in, with `/` between its parts; outside of one, its
/// name. So it is called the same wherever the repository is checked out.
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
    // Beside a manifest that is named without a folder, it is named without one too.
    folder.strip_prefix(".").unwrap_or(folder).join(place::STATE)
}
