//! PNGs that lie where the manifest keeps its art, and that it does not declare.
//!
//! Looked through are the folders that it declares as a whole or that hold a declared file, with the folders below them;
//! of the manifest's own folder only the files, because all the rest of a repository lies below it. Links are not
//! followed, and hidden files and folders are left alone.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use crate::domain::asset::Kind;
use crate::domain::manifest::{Manifest, Section};
use crate::domain::rules::OrphanFiles;

/// How many files and folders are looked at before the search gives up.
const MAX_LOOKED_AT: usize = 100_000;

/// How many folders deep the search goes.
const MAX_DEPTH: usize = 16;

/// Finds them below `root`, the manifest's folder.
pub(super) fn find(root: &Path, manifest: &Manifest) -> OrphanFiles {
    let declared = Declared::of(manifest);
    let mut files = BTreeSet::new();
    let mut looked_at = 0;
    let mut unseen = None;
    for folder in declared.to_look_through(root) {
        let depth = if folder.as_os_str().is_empty() { 1 } else { MAX_DEPTH };
        let base = root.join(&folder);
        let is_whole = declared.folders.contains(&folder);
        let is_hidden = |entry: &walkdir::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
        let walk = WalkDir::new(&base).min_depth(1).max_depth(depth).into_iter();
        for entry in walk.filter_entry(|entry| !is_hidden(entry)) {
            looked_at += 1;
            if looked_at > MAX_LOOKED_AT {
                unseen = Some(format!("there are more than {MAX_LOOKED_AT} files"));
                break;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().and_then(|path| path.strip_prefix(root).ok()).unwrap_or(&folder);
                    unseen = Some(format!("`{}` cannot be read", shown(path).escape_debug()));
                    continue;
                }
            };
            let name = entry.file_name().as_encoded_bytes();
            let end = name.len().checked_sub(4).filter(|stem| *stem > 0).and_then(|stem| name.get(stem..));
            // Most are declared, and need no more than a look at their names.
            let is_declared = is_whole && entry.depth() == 1 && end == Some(b".png");
            let is_png = end.is_some_and(|end| end.eq_ignore_ascii_case(b".png"));
            if is_declared || !is_png || !entry.file_type().is_file() {
                continue;
            }
            if let Ok(below) = entry.path().strip_prefix(&base) {
                let file = folder.join(below);
                if !declared.holds(&file) {
                    files.insert(shown(&file));
                }
            }
        }
    }
    OrphanFiles { files: files.into_iter().collect(), unseen }
}

/// What a manifest declares, as paths relative to it.
struct Declared {
    files: HashSet<PathBuf>,
    /// Of these every file whose name ends in `.png`.
    folders: HashSet<PathBuf>,
}

impl Declared {
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
    fn to_look_through(&self, root: &Path) -> BTreeSet<PathBuf> {
        let parents: HashSet<_> = self.files.iter().filter_map(|file| file.parent()).collect();
        let used: BTreeSet<_> = self.folders.iter().map(PathBuf::as_path).chain(parents).collect();
        let Ok(real_root) = fs::canonicalize(root) else { return BTreeSet::new() };
        let is_below_another = |folder: &Path| {
            folder.ancestors().skip(1).any(|above| !above.as_os_str().is_empty() && used.contains(above))
        };
        used.iter()
            .filter(|folder| !is_below_another(folder))
            .filter(|folder| fs::canonicalize(root.join(folder)).is_ok_and(|real| real.starts_with(&real_root)))
            .map(|folder| folder.to_path_buf())
            .collect()
    }
}

/// A path without `.` and `..`, which the manifest has checked to stay inside.
fn normal(path: &str) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    normal
}

/// A path as manifests write it.
fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
