//! What Git knows of a branding repository: where it stands, and its past.
//!
//! Git is run, never linked: one process says where the folder is, one prints the log of all files, and one the contents that
//! must be compared, if any; never one for each file. For a folder below the repository's root one more says whether it was
//! moved there. Nothing of the user's or the repository's settings may change what these say, run anything, or reach the network.

mod blobs;
mod log;
mod process;

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::files::place::folder_of;
use crate::domain::origin::past::{ObjectId, Past};
use crate::ops::ports::{Blobs, History, NoHistory};
use blobs::BlobReader;
use process::output;

/// The commit that `folder` is at, with a `+` when files in it may differ from that commit; `None` outside Git or without
/// it. `git status` would say so more exactly, but runs the filters that are set for every touched file.
pub(crate) fn commit(folder: &Path) -> Option<String> {
    const DIFFERING: [&[&str]; 3] = [
        &["diff-index", "--cached", "--name-only", "--ignore-submodules=all", "HEAD", "--", "."],
        &["diff-files", "--name-only", "--ignore-submodules=all", "--", "."],
        &["ls-files", "--others", "--exclude-standard", "--", "."],
    ];
    let commit = output(folder, ["rev-parse", "HEAD"]).ok()?;
    let differs = DIFFERING.iter().any(|list| output(folder, *list).map_or(true, |files| !files.is_empty()));
    let mark = if differs { "+" } else { "" };
    Some(format!("{}{mark}", String::from_utf8_lossy(&commit).trim()))
}

/// The first file, by its path from there, that Git tracks at or below `below` in `checkout`, the top of a checkout: that is in
/// its index, in whatever case.
pub(crate) fn tracked_below(checkout: &Path, below: &Path) -> Result<Option<String>, NoHistory> {
    let mut pattern = OsString::from(":(top,icase,literal)");
    pattern.push(below);
    let listed =
        output(checkout, [OsStr::new("ls-files"), "-z".as_ref(), "--cached".as_ref(), "--".as_ref(), &pattern])?;
    let first = listed.split(|byte| *byte == 0).next().filter(|path| !path.is_empty());
    Ok(first.map(|path| String::from_utf8_lossy(path).into_owned()))
}

/// The history of the repository that a manifest is in.
#[derive(Debug)]
pub(crate) struct Git {
    manifest: PathBuf,
    reader: RefCell<Option<BlobReader>>,
}

impl Git {
    /// The history around the manifest at `manifest`. Nothing is run yet.
    pub(crate) fn of(manifest: &Path) -> Self {
        Self { manifest: manifest.to_owned(), reader: RefCell::new(None) }
    }

    fn folder(&self) -> &Path {
        folder_of(&self.manifest)
    }
}

impl History for Git {
    fn past(&self) -> Result<Past, NoHistory> {
        log::past(self.folder(), &self.manifest)
    }

    fn blobs(&self, ids: &[ObjectId]) -> Blobs {
        if ids.is_empty() {
            return Blobs::new();
        }
        let mut reader = self.reader.borrow_mut();
        if reader.is_none() {
            *reader = BlobReader::start(self.folder());
        }
        reader.as_mut().map(|reader| reader.read(ids)).unwrap_or_default()
    }
}
