//! The branding repository on disk: the manifest's bytes, and the art that it declares.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::domain::asset::{Address, Code, Digest, Kind};
use crate::domain::diff::Change;
use crate::domain::finding::{Finding, Place};
use crate::domain::manifest::{self, Level, Manifest, Section};
use crate::domain::plan::Contents;
use crate::domain::rules::{self, Art, MAX_READ, OrphanFiles, Piece};
use crate::ops::ports::ReadArt;
use crate::text;

use super::orphans;
use super::paths::PathFilter;

/// The largest manifest that is read, in bytes.
const MAX_MANIFEST: u64 = 16 * 1024 * 1024;

/// A branding repository: a manifest, and the folder that its paths are relative to.
#[derive(Debug, Clone)]
pub struct Repository {
    manifest: PathBuf,
    folder: PathBuf,
    name: String,
    chosen: PathFilter,
}

/// One declared file.
struct Declared {
    address: Address,
    /// Relative to the manifest.
    file: String,
    /// Where the manifest declares it.
    place: Place,
    /// Whether its folder's listing showed it to be a regular file, no link.
    is_known_file: bool,
}

impl Repository {
    /// The repository whose manifest is at `manifest`, as the user named it.
    #[must_use]
    pub fn at(manifest: &Path) -> Self {
        let folder = match manifest.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self {
            manifest: manifest.to_owned(),
            folder,
            name: manifest.display().to_string(),
            chosen: PathFilter::Everything,
        }
    }

    /// Of its art only what is chosen.
    #[must_use]
    pub fn limited_to(self, chosen: PathFilter) -> Self {
        Self { chosen, ..self }
    }

    /// The manifest, as the user named it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The manifest's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether there is nothing at the manifest's place, not even something that cannot be read.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        fs::symlink_metadata(&self.manifest).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// What the manifest declares, sorted, as far as its folders can be listed; no image is read.
    #[must_use]
    pub fn addresses(&self, manifest: &Manifest) -> Vec<Address> {
        self.declarations(manifest, &mut Vec::new()).into_iter().map(|declared| declared.address).collect()
    }

    /// The new images of `changes`, as far as the files that they came from still hold exactly them.
    #[must_use]
    pub fn still_holds(&self, changes: &[Change]) -> Contents {
        let new = || changes.iter().filter_map(|change| Some((&change.address, change.action.after()?)));
        let Ok(bounds) = Bounds::of(&self.folder, new().map(|(_, after)| after.file.as_str())) else {
            return Contents::new();
        };
        let nowhere = Place { line: 1, column: 1, bytes: 0..0 };
        new()
            .filter_map(|(address, after)| {
                let (address, file, place) = (address.clone(), after.file.clone(), nowhere.clone());
                let bytes = self.read(&bounds, &Declared { address, file, place, is_known_file: false }).ok()?.bytes?;
                (Digest::of(&bytes) == after.content.sha256).then_some((after.content.sha256, bytes))
            })
            .collect()
    }

