//! What Git knows about a branding repository: its history, and the files that its checkout should hold.
//!
//! Git is run, never linked: one process identifies the repository, one prints the log of all files, and one prints the
//! contents that must be compared, if any; there is never one process for each file. For a folder below the
//! repository's root, one more finds out whether it was moved there. No setting of the user or the repository may
//! change their output, run anything, or reach the network. This code reads the work tree itself, because Git would run
//! the filters that are configured for its files.

mod blobs;
mod head;
mod log;
mod process;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::files::place::{self, folder_of};
use super::root::{Checkout, Surroundings, surroundings};
use crate::domain::finding::Problem;
use crate::domain::origin::past::{Located, ObjectId, Past};
use crate::ops::ports::{Blobs, History, NoHistory};
use blobs::BlobReader;
pub(super) use head::{Indexed, Tracked, head, index, is_touched, tree};

/// The checkout that holds the folder `folder`, or the reason why its history is unknown.
pub(crate) fn checkout(folder: &Path) -> Result<Checkout, NoHistory> {
    let outside = || NoHistory::Outside("the manifest is not in a Git repository".to_owned());
    let folder = place::real(folder).map_err(|_| outside())?;
    match surroundings(&folder) {
        Surroundings::Plain => Err(outside()),
        Surroundings::Checkout(checkout) => Ok(checkout),
        Surroundings::Unusable(why) => Err(NoHistory::Unreadable(Problem::new(why))),
    }
}

/// The first file that Git tracks at or below `below`, by its path from `top`, the top of a checkout: one that is in
/// its index, in upper or lower case.
pub(crate) fn tracked_below(top: &Path, below: &Path) -> Result<Option<String>, NoHistory> {
    let checkout = checkout(top)?;
    let mut pattern = OsString::from(":(top,icase,literal)");
    pattern.push(below);
    let mut command = process::git(&checkout);
    command.env_remove("GIT_LITERAL_PATHSPECS").args(["ls-files", "-z", "--cached", "--"]).arg(pattern);
    let listed = process::run(command)?;
    let first = listed.split(|byte| *byte == 0).next().filter(|path| !path.is_empty());
    Ok(first.map(|path| String::from_utf8_lossy(path).into_owned()))
}

/// Whether a link that Git tracks leads from `path` to `real`, a file in the checkout that it does not track. A commit
/// adds the link, and its target may be a file of someone else, with secrets in it.
pub(crate) fn is_link_to_untracked(path: &Path, real: &Path) -> bool {
    let Ok(checkout) = checkout(folder_of(real)) else { return false };
    let top = checkout.top();
    let links = std::path::absolute(path).map(|path| place::links_on(&path)).unwrap_or_default();
    let tracks =
        |path: &Path| path.strip_prefix(top).is_ok_and(|below| matches!(tracked_below(top, below), Ok(Some(_))));
    let is_tracked = |link: &PathBuf| {
        let folder = place::real(folder_of(link));
        folder.is_ok_and(|folder| link.file_name().is_some_and(|name| tracks(&folder.join(name))))
    };
    links.iter().any(is_tracked) && !tracks(real)
}

/// The history of a manifest's repository.
#[derive(Debug)]
pub(crate) struct Git {
    manifest: PathBuf,
    /// The folders of its art, as they are named.
    art: Vec<PathBuf>,
    reader: RefCell<Option<BlobReader>>,
}

impl Git {
    /// The history of the manifest at `manifest` and of the folders `art` that hold its images. Nothing is run yet.
    pub(crate) const fn of(manifest: PathBuf, art: Vec<PathBuf>) -> Self {
        Self { manifest, art, reader: RefCell::new(None) }
    }

    fn checkout(&self) -> Result<Checkout, NoHistory> {
        checkout(folder_of(&self.manifest))
    }

