//! Which of a repository's art is meant by paths on the command line: those that a commit changes, as a rule.
//!
//! Files are told apart by where they really are. A folder is asked that once, not for each of its files, so that one
//! changed file among thousands costs no more than looking at their names.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is looked at.
#[derive(Debug, Clone, Default)]
pub enum PathFilter {
    /// All that is declared.
    #[default]
    Everything,
    /// What lies at or below these.
    Only(Vec<Named>),
}

/// A path as it was named, and where that is.
#[derive(Debug, Clone)]
pub struct Named {
    path: PathBuf,
    /// Where it is, and where it leads if it is a link.
    places: Vec<PathBuf>,
    exists: bool,
}

/// Paths that mean nothing.
#[derive(Debug, Default)]
pub struct Unmatched<'a> {
    /// Those of files and folders that are there.
    pub existing: Vec<&'a Path>,
    /// Those of nothing at all.
    pub missing: Vec<&'a Path>,
}

impl PathFilter {
    /// `paths`, relative to the current folder. Everything when there are none, or when `manifest` is among them.
    #[must_use]
    pub fn of(paths: &[PathBuf], manifest: &Path) -> Self {
        if paths.is_empty() {
            return Self::Everything;
        }
        let named = paths.iter().map(|path| Named {
            path: path.clone(),
            places: std::iter::once(place(path)).chain(fs::canonicalize(path)).collect(),
            exists: path.exists(),
        });
        let chosen = Self::Only(named.collect());
        if chosen.holds(manifest) { Self::Everything } else { chosen }
    }

    /// Whether `file` lies at or below one of them, itself or where it leads to.
    #[must_use]
    pub fn holds(&self, file: &Path) -> bool {
        let Self::Only(named) = self else { return true };
        let places = places(named);
        [Some(place(file)), fs::canonicalize(file).ok()].into_iter().flatten().any(|place| within(&places, &place))
    }

    /// Keeps what is looked at of what is declared, `file` being where an item is. What is not there at all is kept too:
    /// that a file is missing can be told without reading any.
    pub(super) fn limit<T>(&self, declared: &mut Vec<T>, file: impl Fn(&T) -> PathBuf) {
        let Self::Only(named) = self else { return };
        let places = places(named);
        let mut folders = BTreeMap::new();
        declared.retain(|item| {
            let file = file(item);
            let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return true };
            let real = folders.entry(folder.to_owned()).or_insert_with(|| real(folder));
            within(&places, &real.join(name))
                || match fs::symlink_metadata(&file) {
                    Ok(facts) => {
                        facts.is_symlink() && fs::canonicalize(&file).is_ok_and(|target| within(&places, &target))
                    }
                    Err(error) => error.kind() == ErrorKind::NotFound,
                }
        });
    }

    /// The paths under which there is none of `files`.
    #[must_use]
    pub fn unmatched(&self, files: impl IntoIterator<Item = impl AsRef<Path>>) -> Unmatched<'_> {
        let Self::Only(named) = self else { return Unmatched::default() };
        let mut known = HashSet::new();
        for file in files {
            let file = file.as_ref();
            for place in std::iter::once(place(file)).chain(fs::canonicalize(file)) {
                known.extend(place.ancestors().map(Path::to_owned));
            }
        }
        let unknown = named.iter().filter(|named| !named.places.iter().any(|place| known.contains(place)));
        let mut unmatched = Unmatched::default();
        for named in unknown {
            let list = if named.exists { &mut unmatched.existing } else { &mut unmatched.missing };
            list.push(&named.path);
        }
        unmatched
    }
}

fn places(named: &[Named]) -> HashSet<&Path> {
    named.iter().flat_map(|named| named.places.iter().map(PathBuf::as_path)).collect()
}

fn within(places: &HashSet<&Path>, file: &Path) -> bool {
    file.ancestors().any(|ancestor| places.contains(ancestor))
}

/// Where a file is, which need not exist, however its folder is written; not where it leads to.
fn place(file: &Path) -> PathBuf {
    match (file.parent(), file.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        _ => real(file),
    }
}

/// Where a folder really is, or as good a guess as can be made of one that does not exist.
fn real(folder: &Path) -> PathBuf {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::canonicalize(folder).or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.to_owned())
}
