//! Reads a portal: both lists, and the content of the entries that matter, from the cache where it has been seen before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use crate::domain::asset::{Digest, Kind};
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

/// The most bytes of images that are kept in memory while a portal is read. Icons and logos are small: there is room for
/// thousands. What is not kept is downloaded again where it is needed.
const MAX_KEPT_BYTES: usize = 64 * 1024 * 1024;

/// Images that are kept in memory, as long as there is room.
#[derive(Debug)]
pub(crate) struct KeptImages {
    contents: Contents,
    room: usize,
    /// The `fileUri` of everything that was downloaded, kept or not.
    downloaded: BTreeSet<String>,
}

impl KeptImages {
    /// Room for what is shown, and what a second download would be made for.
    pub(crate) const fn limited() -> Self {
        Self::with_room(MAX_KEPT_BYTES)
    }

    /// Room for so many bytes.
    pub(crate) const fn with_room(room: usize) -> Self {
        Self { contents: Contents::new(), room, downloaded: BTreeSet::new() }
    }

    /// Whether an image is kept.
    pub(crate) fn holds(&self, digest: &Digest) -> bool {
        self.contents.contains_key(digest)
    }

    /// Keeps an image. Without room for it, it says so, and takes none of those that follow.
    pub(crate) fn keep(&mut self, digest: Digest, bytes: Arc<[u8]>) -> bool {
        if self.holds(&digest) {
            return true;
        }
        let room = self.room.checked_sub(bytes.len());
        self.room = room.unwrap_or_default();
        if room.is_some() {
            self.contents.insert(digest, bytes);
        }
        room.is_some()
    }

    /// Whether there is no room left.
    pub(crate) const fn is_full(&self) -> bool {
        self.room == 0
    }

    pub(crate) fn into_contents(self) -> Contents {
        self.contents
    }
}

/// Reads the content of the entries of `listing` that are `wanted`. `is_kept` says of each content whether its bytes will be
/// needed too; those are kept, as far as they were downloaded now and there is room.
pub(crate) async fn observe(
    reader: &Reader<'_, impl ReadPortal>,
    listing: &Listing,
    wanted: impl Fn(&Listed) -> bool,
    freshness: Freshness,
    kept: &mut KeptImages,
    is_kept: impl Fn(&Listed, &Content) -> bool,
) -> ObservedState {
    let chosen = listing.entries.iter().enumerate().filter(|(_, listed)| wanted(listed));
    let (places, chosen): (Vec<_>, Vec<_>) = chosen.unzip();
    let readings = contents(reader, &chosen, freshness, kept, is_kept).await;
    // By their places: a listing may name a code twice.
    let mut readings: BTreeMap<_, _> = places.into_iter().zip(readings).collect();
    let entries = listing.entries.iter().enumerate().map(|(place, listed)| ObservedEntry {
        listed: listed.clone(),
        reading: readings.remove(&place).unwrap_or(Reading::NotNeeded),
    });
    ObservedState { entries: entries.collect() }
}

/// Reads the content of `wanted`, from the cache where it has been seen before: one reading for each entry, in order.
/// `kept` and `is_kept` are as in [`observe`].
pub(super) async fn contents(
    reader: &Reader<'_, impl ReadPortal>,
    wanted: &[&Listed],
    freshness: Freshness,
    kept: &mut KeptImages,
    is_kept: impl Fn(&Listed, &Content) -> bool,
) -> Vec<Reading> {
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
    if !missing.is_empty() {
        observer.observe(Event::Stage { stage: Stage::Downloading, total: Some(missing.len()) });
        let mut downloads = stream::iter(missing)
            .map(|(listed, reading)| async move { (listed, reading, portal.download(&listed.file_uri).await) })
            .buffer_unordered(DOWNLOADS);
        while let Some((listed, reading, downloaded)) = downloads.next().await {
            observer.observe(Event::Advanced(1));
            *reading = Some(match downloaded {
                Ok(bytes) => match seen(*cache, listed.address.kind, &listed.file_uri, &bytes) {
                    Err(why) => Reading::Failed(why),
                    Ok(content) => {
                        kept.downloaded.insert(listed.file_uri.clone());
                        if is_kept(listed, &content) {
                            let bytes = Arc::from(bytes);
                            if kept.keep(content.sha256, Arc::clone(&bytes)) {
                                cache.keep(content.sha256, &bytes);
                            }
                        }
                        Reading::Known(content)
                    }
                },
                Err(error) => Reading::Failed(error.to_string()),
            });
        }
    }
    readings.into_iter().map(|reading| reading.unwrap_or(Reading::NotNeeded)).collect()
}

