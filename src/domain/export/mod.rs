//! What an export of a portal consists of: a manifest whose first plan is empty, every image byte for byte, and a snapshot
//! that can stand for the portal. Portal state in, files with their bytes out.

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
#[cfg(test)]
mod tests;

use judge::{Ground, Judgement, Rules};

/// The manifest's file.
pub const MANIFEST: &str = "brand.yaml";
/// The snapshot's file.
pub const SNAPSHOT: &str = "portal.json";
/// The file of the manifest's schema, for editors: beside the manifest, it is found offline and is of the same version.
pub const SCHEMA: &str = "brand.schema.json";
/// The folder of the images that the manifest does not declare.
pub const SET_ASIDE: &str = "ignored";

/// What is to be exported.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// What the command is limited to.
    pub only: Selection,
    /// What the manifest shall own; `None`: what is exported, code by code.
    pub owns: Option<Scope>,
}

impl Choice {
    /// Whether a custom entry is exported.
    #[must_use]
    pub fn admits(&self, address: &Address) -> bool {
        self.only.admits(address) && self.owns.as_ref().is_none_or(|owns| owns.matches(address))
    }

    /// The patterns that match no custom entry: more likely a typing error than a wish.
    #[must_use]
    pub fn unmatched(&self, listing: &Listing) -> Vec<Finding> {
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

/// Where an export comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The portal's identity: its host, or the sandbox's.
    pub portal: String,
    /// Whether it is a sandbox, to which no `portal` pin applies.
    pub sandbox: bool,
}

/// What became of one custom entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filed {
    /// The manifest declares it, with its image in this file.
    Declared(File),
    /// The manifest ignores it; its image is in this file, and this is why.
    SetAside(File, String),
    /// Its image could not be fetched, and why: the manifest ignores it.
    Unfetched(String),
    /// It was not asked for.
    LeftOut,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, relative to the export's folder, with `/`.
    pub path: String,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// A custom entry and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Kind and code, spelt as the portal spells it.
    pub address: Address,
    /// What became of it.
    pub filed: Filed,
}

/// An export, ready to be written.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// The custom entries, by address.
    pub items: Vec<Item>,
    /// Paths and bytes in the order in which they are to be written, the manifest last, so that none is ever there without
    /// what it declares.
    pub files: Vec<(String, Arc<[u8]>)>,
    /// What there is to say about it.
    pub findings: Vec<Finding>,
}

impl Export {
    /// Adds the snapshot of the portal, after the images that it names.
    pub fn add_snapshot(&mut self, json: serde_json::Result<String>) {
        let place = self.files.iter().position(|(path, _)| path == SCHEMA).unwrap_or(self.files.len());
        self.add(place, SNAPSHOT, json);
    }

    fn add(&mut self, place: usize, path: &str, json: serde_json::Result<String>) {
        match json {
            Ok(json) => self.files.insert(place, (path.to_owned(), (json + "\n").into_bytes().into())),
            Err(error) => self.findings.push(Finding::error("export", format!("{path} cannot be made: {error}"))),
        }
    }
}

/// Lays an export out, but for the snapshot. Of `observed`, what is [`Reading::NotNeeded`] was not asked for; `contents` has the bytes of all
/// that is known.
#[must_use]
pub fn lay_out(observed: &ObservedState, contents: &Contents, choice: &Choice, origin: &Origin) -> Export {
    let rules = Rules::of(observed);
    let mut custom: Vec<_> = observed.entries.iter().filter(|entry| !entry.listed.system).collect();
    custom.sort_by_key(|entry| (entry.listed.address.clone(), sha256(&entry.reading)));
    let judged: Vec<_> =
        custom.par_iter().map(|entry| rules.judge(&entry.listed.address, &entry.reading, contents)).collect();
    let mut images = BTreeMap::new();
    let mut opaque = 0;
    let items: Vec<_> = custom
        .iter()
        .zip(judged)
        .map(|(entry, judgement)| {
            let address = &entry.listed.address;
            let mut file = |bytes: &Arc<[u8]>, folder| {
                let path = free_path(folder, address, &images);
                images.insert(path.clone(), bytes.clone());
                File { path, sha256: Digest::of(bytes) }
            };
            let filed = match judgement {
                Judgement::NotAsked => Filed::LeftOut,
                Judgement::Unknown(why) => Filed::Unfetched(why),
                Judgement::Refused(bytes, why) => Filed::SetAside(file(bytes, Some(SET_ASIDE)), why),
                Judgement::Sound(bytes, ground) => {
                    opaque += usize::from(ground == Ground::Opaque);
                    Filed::Declared(file(bytes, None))
                }
            };
            Item { address: address.clone(), filed }
        })
        .collect();
    let mut export = Export { items, files: images.into_iter().collect(), findings: Vec::new() };
    export.findings.extend(export.items.iter().filter_map(unfetched));
    let manifest = declare(&mut export, choice, origin, opaque);
    export.add(export.files.len(), SCHEMA, serde_json::to_string_pretty(&manifests::schema()));
    export.files.extend(manifest.map(|text| (MANIFEST.to_owned(), text.into_bytes().into())));
    export
}

