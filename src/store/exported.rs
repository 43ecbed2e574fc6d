//! An exported folder that is read instead of its portal: what the portal held when it was exported, without
//! credentials.
//!
//! Every file is read and compared with its digest at once, so that an altered export is an error, not a portal that
//! looks different.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::asset::{Address, Digest};
use crate::domain::export::{ExportSource, SNAPSHOT};
use crate::domain::finding::Finding;
use crate::domain::retry::Class;
use crate::domain::rules::MAX_READ;
use crate::domain::state::{Listed, Listing};
use crate::format::{SnapshotDocument, SnapshotEntry};
use crate::ops::ports::{PortalError, ReadPortal};

use super::files::{FileContents, Folder, Inside, NotRead, place};
use super::root::Root;

/// The largest snapshot that is read, in bytes. An entry takes some hundred bytes.
pub(super) const MAX_SNAPSHOT_BYTES: u64 = 64 * 1024 * 1024;

/// A complete export.
#[derive(Debug, Clone)]
pub(crate) struct ExportedPortal {
    source: ExportSource,
    listing: Listing,
    /// The images by their stand-in for `fileUri`: the bytes, or why there are none.
    images: BTreeMap<String, Result<Arc<[u8]>, String>>,
}

impl ExportedPortal {
    /// The names of the images that were read, in the folder.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.images.keys().map(String::as_str)
    }

    /// Reads the export in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, Vec<Finding>> {
        let folder = Folder::at(folder);
        let fail = |what: String| {
            let message = format!("{} is not an export: {what}", folder.path().display());
            let help = "name a folder that `brandctl export` wrote";
            let file = folder.path_of(SNAPSHOT).display().to_string();
            vec![Finding::error("export-unreadable", message).in_file(file).help(help)]
        };
        let root = Root::around(&folder.path_of(SNAPSHOT));
        let inside = Inside::below(root.folder(), &folder, &[place::GIT], std::iter::empty())
            .map_err(|error| fail(error.to_string()))?;
        let snapshot = snapshot(&inside).map_err(fail)?;
        let mut findings = Vec::new();
        let mut listing = Listing::default();
        let mut images = BTreeMap::new();
        for entry in snapshot.entries {
            let address = entry.address();
            // Each file is read once, even if a snapshot names it several times.
            let image = match entry.file.as_ref().filter(|file| images.contains_key(*file)) {
                Some(file) => Err(format!("several entries have the file `{file}`")),
                None => image(&inside, &entry),
            };
            let file_uri = match (&entry.file, &image) {
                (_, Err(what)) => {
                    findings.push(altered(&folder, &entry, what));
                    continue;
                }
                (Some(file), Ok(_)) => file.clone(),
                (None, Ok(Some(_))) => format!("missing:{address}"),
                (None, Ok(None)) => String::new(),
            };
            if let Ok(Some(image)) = image {
                images.insert(file_uri.clone(), image);
            }
            listing.entries.push(Listed { address, system: entry.system, file_uri });
        }
        let source = ExportSource { portal: snapshot.portal, sandbox: snapshot.sandbox };
        if findings.is_empty() { Ok(Self { source, listing, images }) } else { Err(findings) }
    }

    /// The portal that was exported.
    pub(crate) const fn source(&self) -> &ExportSource {
        &self.source
    }
}

/// The snapshot of an export; the error is the reason why there is none.
fn snapshot(inside: &Inside) -> Result<SnapshotDocument, String> {
    let bytes = match inside.read(SNAPSHOT, None, MAX_SNAPSHOT_BYTES) {
        Ok(FileContents { bytes: Some(bytes), .. }) => Ok(bytes),
        Ok(FileContents { bytes: None, .. }) => Err(format!("it is larger than {} MiB", MAX_SNAPSHOT_BYTES >> 20)),
        Err(NotRead::Kept(folder)) => Err(format!("it is in {folder}")),
        Err(NotRead::Outside | NotRead::LeadsOut) => Err("it is a link to a place outside the folder".to_owned()),
        Err(NotRead::Kind(kind)) => Err(format!("it is {}", kind.words())),
        Err(NotRead::Io(error)) => Err(error.to_string()),
    };
    let bytes = bytes.map_err(|why| format!("{SNAPSHOT} cannot be read: {why}"))?;
    SnapshotDocument::read(&bytes).map_err(|error| format!("{SNAPSHOT}: {error}"))
}

fn altered(folder: &Folder, entry: &SnapshotEntry, what: &str) -> Finding {
    let file = folder.path().join(entry.file.as_deref().unwrap_or_default()).display().to_string();
    let finding = Finding::error("export-altered", format!("the export was altered: {what}"));
    let finding = finding.in_file(file).about(entry.address());
    finding.help("export again, or restore the committed folder")
}

/// The bytes of a file, or why it has none.
type ImageBytes = Result<Arc<[u8]>, String>;

/// The bytes of an entry's file; `None` for a system entry.
fn image(inside: &Inside, entry: &SnapshotEntry) -> Result<Option<ImageBytes>, String> {
    let (Some(file), Some(sha256)) = (&entry.file, entry.sha256) else {
        return Ok(entry.missing.clone().map(Err));
    };
    if !is_inside(file) {
        return Err(format!("`{file}` is not a path inside it"));
    }
    let bytes = match inside.read(file, None, MAX_READ) {
        Ok(FileContents { bytes: Some(bytes), .. }) => bytes,
        Ok(FileContents { bytes: None, .. }) => {
            return Err(format!("`{file}` cannot be read: it is larger than {} MiB", MAX_READ >> 20));
        }
        Err(NotRead::Outside | NotRead::LeadsOut) => return Err(format!("`{file}` is a link to a place outside it")),
        Err(NotRead::Kept(folder)) => return Err(format!("`{file}` leads into {folder}")),
        Err(NotRead::Kind(_)) => return Err(format!("`{file}` cannot be read: it is not a regular file")),
        Err(NotRead::Io(error)) => return Err(format!("`{file}` cannot be read: {error}")),
    };
    if Digest::of(&bytes) != sha256 {
        return Err(format!("`{file}` does not have the bytes that were exported"));
    }
    Ok(Some(Ok(bytes)))
}

/// Whether a path of a snapshot names a file below its folder (links aside), on every system, and in its only valid
/// spelling.
pub(super) fn is_inside(file: &str) -> bool {
    !file.contains(['\\', ':', '\0']) && !file.split('/').any(|part| matches!(part, "" | "." | ".."))
}

impl ReadPortal for ExportedPortal {
    async fn list(&self) -> Result<Listing, PortalError> {
        Ok(self.listing.clone())
    }

    /// An export cannot be written to.
    async fn list_to_write(&self) -> Result<(Listing, bool), PortalError> {
        Ok((self.listing.clone(), false))
    }

    async fn get(&self, addresses: &[Address]) -> Result<Vec<Option<Listed>>, PortalError> {
        let find = |address: &Address| self.listing.entries.iter().find(|listed| listed.address == *address).cloned();
        Ok(addresses.iter().map(find).collect())
    }

    async fn download(&self, file_uri: &str) -> Result<Vec<u8>, PortalError> {
        let image = self.images.get(file_uri).cloned().unwrap_or_else(|| Err("the export has no such file".to_owned()));
        image.map(|bytes| bytes.to_vec()).map_err(|message| PortalError {
            class: Class::Refused,
            code: None,
            message,
            hint: None,
        })
    }

    fn added_files(&self) -> Vec<(Address, String)> {
        Vec::new()
    }

    fn begin_grace_period(&self) {}

    fn time_left(&self) -> Duration {
        Duration::MAX
    }
}
