//! Makes a plan: reads the portal, compares, gathers the bytes. Writes nothing; the guards evaluate the plan next.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::domain::asset::Kind;
use crate::domain::diff::{self, Unbacked};
use crate::domain::finding::Finding;
use crate::domain::guard::{CountsByKind, KindCounts};
use crate::domain::origin::{ChangedBy, Origins};
use crate::domain::ownership::Ownership;
use crate::domain::plan::{Contents, Plan};
use crate::domain::scope;
use crate::domain::state::{Content, ControlImage, DesiredState, Listed, Listing, ObservedState, Selection};

use super::events::{Event, Stage};
use super::observe::{self, Found, Freshness, KeptImages, Reader};
use super::origin::{self, Looked, Record};
use super::ports::{PortalError, ReadPortal};

/// The input of a plan, besides the portal.
#[derive(Debug)]
pub struct Request<'a> {
    /// The portal's identity.
    pub portal: &'a str,
    /// How the user names the manifest.
    pub manifest: &'a str,
    /// What the portal should hold.
    pub desired: &'a DesiredState,
    /// The selection of the command.
    pub only: &'a Selection,
    /// Whether entries of unknown content are changed anyway.
    pub unbacked: Unbacked,
    /// Whether the cache is trusted.
    pub freshness: Freshness,
    /// The purpose of the plan.
    pub purpose: Purpose,
    /// The record for the origin of each change; `None` if it is not needed.
    pub record: Option<Record<'a>>,
}

/// The purpose of reading the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To show it.
    Read,
    /// To write to it: the request for the lists also asks whether the caller may.
    Write,
}

/// The portal as it was when a plan was made that will be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub(crate) at: Instant,
    pub(crate) may_write: bool,
}

/// A plan as it was made, before the guards evaluate it.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Who moved, for every change that was examined.
    pub origins: Origins,
    /// Who changed the files of changes, as far as Git says.
    pub changed_by: ChangedBy,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The facts that the guards evaluate the plan with.
    pub counts_by_kind: CountsByKind,
    /// Everything that the portal lists: the cache forgets the rest.
    pub listing: Listing,
    /// The portal as it was, for a plan that will be applied.
    pub seen: Option<Seen>,
    /// An entry that it does not change, for a plan that will be applied.
    pub control: Option<ControlImage>,
}

/// Reads the portal and makes a plan.
pub async fn plan(request: &Request<'_>, reader: &Reader<'_, impl ReadPortal>) -> Result<Planned, PortalError> {
    let Request { portal, manifest, desired, only, unbacked, freshness, purpose, record } = request;
    reader.observer.observe(Event::Stage { stage: Stage::Listing, total: None });
    let at = Instant::now();
    let (listing, seen) = match purpose {
        Purpose::Read => (reader.portal.list().await?, None),
        Purpose::Write => {
            let (listing, may_write) = reader.portal.list_to_write().await?;
            (listing, Some(Seen { at, may_write }))
        }
    };
    let looks: BTreeMap<_, _> =
        desired.entries().iter().map(|(address, entry)| (address.folded(), &entry.content)).collect();
    let differs = |listed: &Listed, content: &Content| {
        looks.get(&listed.address.folded()).is_none_or(|desired| !content.same_appearance(desired))
    };
    let mut old = KeptImages::limited();
    let needed = desired.needs(only);
    let mut observed = observe::observe(reader, &listing, needed, *freshness, &mut old, differs).await;
    let mut diff = diff::diff(desired, &observed, only, *unbacked, manifest);
    if read_old(&diff, reader, *purpose, &mut observed, &mut old).await == Found::Otherwise {
        diff = diff::diff(desired, &observed, only, *unbacked, manifest);
    }
    let control = match purpose {
        Purpose::Read => None,
        Purpose::Write => control(&listing, desired, &diff, reader).await,
    };
    let contents = gather(&diff, desired, &old.into_contents());
    let mut findings = unmatched(only, desired, &listing);
    findings.extend(diff.conflicts.iter().cloned());
    let plan = Plan::new((*portal).to_owned(), diff, contents);
    if record.is_some() && !plan.diff.changes.is_empty() {
        reader.observer.observe(Event::Stage { stage: Stage::History, total: None });
    }
    let looked = record.map(|record| origin::origins(&record, &plan, desired, only)).unwrap_or_default();
    let Looked { origins, changed_by, findings: remarks } = looked;
    findings.extend(remarks);
    let declared = Kind::ALL
        .into_iter()
        .map(|kind| (kind, desired.entries().keys().filter(|address| address.kind == kind).count()))
        .collect();
    let counts_by_kind = counts_by_kind(desired.ownership(), &listing, &declared);
    Ok(Planned { plan, origins, changed_by, findings, counts_by_kind, listing, seen, control })
}