/// The text of the manifest; `None` when there is nothing that it could own.
fn declare(export: &mut Export, choice: &Choice, origin: &Origin, opaque: usize) -> Option<String> {
    let mut ignore: Vec<(Pattern, String)> = Vec::new();
    for Item { address, filed } in &export.items {
        let why = match filed {
            Filed::Declared(_) => continue,
            Filed::SetAside(file, why) => format!("{why}; its image is kept in {}", file.path),
            Filed::Unfetched(why) => format!("its image could not be fetched: {why}"),
            Filed::LeftOut if choice.owns.as_ref().is_some_and(|owns| owns.matches(address)) => {
                "not exported: `--only` left it out".to_owned()
            }
            Filed::LeftOut => continue,
        };
        match Pattern::exactly(address) {
            // A code that is listed twice; the entries are sorted.
            Some(pattern) if ignore.last().is_some_and(|(last, _)| *last == pattern) => {}
            Some(pattern) => ignore.push((pattern, why)),
            None => export.findings.push(unnameable(address)),
        }
    }
    let exact = |items: &[Item]| -> Vec<Pattern> {
        let declared = items.iter().filter(|item| matches!(item.filed, Filed::Declared(_)));
        declared.filter_map(|item| Pattern::exactly(&item.address)).collect()
    };
    let owns = match &choice.owns {
        Some(owns) => owns.patterns().to_vec(),
        None => Some(exact(&export.items))
            .filter(|owns| !owns.is_empty())
            .unwrap_or_else(|| ignore.iter().map(|(pattern, _)| pattern.clone()).collect()),
    };
    if owns.is_empty() {
        return None;
    }
    let declared = |kind: Kind| -> Vec<(&Code, &str)> {
        let of_kind = export.items.iter().filter(|item| item.address.kind == kind);
        of_kind
            .filter_map(|item| match &item.filed {
                Filed::Declared(file) => Some((&item.address.code, file.path.as_str())),
                Filed::SetAside(..) | Filed::Unfetched(_) | Filed::LeftOut => None,
            })
            .collect()
    };
    let text = manifest::text(&manifest::Draft {
        portal: &origin.portal,
        pinned: !origin.sandbox,
        owns: &owns,
        derived: choice.owns.is_none(),
        declared: Kind::ALL.map(|kind| (kind, declared(kind))).into(),
        ignore: &ignore,
        opaque,
    });
    // Too large, as a rule: what cannot be read back is not worth writing.
    let (_, found) = manifests::parse(text.as_bytes(), MANIFEST);
    let errors: Vec<_> = found.into_iter().filter(Finding::is_error).collect();
    let sound = errors.is_empty();
    export.findings.extend(errors.into_iter().map(|error| Finding { place: None, related: Vec::new(), ..error }));
    sound.then_some(text)
}

/// A path that no image has yet: two entries share one only when the portal lists a code twice.
fn free_path(folder: Option<&str>, address: &Address, taken: &BTreeMap<String, Arc<[u8]>>) -> String {
    let folder = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
    let stem = filename::stem(&address.code);
    let path = format!("{folder}{}/{stem}", address.kind.plural());
    let names = std::iter::once(format!("{path}.png")).chain((2..).map(|number: u32| format!("{path}%%{number}.png")));
    names.into_iter().find(|name| !taken.contains_key(name)).unwrap_or_default()
}

fn sha256(reading: &Reading) -> Option<Digest> {
    match reading {
        Reading::Known(content) => Some(content.sha256),
        Reading::NotNeeded | Reading::Failed(_) => None,
    }
}

fn unfetched(item: &Item) -> Option<Finding> {
    let Filed::Unfetched(why) = &item.filed else { return None };
    let message = format!("the image of {} cannot be fetched: {why}", item.address.to_string().escape_debug());
    Some(
        Finding::error("unknown-content", message)
            .about(item.address.clone())
            .help("the rest is exported, and the manifest ignores this entry: export again with --overwrite"),
    )
}

fn unnameable(address: &Address) -> Finding {
    let message =
        format!("no pattern can name {}, so the manifest cannot ignore it", address.to_string().escape_debug());
    Finding::error("export", message).about(address.clone()).help("leave it out of `owns`, or delete it on the portal")
}
