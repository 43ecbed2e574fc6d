//! Where paths lead: two paths of one file have one answer. Nothing is opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many links are followed one after another, as systems do.
const MAX_LINKS: usize = 40;

/// The folder in a path; `.` when it names none.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path of a file once every link is followed.
pub(crate) fn real(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// The path where a file is or would be once every link is followed, also one that leads to nothing yet.
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
    Err(io::Error::other("it names no file"))
}

/// The path of a file itself, the last link not followed; it need not exist.
pub(crate) fn of(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(_), Some(name)) => of_folder(folder_of(path)).join(name),
        _ => of_folder(path),
    }
}

/// The path of a file, and the path that it leads to if that is another.
pub(crate) fn both(path: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::once(of(path)).chain(real(path))
}

/// The real path of a folder, or as good a guess as can be made of one that does not exist.
pub(crate) fn of_folder(folder: &Path) -> PathBuf {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    real(folder).or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.to_owned())
}

/// Whether something is there, where links lead.
pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}

/// Whether something is there, be it a link to nothing.
pub(crate) fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether there is nothing.
pub(crate) fn is_absent(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Whether there is a link.
pub(crate) fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// Where a link leads that leads to nothing.
pub(crate) fn dangling(path: &Path) -> Option<PathBuf> {
    fs::read_link(path).ok().filter(|_| fs::metadata(path).is_err())
}

/// A relative path as manifests write it, with `/` between its parts.
pub(crate) fn with_slashes(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
