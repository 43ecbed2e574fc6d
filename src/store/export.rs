//! The folder that an export is written to. Existing files are kept unless the user says otherwise, links are not
//! followed, and the manifest is written last.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::export::{MANIFEST, SNAPSHOT};
use crate::domain::finding::Finding;
use crate::format::SnapshotDocument;
use crate::ops::ports::{Existing, WriteExport};
use crate::text::first_names;

use super::exported;
use super::files::{Durability, FileId, FileKind, Folder, refuse_way_out};

/// How many files are named in one message.
const MAX_NAMED_FILES: usize = 10;

/// A folder to export to.
#[derive(Debug, Clone)]
pub(crate) struct ExportFolder {
    folder: Folder,
    /// Files that are read, with their names for messages. They are never overwritten.
    spared: Vec<(String, FileId)>,
}

impl ExportFolder {
    /// The folder, as the user named it. It may not exist yet.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: Folder::at(folder), spared: Vec::new() }
    }

    /// The same folder, with files that must not be overwritten, under any of their names.
    pub(crate) fn sparing(self, files: impl Iterator<Item = (String, PathBuf)>) -> Self {
        let spared = files.filter_map(|(name, path)| Some((name, FileId::of(&path)?))).collect();
        Self { spared, ..self }
    }

    /// The folders below this one that the files are written to, the outer ones first.
    fn folders(files: &[(String, Arc<[u8]>)]) -> BTreeSet<&Path> {
        files.iter().flat_map(|(file, _)| Path::new(file).ancestors().skip(1)).collect()
    }

    /// The folder as the user named it.
    fn shown(&self) -> String {
        self.folder.path().display().to_string()
    }

    fn fail(&self, message: String) -> Box<Finding> {
        let help = "name an empty folder, or one that does not exist yet";
        Box::new(Finding::error("export", message).in_file(self.shown()).help(help))
    }

    /// The reason why the files cannot be written, checked before any is written.
    fn obstacle(&self, files: &[(String, Arc<[u8]>)], existing: Existing) -> Option<Box<Finding>> {
        if let Err(error) = refuse_way_out(self.folder.path()) {
            return Some(self.fail(error.to_string()));
        }
        // Also when it is a link to nowhere.
        if self.folder.kind_of("").is_ok() && !self.folder.is_there() {
            return Some(self.fail(format!("{} is not a folder", self.shown())));
        }
        let is_other = |folder: &&Path| self.folder.kind_of(folder).is_ok_and(|kind| kind != FileKind::Folder);
        let below = |folder: &&Path| !folder.as_os_str().is_empty();
        if let Some(other) = Self::folders(files).into_iter().filter(below).find(is_other) {
            let message = format!("`{}` exists and is not a folder; links are not followed", other.display());
            return Some(self.fail(message));
        }
        let names = files.iter().map(|(file, _)| file.as_str());
        let present: Vec<_> = names.filter_map(|file| Some((file, self.folder.kind_of(file).ok()?))).collect();
        if existing == Existing::Kept && !present.is_empty() {
            let mut names: Vec<_> = present.iter().map(|(file, _)| *file).collect();
            // The manifest is the most important one to name.
            names.sort_by_key(|file| (*file != MANIFEST, file.contains('/')));
            let names = first_names(names.into_iter(), MAX_NAMED_FILES);
            let message = format!("these files already exist: {names}; nothing was written");
            let help = "name another folder, or pass --overwrite to replace them";
            return Some(Box::new(Finding::error("export-exists", message).in_file(self.shown()).help(help)));
        }
        let read = present.iter().find_map(|(file, _)| {
            let id = FileId::of(&self.folder.path_of(file))?;
            let (name, _) = self.spared.iter().find(|(_, spared)| *spared == id)?;
            Some(format!("`{file}` would be overwritten, but {name} is read from it"))
        });
        if let Some(message) = read {
            return Some(self.fail(message));
        }
        let (file, _) = present.iter().find(|(_, kind)| *kind == FileKind::Folder)?;
        Some(self.fail(format!("`{file}` is a folder, but the export has a file of that name")))
    }

    /// The files of an earlier export that this one does not replace.
    fn left_over(&self, files: &[(String, Arc<[u8]>)]) -> Vec<String> {
        let snapshot = self.folder.read(SNAPSHOT, exported::MAX_SNAPSHOT_BYTES).ok();
        let Some(snapshot) = snapshot.and_then(|bytes| SnapshotDocument::read(&bytes).ok()) else { return Vec::new() };
        let new: BTreeSet<&str> = files.iter().map(|(file, _)| file.as_str()).collect();
        let old = snapshot.entries.into_iter().filter_map(|entry| entry.file).chain([MANIFEST.to_owned()]);
        old.filter(|file| !new.contains(file.as_str()) && exported::is_inside(file) && self.folder.has_file(file))
            .collect()
    }

    fn write_all(&self, files: &[(String, Arc<[u8]>)]) -> io::Result<()> {
        for folder in Self::folders(files) {
            let folder = self.folder.child(folder);
            // An export that was killed while writing leaves temporary files.
            folder.make_all().and_then(|()| folder.remove_temporary()).map_err(|error| at(folder.path(), &error))?;
        }
        for (file, bytes) in files {
            // A lost image can be exported again, but the manifest must not exist without the files that it declares.
            let durability = if file == MANIFEST { Durability::Synced } else { Durability::Unsynced };
            let written = self.folder.replace(file, bytes, durability);
            written.map_err(|error| at(&self.folder.path_of(file), &error))?;
        }
        Ok(())
    }
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl WriteExport for ExportFolder {
    fn write(&self, files: &[(String, Arc<[u8]>)], existing: Existing) -> Result<Vec<Finding>, Box<Finding>> {
        if let Some(obstacle) = self.obstacle(files, existing) {
            return Err(obstacle);
        }
        let left = self.left_over(files);
        self.write_all(files).map_err(|error| {
            let message = format!("the export cannot be written: {error}");
            let help =
                "the manifest was not written, because it comes last: fix this, and export again with --overwrite";
            Box::new(Finding::error("export", message).help(help))
        })?;
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let names = first_names(left.iter(), MAX_NAMED_FILES);
        let message = format!("left from an earlier export, and not part of this one: {names}");
        let finding = Finding::warning("export-left-over", message).in_file(self.shown());
        Ok(vec![finding.help("remove them if nothing else needs them")])
    }
}