/// A declared entry that the plan does not change and whose image the cache or a download knows: it can be read before
/// the first write.
pub(crate) async fn control(
    listing: &Listing,
    desired: &DesiredState,
    diff: &diff::Diff,
    reader: &Reader<'_, impl ReadPortal>,
) -> Option<ControlImage> {
    /// How many entries are downloaded to find one.
    const MAX_TRIED: usize = 3;
    let changed: BTreeSet<_> = diff.changes.iter().map(|change| change.address.folded()).collect();
    let declared = listing.entries.iter().filter(|listed| !listed.system).filter_map(|listed| {
        let content = &desired.entries().get(&listed.address)?.content;
        (!changed.contains(&listed.address.folded())).then_some((listed, content))
    });
    let control = |(listed, content): (&Listed, &Content)| ControlImage {
        address: listed.address.clone(),
        file_uri: listed.file_uri.clone(),
        content: content.clone(),
    };
    let declared: Vec<_> = declared.collect();
    let is_known = |(listed, content): &&(&Listed, &Content)| {
        reader.cache.content(&listed.file_uri).is_some_and(|known| known.same_appearance(content))
    };
    if let Some(known) = declared.iter().find(is_known) {
        return Some(control(*known));
    }
    for (listed, content) in declared.into_iter().take(MAX_TRIED) {
        let Ok(bytes) = reader.portal.download(&listed.file_uri).await else { continue };
        if Content::of_download(listed.address.kind, &bytes).is_ok_and(|found| found.same_appearance(content)) {
            return Some(control((listed, content)));
        }
    }
    None
}

/// Counts the facts that the guards evaluate a plan with.
pub(crate) fn counts_by_kind(
    ownership: &Ownership,
    listing: &Listing,
    declared: &BTreeMap<Kind, usize>,
) -> CountsByKind {
    ownership
        .kinds
        .iter()
        .map(|kind| {
            let declared = declared.get(kind).copied().unwrap_or_default();
            (*kind, KindCounts { owned: listing.owned(ownership, *kind), declared, ..KindCounts::default() })
        })
        .collect()
}

/// Reads again what changes remove and what was known only from the cache: for a plan that will be applied, all of it,
/// because nothing is removed on the cache's word; else what there is room for, to show it.
async fn read_old(
    diff: &diff::Diff,
    reader: &Reader<'_, impl ReadPortal>,
    purpose: Purpose,
    observed: &mut ObservedState,
    old: &mut KeptImages,
) -> Found {
    let removed: BTreeSet<_> = diff
        .changes
        .iter()
        .filter_map(|change| change.action.before())
        .filter(|before| before.content.is_some())
        .map(|before| before.file_uri.as_str())
        .collect();
    let freshness = match purpose {
        Purpose::Read => Freshness::Cached,
        Purpose::Write => Freshness::Refetched,
    };
    observe::read_again(reader, observed, |listed| removed.contains(listed.file_uri.as_str()), freshness, old).await
}

/// The bytes of the changes.
fn gather(diff: &diff::Diff, desired: &DesiredState, old: &Contents) -> Contents {
    let mut contents = Contents::new();
    for change in &diff.changes {
        if let Some(content) = change.action.before().and_then(|before| before.content.as_ref())
            && let Some(bytes) = old.get(&content.sha256)
        {
            contents.insert(content.sha256, bytes.clone());
        }
        if change.action.after().is_some()
            && let Some(entry) = desired.entries().get(&change.address)
        {
            contents.insert(entry.content.sha256, entry.png.clone());
        }
    }
    contents
}

/// `--only` patterns that match nothing declared and nothing owned, which are probably typing errors.
fn unmatched(only: &Selection, desired: &DesiredState, listing: &Listing) -> Vec<Finding> {
    let is_owned = |listed: &&Listed| !listed.system && desired.ownership().of(&listed.address).is_ok();
    let owned = listing.entries.iter().filter(is_owned).map(|listed| &listed.address);
    scope::unmatched(
        "--only",
        only.patterns(),
        desired.entries().keys().chain(owned),
        "declared and no owned entry",
        "patterns match codes as the manifest spells them, such as `acme-*` or `icon/acme-*`",
    )
}
