//! Reads a portal: both lists, and the content of the entries that matter, from the cache where it has been seen before.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use crate::domain::asset::Digest;
use crate::domain::plan::Contents;
use crate::domain::state::{Content, Listed, Listing, ObservedEntry, ObservedState, Reading};

use super::events::{Event, Observer, Stage};
use super::ports::{ContentCache, DOWNLOADS, PortalError, ReadPortal};

/// The reader of a portal, with its cache and observer.
pub struct Reader<'a, P> {
    /// The portal.
    pub portal: &'a P,
    /// What is known of images.
    pub cache: &'a dyn ContentCache,
    /// The receiver of events.
    pub observer: &'a dyn Observer,
}

/// Whether what was seen before is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// A `fileUri` seen before is not fetched again.
    Cached,
    /// Everything is fetched again (`--refresh`).
    Refetched,
}

/// A cache that remembers nothing: what is read for a copy is read now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoCache;

impl ContentCache for NoCache {
    fn content(&self, _: &str) -> Option<Content> {
        None
    }

    fn remember(&self, _: &str, _: &Content) {}

    fn bytes(&self, _: Digest) -> Option<Arc<[u8]>> {
        None
    }

    fn keep(&self, _: Digest, _: &[u8]) {}
}

/// Reads the content of the entries of `listing` that are `wanted`. `kept` says of each content whether its bytes will be
/// needed too; those are returned, as far as they were downloaded now.
pub(crate) async fn observe(
    reader: &Reader<'_, impl ReadPortal>,
    listing: &Listing,
    wanted: impl Fn(&Listed) -> bool,
    freshness: Freshness,
    kept: impl Fn(&Listed, &Content) -> bool,
) -> (ObservedState, Contents) {
    let chosen = listing.entries.iter().enumerate().filter(|(_, listed)| wanted(listed));
    let (places, chosen): (Vec<_>, Vec<_>) = chosen.unzip();
    let (readings, contents) = contents(reader, &chosen, freshness, kept).await;
    // By their places: a listing may name a code twice.
    let mut readings: BTreeMap<_, _> = places.into_iter().zip(readings).collect();
    let entries = listing.entries.iter().enumerate().map(|(place, listed)| ObservedEntry {
        listed: listed.clone(),
        reading: readings.remove(&place).unwrap_or(Reading::NotNeeded),
    });
    (ObservedState { entries: entries.collect() }, contents)
}

/// Reads the content of `wanted`, from the cache where it has been seen before: one reading for each entry, in order.
/// `kept` is as in [`observe`].
pub(super) async fn contents(
    reader: &Reader<'_, impl ReadPortal>,
    wanted: &[&Listed],
    freshness: Freshness,
    kept: impl Fn(&Listed, &Content) -> bool,
) -> (Vec<Reading>, Contents) {
    let Reader { portal, cache, observer } = reader;
    let mut readings: Vec<_> = wanted
        .iter()
        .map(|listed| cache.content(&listed.file_uri).filter(|_| freshness == Freshness::Cached).map(Reading::Known))
        .collect();
    let missing: Vec<_> = wanted
        .iter()
        .zip(&mut readings)
        .filter_map(|(listed, reading)| reading.is_none().then_some((*listed, reading)))
        .collect();
    let mut bytes_kept = Contents::new();
    if !missing.is_empty() {
        observer.observe(Event::Stage { stage: Stage::Downloading, total: Some(missing.len()) });
        let mut downloads = stream::iter(missing)
            .map(|(listed, reading)| async move { (listed, reading, portal.download(&listed.file_uri).await) })
            .buffer_unordered(DOWNLOADS);
        while let Some((listed, reading, downloaded)) = downloads.next().await {
            observer.observe(Event::Advanced(1));
            *reading = Some(match downloaded {
                Ok(bytes) => {
                    let content = seen(*cache, &listed.file_uri, &bytes);
                    if kept(listed, &content) {
                        cache.keep(content.sha256, &bytes);
                        bytes_kept.insert(content.sha256, Arc::from(bytes));
                    }
                    Reading::Known(content)
                }
                Err(error) => Reading::Failed(error.to_string()),
            });
        }
    }
    (readings.into_iter().map(|reading| reading.unwrap_or(Reading::NotNeeded)).collect(), bytes_kept)
}

/// The facts of bytes just fetched, noted.
fn seen(cache: &dyn ContentCache, file_uri: &str, bytes: &[u8]) -> Content {
    let content = Content::of(bytes);
    if content.appearance.is_some() {
        // What is not a sound PNG may be a proxy's page: it is asked for again each time.
        cache.remember(file_uri, &content);
    }
    content
}

/// Reads both lists, and fetches meanwhile what was added: it will be asked for next. What cannot be fetched is
/// reported then.
pub(crate) async fn list_again(reader: &Reader<'_, impl ReadPortal>) -> Result<Listing, PortalError> {
    let Reader { portal, cache, .. } = reader;
    let fetching = stream::iter(portal.added_files()).for_each_concurrent(DOWNLOADS, |file_uri| async move {
        if let Ok(bytes) = portal.download(&file_uri).await {
            seen(*cache, &file_uri, &bytes);
        }
    });
    tokio::join!(portal.list(), fetching).0
}

/// The bytes of an entry whose facts are known, from the cache or from the portal; `None` when they cannot be had.
pub(crate) async fn bytes(reader: &Reader<'_, impl ReadPortal>, file_uri: &str, digest: Digest) -> Option<Arc<[u8]>> {
    let Reader { portal, cache, .. } = reader;
    if let Some(bytes) = cache.bytes(digest) {
        return Some(bytes);
    }
    let bytes = portal.download(file_uri).await.ok()?;
    (Digest::of(&bytes) == digest).then(|| {
        cache.keep(digest, &bytes);
        Arc::from(bytes)
    })
}
