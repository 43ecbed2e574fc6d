//! Writes images of a portal into a branding repository. A file is only replaced if Git has its current content.

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::committed::below;
use super::declared::DeclaredFile;
use super::files::place;
use super::files::{Durability, FileId, FileKind, Folder, UserInput};
use super::git::{self, Tracked};
use super::repository::Repository;
use crate::domain::asset::{Address, Digest};
use crate::domain::finding::Finding;
use crate::domain::manifest::{self, Manifest};
use crate::domain::origin::lfs_pointer;
use crate::domain::rules::MAX_READ;
use crate::ops::ports::TakeImages;

/// How many names are tried for a new file.
const MAX_NAMES: u32 = 1000;

impl TakeImages for Repository {
    fn declared_images(&self, manifest: &Manifest) -> Vec<(Address, String)> {
        let (files, _) = self.declarations(manifest);
        files.into_iter().map(|DeclaredFile { address, file, .. }| (address, file)).collect()
    }

    fn image(&self, file: &str) -> Option<Arc<[u8]>> {
        let inside = self.root().inside(self.base(), std::iter::once(file)).ok()?;
        inside.read(file, None, MAX_READ).ok()?.bytes
    }

    fn why_kept(&self, manifest: &Manifest, file: &str) -> Option<String> {
        let path = self.base().path_of(file);
        if place::is_in_git(Path::new(file)) || place::is_through(Path::new(file), place::STATE) {
            return Some("that folder is for the files of Git and brandctl".to_owned());
        }
        if !file.to_ascii_lowercase().ends_with(".png") {
            return Some("its name does not end in `.png`".to_owned());
        }
        let is_part = |part: &Component<'_>| *part != Component::CurDir;
        let named = |file: &str| Path::new(file).components().filter(is_part).collect::<PathBuf>();
        let (id, wanted) = (FileId::of(&path), named(file));
        let is_same = |other: &DeclaredFile| {
            named(&other.file) == wanted || (id.is_some() && FileId::of(&self.base().path_of(&other.file)) == id)
        };
        if self.declarations(manifest).0.iter().filter(|other| is_same(other)).count() > 1 {
            return Some("the manifest also declares another code with this file".to_owned());
        }
        match self.base().kind_of(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(_) => return Some("it is outside the manifest's folder, or reached through a link".to_owned()),
            Ok(FileKind::File) => {}
            Ok(kind) => return Some(format!("it is {}", kind.words())),
        }
        if id.is_some() && id == FileId::of(self.path()) {
            return Some("it is the manifest".to_owned());
        }
        match is_committed(self.base(), file) {
            Some(true) => None,
            Some(false) => Some("it differs from the committed file".to_owned()),
            None => Some("it cannot be found in the current commit".to_owned()),
        }
    }

    fn free_file(&self, folder: &str, stem: &str, bytes: &[u8], is_declared: &dyn Fn(&str) -> bool) -> Option<String> {
        // A file with these bytes was written by an earlier export that was cut short, or whose line was not typed.
        let is_free = |name: &String| match self.base().kind_of(name) {
            Ok(FileKind::File) => self.base().read(name, MAX_READ).is_ok_and(|found| found == bytes),
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        let more = (2..MAX_NAMES).map(|number| format!("{folder}/{stem}-{number}.png"));
        // A link or a file in place of the folder cannot take a new file.
        let first = std::iter::once(format!("{folder}/{stem}.png"));
        first.chain(more).filter(|name| !is_declared(name)).find(is_free)
    }

    fn write(
        &self,
        files: &[(String, Arc<[u8]>)],
        (read, edited): (&str, Option<&str>),
    ) -> (Vec<String>, Option<Box<Finding>>) {
        let mut written = Vec::new();
        let obstacle = self.write_to(&mut written, files, (read, edited)).err();
        (written, obstacle)
    }
}

impl Repository {
    /// Writes images and then the manifest, and notes in `written` what is there.
    fn write_to(
        &self,
        written: &mut Vec<String>,
        files: &[(String, Arc<[u8]>)],
        (read, edited): (&str, Option<&str>),
    ) -> Result<(), Box<Finding>> {
        let fail = |what: &str, error: &dyn std::fmt::Display| {
            let message = format!("{what} cannot be written: {error}");
            Box::new(Finding::error("take", message).help("fix this, and export it again"))
        };
        let name = self.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if edited.is_some() {
            self.check_manifest(name, read)?;
        }
        let folders: BTreeSet<_> = files.iter().filter_map(|(file, _)| file.rsplit_once('/')).collect();
        for (folder, _) in folders {
            self.base().child(folder).make_all().map_err(|error| fail(folder, &error))?;
        }
        for (file, bytes) in files {
            self.base().replace(file, bytes, Durability::Synced).map_err(|error| fail(file, &error))?;
            written.push(file.clone());
        }
        if let Some(text) = edited {
            let replaced = self.base().replace(name, text.as_bytes(), Durability::Synced);
            replaced.map_err(|error| fail(self.name(), &error))?;
            written.push(name.to_owned());
        }
        Ok(())
    }

    /// Refuses to change a manifest that is a link, or that has changed since it was read.
    fn check_manifest(&self, name: &str, read: &str) -> Result<(), Box<Finding>> {
        let fail = |what: &str| {
            let message = format!("the manifest is not changed: {what}; nothing was written");
            Box::new(Finding::error("take", message).in_file(self.name()))
        };
        if !self.base().has_file(name) {
            return Err(fail("it is a link"));
        }
        match UserInput::at(self.path()).read(manifest::MAX_BYTES as u64) {
            Ok(bytes) if bytes == read.as_bytes() => Ok(()),
            Ok(_) => Err(fail("another program just changed it")),
            Err(error) => Err(fail(&error.to_string())),
        }
    }
}

/// Whether the current commit has this content of a file; `None` if the file cannot be found in the commit.
fn is_committed(folder: &Folder, file: &str) -> Option<bool> {
    let path = folder.path_of(file);
    let checkout = git::checkout(place::folder_of(&path)).ok()?;
    let commit = git::head(&checkout).ok()??;
    let name = below(checkout.top(), &path)?;
    let bytes = folder.read(file, MAX_READ).ok()?;
    let pointer = lfs_pointer(&Digest::of(&bytes), bytes.len() as u64);
    match git::tree(&checkout, &commit, &BTreeSet::from([name.clone()])).ok()?.get(&name)? {
        Tracked::File(id) => Some([commit.of_like(&bytes), commit.of_like(pointer.as_bytes())].contains(id)),
        Tracked::Link(_) | Tracked::Folder | Tracked::Submodule(_) => None,
    }
}
