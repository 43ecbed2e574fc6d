//! The branding repository on disk: the manifest's bytes, and the art that it declares.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::domain::asset::{Address, Digest, Kind};
use crate::domain::diff::Change;
use crate::domain::finding::Finding;
use crate::domain::manifest::{self, Level, Manifest, Section};
use crate::domain::origin::past::is_yaml;
use crate::domain::plan::Contents;
use crate::domain::rules::{self, Art, MAX_READ, OrphanFiles, Piece};
use crate::ops::ports::ReadArt;
use crate::text;

use super::declared::{self, DeclaredFile};
use super::files::{FileContents, FileKind, Folder, Inside, NotRead, UserInput, place, plain};
use super::git::{self, Git};
use super::orphans;
use super::paths::{PathFilter, manifests_in, name_one, other_manifest};
use super::root::Root;

const FILE_MISSING: &str = "file-missing";

/// The most missing files for which Git is asked whether they were just not checked out.
const MAX_QUESTIONS: usize = 3;

/// The most missing files for which a similar name is searched: each is compared with all names in its folder.
const MAX_SUGGESTIONS: usize = 5;

/// How many names in a folder are compared with that of a missing file.
const MAX_COMPARED_NAMES: usize = 2_000;

/// A branding repository: a manifest, and the folder that its paths are relative to.
#[derive(Debug, Clone)]
pub struct Repository {
    manifest: PathBuf,
    folder: Folder,
    root: Root,
    name: String,
    filter: PathFilter,
}

impl Repository {
    /// The repository whose manifest is at `manifest`, as the user named it.
    #[must_use]
    pub fn at(manifest: &Path) -> Self {
        Self {
            manifest: manifest.to_owned(),
            folder: Folder::at(place::folder_of(manifest)),
            root: Root::around(manifest),
            name: text::slashed(manifest),
            filter: PathFilter::Everything,
        }
    }

    /// The same repository, with this root if the user named one (`--root`).
    pub(crate) fn below(self, root: Option<&Path>) -> Self {
        match root {
            Some(root) => Self { root: Root::named(root), ..self },
            None => self,
        }
    }

    /// The same repository, limited to the art that `filter` selects.
    pub(crate) fn limited_to(self, filter: PathFilter) -> Self {
        Self { filter, ..self }
    }

    /// The manifest, as the user named it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The path of the manifest's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its history in Git.
    pub(crate) fn history(&self, manifest: &Manifest) -> Git {
        let mut folders = BTreeSet::new();
        for DeclaredFile { file, kind, .. } in self.declarations(manifest).0 {
            let path = self.folder.path_of(file);
            if kind != Some(FileKind::File) && place::is_link(&path) {
                folders.extend(place::real(&path).iter().map(|real| place::folder_of(real).to_owned()));
            }
            folders.insert(place::folder_of(&path).to_owned());
        }
        for section in Kind::ALL.into_iter().filter_map(|kind| manifest.section(kind)) {
            if let Section::Folder { path, .. } = section {
                folders.insert(self.folder.path_of(path));
            }
        }
        Git::of(self.manifest.clone(), folders.into_iter().collect())
    }

    /// The path of the manifest.
    pub(super) fn path(&self) -> &Path {
        &self.manifest
    }

    /// The manifest's folder, where its paths begin.
    pub(super) const fn base(&self) -> &Folder {
        &self.folder
    }

    /// The limit on where the manifest's paths may lead.
    pub(super) const fn root(&self) -> &Root {
        &self.root
    }

    /// The files that the manifest declares, sorted by address, and the findings about folders that cannot be listed.
    pub(super) fn declarations(&self, manifest: &Manifest) -> (Vec<DeclaredFile>, Vec<Finding>) {
        declared::files(&self.folder, &self.root, manifest, &self.name)
    }

    /// Whether nothing exists at the manifest's path, not even something that cannot be read.
    pub(crate) fn is_absent(&self) -> bool {
        UserInput::at(&self.manifest).is_absent()
    }

    /// The addresses that the manifest declares, sorted, as far as its folders can be listed; no image is read.
    pub(crate) fn addresses(&self, manifest: &Manifest) -> Vec<Address> {
        let (declared, _) = self.declarations(manifest);
        declared.into_iter().map(|declared| declared.address).collect()
    }

