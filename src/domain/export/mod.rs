//! The files of an export: a manifest whose first plan is empty, every image byte for byte, and a snapshot that can stand for
//! the portal. Portal state in, files with their bytes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::asset::{Address, Code, Digest, Kind};
use super::finding::Finding;
use super::manifest as manifests;
use super::plan::Contents;
use super::scope::{self, Pattern, Scope};
use super::state::{Listing, ObservedState, Reading, Selection};

mod filename;
mod judge;
mod manifest;
mod names;
#[cfg(test)]
mod tests;

pub(crate) use names::{MANIFEST, SCHEMA, SET_ASIDE, SNAPSHOT};

use filename::Alike;
pub(crate) use filename::{Capitals, stem as file_stem};
use judge::{DeclarationRules, Judgement, Opacity};

/// The choice of the entries that are exported.
#[derive(Debug, Clone, Default)]
pub struct ExportChoice {
    /// What the command is limited to.
    pub(crate) only: Selection,
    /// The patterns that the manifest owns; `None` for the exported codes, one by one.
    pub(crate) owns: Option<Scope>,
}

impl ExportChoice {
    /// Whether a custom entry is exported.
    pub(crate) fn admits(&self, address: &Address) -> bool {
        self.only.admits(address) && self.owns.as_ref().is_none_or(|owns| owns.matches(address))
    }

    /// The findings on patterns that match no custom entry, which are probably misspelt.
    pub(crate) fn unmatched(&self, listing: &Listing) -> Vec<Finding> {
        let owns = self.owns.as_ref().map(Scope::patterns).unwrap_or_default();
        let custom = listing.entries.iter().filter(|listed| !listed.system).map(|listed| &listed.address);
        [("--only", self.only.patterns()), ("--owns", owns)]
            .into_iter()
            .flat_map(|(option, patterns)| {
                let help = "patterns match codes as the portal spells them; `brandctl list` shows them";
                scope::unmatched(option, patterns, custom.clone(), "custom entry", help)
            })
            .collect()
    }
}

/// The portal that an export comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportSource {
    /// The portal's identity: its host, or the sandbox's.
    pub(crate) portal: String,
    /// Whether it is a sandbox, to which no `portal` pin applies.
    pub(crate) sandbox: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExportOutcome {
    /// The manifest declares it, with its image in this file.
    Declared(ExportedFile),
    /// The manifest ignores it; its image is in this file, and this is why.
    SetAside(ExportedFile, String),
    /// Its image could not be fetched, and why: the manifest ignores it.
    Unfetched(String),
    /// It was not chosen.
    LeftOut,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportedFile {
    /// Its path, relative to the export's folder, with `/`.
    pub(crate) path: String,
    pub(crate) sha256: Digest,
}

/// A custom entry and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportItem {
    /// Kind and code, spelt as the portal spells it.
    pub(crate) address: Address,
    pub(crate) outcome: ExportOutcome,
}

impl ExportItem {
    /// Address and file of an entry that the manifest declares.
    fn declared(&self) -> Option<(&Address, &str)> {
        match &self.outcome {
            ExportOutcome::Declared(file) => Some((&self.address, &file.path)),
            ExportOutcome::SetAside(..) | ExportOutcome::Unfetched(_) | ExportOutcome::LeftOut => None,
        }
    }
}

/// An export, ready to be written.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// The custom entries, by address.
    pub(crate) items: Vec<ExportItem>,
    /// Paths and bytes in the order in which they must be written, the manifest last, so that it never exists without
    /// the files that it declares.
    pub(crate) files: Vec<(String, Arc<[u8]>)>,
    pub(crate) findings: Vec<Finding>,
}

impl Export {
    /// Adds the snapshot of the portal, after the images that it names.
    pub(crate) fn add_snapshot(&mut self, json: serde_json::Result<String>) {
        let place = self.files.iter().position(|(path, _)| path == SCHEMA).unwrap_or(self.files.len());
        self.add(place, SNAPSHOT, json);
    }