/// Entries that were read again, compared with what the cache said of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    AsKnown,
    Otherwise,
}

/// Reads those of `entries` again whose content is known and was not downloaded: from the cache and as far as there is room, or,
/// with [`Freshness::Refetched`], all of them from the portal.
pub(super) async fn read_again(
    reader: &Reader<'_, impl ReadPortal>,
    entries: impl Iterator<Item = &mut ObservedEntry>,
    freshness: Freshness,
    kept: &mut KeptImages,
) -> Found {
    let mut entries: Vec<_> = entries.filter(|entry| !kept.downloaded.contains(&entry.listed.file_uri)).collect();
    entries.retain(|entry| match &entry.reading {
        Reading::Known(Content { sha256, .. }) if freshness == Freshness::Cached => {
            let is_kept =
                kept.holds(sha256) || reader.cache.bytes(*sha256).is_some_and(|bytes| kept.keep(*sha256, bytes));
            !is_kept && !kept.is_full()
        }
        Reading::Known(_) => true,
        Reading::NotNeeded | Reading::Failed(_) => false,
    });
    let listed: Vec<_> = entries.iter().map(|entry| &entry.listed).collect();
    let readings = contents(reader, &listed, Freshness::Refetched, kept, |_, _| true).await;
    let mut found = Found::AsKnown;
    for (entry, reading) in entries.into_iter().zip(readings) {
        if entry.reading != reading {
            entry.reading = reading;
            found = Found::Otherwise;
        }
    }
    found
}

/// The facts of bytes just fetched, noted; or the reason why they are not those of a stored image.
fn seen(cache: &dyn ContentCache, kind: Kind, file_uri: &str, bytes: &[u8]) -> Result<Content, String> {
    let content = Content::of_download(kind, bytes)?;
    if content.appearance.is_some() {
        // What is not a sound PNG may have been cut on the way: it is asked for again each time.
        cache.remember(file_uri, &content);
    }
    Ok(content)
}

/// Reads both lists, and fetches `added` meanwhile: the images of these entries will be asked for next. What cannot be fetched
/// is reported then.
pub(crate) async fn list_and_fetch(
    reader: &Reader<'_, impl ReadPortal>,
    added: &[(Kind, String)],
) -> Result<Listing, PortalError> {
    let Reader { portal, cache, .. } = reader;
    let fetching = stream::iter(added).for_each_concurrent(DOWNLOADS, |(kind, file_uri)| async move {
        if let Ok(bytes) = portal.download(file_uri).await {
            let _ = seen(*cache, *kind, file_uri, &bytes);
        }
    });
    tokio::join!(portal.list(), fetching).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_not_kept_and_nothing_after_it() {
        let mut kept = KeptImages::with_room(100);
        let mut keep = |mark: u8, length: usize| {
            let bytes = vec![mark; length];
            (kept.keep(Digest::of(&bytes), Arc::from(bytes)), kept.is_full())
        };
        assert_eq!(keep(1, 60), (true, false));
        assert_eq!(keep(1, 60), (true, false), "it is there already");
        assert_eq!(keep(2, 60), (false, true));
        assert_eq!(keep(3, 1), (false, true));
        assert_eq!(keep(1, 60), (true, true));
        assert_eq!(kept.into_contents().len(), 1);
    }
}