    /// The same, or the findings if a folder of the manifest cannot be listed.
    pub(crate) fn all_addresses(&self, manifest: &Manifest) -> Result<Vec<Address>, Vec<Finding>> {
        let (declared, findings) = self.declarations(manifest);
        if findings.iter().any(Finding::is_error) {
            return Err(findings);
        }
        Ok(declared.into_iter().map(|declared| declared.address).collect())
    }

    /// The paths of the images that the manifest declares; they are searched for on demand.
    pub(crate) fn declared_files(&self, manifest: &Manifest) -> impl Iterator<Item = PathBuf> {
        std::iter::once_with(|| self.declarations(manifest).0)
            .flatten()
            .map(|declared| self.folder.path_of(declared.file))
    }

    /// The new images of `changes` whose files still have the same content.
    pub(crate) fn unchanged_new_images(&self, changes: &[Change]) -> Contents {
        let new = || changes.iter().filter_map(|change| change.action.after());
        let Ok(inside) = self.root.inside(&self.folder, new().map(|after| after.file.as_str())) else {
            return Contents::new();
        };
        new()
            .filter_map(|after| {
                let bytes = inside.read(&after.file, None, MAX_READ).ok()?.bytes?;
                (Digest::of(&bytes) == after.content.sha256).then_some((after.content.sha256, bytes))
            })
            .collect()
    }

    /// A small file that the manifest names for editors, by its path from the manifest; `None` if it cannot be read, or
    /// may not, as it leads out of the root.
    pub(crate) fn small_file(&self, path: &str, max_bytes: u64) -> Option<Arc<[u8]>> {
        let inside = self.root.inside(&self.folder, std::iter::empty()).ok()?;
        inside.read(path, None, max_bytes).ok()?.bytes
    }

    fn unreadable(&self, message: String, help: &str) -> Box<Finding> {
        Box::new(Finding::error("manifest-unreadable", message).in_file(self.name.clone()).help(help))
    }

    fn absent(&self) -> Box<Finding> {
        match place::dangling(&self.manifest) {
            Some(target) => self.unreadable(
                format!("the manifest is a link to {}, which does not exist", target.display()),
                "fix the link, or name the manifest itself with -f",
            ),
            None => self.unreadable("the manifest does not exist".to_owned(), &other_manifest(&self.manifest)),
        }
    }

