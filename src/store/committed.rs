//! The commit that a branding repository is at, and whether the declared files match it.
//!
//! `git status` and `git diff-files` would run the configured filters on files that were touched. So this reads the
//! files, names their contents as Git does, and compares them with the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::declared;
use super::files::place::{self, with_slashes};
use super::git::{self, Tracked};
use super::repository::Repository;
use super::root::Checkout;
use crate::domain::asset::{Digest, Kind};
use crate::domain::manifest::{self, Manifest, Section};
use crate::domain::origin::lfs_pointer;
use crate::domain::origin::past::ObjectId;
use crate::domain::rules::MAX_READ;
use crate::ops::ports::ReadArt as _;

impl Repository {
    /// The commit that the repository is at, with a `+` when the declared files may differ from that commit; `None`
    /// outside a repository or without Git.
    pub(crate) fn commit(&self) -> Option<String> {
        let checkout = git::checkout(self.folder()).ok()?;
        let commit = git::head(&checkout).ok()??;
        let folder = below(checkout.top(), self.folder())?;
        let is_as_committed =
            || Declared::of(self, &checkout, &commit).is_some_and(|declared| declared.is_as_committed(&checkout));
        let differs = git::is_touched(&checkout, &folder) || !is_as_committed();
        Some(format!("{commit}{}", if differs { "+" } else { "" }))
    }
}

/// The files that a manifest declares, and how, by paths from the top of the checkout.
struct Declared<'a> {
    commit: &'a ObjectId,
    /// The object names that Git may give to the content of each file.
    files: BTreeMap<String, Vec<ObjectId>>,
    /// The links that lead to them, with the names of their targets.
    links: BTreeMap<String, ObjectId>,
    /// The folders in which every PNG is declared.
    folders: BTreeSet<String>,
}

impl<'a> Declared<'a> {
    /// Reads them; `None` when something cannot be read, or is in another repository.
    fn of(repository: &Repository, checkout: &Checkout, commit: &'a ObjectId) -> Option<Self> {
        let text = repository.manifest().ok()?;
        let manifest = manifest::parse(&text, repository.name()).0?;
        let mut found = Self { commit, files: BTreeMap::new(), links: BTreeMap::new(), folders: BTreeSet::new() };
        // A checkout may write line endings other than the committed ones.
        let unix = String::from_utf8_lossy(&text).replace("\r\n", "\n");
        let names = vec![commit.of_like(&text), commit.of_like(unix.as_bytes())];
        found.add(checkout, repository.path(), names)?;
        let (files, findings) = repository.declarations(&manifest);
        if !findings.is_empty() {
            return None;
        }
        let names = files.iter().map(|file| file.file.as_str());
        let inside = repository.root().inside(repository.base(), names).ok()?;
        for declared::DeclaredFile { file, kind, .. } in &files {
            let bytes = inside.read(file, *kind, MAX_READ).ok()?.bytes?;
            let pointer = lfs_pointer(&Digest::of(&bytes), bytes.len() as u64);
            let names = vec![commit.of_like(&bytes), commit.of_like(pointer.as_bytes())];
            found.add(checkout, &repository.base().path_of(file), names)?;
        }
        found.add_folders(repository, checkout, &manifest)?;
        Some(found)
    }

    fn add(&mut self, checkout: &Checkout, path: &Path, names: Vec<ObjectId>) -> Option<()> {
        for link in place::links_on(&std::path::absolute(path).ok()?) {
            // Anything above the checkout is not committed.
            if let Ok(named) = link.strip_prefix(checkout.top()) {
                let target = place::target(&link)?;
                self.links.insert(with_slashes(named), self.commit.of_like(target.as_os_str().as_encoded_bytes()));
            }
        }
        self.files.insert(below(checkout.top(), path)?, names);
        Some(())
    }

    fn add_folders(&mut self, repository: &Repository, checkout: &Checkout, manifest: &Manifest) -> Option<()> {
        for kind in Kind::ALL {
            if let Some(Section::Folder { path, .. }) = manifest.section(kind) {
                self.folders.insert(below(checkout.top(), &repository.base().path_of(path))?);
            }
        }
        Some(())
    }

    /// Whether the commit has all of it, and no other PNG in a folder that is declared as a whole.
    fn is_as_committed(&self, checkout: &Checkout) -> bool {
        let mut paths: BTreeSet<String> = self.links.keys().cloned().collect();
        paths.extend(self.files.keys().map(|file| folder_of(file)));
        paths.extend(self.folders.iter().map(|folder| format!("{folder}/")));
        let Ok(tree) = git::tree(checkout, self.commit, &paths) else { return false };
        let has =
            |path: &str, names: &[ObjectId]| matches!(tree.get(path), Some(Tracked::File(id)) if names.contains(id));
        self.files.iter().all(|(path, names)| has(path, names))
            && self.links.iter().all(|(path, target)| tree.get(path) == Some(&Tracked::Link(target.clone())))
            && tree
                .keys()
                .filter(|path| is_declared_in(path, &self.folders))
                .all(|path| self.files.contains_key(path) || self.links.contains_key(path))
    }
}

/// The folder of a path, as a path whose content `git ls-tree` lists.
fn folder_of(path: &str) -> String {
    path.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/"))
}

/// Whether a path is that of a PNG in one of these folders.
fn is_declared_in(path: &str, folders: &BTreeSet<String>) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    folders.contains(folder) && is_declared_by_folder(name)
}

/// Whether a folder that is declared as a whole declares a file of this name.
pub(super) fn is_declared_by_folder(name: &str) -> bool {
    !name.starts_with('.') && name.ends_with(".png")
}

/// A file by its path from `top`, links followed; `None` when it is not there, or has a name that is not UTF-8.
pub(super) fn below(top: &Path, file: &Path) -> Option<String> {
    let real: PathBuf = place::real(file).unwrap_or_else(|_| place::of(file));
    let below = real.strip_prefix(top).ok()?;
    below.to_str()?;
    Some(with_slashes(below))
}