    /// The folders whose log is needed, from the top of the checkout: those of the art and of the links to it.
    fn folders(&self, checkout: &Checkout) -> Vec<String> {
        /// With more folders, the log covers everything.
        const MAX_FOLDERS: usize = 50;
        let full = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let art = self.art.iter().map(full);
        let places = art.flat_map(|folder| {
            let links = place::links_on(&folder).into_iter().map(|link| folder_of(&link).to_owned());
            links.chain(place::real(&folder)).collect::<Vec<_>>()
        });
        let below = places.filter_map(|place| Some(place.strip_prefix(checkout.top()).ok()?.to_str()?.to_owned()));
        let folders: BTreeSet<String> = below.map(|path| if path.is_empty() { path } else { path + "/" }).collect();
        if folders.len() > MAX_FOLDERS { vec![String::new()] } else { folders.into_iter().collect() }
    }
}

impl History for Git {
    fn past(&self) -> Result<Past, NoHistory> {
        let checkout = self.checkout()?;
        log::past(&checkout, &self.manifest, self.folders(&checkout))
    }

    fn locate(&self, paths: &BTreeSet<String>) -> BTreeMap<String, Located> {
        let Ok(checkout) = self.checkout() else { return BTreeMap::new() };
        let mut folders = BTreeMap::new();
        let located = paths.iter().filter_map(|path| {
            let file = checkout.top().join(path);
            let folder = folders.entry(folder_of(&file).to_owned());
            let is_plain = *folder.or_insert_with_key(|folder| is_plain(&checkout, folder)) && !place::is_link(&file);
            (!is_plain).then(|| (path.clone(), locate(&checkout, &file)))
        });
        located.collect()
    }

    fn blobs(&self, ids: &[ObjectId]) -> Blobs {
        if ids.is_empty() {
            return Blobs::new();
        }
        let mut reader = self.reader.borrow_mut();
        if reader.is_none() {
            *reader = self.checkout().ok().and_then(|checkout| BlobReader::start(&checkout));
        }
        reader.as_mut().map(|reader| reader.read(ids)).unwrap_or_default()
    }
}

/// Whether a folder itself is part of a checkout: not through a link and not in another repository. It may also no
/// longer exist.
fn is_plain(checkout: &Checkout, folder: &Path) -> bool {
    match place::real(folder) {
        Ok(real) => real == folder && is_of(checkout, &real),
        Err(_) => place::links_on(folder).is_empty(),
    }
}

/// Whether a folder, named without links, belongs to a checkout, and not to a repository in it or around it.
fn is_of(checkout: &Checkout, folder: &Path) -> bool {
    surroundings(folder) == Surroundings::Checkout(checkout.clone())
}

/// The target of a file that is not simply a file of the checkout.
fn locate(checkout: &Checkout, file: &Path) -> Located {
    let real = place::real(file).unwrap_or_else(|_| place::of(file));
    let named = |path: &Path| Some(path.strip_prefix(checkout.top()).ok()?.to_str()?.to_owned());
    let links: Option<Vec<String>> = place::links_on(file).iter().map(|link| named(link)).collect();
    match (named(&real), links) {
        (Some(path), Some(links)) if is_of(checkout, folder_of(&real)) => Located::Linked { path, links },
        _ => Located::Elsewhere,
    }
}

/// Parses bytes as the output of each Git command: the entry point of a fuzz target.
#[cfg(any(test, fuzzing))]
pub(super) fn read_as_output(mut bytes: &[u8]) {
    /// The most bytes of contents that are read.
    const ROOM: u64 = 1 << 20;
    let past = log::parsed(bytes, Past::new("brand.yaml", false).of_folders(&[String::new()]));
    assert!(past.is_none_or(|past| past.covers("icons/a.png")), "the whole repository was asked for");
    for entry in bytes.split(|byte| *byte == 0) {
        let _ = std::str::from_utf8(entry).ok().and_then(head::tracked);
    }
    assert!(head::indexed(bytes).len() <= bytes.len());
    let mut left = ROOM;
    while let Some(answer) = blobs::answer(&mut bytes, &mut left) {
        assert!(answer.content().is_none_or(|(_, content)| content.len() as u64 <= ROOM));
    }
}