    fn read_manifest(&self) -> Result<Vec<u8>, Box<Finding>> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => self.absent(),
            io::ErrorKind::PermissionDenied => {
                self.unreadable(format!("the manifest cannot be read: {error}"), "check its permissions")
            }
            _ => self.unreadable(
                format!("the manifest cannot be read: {error}"),
                "name a manifest file with -f, such as brand.yaml",
            ),
        };
        let max_bytes = manifest::MAX_BYTES as u64;
        let input = UserInput::at(&self.manifest);
        let (kind, size) = input.facts().map_err(unreadable)?;
        let real = input.real_path().map_err(unreadable)?;
        if kind == FileKind::File
            && let Some((message, help)) = self.root.why_not_manifest(&real)
        {
            return Err(self.unreadable(message, &help));
        }
        if kind == FileKind::File && git::is_link_to_untracked(&self.manifest, &real) {
            let message = "the manifest is a link to a file that Git does not track".to_owned();
            return Err(self.unreadable(message, "commit that file too, or name that file itself with -f"));
        }
        match kind {
            // Errors quote lines of a manifest, and other files may hold secrets.
            FileKind::File if !real.to_str().is_some_and(is_yaml) => {
                let leads = if real.file_name() == self.manifest.file_name() { "" } else { " that this link leads to" };
                Err(self.unreadable(
                    format!("the file{leads} is not read as a manifest: its name does not end in .yaml or .yml"),
                    "name a manifest file with -f, such as brand.yaml",
                ))
            }
            FileKind::File if size > max_bytes => Err(self.unreadable(
                format!("the manifest is larger than {} MiB", max_bytes >> 20),
                "use the folder form (`icons: icons/`) instead of listing every file",
            )),
            FileKind::File => UserInput::at(&real).read(max_bytes).map_err(unreadable),
            FileKind::Folder => {
                let help = match name_one(&manifests_in(&self.manifest)) {
                    Some(options) => format!("use {options}"),
                    None => "name the file with -f, such as brand.yaml; there is none in this folder".to_owned(),
                };
                Err(self.unreadable("this is a folder, not a manifest".to_owned(), &help))
            }
            FileKind::Link | FileKind::Other => {
                Err(self.unreadable("this is not a regular file".to_owned(), "the manifest must be a file"))
            }
        }
    }

    /// The findings about the codes that are file names: the manifest only names their folder.
    fn check_codes(&self, manifest: &Manifest, declared: &[DeclaredFile]) -> Vec<Finding> {
        let is_folder = |kind: &Kind| matches!(manifest.section(*kind), Some(Section::Folder { .. }));
        // The name of the file is what is wrong, not the line that declares its folder.
        let files: HashMap<_, _> = declared.iter().map(|declared| (&declared.address, &declared.file)).collect();
        let at_its_file = |finding: Finding| {
            let file = finding.address.as_ref().and_then(|address| files.get(address)).map_or(&self.name, |file| *file);
            Finding { place: None, related: Vec::new(), ..finding }.in_file(file.clone())
        };
        let check = |kind| {
            let codes = declared.iter().filter(|declared| declared.address.kind == kind);
            let codes = codes.map(|declared| (&declared.address.code, declared.place.clone()));
            manifest::check_codes(manifest, kind, codes, &self.name).into_iter().map(at_its_file).collect::<Vec<_>>()
        };
        Kind::ALL.into_iter().filter(is_folder).flat_map(check).collect()
    }

    /// Reads a declared file; the finding has the reason why it cannot be read.
    fn read(&self, inside: &Inside, declared: &DeclaredFile) -> Result<FileContents, Box<Finding>> {
        let DeclaredFile { address, file, place, path_place, kind } = declared;
        inside.read(file, *kind, MAX_READ).map_err(|why| {
            if let Some(finding) = self.root.refusal(&why, "file", file) {
                let place = if matches!(why, NotRead::LeadsOut) { path_place } else { place };
                return Box::new(finding.in_file(self.name.clone()).at(place.clone()).about(address.clone()));
            }
            let (rule, message, help) = match why {
                NotRead::Outside | NotRead::LeadsOut | NotRead::Kept(_) => {
                    ("file-unreadable", format!("`{file}` cannot be read"), "check where the link leads".to_owned())
                }
                NotRead::Kind(kind) => {
                    let what = if kind == FileKind::Folder { "a folder" } else { "not a regular file" };
                    ("file-unreadable", format!("`{file}` is {what}"), "name a PNG file".to_owned())
                }
                NotRead::Io(error)
                    if error.kind() == io::ErrorKind::NotFound
                        && let Some(target) = place::dangling(&self.folder.path_of(file)) =>
                {
                    let help = format!("it is a link to {}, which does not exist: fix the link", target.display());
                    (FILE_MISSING, format!("the file `{file}` does not exist"), help)
                }
                NotRead::Io(error) if error.kind() == io::ErrorKind::NotFound => (
                    FILE_MISSING,
                    format!("the file `{file}` does not exist"),
                    "add it, or remove the entry".to_owned(),
                ),
                NotRead::Io(error) => (
                    "file-unreadable",
                    format!("the file `{file}` cannot be read: {}", plain(&error)),
                    "check the file and its permissions".to_owned(),
                ),
            };
            let finding = Finding::error(rule, message).in_file(self.name.clone()).at(place.clone());
            Box::new(finding.about(address.clone()).help(help))
        })
    }

    /// The file in the same folder with the name that is most similar to the missing one.
    fn nearest(&self, file: &str) -> Option<String> {
        let path = Path::new(file);
        let name = path.file_name()?.to_str()?;
        let folder = path.parent()?;
        let inside = self.root.inside(&self.folder, std::iter::empty()).ok()?;
        let items = inside.items(folder.to_str()?).ok()?.flatten().take(MAX_COMPARED_NAMES);
        let names: Vec<String> = items.filter_map(|item| item.name().into_string().ok()).collect();
        let candidates: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = text::nearest(name, &candidates)?;
        Some(folder.join(near).display().to_string())
    }

    /// Adds the reason to the findings about missing folders.
    fn explain_missing_folders(&self, manifest: &Manifest, findings: &mut [Finding]) {
        for section in Kind::ALL.into_iter().filter_map(|kind| manifest.section(kind)) {
            let Section::Folder { path, place } = section else { continue };
            let finding = findings.iter_mut().find(|finding| finding.place.as_ref() == Some(place));
            if let Some(finding) = finding.filter(|_| !place::exists(&self.folder.path_of(path))) {
                finding.help = self.why_left_out(path).or(finding.help.take());
            }
        }
    }

    /// The reason why a file is missing, or the file that was meant. After too many `before` it, neither is looked up.
    fn why_missing(&self, file: &str, before: usize) -> Option<String> {
        if before >= MAX_SUGGESTIONS {
            return None;
        }
        let left_out = if before < MAX_QUESTIONS { self.why_left_out(file) } else { None };
        left_out.or_else(|| {
            let near = self.nearest(file).filter(|_| !place::is_link(&self.folder.path_of(file)))?;
            Some(format!("did you mean `{near}`?"))
        })
    }
}

