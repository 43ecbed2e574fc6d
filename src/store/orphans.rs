//! Images beside the manifest's art that the manifest does not declare.
//!
//! The search covers the folders that the manifest declares as a whole or that hold a declared file, and the folders
//! below them; in the manifest's own folder it covers only the files, because the whole repository is below it. It
//! follows links to declared folders, which a ConfigMap's mount has, but no other links, and it skips hidden files and
//! folders. It skips folders outside of the manifest's own: their images may belong to others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::domain::asset::Kind;
use crate::domain::manifest::{Manifest, Section};
use crate::domain::rules::OrphanFiles;

use super::files::place::{self, with_slashes};
use super::files::{FileKind, Folder, Inside};
use super::root::{KEPT, Root};

/// How many files and folders the search looks at before it gives up.
const MAX_LOOKED_AT: usize = 100_000;

/// How many folders deep the search goes.
const MAX_DEPTH: usize = 16;

/// Finds them below `folder`, the manifest's own.
pub(super) fn find(folder: &Folder, root: &Root, manifest: &Manifest) -> OrphanFiles {
    let Ok(inside) = Inside::below(folder.path(), folder, &KEPT, std::iter::empty()) else {
        return OrphanFiles::default();
    };
    let (declared, real) = (DeclaredPaths::of(manifest, &inside), Folder::at(place::of_folder(folder.path())));
    let mut search = Search { folder: &real, declared: &declared, files: BTreeSet::new(), looked_at: 0, unseen: None };
    for (way, spelled) in declared.to_look_through() {
        let depth = if way.as_os_str().is_empty() { 1 } else { MAX_DEPTH };
        search.look_through(way, spelled, depth);
    }
    let mut files = search.files;
    files.extend(beside_declared(folder, root, manifest));
    OrphanFiles { files: files.into_iter().collect(), unseen: search.unseen }
}

/// The images in declared folders outside the manifest's own that are not PNGs by their extension: what else lies there may be
/// the art of others.
fn beside_declared(folder: &Folder, root: &Root, manifest: &Manifest) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Ok(inside) = root.inside(folder, std::iter::empty()) else { return found };
    for section in Kind::ALL.into_iter().filter_map(|kind| manifest.section(kind)) {
        let Section::Folder { path, .. } = section else { continue };
        if !normal(Path::new(path)).starts_with("..") {
            continue;
        }
        let Ok(items) = inside.items(path) else { continue };
        for item in items.flatten().take(MAX_LOOKED_AT) {
            let name = item.name();
            let is_other =
                item.kind() == Some(FileKind::File) && is_image(&name) && !name.as_encoded_bytes().ends_with(b".png");
            if let Some(name) = name.to_str().filter(|name| is_other && !name.starts_with('.')) {
                found.insert(format!("{}/{name}", path.trim_end_matches('/')));
            }
        }
    }
    found
}

/// Whether a file's extension is that of an image, which a designer may take for declared.
fn is_image(name: &OsStr) -> bool {
    const IMAGES: [&str; 10] = ["png", "svg", "jpg", "jpeg", "gif", "webp", "bmp", "ico", "avif", "tiff"];
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| IMAGES.iter().any(|image| extension.eq_ignore_ascii_case(image)))
}

struct Search<'a> {
    /// The manifest's folder, named without links.
    folder: &'a Folder,
    declared: &'a DeclaredPaths,
    /// The images that were found.
    files: BTreeSet<String>,
    looked_at: usize,
    /// The folders that could not be searched.
    unseen: Option<String>,
}

impl Search<'_> {
    /// Searches the folder at `way`, which messages call `spelled`, and the folders below it, `depth` levels in all.
    fn look_through(&mut self, way: &Path, spelled: &Path, depth: usize) {
        let Ok(items) = self.folder.child(way).items() else { return self.miss(spelled) };
        let is_whole = self.declared.folders.contains(way);
        for item in items {
            let Ok(item) = item else {
                self.miss(spelled);
                continue;
            };
            let name = item.name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            self.looked_at += 1;
            if self.looked_at > MAX_LOOKED_AT {
                self.unseen = Some(format!("there are more than {MAX_LOOKED_AT} files"));
                return;
            }
            match item.kind() {
                Some(FileKind::Folder) if depth > 1 => {
                    self.look_through(&way.join(&name), &spelled.join(&name), depth - 1);
                }
                Some(FileKind::File) if self.is_orphan(way, &name, is_whole) => {
                    self.files.insert(with_slashes(&spelled.join(name)));
                }
                Some(_) => {}
                None => self.miss(&spelled.join(name)),
            }
        }
    }

    /// Whether a file in a folder is an image that the manifest does not declare; if the folder is declared as a whole,
    /// so is every PNG in it.
    fn is_orphan(&self, way: &Path, name: &OsStr, is_whole: bool) -> bool {
        // Most are declared, and need only their names compared.
        let is_declared = is_whole && Path::new(name).extension().is_some_and(|extension| extension == "png");
        !is_declared && is_image(name) && !self.declared.holds(&way.join(name))
    }

    fn miss(&mut self, path: &Path) {
        self.unseen = Some(format!("`{}` cannot be read", with_slashes(path)));
    }
}

/// What a manifest declares, by its real path in the manifest's folder. Paths that lead out of that folder are not
/// included.
#[derive(Default)]
struct DeclaredPaths {
    files: HashSet<PathBuf>,
    /// The folders that declare every file whose name ends in `.png`.
    folders: HashSet<PathBuf>,
    /// All folders that hold something declared, as the manifest spells them.
    spelled: BTreeMap<PathBuf, PathBuf>,
}

impl DeclaredPaths {
    fn of(manifest: &Manifest, inside: &Inside) -> Self {
        let mut declared = Self::default();
        let mut ways = HashMap::new();
        for section in Kind::ALL.into_iter().filter_map(|kind| manifest.section(kind)) {
            match section {
                Section::Folder { path, .. } => {
                    let way = inside.way_to(Path::new(path)).ok().inspect(|way| declared.spell(way, Path::new(path)));
                    declared.folders.extend(way);
                }
                Section::Entries(entries) => {
                    for path in entries.values().map(|entry| Path::new(&entry.path)) {
                        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { continue };
                        let way = ways
                            .entry(folder)
                            .or_insert_with(|| inside.way_to(folder).ok().inspect(|way| declared.spell(way, folder)));
                        declared.files.extend(way.as_ref().map(|way| way.join(name)));
                    }
                }
            }
        }
        declared
    }

    fn spell(&mut self, way: &Path, path: &Path) {
        self.spelled.entry(way.to_owned()).or_insert_with(|| normal(path));
    }

    fn holds(&self, file: &Path) -> bool {
        let is_in_folder = || file.parent().is_some_and(|folder| self.folders.contains(folder));
        self.files.contains(file) || (file.extension().is_some_and(|end| end == "png") && is_in_folder())
    }

    /// The folders to search, with their spelling; except for the manifest's own folder, none contains another.
    fn to_look_through(&self) -> impl Iterator<Item = (&PathBuf, &PathBuf)> {
        let is_used = |above: &Path| !above.as_os_str().is_empty() && self.spelled.contains_key(above);
        self.spelled.iter().filter(move |(folder, _)| !folder.ancestors().skip(1).any(is_used))
    }
}

/// A path without `.`, and without `..` except at its beginning.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            Component::ParentDir => normal.push(".."),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    normal
}
