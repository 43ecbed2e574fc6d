//! The place where a path enters a checkout: links above it belong to the machine and are followed; anything below it
//! may have been committed by anyone.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::place;

/// A path that is opened in two parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entrance {
    /// The folder where links end, without links itself.
    pub(super) folder: PathBuf,
    /// The rest of the path.
    pub(super) below: PathBuf,
}

/// Whether a link at the very end of a path is followed if it is not in a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is followed: the user named it.
    Followed,
    /// It is not followed: even without Git, it may have come with the files beside it.
    Refused,
}

/// Finds the outermost folder along `path` that is a checkout; if there is none, or nothing exists there yet, the last
/// existing folder before its end.
pub(super) fn entrance(path: &Path, end: End) -> io::Result<Entrance> {
    let absolute = std::path::absolute(path)?;
    let mut parts = absolute.components().peekable();
    let (mut folder, mut below) = (PathBuf::new(), PathBuf::new());
    let mut entered = false;
    while let Some(part) = parts.next() {
        match part {
            Component::Prefix(_) | Component::RootDir => folder.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !below.pop() {
                    folder.pop();
                }
                entered = !below.as_os_str().is_empty();
            }
            Component::Normal(name) => {
                entered |= (end == End::Refused && parts.peek().is_none()) || is_checkout(&folder);
                match if entered { None } else { place::real(&folder.join(name)).ok() } {
                    Some(real) => folder = real,
                    None => {
                        entered = true;
                        below.push(name);
                    }
                }
            }
        }
    }
    Ok(Entrance { folder, below })
}

/// Whether a folder is the top of a checkout. A folder in which everyone may put a `.git` does not count, nor does a
/// home folder or `/`.
fn is_checkout(folder: &Path) -> bool {
    has_git(folder) && !place::is_everybodys(folder) && !place::is_home(folder)
}

/// The checkouts that contain a folder, which may be missing, from the inside out, each with the path from there:
/// folders at or above it with a `.git` that Git could accept as a repository.
pub(crate) fn checkouts_around(path: &Path) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let Entrance { folder, below } = entrance(path, End::Refused)?;
    let whole = folder.join(below);
    let way = |above: &Path| Some((above.to_owned(), whole.strip_prefix(above).ok()?.to_owned()));
    Ok(whole.ancestors().filter(|above| has_git(above)).filter_map(way).collect())
}

/// Whether a folder has a `.git`, usable or not. A plain folder of that name with no part of a repository in it does
/// not count.
fn has_git(folder: &Path) -> bool {
    let git = folder.join(".git");
    let holds = |name| fs::symlink_metadata(git.join(name)).is_ok();
    fs::symlink_metadata(&git).is_ok_and(|facts| !facts.is_dir() || holds("HEAD") || holds("config"))
}