    fn read_manifest(&self) -> Result<Vec<u8>, Box<Finding>> {
        let fail = |message: String, help: &str| {
            Box::new(Finding::error("manifest-unreadable", message).in_file(self.name.clone()).help(help))
        };
        let facts = fs::metadata(&self.manifest).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                fail("the manifest does not exist".to_owned(), "name it with -f, or start one with `brandctl init`")
            }
            _ => fail(format!("the manifest cannot be read: {error}"), "check its permissions"),
        })?;
        if facts.is_dir() {
            return Err(fail("this is a folder, not a manifest".to_owned(), "name the file, such as brand.yaml in it"));
        }
        if !facts.is_file() {
            return Err(fail("this is no regular file".to_owned(), "the manifest must be a file"));
        }
        if facts.len() > MAX_MANIFEST {
            return Err(fail(
                format!("the manifest has {} MiB; at most 16 are read", facts.len() / 1024 / 1024),
                "use the folder form (`icons: icons/`) instead of listing every file",
            ));
        }
        fs::read(&self.manifest)
            .map_err(|error| fail(format!("the manifest cannot be read: {error}"), "check its permissions"))
    }

    /// Everything that the manifest declares, sorted by address.
    fn declarations(&self, manifest: &Manifest, findings: &mut Vec<Finding>) -> Vec<Declared> {
        let mut declared = Vec::new();
        for kind in Kind::ALL {
            match manifest.section(kind) {
                None => {}
                Some(Section::Entries(entries)) => declared.extend(entries.iter().map(|(code, entry)| Declared {
                    address: Address::new(kind, code.clone()),
                    file: entry.path.clone(),
                    place: entry.place.clone(),
                    is_known_file: false,
                })),
                Some(Section::Folder { path, place }) => match self.list(kind, path, place) {
                    Ok(listed) => declared.extend(listed),
                    Err(message) => findings.push(
                        Finding::error("folder-unreadable", message).in_file(self.name.clone()).at(place.clone()).help(
                            format!("`{}` takes a folder of PNGs, relative to the manifest, or a map", kind.plural()),
                        ),
                    ),
                },
            }
        }
        declared.par_sort_unstable_by(|a, b| a.address.cmp(&b.address));
        declared
    }

    /// What is wrong with the codes that are file names: the manifest only names their folder.
    fn check_codes(&self, manifest: &Manifest, declared: &[Declared]) -> Vec<Finding> {
        let is_folder = |kind: &Kind| matches!(manifest.section(*kind), Some(Section::Folder { .. }));
        let check = |kind| {
            let listed = declared.iter().filter(|declared| declared.address.kind == kind);
            let codes = listed.map(|declared| (&declared.address.code, declared.place.clone()));
            manifest::check_codes(manifest, kind, codes, &self.name)
        };
        Kind::ALL.into_iter().filter(is_folder).flat_map(check).collect()
    }

    /// The PNGs in a folder.
    fn list(&self, kind: Kind, folder: &str, place: &Place) -> Result<Vec<Declared>, String> {
        let shown = folder.escape_debug();
        let path = self.folder.join(folder);
        let inside = fs::canonicalize(&self.folder)
            .and_then(|root| fs::canonicalize(&path).map(|real| real.starts_with(root)))
            .map_err(|error| format!("the folder `{shown}` cannot be read: {}", plain(&error)))?;
        if !inside {
            return Err(format!("the folder `{shown}` is a link that leaves the manifest's folder"));
        }
        let mut listed = Vec::new();
        let entries =
            fs::read_dir(&path).map_err(|error| format!("the folder `{shown}` cannot be read: {}", plain(&error)))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("the folder `{shown}` cannot be read: {}", plain(&error)))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                if !name.to_string_lossy().to_lowercase().ends_with(".png") {
                    continue;
                }
                return Err(format!("the folder `{shown}` holds a file whose name is no UTF-8: {}", name.display()));
            };
            if name.starts_with('.') {
                continue;
            }
            if let Some(stem) = name.strip_suffix(".png") {
                listed.push(Declared {
                    address: Address::new(kind, Code::new(stem)),
                    file: [folder.trim_end_matches('/'), "/", name].concat(),
                    place: place.clone(),
                    is_known_file: entry.file_type().is_ok_and(|kind| kind.is_file()),
                });
            }
        }
        Ok(listed)
    }

    /// Reads a declared file.
    fn read(&self, bounds: &Bounds, declared: &Declared) -> Result<Held, Box<Finding>> {
        let Declared { address, file, place, is_known_file } = declared;
        let path = self.folder.join(file);
        let shown = || file.escape_debug();
        let fail = |rule, message: String, help: String| {
            Box::new(
                Finding::error(rule, message)
                    .in_file(self.name.clone())
                    .at(place.clone())
                    .about(address.clone())
                    .help(help),
            )
        };
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => fail(
                "file-missing",
                format!("the file `{}` does not exist", shown()),
                self.nearest(file).map_or_else(
                    || "add it, or take the entry out".to_owned(),
                    |near| format!("did you mean `{}`?", near.escape_debug()),
                ),
            ),
            _ => fail(
                "file-unreadable",
                format!("the file `{}` cannot be read: {}", shown(), plain(&error)),
                "check it and its permissions".to_owned(),
            ),
        };
        // What the listing of a folder inside showed to be a file needs no second look.
        if !is_known_file || !bounds.hold_folder_of(file) {
            let mut facts = fs::symlink_metadata(&path).map_err(unreadable)?;
            if facts.is_symlink() || !bounds.hold_folder_of(file) {
                let real = fs::canonicalize(&path).map_err(unreadable)?;
                if !real.starts_with(&bounds.root) {
                    return Err(fail(
                        "path-outside",
                        format!("the file `{}` is a link that leaves the manifest's folder", shown()),
                        "keep the art in the repository: copy the file into it".to_owned(),
                    ));
                }
                facts = fs::metadata(&path).map_err(unreadable)?;
            }
            if !facts.is_file() {
                let what = if facts.is_dir() { "a folder" } else { "no regular file" };
                return Err(fail("file-unreadable", format!("`{}` is {what}", shown()), "name a PNG file".to_owned()));
            }
        }
        read(&path).map_err(unreadable)
    }

    /// The file in the same folder whose name is most like the missing one.
    fn nearest(&self, file: &str) -> Option<String> {
        let path = Path::new(file);
        let name = path.file_name()?.to_str()?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let names: Vec<String> = fs::read_dir(self.folder.join(folder))
            .ok()?
            .flatten()
            .take(10_000)
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        let candidates: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = text::nearest(name, &candidates)?;
        Some(folder.join(near).display().to_string())
    }
}