fn no_such_path(path: &Path) -> Finding {
    let message = format!("`{}` does not exist, and the manifest does not declare it", path.display());
    let help = "name files that exist: `git diff --name-only --diff-filter=d` leaves out deleted ones";
    Finding::error("path-missing", message).help(help)
}

impl ReadArt for Repository {
    fn manifest(&self) -> Result<Vec<u8>, Box<Finding>> {
        self.read_manifest()
    }

    fn art(&self, manifest: &Manifest) -> (Art, Vec<Finding>) {
        let find_orphans = || match manifest.level(rules::ORPHAN_FILE) {
            Some(Level::Off) => OrphanFiles::default(),
            _ => orphans::find(&self.folder, &self.root, manifest),
        };
        let declare = || {
            let (declared, mut findings) = self.declarations(manifest);
            findings.extend(self.check_codes(manifest, &declared));
            (declared, findings)
        };
        let ((mut declared, mut findings), orphans) = rayon::join(declare, find_orphans);
        self.explain_missing_folders(manifest, &mut findings);
        self.filter.limit(&mut declared, |declared| self.folder.path_of(&declared.file));
        let files = declared.iter().map(|declared| self.folder.path_of(&declared.file));
        findings.extend(self.filter.unmatched(files).missing.iter().map(|path| no_such_path(path)));
        let inside = match self.root.inside(&self.folder, declared.iter().map(|declared| declared.file.as_str())) {
            Ok(inside) => inside,
            Err(error) => {
                let message = format!("the manifest's folder cannot be read: {}", plain(&error));
                findings.push(Finding::error("file-unreadable", message).in_file(self.name.clone()));
                return (Art::default(), findings);
            }
        };
        let read: Vec<_> = declared.par_iter().map(|declared| self.read(&inside, declared)).collect();
        let mut pieces = Vec::with_capacity(read.len());
        let mut missing = 0;
        for (DeclaredFile { address, file, place, .. }, read) in declared.into_iter().zip(read) {
            match read {
                Ok(FileContents { size, bytes }) => pieces.push(Piece { address, file, place, size, bytes }),
                Err(mut finding) => {
                    if finding.rule == FILE_MISSING {
                        finding.help = self.why_missing(&file, missing).or(finding.help);
                        missing += 1;
                    }
                    findings.push(*finding);
                }
            }
        }
        (Art { pieces, orphans }, findings)
    }

    fn declared(&self, manifest: &Manifest) -> BTreeMap<Kind, usize> {
        let mut counts: BTreeMap<_, _> = manifest.ownership().kinds.into_iter().map(|kind| (kind, 0)).collect();
        for address in self.addresses(manifest) {
            *counts.entry(address.kind).or_default() += 1;
        }
        counts
    }
}
