//! The places that paths lead to: two paths of one file have the same answer. Nothing is opened.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// How many links are followed in a row, as in operating systems.
const MAX_LINKS: usize = 40;

/// The folder in a path; `.` when the path has none.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path of a file once every link is followed. On Windows it does not begin with `\\?\`, except for a path that is
/// too long without it. Paths are compared part by part, so that such a path lies in no folder: it is refused.
pub(crate) fn real(path: &Path) -> io::Result<PathBuf> {
    #[cfg(windows)]
    return dunce::canonicalize(path);
    #[cfg(not(windows))]
    fs::canonicalize(path)
}

/// The path of a file once every link is followed, even if the file does not exist yet.
pub(crate) fn destination(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Ok(real) = real(&path) {
            return Ok(real);
        }
        let folder = folder_of(&path);
        let folder =
            real(folder).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
        let Some(name) = path.file_name() else { break };
        path = folder.join(name);
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("it does not name a file"))
}

/// The path of a file itself, without following the last link. The file may not exist.
pub(crate) fn of(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(_), Some(name)) => of_folder(folder_of(path)).join(name),
        _ => of_folder(path),
    }
}

/// The path of a file, and the path that it leads to if that is a different one.
pub(crate) fn both(path: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::once(of(path)).chain(real(path))
}

/// The real path of a folder, or the best guess for one that does not exist.
pub(crate) fn of_folder(folder: &Path) -> PathBuf {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    real(folder).or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.to_owned())
}

/// The folder in which Git keeps a repository.
pub(crate) const GIT: &str = ".git";

/// The folder in which brandctl keeps its state unless the user names another one.
pub(crate) const STATE: &str = ".brandctl";

/// Whether a path leads through a `.git`.
pub(crate) fn is_in_git(path: &Path) -> bool {
    is_through(path, GIT)
}

/// Whether a path leads through a folder of that name, in any letter case, because some systems ignore case.
pub(crate) fn is_through(path: &Path, name: &str) -> bool {
    path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(name))
}

/// Whether a folder, named without links, holds more than one repository's files: it is `/`, or everyone may put files
/// there.
pub(crate) fn is_everybodys(folder: &Path) -> bool {
    folder.parent().is_none() || is_shared(folder)
}

/// Whether a folder, named without links, is the user's home folder.
pub(crate) fn is_home(folder: &Path) -> bool {
    const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var_os(HOME).is_some_and(|home| real(Path::new(&home)).is_ok_and(|home| home == folder))
}

/// Whether a name in `folder` leads out of `root`, which has no links, by its `..` alone, whether or not something is
/// there.
pub(crate) fn leads_out(root: &Path, folder: &Path, name: &Path) -> bool {
    if !name.components().any(|part| part == Component::ParentDir) {
        return false;
    }
    let Ok(below) = of_folder(folder).strip_prefix(root).map(Path::to_owned) else { return false };
    let mut depth = below.components().count();
    name.components().any(|part| match part {
        Component::ParentDir if depth == 0 => true,
        Component::ParentDir => {
            depth -= 1;
            false
        }
        Component::Normal(_) => {
            depth += 1;
            false
        }
        _ => false,
    })
}

/// Whether something exists at a path, with links followed.
pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}

/// Whether something exists at a path, even a link to nothing.
pub(crate) fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether nothing exists at a path.
pub(crate) fn is_absent(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Whether a path is a link.
pub(crate) fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// The target of a link to nothing.
pub(crate) fn dangling(path: &Path) -> Option<PathBuf> {
    fs::read_link(path).ok().filter(|_| fs::metadata(path).is_err())
}

/// The target of a link, as written in it.
pub(crate) fn target(link: &Path) -> Option<PathBuf> {
    fs::read_link(link).ok()
}

/// The links on the way along a full path, each named without the links before it; at most as many as systems follow.
pub(crate) fn links_on(path: &Path) -> Vec<PathBuf> {
    let mut links = Vec::new();
    let mut at = PathBuf::new();
    let mut rest: Vec<OsString> = parts_from_the_end(path);
    while let Some(part) = rest.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        at.push(part);
        if let Some(target) = target(&at) {
            links.push(at.clone());
            if links.len() == MAX_LINKS {
                break;
            }
            at.pop();
            rest.extend(parts_from_the_end(&target));
        }
    }
    links
}

/// The first link on a full path that leads out of the repository that it is in, and its target.
pub(crate) fn way_out(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let (mut at, mut root) = (PathBuf::new(), None::<PathBuf>);
    for part in path.components() {
        at.push(part);
        if let (Some(target), Some(root)) = (target(&at), &root)
            && !real(&at).is_ok_and(|real| real.starts_with(root))
        {
            return Some((at, target));
        }
        if is_taken(&at.join(GIT)) {
            root = real(&at).ok();
        }
    }
    None
}

fn parts_from_the_end(path: &Path) -> Vec<OsString> {
    let mut parts: Vec<_> = path.components().map(|part| part.as_os_str().to_owned()).collect();
    parts.retain(|part| part != ".");
    parts.reverse();
    parts
}

/// Whether a file belongs to this user or to the owner of `folder`. The file itself counts, not the target of a link.
#[cfg(unix)]
pub(crate) fn belongs_to(file: &Path, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(file), Ok(folder)) = (fs::symlink_metadata(file), fs::metadata(folder)) else { return false };
    file.uid() == folder.uid() || file.uid() == rustix::process::geteuid().as_raw()
}

/// Whether a file belongs to this user. On Windows, the standard library does not say who owns a file: Git itself, which
/// is asked afterwards, refuses a repository of someone else.
#[cfg(not(unix))]
pub(crate) const fn belongs_to(_: &Path, _: &Path) -> bool {
    true
}

/// Whether everyone may put files into a folder, and others cannot remove them, as with `/tmp`.
#[cfg(unix)]
fn is_shared(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(folder).is_ok_and(|facts| facts.mode() & 0o1002 == 0o1002)
}

/// Whether everyone may put files into a folder. Windows has no such folder for everyone's temporary files: each user has
/// one.
#[cfg(not(unix))]
const fn is_shared(_: &Path) -> bool {
    false
}

/// A relative path as manifests write it, with `/` between its parts.
pub(crate) fn with_slashes(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