    fn add(&mut self, place: usize, path: &str, json: serde_json::Result<String>) {
        match json {
            Ok(json) => self.files.insert(place, (path.to_owned(), (json + "\n").into_bytes().into())),
            Err(error) => self.findings.push(Finding::error("export", format!("{path} cannot be created: {error}"))),
        }
    }
}

/// Builds an export, except for the snapshot. Entries of `observed` that are [`Reading::NotNeeded`] are left out; `contents`
/// has the bytes of all that are known.
pub(crate) fn build(
    observed: &ObservedState,
    contents: &Contents,
    choice: &ExportChoice,
    source: &ExportSource,
) -> Export {
    let rules = DeclarationRules::of(observed);
    let mut custom: Vec<_> = observed.entries.iter().filter(|entry| !entry.listed.system).collect();
    custom.sort_by_key(|entry| (entry.listed.address.clone(), entry.reading.content().map(|content| content.sha256)));
    let judged: Vec<_> =
        custom.par_iter().map(|entry| rules.judge(&entry.listed.address, &entry.reading, contents)).collect();
    let opaque = judged.iter().filter(|judged| matches!(judged, Judgement::Sound(_, Opacity::Opaque))).count();
    let alike = Kind::ALL.map(|kind| {
        let of_kind = custom.iter().map(|entry| &entry.listed.address).filter(|address| address.kind == kind);
        (kind, Alike::of(of_kind.map(|address| &address.code)))
    });
    let alike = BTreeMap::from(alike);
    let mut images = BTreeMap::new();
    let items: Vec<_> = custom
        .iter()
        .zip(judged)
        .map(|(entry, judgement)| {
            let address = &entry.listed.address;
            let mut file = |bytes: &Arc<[u8]>, folder| {
                let capitals = alike.get(&address.kind).map_or(Capitals::Kept, |alike| alike.capitals(&address.code));
                let path = free_path(folder, address, capitals, &images);
                images.insert(path.clone(), bytes.clone());
                ExportedFile { path, sha256: Digest::of(bytes) }
            };
            let outcome = match judgement {
                Judgement::NotAsked => ExportOutcome::LeftOut,
                Judgement::Unknown(why) => ExportOutcome::Unfetched(why),
                Judgement::Refused(bytes, why) => ExportOutcome::SetAside(file(bytes, Some(SET_ASIDE)), why),
                Judgement::Sound(bytes, _) => ExportOutcome::Declared(file(bytes, None)),
            };
            ExportItem { address: address.clone(), outcome }
        })
        .collect();
    let mut export = Export { items, files: images.into_iter().collect(), findings: Vec::new() };
    export.findings.extend(custom.iter().zip(&export.items).filter_map(|(entry, item)| unknown(&entry.reading, item)));
    let manifest = declare(&mut export, choice, source, opaque);
    export.add(export.files.len(), SCHEMA, serde_json::to_string_pretty(&manifests::schema()));
    export.files.extend(manifest.map(|text| (MANIFEST.to_owned(), text.into_bytes().into())));
    export
}

/// The entries that the manifest must ignore, each with the reason; those that no pattern can match become findings.
fn ignored(export: &mut Export, choice: &ExportChoice) -> Vec<(Pattern, String)> {
    let mut ignored: Vec<(Pattern, String)> = Vec::new();
    for ExportItem { address, outcome } in &export.items {
        let why = match outcome {
            ExportOutcome::Declared(_) => continue,
            ExportOutcome::SetAside(file, why) => format!("{why}; its image is kept in {}", file.path),
            ExportOutcome::Unfetched(why) => format!("its image could not be fetched: {why}"),
            ExportOutcome::LeftOut if choice.owns.as_ref().is_some_and(|owns| owns.matches(address)) => {
                "not exported: no `--only` pattern matches it".to_owned()
            }
            ExportOutcome::LeftOut => continue,
        };
        match Pattern::exactly(address) {
            // A code that is listed twice; the entries are sorted.
            Some(pattern) if ignored.last().is_some_and(|(last, _)| *last == pattern) => {}
            Some(pattern) => ignored.push((pattern, why)),
            None => export.findings.push(unnameable(address)),
        }
    }
    ignored
}

