//! The paths on a command line, and the art that they select: usually the files that a commit changes.
//!
//! Files are compared by their real paths. That lookup is done once for a folder, not for each of its files, so that
//! finding one changed file among thousands only compares names.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::files::{FileKind, UserInput, place};
use crate::text::shell_word;

/// The names under which manifests are looked for where the one that is meant is missing.
pub(super) const MANIFEST_NAMES: [&str; 4] = ["brand.yaml", "brand.yml", "brandctl.yaml", "brandctl.yml"];

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

/// The manifest in a folder, under one of the names that are searched for.
pub(crate) fn manifest_in(folder: &Path) -> Option<PathBuf> {
    MANIFEST_NAMES.iter().map(|name| folder.join(name)).find(|path| UserInput::at(path).kind() == Some(FileKind::File))
}

/// What to type where the manifest is missing: the name of one that lies beside it, or in a folder above.
pub(super) fn other_manifest(manifest: &Path) -> String {
    /// How many folders upward it is looked for.
    const MAX_FOLDERS_ABOVE: usize = 32;
    let beside = place::folder_of(manifest);
    let up = std::iter::successors(Some(beside.to_owned()), |folder| {
        Some(if folder == Path::new(".") { PathBuf::from("..") } else { folder.join("..") })
    });
    let depth = place::of_folder(beside).components().count().min(MAX_FOLDERS_ABOVE);
    let names = |folder: PathBuf| MANIFEST_NAMES.iter().map(move |name| folder.join(name));
    let is_manifest = |path: &PathBuf| UserInput::at(path).kind() == Some(FileKind::File);
    match up.take(depth).flat_map(names).find(is_manifest) {
        Some(found) => {
            let found = found.strip_prefix(".").unwrap_or(&found).display().to_string();
            format!("there is another manifest: name it with `-f {}`", shell_word(&found))
        }
        None => "name the manifest with -f, or create one with `brandctl init`".to_owned(),
    }
}
