//! Takes the portal's version of entries into a branding repository: the image of each, and its line of the manifest if
//! it needs one. Nothing is written to the portal, and nothing to disk before every entry is known to be acceptable. The
//! manifest comes last, so that it never declares an image that is not there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::asset::{Address, Digest, FoldedCode, Kind};
use crate::domain::export::{Capitals, Export, ExportChoice, ExportItem, ExportOutcome, ExportedFile, file_stem};
use crate::domain::finding::{Finding, Place};
use crate::domain::manifest::{self, Manifest, Section};
use crate::domain::ownership::Unmanaged;
use crate::domain::plan::Contents;
use crate::domain::rules;
use crate::domain::state::{Content, Listed, ObservedEntry, Reading, Selection};

use super::events::{Event, Stage};
use super::export::{Exported, MAX_EXPORT_BYTES, too_much};
use super::observe::{self, Freshness, KeptImages, Reader};
use super::ports::{PortalError, ReadPortal, TakeImages};

/// Takes the entries that `only` selects into `repository`, whose manifest is `manifest` with the text `text`.
pub(crate) async fn take(
    only: &Selection,
    (manifest, text): (&Manifest, &str),
    reader: &Reader<'_, impl ReadPortal>,
    repository: &impl TakeImages,
) -> Result<Exported, PortalError> {
    reader.observer.observe(Event::Stage { stage: Stage::Listing, total: None });
    let listing = reader.portal.list().await?;
    let choice = ExportChoice { only: only.clone(), owns: None };
    let findings = choice.unmatched(&listing);
    if !findings.is_empty() {
        return Ok(Exported { export: Export { findings, ..Export::default() }, ..Exported::default() });
    }
    let wanted = |listed: &Listed| !listed.system && choice.admits(&listed.address);
    let mut kept = KeptImages::with_room(MAX_EXPORT_BYTES);
    let observed = observe::observe(reader, &listing, wanted, Freshness::Refetched, &mut kept, |_, _| true).await;
    if kept.is_full() {
        return Err(too_much());
    }
    let contents = kept.into_contents();
    let chosen: Vec<_> = observed.entries.iter().filter(|entry| wanted(&entry.listed)).collect();
    let mut taking = Taking::new(manifest, text, repository);
    for entry in &chosen {
        if let Err(obstacle) = taking.add(entry, &contents) {
            taking.export.findings.push(*obstacle);
        }
    }
    Ok(taking.finish(text))
}

/// What was taken so far.
struct Taking<'a, R> {
    manifest: &'a Manifest,
    repository: &'a R,
    /// The file of each declared entry, with the entry as it is spelt there, by its folded address.
    declared: BTreeMap<(Kind, FoldedCode), (Address, String)>,
    /// The manifest with the lines that were changed.
    text: String,
    /// The lines that could not be changed.
    left: Vec<Finding>,
    export: Export,
}

impl<'a, R: TakeImages> Taking<'a, R> {
    fn new(manifest: &'a Manifest, text: &str, repository: &'a R) -> Self {
        let declared = repository.declared_images(manifest).into_iter();
        Self {
            manifest,
            repository,
            declared: declared.map(|(address, file)| (address.folded(), (address, file))).collect(),
            text: text.to_owned(),
            left: Vec::new(),
            export: Export::default(),
        }
    }

    /// Adds an entry of the portal. The finding says why it cannot be taken.
    fn add(&mut self, entry: &ObservedEntry, contents: &Contents) -> Result<(), Box<Finding>> {
        let address = &entry.listed.address;
        self.manifest.ownership().of(address).map_err(|why| not_managed(address, why))?;
        let bytes = image(entry, contents)?;
        let (address, file) = match self.declared.get(&address.folded()).cloned() {
            Some((declared, file)) => {
                self.export.findings.extend(respelt(&declared, address));
                if self.shows(&file, bytes) {
                    self.note(&declared, file, bytes);
                    return Ok(());
                }
                let file = match self.repository.why_kept(self.manifest, &file) {
                    None => file,
                    Some(why) => self.other_file(&declared, &file, &why, bytes)?,
                };
                (declared, file)
            }
            None => (address.clone(), self.first_file(address, bytes)?),
        };
        self.check(&address, &file, bytes)?;
        if self.export.files.iter().any(|(other, _)| *other == file) {
            return Err(refused(&address, format!("the portal lists two images for `{file}`"), "take them one by one"));
        }
        self.export.files.push((file.clone(), bytes.clone()));
        self.note(&address, file, bytes);
        Ok(())
    }

    /// Whether a declared file looks the same already.
    fn shows(&self, file: &str, bytes: &[u8]) -> bool {
        self.repository.image(file).is_some_and(|old| Content::of(&old).same_appearance(&Content::of(bytes)))
    }

    fn note(&mut self, address: &Address, path: String, bytes: &[u8]) {
        let outcome = ExportOutcome::Declared(ExportedFile { path, sha256: Digest::of(bytes) });
        self.export.items.push(ExportItem { address: address.clone(), outcome });
    }

    /// The file for an entry whose declared file is kept: the new file is declared in its place.
    fn other_file(&mut self, address: &Address, kept: &str, why: &str, bytes: &[u8]) -> Result<String, Box<Finding>> {
        match self.manifest.section(address.kind) {
            Some(Section::Entries(_)) => self.new_file(address, bytes),
            _ => {
                let message = format!("`{kept}` is not replaced: {why}");
                Err(refused(address, message, "commit or move that file first, or declare this code in a map"))
            }
        }
    }

