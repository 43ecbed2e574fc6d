//! The paths on a command line, and the art that they select: usually the files that a commit changes.
//!
//! Files are compared by their real paths. That lookup is done once for a folder, not for each of its files, so that
//! finding one changed file among thousands only compares names.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::files::{FileKind, Folder, UserInput, place};
use crate::text::{listed, shell_word};

/// The names of manifests, besides those that end in [`MANIFEST_ENDS`]. Any other name works with `-f` too, but no
/// other is recognised.
const MANIFEST_NAMES: [&str; 4] = ["brand.yaml", "brand.yml", "brandctl.yaml", "brandctl.yml"];

/// The ends of a manifest's name after the name of its brand.
const MANIFEST_ENDS: [&str; 2] = [".brandctl.yaml", ".brandctl.yml"];

/// The most names in a folder among which manifests are looked for.
const MAX_LISTED: usize = 10_000;

/// The filter for the files that are read.
#[derive(Debug, Clone, Default)]
pub(crate) enum PathFilter {
    /// Every declared file.
    #[default]
    Everything,
    /// The files at or below these paths.
    Only(Vec<NamedPath>),
}

/// A path as the user named it, and its real path.
#[derive(Debug, Clone)]
pub(crate) struct NamedPath {
    path: PathBuf,
    /// Its real path, and its target if it is a link.
    places: Vec<PathBuf>,
    exists: bool,
}

/// Paths without a declared file at or below them.
#[derive(Debug, Default)]
pub(crate) struct Unmatched<'a> {
    /// Files and folders that exist.
    pub(crate) existing: Vec<&'a Path>,
    /// Paths that do not exist.
    pub(crate) missing: Vec<&'a Path>,
}

impl PathFilter {
    /// A filter for `paths`, relative to the current folder: every file when there are none, or when `manifest` is one
    /// of them.
    pub(crate) fn of(paths: &[PathBuf], manifest: &Path) -> Self {
        if paths.is_empty() {
            return Self::Everything;
        }
        let named = paths.iter().map(|path| NamedPath {
            path: path.clone(),
            places: place::both(path).collect(),
            exists: place::exists(path),
        });
        let filter = Self::Only(named.collect());
        if filter.holds(manifest) { Self::Everything } else { filter }
    }

    /// Whether `file`, or its target if it is a link, is at or below one of them.
    pub(crate) fn holds(&self, file: &Path) -> bool {
        let Self::Only(named) = self else { return true };
        let places = places(named);
        place::both(file).any(|place| within(&places, &place))
    }

    /// Keeps the declared items that are selected; `file` gives the path of an item. Missing files are kept too,
    /// because finding them missing reads nothing.
    pub(super) fn limit<T>(&self, declared: &mut Vec<T>, file: impl Fn(&T) -> PathBuf) {
        let Self::Only(named) = self else { return };
        let places = places(named);
        let mut folders = BTreeMap::new();
        declared.retain(|item| {
            let file = file(item);
            let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return true };
            let real = folders.entry(folder.to_owned()).or_insert_with(|| place::of_folder(folder));
            let leads_there = || place::is_link(&file) && place::real(&file).is_ok_and(|real| within(&places, &real));
            within(&places, &real.join(name)) || place::is_absent(&file) || leads_there()
        });
    }

    /// The paths with none of `files` at or below them.
    pub(crate) fn unmatched(&self, files: impl IntoIterator<Item = impl AsRef<Path>>) -> Unmatched<'_> {
        let Self::Only(named) = self else { return Unmatched::default() };
        let mut known = HashSet::new();
        for file in files {
            let file = file.as_ref();
            for place in place::both(file) {
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

fn places(named: &[NamedPath]) -> HashSet<&Path> {
    named.iter().flat_map(|named| named.places.iter().map(PathBuf::as_path)).collect()
}

fn within(places: &HashSet<&Path>, file: &Path) -> bool {
    file.ancestors().any(|ancestor| places.contains(ancestor))
}

/// Whether a file of this name is a manifest.
fn is_manifest_name(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    MANIFEST_NAMES.contains(&name) || MANIFEST_ENDS.iter().any(|end| name.len() > end.len() && name.ends_with(end))
}

/// Whether a path names a manifest, which need not exist.
pub(crate) fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(is_manifest_name) && UserInput::at(path).kind() != Some(FileKind::Folder)
}

/// The manifests in a folder, the usual names first.
pub(super) fn manifests_in(folder: &Path) -> Vec<PathBuf> {
    let rank = |name: &OsStr| MANIFEST_NAMES.iter().position(|usual| name == *usual).unwrap_or(MANIFEST_NAMES.len());
    let items = Folder::at(folder).items().into_iter().flatten().take(MAX_LISTED).flatten();
    let mut names: Vec<_> = items.map(|item| item.name()).filter(|name| is_manifest_name(name)).collect();
    names.sort_by_cached_key(|name| (rank(name), name.clone()));
    let paths = names.into_iter().map(|name| folder.join(name));
    paths.filter(|path| UserInput::at(path).kind() == Some(FileKind::File)).collect()
}

/// The manifest in a folder, under a usual name if there is one.
pub(crate) fn manifest_in(folder: &Path) -> Option<PathBuf> {
    manifests_in(folder).into_iter().next()
}

/// What to type to use one of these manifests; `None` if there is none.
pub(super) fn name_one(manifests: &[PathBuf]) -> Option<String> {
    /// How many are named.
    const MAX_NAMED: usize = 3;
    let typed = |path: &PathBuf| {
        let path = path.strip_prefix(".").unwrap_or(path).display().to_string();
        format!("-f {}", shell_word(&path))
    };
    let mut options: Vec<_> = manifests.iter().take(MAX_NAMED).map(typed).collect();
    if manifests.len() > MAX_NAMED {
        options.push("…".to_owned());
    }
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    (!options.is_empty()).then(|| listed(&options, "or"))
}

/// What to type where the manifest is missing: the names of those that lie beside it, or in the nearest folder above
/// that has any. None is used by itself: which codes a manifest owns is not to be guessed.
pub(super) fn other_manifest(manifest: &Path) -> String {
    /// How many folders upward it is looked for.
    const MAX_FOLDERS_ABOVE: usize = 32;
    let beside = place::folder_of(manifest);
    let up = std::iter::successors(Some(beside.to_owned()), |folder| {
        Some(if folder == Path::new(".") { PathBuf::from("..") } else { folder.join("..") })
    });
    let depth = place::of_folder(beside).components().count().min(MAX_FOLDERS_ABOVE);
    let mut found = up.take(depth).map(|folder| manifests_in(&folder)).filter(|found| !found.is_empty());
    match found.next() {
        Some(found) => {
            let are = if found.len() == 1 {
                "there is another manifest: name it"
            } else {
                "there are other manifests: name one"
            };
            format!("{are} with {}", name_one(&found).unwrap_or_default())
        }
        None => "name the manifest with -f, or create one with `brandctl init`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_known_by_its_name() {
        for name in ["brand.yaml", "brand.yml", "brandctl.yaml", "acme.brandctl.yaml", "a.b.brandctl.yml"] {
            assert!(is_manifest_name(OsStr::new(name)), "{name}");
        }
        for name in [".brandctl.yaml", "acme-brandctl.yaml", "acme.brand.yaml", "brandctl.yaml.png", "BRAND.yaml", ""] {
            assert!(!is_manifest_name(OsStr::new(name)), "{name}");
        }
    }
}
