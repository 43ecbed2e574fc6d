//! The folder that an export is written to. What is there already is left alone unless the user says otherwise, links are
//! not followed, and the manifest comes last.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::export::{MANIFEST, SNAPSHOT};
use crate::domain::finding::Finding;
use crate::format::SnapshotDocument;
use crate::ops::ports::{Existing, WriteExport};

use super::{atomic, exported};

/// The most files that are named in one message.
const NAMED: usize = 10;

/// A folder to export to.
#[derive(Debug, Clone)]
pub struct ExportFolder {
    folder: PathBuf,
}

impl ExportFolder {
    /// The folder, as the user named it; it need not exist.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folders below this one that the files go to, the outer ones first.
    fn folders(files: &[(String, Arc<[u8]>)]) -> BTreeSet<&Path> {
        files.iter().flat_map(|(file, _)| Path::new(file).ancestors().skip(1)).collect()
    }

    fn fail(&self, message: String) -> Box<Finding> {
        let help = "name an empty folder, or one that does not exist yet";
        Box::new(Finding::error("export", message).in_file(self.folder.display().to_string()).help(help))
    }

    /// What keeps files from being written, before any is.
    fn obstacle(&self, files: &[(String, Arc<[u8]>)], existing: Existing) -> Option<Box<Finding>> {
        // Also when it is a link to nowhere.
        if fs::symlink_metadata(&self.folder).is_ok() && !self.folder.is_dir() {
            return Some(self.fail(format!("{} is no folder", self.folder.display())));
        }
        let strange = Self::folders(files)
            .into_iter()
            .filter(|folder| !folder.as_os_str().is_empty())
            .find(|folder| fs::symlink_metadata(self.folder.join(folder)).is_ok_and(|facts| !facts.is_dir()));
        if let Some(strange) = strange {
            let message = format!("`{}` is there and no folder; links are not followed", strange.display());
            return Some(self.fail(message));
        }
        let present: Vec<_> = files
            .iter()
            .filter_map(|(file, _)| Some((file.as_str(), fs::symlink_metadata(self.folder.join(file)).ok()?)))
            .collect();
        if existing == Existing::Kept && !present.is_empty() {
            let mut names: Vec<_> = present.iter().map(|(file, _)| *file).collect();
            // The manifest matters most.
            names.sort_by_key(|file| (*file != MANIFEST, file.contains('/')));
            let message = format!("there already: {}; nothing was written", named(&names));
            let help = "name another folder, or pass --overwrite to replace them";
            let finding = Finding::error("export-exists", message).in_file(self.folder.display().to_string());
            return Some(Box::new(finding.help(help)));
        }
        let folder = present.iter().find(|(_, facts)| facts.is_dir());
        folder.map(|(file, _)| self.fail(format!("`{file}` is a folder, and a file of that name is to be written")))
    }

    /// The files of an earlier export that this one does not replace.
    fn left_over(&self, files: &[(String, Arc<[u8]>)]) -> Vec<String> {
        let snapshot = exported::read_bounded(&self.folder.join(SNAPSHOT)).ok();
        let Some(snapshot) = snapshot.and_then(|bytes| SnapshotDocument::read(&bytes).ok()) else { return Vec::new() };
        let new: BTreeSet<&str> = files.iter().map(|(file, _)| file.as_str()).collect();
        let old = snapshot.entries.into_iter().filter_map(|entry| entry.file).chain([MANIFEST.to_owned()]);
        old.filter(|file| !new.contains(file.as_str()) && exported::is_inside(file) && self.folder.join(file).is_file())
            .collect()
    }

    fn write_all(&self, files: &[(String, Arc<[u8]>)]) -> io::Result<()> {
        for folder in Self::folders(files) {
            // Without the slash that joining nothing leaves.
            let folder: PathBuf = self.folder.join(folder).components().collect();
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
            fs::create_dir_all(&folder).map_err(named)?;
            // Of an export that was killed while it wrote.
            for entry in fs::read_dir(&folder).map_err(named)?.flatten() {
                if atomic::is_temporary(&entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                    fs::remove_file(entry.path()).map_err(named)?;
                }
            }
        }
        for (file, bytes) in files {
            let path = self.folder.join(file);
            // An image that is lost can be exported again; the manifest must not outlast what it declares.
            if file == MANIFEST { atomic::write(&path, bytes) } else { atomic::write_unsynced(&path, bytes) }
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        }
        Ok(())
    }
}

impl WriteExport for ExportFolder {
    fn write(&self, files: &[(String, Arc<[u8]>)], existing: Existing) -> Result<Vec<Finding>, Box<Finding>> {
        if let Some(obstacle) = self.obstacle(files, existing) {
            return Err(obstacle);
        }
        let left = self.left_over(files);
        self.write_all(files).map_err(|error| {
            let message = format!("the export cannot be written: {error}");
            let help = "no manifest was written, as it comes last: mend this, and export again with --overwrite";
            Box::new(Finding::error("export", message).help(help))
        })?;
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<_> = left.iter().map(String::as_str).collect();
        let message = format!("of an earlier export, and not of this one: {}", named(&names));
        let finding = Finding::warning("export-left-over", message).in_file(self.folder.display().to_string());
        Ok(vec![finding.help("remove them if nothing else needs them")])
    }
}

/// The first names, and how many more there are.
fn named(files: &[&str]) -> String {
    let mut names: Vec<_> = files.iter().take(NAMED).map(|file| format!("`{}`", file.escape_debug())).collect();
    if files.len() > NAMED {
        names.push(format!("and {} more", files.len() - NAMED));
    }
    names.join(", ")
}