    /// The file for an entry that is not declared yet.
    fn first_file(&mut self, address: &Address, bytes: &[u8]) -> Result<String, Box<Finding>> {
        let codes = [(&address.code, Place::START)];
        let found = manifest::check_codes(self.manifest, address.kind, codes, "");
        if let Some(error) = found.into_iter().find(Finding::is_error) {
            let help = error.help.unwrap_or_default();
            return Err(refused(address, format!("no manifest can declare it: {}", error.message), &help));
        }
        let Some(Section::Folder { path, .. }) = self.manifest.section(address.kind) else {
            return self.new_file(address, bytes);
        };
        let file = format!("{}/{}.png", path.trim_end_matches('/'), address.code);
        let code = address.code.as_str();
        if code.starts_with('.') || code.contains(['/', '\\']) {
            let message = format!("no file in `{path}` can declare this code");
            return Err(refused(address, message, "declare the codes of this kind in a map"));
        }
        match self.repository.why_kept(self.manifest, &file) {
            None => Ok(file),
            Some(why) => Err(refused(address, format!("`{file}` is not written: {why}"), "move that file first")),
        }
    }

    /// A new file for an entry, and its line of the manifest.
    fn new_file(&mut self, address: &Address, bytes: &[u8]) -> Result<String, Box<Finding>> {
        let folder = address.kind.plural();
        let is_declared = |name: &str| self.declared.values().any(|(_, file)| file == name);
        let stem = file_stem(&address.code, Capitals::Kept);
        let Some(file) = self.repository.free_file(folder, &stem, bytes, &is_declared) else {
            let message = format!("no new file can be written to `{folder}` beside the manifest");
            return Err(refused(address, message, "make it a plain folder in the manifest's folder"));
        };
        match manifest::with_file(&self.text, address, &file) {
            Some(text) => self.text = text,
            None => {
                let line = manifest::line(address, &file);
                let message = format!("the manifest does not declare the new image of {address} yet: {file}");
                let help = format!("its line cannot be changed safely: write `{line}` under `{folder}`");
                self.left.push(Finding::error("manifest-line", message).about(address.clone()).help(help));
            }
        }
        Ok(file)
    }

    /// Checks an image by the rules that the manifest sets.
    fn check(&self, address: &Address, file: &str, bytes: &Arc<[u8]>) -> Result<(), Box<Finding>> {
        let found = rules::check_planned(self.manifest, address, file, bytes);
        match found.into_iter().find(Finding::is_error) {
            None => Ok(()),
            Some(error) => {
                let message = format!("its image on the portal is not accepted: {}: {}", error.rule, error.message);
                Err(refused(
                    address,
                    message,
                    "set that rule to `warn` in the manifest, or fix the image on the portal",
                ))
            }
        }
    }

    /// Writes all of it, if nothing prevents it.
    fn finish(self, text: &str) -> Exported {
        let Self { mut export, repository, left, text: edited, .. } = self;
        let edited = (edited != text).then_some(edited.as_str());
        let mut written = Vec::new();
        if !export.findings.iter().any(Finding::is_error) && !export.files.is_empty() {
            let (paths, obstacle) = repository.write(&export.files, (text, edited));
            written = paths;
            match obstacle {
                None => export.findings.extend(left),
                Some(obstacle) => export.findings.push(*obstacle),
            }
        }
        Exported { export, written }
    }
}

/// The bytes of an entry's image.
fn image<'a>(entry: &ObservedEntry, contents: &'a Contents) -> Result<&'a Arc<[u8]>, Box<Finding>> {
    let address = &entry.listed.address;
    let known = match &entry.reading {
        Reading::Known(content) => contents.get(&content.sha256),
        Reading::Failed(_) | Reading::Doubtful { .. } | Reading::NotNeeded => None,
    };
    known.ok_or_else(|| {
        let why = entry.reading.why_unknown().unwrap_or("its bytes were not kept");
        let message = format!("the image of {address} cannot be fetched: {why}");
        Box::new(Finding::error("unknown-content", message).about(address.clone()).help("try again later"))
    })
}

/// The warning that the portal spells a declared code in other case: the next plan adds it again as it is declared.
fn respelt(declared: &Address, live: &Address) -> Option<Finding> {
    let help = format!("declare `{}` instead, or the next apply adds it again as `{}`", live.code, declared.code);
    let message = format!("the portal spells {declared} as `{}`", live.code);
    (declared != live).then(|| Finding::warning("take", message).about(declared.clone()).help(help))
}

fn not_managed(address: &Address, why: Unmanaged) -> Box<Finding> {
    let (what, help) = match why {
        Unmanaged::KindAbsent => {
            let plural = address.kind.plural();
            (format!("the manifest does not manage {plural}"), format!("add `{plural}:` to it"))
        }
        Unmanaged::Ignored => ("`ignore` matches it".to_owned(), "remove it from `ignore` first".to_owned()),
        Unmanaged::NotOwned | Unmanaged::NotPruned | Unmanaged::Protected | Unmanaged::Reserved => {
            ("`owns` does not match it".to_owned(), "add it to `owns` first, or narrow --only".to_owned())
        }
    };
    refused(address, what, &help)
}

fn refused(address: &Address, why: String, help: &str) -> Box<Finding> {
    let message = format!("{address} cannot be taken: {why}; nothing was written");
    Box::new(Finding::error("take", message).about(address.clone()).help(help))
}