/// What lies in the manifest's folder once links are followed. A folder is asked once, not for each of its files: what
/// is no link itself lies where its folder does.
struct Bounds {
    /// The manifest's folder without links.
    root: PathBuf,
    /// Folders inside it, relative to it, as the paths of files spell them.
    folders: HashSet<String>,
}

impl Bounds {
    /// Looks at the folders of `files`, which are relative to `folder`.
    fn of<'a>(folder: &Path, files: impl Iterator<Item = &'a str>) -> io::Result<Self> {
        let root = fs::canonicalize(folder)?;
        let parents: HashSet<_> = files.map(folder_of).collect();
        let lies_inside = |path: &&str| fs::canonicalize(folder.join(path)).is_ok_and(|real| real.starts_with(&root));
        let folders = parents.into_iter().filter(lies_inside).map(str::to_owned).collect();
        Ok(Self { root, folders })
    }

    fn hold_folder_of(&self, file: &str) -> bool {
        self.folders.contains(folder_of(file))
    }
}

/// The folder in a path, empty when it names none.
fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What is in a file.
struct Held {
    /// In bytes.
    size: u64,
    /// `None` when there are more than [`MAX_READ`].
    bytes: Option<Arc<[u8]>>,
}

/// Reads a file.
fn read(path: &Path) -> io::Result<Held> {
    /// Most art fits in one piece of this size, which costs no allocation.
    const PIECE: usize = 4 * 1024;
    let mut file = File::open(path)?;
    let mut piece = [0; PIECE];
    let mut filled = 0;
    while let Some(free) = piece.get_mut(filled..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => return Ok(Held { size: filled as u64, bytes: piece.get(..filled).map(Arc::from) }),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut bytes = piece.to_vec();
    (&file).take(MAX_READ + 1 - PIECE as u64).read_to_end(&mut bytes)?;
    let size = bytes.len() as u64;
    Ok(if size > MAX_READ {
        Held { size: file.metadata()?.len().max(size), bytes: None }
    } else {
        Held { size, bytes: Some(bytes.into()) }
    })
}

impl ReadArt for Repository {
    fn manifest(&self) -> Result<Vec<u8>, Box<Finding>> {
        self.read_manifest()
    }

    fn art(&self, manifest: &Manifest) -> (Art, Vec<Finding>) {
        let unclaimed = || match manifest.level(rules::ORPHAN_FILE) {
            Some(Level::Off) => OrphanFiles::default(),
            _ => orphans::find(&self.folder, manifest),
        };
        let declare = || {
            let mut findings = Vec::new();
            let declared = self.declarations(manifest, &mut findings);
            findings.extend(self.check_codes(manifest, &declared));
            (declared, findings)
        };
        let ((mut declared, mut findings), unclaimed) = rayon::join(declare, unclaimed);
        self.chosen.limit(&mut declared, |declared| self.folder.join(&declared.file));
        let files = declared.iter().map(|declared| self.folder.join(&declared.file));
        findings.extend(self.chosen.unmatched(files).missing.into_iter().map(|path| {
            let message = format!("`{}` does not exist, and the manifest declares no such file", path.display());
            Finding::error("path-missing", message)
                .help("name files that exist: `git diff --name-only --diff-filter=d` leaves out deleted ones")
        }));
        let bounds = match Bounds::of(&self.folder, declared.iter().map(|declared| declared.file.as_str())) {
            Ok(bounds) => bounds,
            Err(error) => {
                let message = format!("the manifest's folder cannot be read: {}", plain(&error));
                findings.push(Finding::error("file-unreadable", message).in_file(self.name.clone()));
                return (Art::default(), findings);
            }
        };
        let read: Vec<_> = declared.par_iter().map(|declared| self.read(&bounds, declared)).collect();
        let mut pieces = Vec::with_capacity(read.len());
        for (Declared { address, file, place, .. }, read) in declared.into_iter().zip(read) {
            match read {
                Ok(Held { size, bytes }) => pieces.push(Piece { address, file, place, size, bytes }),
                Err(finding) => findings.push(*finding),
            }
        }
        (Art { pieces, orphans: unclaimed }, findings)
    }

    fn declared(&self, manifest: &Manifest) -> BTreeMap<Kind, usize> {
        let mut counts: BTreeMap<_, _> = manifest.ownership().kinds.into_iter().map(|kind| (kind, 0)).collect();
        for address in self.addresses(manifest) {
            *counts.entry(address.kind).or_default() += 1;
        }
        counts
    }
}

/// An I/O error without the operating system's number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
