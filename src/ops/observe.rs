//! Reads a portal: both lists, and the content of the entries that matter, from the cache if it was seen before.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use crate::domain::asset::{Digest, Kind};
use crate::domain::last_known::LastKnown;
use crate::domain::plan::Contents;
use crate::domain::state::{Content, Doubt, Listed, Listing, ObservedEntry, ObservedState, Reading};

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
    /// What was last put under each code: by runs before this one, and by this one.
    pub known: &'a RefCell<LastKnown>,
}

/// Whether the cache is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// A `fileUri` seen before is not fetched again.
    Cached,
    /// Everything is fetched again (`--refresh`).
    Refetched,
}

/// A cache that remembers nothing: what is read for a copy must be read now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoCache;

impl ContentCache for NoCache {
    fn content(&self, _: &str) -> Option<Content> {
        None
    }

    fn remember(&self, _: &str, _: &Content) {}

    fn forget(&self, _: &str) {}

    fn bytes(&self, _: Digest) -> Option<Arc<[u8]>> {
        None
    }

    fn keep(&self, _: Digest, _: &[u8]) {}
}

/// The maximum size of images that are kept in memory while a portal is read. Icons and logos are small: there is room
/// for thousands. What is not kept is downloaded again if it is needed.
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
    /// Room for images to show, and for those that would need a second download.
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

    /// Keeps an image. Without room for it, remembers that, and takes none of those that follow.
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

    /// Takes the bytes that were downloaded for an entry, and keeps them where `is_kept` says so.
    fn take(&mut self, listed: &Listed, bytes: Vec<u8>, is_kept: impl Fn(&Listed, &Content) -> bool) -> Reading {
        let content = match Content::of_download(listed.address.kind, &bytes) {
            Ok(content) => content,
            Err(why) => return Reading::Failed(why),
        };
        self.downloaded.insert(listed.file_uri.clone());
        if is_kept(listed, &content) {
            self.keep(content.sha256, Arc::from(bytes));
        }
        Reading::of(content)
    }

    /// Whether there is no room left.
    pub(crate) const fn is_full(&self) -> bool {
        self.room == 0
    }

    pub(crate) fn into_contents(self) -> Contents {
        self.contents
    }
}

/// Reads the content of the entries of `listing` that are `wanted`. `is_kept` decides for each content whether its bytes
/// will be needed too; those are kept, if they were downloaded now and there is room.
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

/// Reads the content of `wanted`, from the cache if it was seen before: one reading for each entry, in order.
/// `kept` and `is_kept` are as in [`observe`].
pub(super) async fn contents(
    reader: &Reader<'_, impl ReadPortal>,
    wanted: &[&Listed],
    freshness: Freshness,
    kept: &mut KeptImages,
    is_kept: impl Fn(&Listed, &Content) -> bool,
) -> Vec<Reading> {
    let mut readings: Vec<_> = wanted
        .iter()
        .map(|listed| {
            reader.cache.content(&listed.file_uri).filter(|_| freshness == Freshness::Cached).map(Reading::of)
        })
        .map(|reading| reading.unwrap_or(Reading::NotNeeded))
        .collect();
    // If the cache contradicts what is known since, the image is downloaded again.
    for (place, _) in substituted(reader, wanted, &readings) {
        if let Some(reading) = readings.get_mut(place) {
            *reading = Reading::NotNeeded;
        }
    }
    let missing = wanted.iter().zip(&mut readings).filter(|(_, reading)| **reading == Reading::NotNeeded);
    download(reader, missing.map(|(listed, reading)| (*listed, reading)).collect(), kept, &is_kept).await;
    conclude(reader, wanted, &mut readings, kept, is_kept);
    readings
}

/// Downloads images. The result is not yet judged by what else is known.
async fn download(
    reader: &Reader<'_, impl ReadPortal>,
    missing: Vec<(&Listed, &mut Reading)>,
    kept: &mut KeptImages,
    is_kept: impl Fn(&Listed, &Content) -> bool,
) {
    if missing.is_empty() {
        return;
    }
    let Reader { portal, observer, .. } = reader;
    observer.observe(Event::Stage { stage: Stage::Downloading, total: Some(missing.len()) });
    let mut downloads = stream::iter(missing)
        .map(|(listed, reading)| async move { (listed, reading, portal.download(&listed.file_uri).await) })
        .buffer_unordered(DOWNLOADS);
    while let Some((listed, reading, bytes)) = downloads.next().await {
        observer.observe(Event::Advanced(1));
        *reading = match bytes {
            Ok(bytes) => kept.take(listed, bytes, &is_kept),
            Err(error) => Reading::Failed(error.to_string()),
        };
    }
    observer.observe(Event::Downloaded);
}

