//! Lists what a portal holds, with the facts of every custom entry. Writes nothing.

use crate::domain::finding::Finding;
use crate::domain::list::{self, Claims, ListEntry};
use crate::domain::plan::Contents;
use crate::domain::state::{Listed, Listing, Selection};

use super::events::{Event, Stage};
use super::observe::{self, Freshness, KeptImages, Reader};
use super::ports::{PortalError, ReadPortal};

/// The entries that a portal holds, as it was listed.
#[derive(Debug)]
pub struct PortalEntries {
    /// The entries that were asked for.
    pub(crate) entries: Vec<ListEntry>,
    /// What could not be fetched, and patterns that match nothing.
    pub(crate) findings: Vec<Finding>,
    /// Everything that the portal lists: the cache forgets the rest.
    pub(crate) listing: Listing,
    /// The bytes of the entries, if they are wanted and could be downloaded.
    pub(crate) contents: Contents,
}

/// The handling of the bytes that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytes {
    /// The facts are enough.
    Dropped,
    /// The images are shown.
    Kept,
}

/// Reads both lists and the custom entries that `only` admits. `claims` is `None` without a manifest.
pub async fn list(
    reader: &Reader<'_, impl ReadPortal>,
    claims: Option<&Claims>,
    only: &Selection,
    freshness: Freshness,
    bytes: Bytes,
) -> Result<PortalEntries, PortalError> {
    reader.observer.observe(Event::Stage { stage: Stage::Listing, total: None });
    let listing = reader.portal.list().await?;
    let wanted = |listed: &Listed| !listed.system && only.admits(&listed.address);
    let mut kept = KeptImages::limited();
    let mut observed =
        observe::observe(reader, &listing, wanted, freshness, &mut kept, |_, _| bytes == Bytes::Kept).await;
    if bytes == Bytes::Kept {
        observe::read_again(reader, &mut observed, |_| true, Freshness::Cached, &mut kept).await;
    }
    let contents = kept.into_contents();
    let entries = list::entries(observed, claims, only);
    let mut findings = list::unmatched(only, &entries);
    findings.extend(entries.iter().filter_map(unknown));
    Ok(PortalEntries { entries, findings, listing, contents })
}

fn unknown(entry: &ListEntry) -> Option<Finding> {
    let why = entry.reading.why_unknown()?;
    let message = format!("the image of {} cannot be fetched: {why}", entry.address);
    Some(Finding::warning("unknown-content", message).about(entry.address.clone()))
}
