//! PNGs that lie where the manifest keeps its art, and that it does not declare.
//!
//! Looked through are the folders that it declares as a whole or that hold a declared file, with the folders below them;
//! of the manifest's own folder only the files, because all the rest of a repository lies below it. Links are not
//! followed, and hidden files and folders are left alone. Folders outside of the manifest's own are not looked through: what
//! lies there may be the art of others.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::domain::asset::Kind;
use crate::domain::manifest::{Manifest, Section};
use crate::domain::rules::OrphanFiles;

use super::files::place::with_slashes;
use super::files::{FileKind, Folder, Inside};

/// How many files and folders are looked at before the search gives up.
const MAX_LOOKED_AT: usize = 100_000;

/// How many folders deep the search goes.
const MAX_DEPTH: usize = 16;

/// Finds them below `root`, the manifest's folder.
pub(super) fn find(root: &Folder, manifest: &Manifest) -> OrphanFiles {
    let declared = DeclaredPaths::of(manifest);
    let mut search = Search { root, declared: &declared, files: BTreeSet::new(), looked_at: 0, unseen: None };
    for folder in declared.to_look_through(root) {
        let depth = if folder.as_os_str().is_empty() { 1 } else { MAX_DEPTH };
        search.look_through(&folder, depth);
    }
    OrphanFiles { files: search.files.into_iter().collect(), unseen: search.unseen }
}

struct Search<'a> {
    root: &'a Folder,
    declared: &'a DeclaredPaths,
    /// What was found.
    files: BTreeSet<String>,
    looked_at: usize,
    /// What could not be looked at.
    unseen: Option<String>,
}

impl Search<'_> {
    /// Looks at what is in a folder, and in those below it, `depth` levels of them in all.
    fn look_through(&mut self, folder: &Path, depth: usize) {
        let Ok(items) = self.root.child(folder).items() else { return self.miss(folder) };
        let is_whole = self.declared.folders.contains(folder);
        for item in items {
            let Ok(item) = item else {
                self.miss(folder);
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
                Some(FileKind::Folder) if depth > 1 => self.look_through(&folder.join(name), depth - 1),
                Some(FileKind::File) => self.look_at(folder, &name, is_whole),
                Some(_) => {}
                None => self.miss(&folder.join(name)),
            }
        }
    }

    /// Looks at a file in a folder; every PNG in it is declared if the folder is declared as a whole.
    fn look_at(&mut self, folder: &Path, name: &OsStr, is_whole: bool) {
        let bytes = name.as_encoded_bytes();
        let end = bytes.len().checked_sub(4).filter(|stem| *stem > 0).and_then(|stem| bytes.get(stem..));
        // Most are declared, and need only their names compared.
        let is_declared = is_whole && end == Some(b".png");
        if is_declared || !end.is_some_and(|end| end.eq_ignore_ascii_case(b".png")) {
            return;
        }
        let file = folder.join(name);
        if !self.declared.holds(&file) {
            self.files.insert(with_slashes(&file));
        }
    }

    fn miss(&mut self, path: &Path) {
        self.unseen = Some(format!("`{}` cannot be read", with_slashes(path)));
    }
}

/// The paths that a manifest declares, relative to it.
struct DeclaredPaths {
    files: HashSet<PathBuf>,
    /// The folders that declare every file whose name ends in `.png`.
    folders: HashSet<PathBuf>,
}

impl DeclaredPaths {
    fn of(manifest: &Manifest) -> Self {
        let mut declared = Self { files: HashSet::new(), folders: HashSet::new() };
        for section in Kind::ALL.into_iter().filter_map(|kind| manifest.section(kind)) {
            match section {
                Section::Folder { path, .. } => drop(declared.folders.insert(normal(path))),
                Section::Entries(entries) => declared.files.extend(entries.values().map(|entry| normal(&entry.path))),
            }
        }
        declared
    }

    fn holds(&self, file: &Path) -> bool {
        let is_in_folder = || file.parent().is_some_and(|folder| self.folders.contains(folder));
        self.files.contains(file) || (file.extension().is_some_and(|end| end == "png") && is_in_folder())
    }

    /// The folders to look through, relative to `root` and inside it; none of them lies in another but for the root
    /// itself.
    fn to_look_through(&self, root: &Folder) -> BTreeSet<PathBuf> {
        let parents: HashSet<_> = self.files.iter().filter_map(|file| file.parent()).collect();
        let used: BTreeSet<_> = self.folders.iter().map(PathBuf::as_path).chain(parents).collect();
        let Ok(inside) = Inside::of(root, std::iter::empty()) else { return BTreeSet::new() };
        let is_below_another = |folder: &Path| {
            folder.ancestors().skip(1).any(|above| !above.as_os_str().is_empty() && used.contains(above))
        };
        used.iter()
            .filter(|folder| !is_below_another(folder))
            .filter(|folder| inside.holds(folder).unwrap_or(false))
            .map(|folder| folder.to_path_buf())
            .collect()
    }
}

/// A path without `.` and, but for those at its beginning, `..`.
fn normal(path: &str) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in Path::new(path).components() {
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