/// The readings that contradict what was last put under their codes, by their places, each with the reason.
fn substituted<P>(reader: &Reader<'_, P>, listed: &[&Listed], readings: &[Reading]) -> BTreeMap<usize, String> {
    let read = listed.iter().zip(readings).enumerate();
    let (places, read): (Vec<_>, Vec<_>) =
        read.filter_map(|(place, (listed, reading))| Some((place, (*listed, reading.content()?)))).unzip();
    let substituted = reader.known.borrow().substituted(&read);
    substituted.into_iter().filter_map(|(place, why)| Some((*places.get(place)?, why))).collect()
}

/// Marks the readings as doubtful that contradict what was last put under their codes, and notes the others that were
/// downloaded.
fn conclude<P>(
    reader: &Reader<'_, P>,
    listed: &[&Listed],
    readings: &mut [Reading],
    kept: &KeptImages,
    is_kept: impl Fn(&Listed, &Content) -> bool,
) {
    let cache = reader.cache;
    for (place, why) in substituted(reader, listed, readings) {
        if let (Some(listed), Some(reading)) = (listed.get(place), readings.get_mut(place)) {
            cache.forget(&listed.file_uri);
            let doubtful = |content| Reading::Doubtful { content, doubt: Doubt::Substituted(why) };
            *reading = reading.content().cloned().map_or(Reading::NotNeeded, doubtful);
        }
    }
    for (listed, reading) in listed.iter().zip(readings) {
        // A file that is not a sound PNG may have been cut on the way: it is downloaded again each time.
        if let Reading::Known(content) = reading
            && kept.downloaded.contains(&listed.file_uri)
        {
            cache.remember(&listed.file_uri, content);
            if let Some(bytes) = kept.contents.get(&content.sha256).filter(|_| is_kept(listed, content)) {
                cache.keep(content.sha256, bytes);
            }
        }
    }
}

/// Entries that were read again, compared with what the cache said of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    AsKnown,
    Otherwise,
}

/// Reads those entries again that are `wanted` and whose content is known and was not downloaded: from the cache while
/// there is room, or, with [`Freshness::Refetched`], all of them from the portal. The results are judged with all the
/// others.
pub(super) async fn read_again(
    reader: &Reader<'_, impl ReadPortal>,
    observed: &mut ObservedState,
    wanted: impl Fn(&Listed) -> bool,
    freshness: Freshness,
    kept: &mut KeptImages,
) -> Found {
    let (listed, before): (Vec<_>, Vec<_>) =
        observed.entries.iter().map(|entry| (&entry.listed, entry.reading.clone())).unzip();
    let mut readings = before.clone();
    let mut again: Vec<_> = listed.iter().copied().zip(&mut readings).filter(|(listed, _)| wanted(listed)).collect();
    again.retain(|(listed, reading)| match reading.content() {
        None => false,
        Some(_) if kept.downloaded.contains(&listed.file_uri) => false,
        Some(Content { sha256, .. }) if freshness == Freshness::Cached => {
            let is_kept =
                kept.holds(sha256) || reader.cache.bytes(*sha256).is_some_and(|bytes| kept.keep(*sha256, bytes));
            !is_kept && !kept.is_full()
        }
        Some(_) => true,
    });
    let again_of: BTreeSet<_> = again.iter().map(|(listed, _)| listed.file_uri.clone()).collect();
    download(reader, again, kept, |_, _| true).await;
    conclude(reader, &listed, &mut readings, kept, |listed, _| again_of.contains(&listed.file_uri));
    let found = if readings == before { Found::AsKnown } else { Found::Otherwise };
    for (entry, reading) in observed.entries.iter_mut().zip(readings) {
        entry.reading = reading;
    }
    found
}

/// Reads both lists, and fetches `added` at the same time: the images of these entries will be asked for next. What
/// cannot be fetched is reported then.
pub(crate) async fn list_and_fetch(
    reader: &Reader<'_, impl ReadPortal>,
    added: &[(Kind, String)],
) -> Result<Listing, PortalError> {
    let portal = reader.portal;
    let fetching = stream::iter(added)
        .map(|(kind, file_uri)| async move { (*kind, portal.download(file_uri).await, file_uri) })
        .buffer_unordered(DOWNLOADS)
        .filter_map(async |(kind, bytes, file_uri)| {
            let content = Content::of_download(kind, &bytes.ok()?).ok()?;
            Some((file_uri.clone(), Reading::of(content)))
        })
        .collect::<BTreeMap<_, _>>();
    let (listing, fetched) = tokio::join!(portal.list(), fetching);
    let listing = listing?;
    let (listed, mut readings): (Vec<_>, Vec<_>) =
        listing.entries.iter().filter_map(|listed| Some((listed, fetched.get(&listed.file_uri)?.clone()))).unzip();
    let kept = KeptImages { downloaded: fetched.into_keys().collect(), ..KeptImages::with_room(0) };
    conclude(reader, &listed, &mut readings, &kept, |_, _| false);
    Ok(listing)
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
        assert_eq!(keep(1, 60), (true, false), "it is kept already");
        assert_eq!(keep(2, 60), (false, true));
        assert_eq!(keep(3, 1), (false, true));
        assert_eq!(keep(1, 60), (true, true));
        assert_eq!(kept.into_contents().len(), 1);
    }
}