/// The text of the manifest; `None` when there is nothing to own.
fn declare(export: &mut Export, choice: &ExportChoice, source: &ExportSource, opaque: usize) -> Option<String> {
    let ignore = ignored(export, choice);
    let declared: Vec<(&Address, &str)> = export.items.iter().filter_map(ExportItem::declared).collect();
    let exactly = |address: &&Address| Pattern::exactly(address);
    let owns: Vec<Pattern> = match &choice.owns {
        Some(owns) => owns.patterns().to_vec(),
        None => Some(declared.iter().filter_map(|(address, _)| exactly(address)).collect())
            .filter(|owns: &Vec<_>| !owns.is_empty())
            .unwrap_or_else(|| ignore.iter().map(|(pattern, _)| pattern.clone()).collect()),
    };
    if owns.is_empty() {
        return None;
    }
    let of_kind = |kind: Kind| -> Vec<(&Code, &str)> {
        let of_kind = declared.iter().filter(|(address, _)| address.kind == kind);
        of_kind.map(|(address, file)| (&address.code, *file)).collect()
    };
    let text = manifest::text(&manifest::Draft {
        portal: &source.portal,
        pinned: !source.sandbox,
        owns: &owns,
        derived: choice.owns.is_none(),
        declared: Kind::ALL.map(|kind| (kind, of_kind(kind))).into(),
        ignore: &ignore,
        opaque,
    });
    // For example, it may be too large: a manifest that cannot be read back is not written.
    let (_, found) = manifests::parse(text.as_bytes(), MANIFEST);
    let errors: Vec<_> = found.into_iter().filter(Finding::is_error).collect();
    let sound = errors.is_empty();
    export.findings.extend(errors.into_iter().map(|error| Finding { place: None, related: Vec::new(), ..error }));
    sound.then_some(text)
}

/// A path that no other image has: two entries would share one if the portal lists a code twice.
fn free_path(
    folder: Option<&str>,
    address: &Address,
    capitals: Capitals,
    taken: &BTreeMap<String, Arc<[u8]>>,
) -> String {
    let folder = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
    let stem = filename::stem(&address.code, capitals);
    let path = format!("{folder}{}/{stem}", address.kind.plural());
    let names = std::iter::once(format!("{path}.png")).chain((2..).map(|number: u32| format!("{path}%%{number}.png")));
    names.into_iter().find(|name| !taken.contains_key(name)).unwrap_or_default()
}

/// The finding about an image that is unknown although it was requested.
fn unknown(reading: &Reading, item: &ExportItem) -> Option<Finding> {
    let (why, help) = match (&item.outcome, reading) {
        (ExportOutcome::Unfetched(why), _) => (
            why.as_str(),
            "the rest is exported, and the manifest ignores this entry; to try again, export with --overwrite"
                .to_owned(),
        ),
        (ExportOutcome::SetAside(file, _), Reading::Doubtful { .. }) => (
            reading.why_unknown()?,
            format!(
                "the manifest ignores it, and the received bytes are in {}; to try again, export with --overwrite",
                file.path
            ),
        ),
        _ => return None,
    };
    let message = format!("the image of {} cannot be fetched: {why}", item.address);
    Some(Finding::error("unknown-content", message).about(item.address.clone()).help(help))
}

fn unnameable(address: &Address) -> Finding {
    let message = format!("no pattern can match {address}, so the manifest cannot ignore it");
    Finding::error("export", message).about(address.clone()).help("leave it out of `owns`, or delete it on the portal")
}
