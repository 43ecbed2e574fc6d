//! Lists what a portal holds, with the facts of every custom entry. Writes nothing.

use crate::domain::finding::Finding;
use crate::domain::list::{self, ListEntry};
use crate::domain::ownership::Ownership;
use crate::domain::plan::Contents;
use crate::domain::state::{Content, Listed, Listing, ObservedEntry, Reading, Selection};

use super::events::{Event, Stage};
use super::observe::{self, Freshness, Reader};
use super::ports::{PortalError, ReadPortal};

/// The entries that a portal holds, as it was listed.
#[derive(Debug)]
pub struct PortalEntries {
    /// The entries that were asked for.
    pub(crate) entries: Vec<ListEntry>,
    /// What could not be fetched, and patterns that match nothing.
    pub(crate) findings: Vec<Finding>,
    /// Everything, for the cache to forget the rest.
    pub(crate) listing: Listing,
    /// The bytes of the entries, when they are wanted and as far as they could be had.
    pub(crate) contents: Contents,
}

/// The handling of the bytes that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytes {
    /// Their facts are enough.
    Dropped,
    /// Somebody wants to see the images.
    Kept,
}

/// Reads both lists and the custom entries that `only` admits. `ownership` is `None` without a manifest.
pub async fn list(
    reader: &Reader<'_, impl ReadPortal>,
    ownership: Option<&Ownership>,
    only: &Selection,
    freshness: Freshness,
    bytes: Bytes,
) -> Result<PortalEntries, PortalError> {
    reader.observer.observe(Event::Stage { stage: Stage::Listing, total: None });
    let listing = reader.portal.list().await?;
    let wanted = |listed: &Listed| !listed.system && only.admits(&listed.address);
    let (observed, mut contents) =
        observe::observe(reader, &listing, wanted, freshness, |_, _| bytes == Bytes::Kept).await;
    if bytes == Bytes::Kept {
        // What is known by the cache was not read just now.
        for ObservedEntry { listed, reading } in &observed.entries {
            if let Reading::Known(Content { sha256, .. }) = reading
                && !contents.contains_key(sha256)
                && let Some(found) = observe::bytes(reader, &listed.file_uri, *sha256).await
            {
                contents.insert(*sha256, found);
            }
        }
    }
    let entries = list::entries(observed, ownership, only);
    let mut findings = list::unmatched(only, &entries);
    findings.extend(entries.iter().filter_map(unknown));
    Ok(PortalEntries { entries, findings, listing, contents })
}

fn unknown(entry: &ListEntry) -> Option<Finding> {
    let Reading::Failed(why) = &entry.reading else { return None };
    let message = format!("the image of {} cannot be fetched: {why}", entry.address);
    Some(Finding::warning("unknown-content", message).about(entry.address.clone()))
}
