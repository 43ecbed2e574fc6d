//! Copies of the old images, made before the first write: of every image that is replaced or deleted, as this process
//! downloaded it after it took the lock. What a cache or a saved plan holds comes from another process; it is used only
//! for what an earlier run of the same plan removed, because there is nothing else.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt as _};

use crate::domain::asset::{Address, Digest};
use crate::domain::diff::{Change, Unbacked};
use crate::domain::finding::Finding;
use crate::domain::guard::ApprovedPlan;
use crate::domain::plan::Contents;
use crate::domain::state::{Content, Reading};
use crate::ops::events::{Event, Stage};
use crate::ops::plan::Seen;
use crate::ops::ports::{DOWNLOADS, PreparedRun, ReadPortal};

use super::error::NotApplied;
use super::step_state::StartingPoint;
use super::tools::Tools;

/// The maximum size of images that wait to be written, in bytes.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Keeps a copy of every known image that the plan replaces or deletes. If the plan may be applied without copies,
/// returns which images could not be downloaded again, and why.
pub(super) async fn keep<P: ReadPortal>(
    approved: &ApprovedPlan,
    seen: Option<Seen>,
    start: &StartingPoint,
    tools: &Tools<'_, P>,
    run: &dyn PreparedRun,
) -> Result<BTreeMap<Address, String>, NotApplied> {
    let plan = approved.plan();
    let moved: BTreeSet<_> = plan.diff.changes.iter().filter_map(|change| moved(change, start)).cloned().collect();
    if !moved.is_empty() {
        return Lost { moved, ..Lost::default() }.judge(approved.unbacked());
    }
    let old: Vec<_> = plan.diff.changes.iter().filter_map(|change| old_image(change, start)).collect();
    // For a plan that this process made, it downloaded each old image itself.
    let is_at_hand = |old: &&OldImage<'_>| old.file_uri.is_none() || seen.is_some();
    let bytes = |old: &OldImage<'_>| Some((old.digest, plan.contents.get(&old.digest)?.clone()));
    let kept: Contents = old.iter().filter(is_at_hand).filter_map(bytes).collect();
    run.keep(&kept)?;
    let is_missing = |old: &&OldImage<'_>| seen.is_none() || !kept.contains_key(&old.digest);
    let missing: Vec<_> = old.iter().filter(is_missing).filter_map(|old| Some((old, old.file_uri?))).collect();
    if missing.is_empty() {
        return Ok(BTreeMap::new());
    }
    let lost = tokio::select! {
        biased;
        () = tools.interrupt.raised() => return Err(NotApplied::Interrupted),
        done = download(missing, kept.into_keys().collect(), tools, run) => done?,
    };
    lost.judge(approved.unbacked())
}

/// The image that a step removes.
struct OldImage<'a> {
    address: &'a Address,
    /// Its present location; `None` if an earlier run removed it.
    file_uri: Option<&'a str>,
    digest: Digest,
}

/// The image that a step removes, if it is known.
fn old_image<'a>(change: &'a Change, start: &'a StartingPoint) -> Option<OldImage<'a>> {
    let digest = change.action.before()?.content.as_ref()?.sha256;
    let file_uri = start.old_images.get(&change.address).map(String::as_str);
    Some(OldImage { address: &change.address, file_uri, digest })
}

/// The entry of a step, if the image that came for it when the plan was made may be another entry's, and the entry has
/// moved since: then nothing shows that it is still the one that the plan removes.
fn moved<'a>(change: &'a Change, start: &StartingPoint) -> Option<&'a Address> {
    let before = change.action.before().filter(|_| change.has_copy() && change.comparable_before().is_none())?;
    let file_uri = start.old_images.get(&change.address)?;
    (*file_uri != before.file_uri).then_some(&change.address)
}

/// The images without a copy.
#[derive(Default)]
struct Lost {
    /// They cannot be downloaded: the reason, and the copy of what came instead, if it is kept.
    unread: BTreeMap<Address, (String, Option<Digest>)>,
    /// The portal now has other images there.
    moved: BTreeSet<Address>,
}

impl Lost {
    fn judge(self, unbacked: Unbacked) -> Result<BTreeMap<Address, String>, NotApplied> {
        if self.moved.is_empty() && (self.unread.is_empty() || unbacked == Unbacked::Change) {
            let told = |(why, came): (String, Option<Digest>)| match came {
                Some(came) => format!("{why}; the file that came is kept in the run's folder as {came}"),
                None => why,
            };
            return Ok(self.unread.into_iter().map(|(address, lost)| (address, told(lost))).collect());
        }
        let moved = self
            .moved
            .into_iter()
            .map(|address| (address, "its image is not the one that the plan removes".to_owned()));
        let mut stale: Vec<_> = moved
            .chain(self.unread.into_iter().map(|(address, (why, _))| (address, why)))
            .map(|(address, why)| Finding::error("plan-stale", format!("{address}: {why}")).about(address))
            .collect();
        if let Some(last) = stale.pop() {
            stale.push(last.help("nothing was written; make a new plan"));
        }
        Err(NotApplied::Stale(stale))
    }

    /// Takes in what came for an image, if it is not that image. Returns whether what came is kept anyway: it may be all
    /// that is left of the image.
    fn add(&mut self, address: &Address, downloaded: Result<Content, String>) -> bool {
        let (why, came) = match downloaded.map(Reading::of) {
            Ok(Reading::Known(_)) => {
                self.moved.insert(address.clone());
                return false;
            }
            Ok(other) => {
                (other.why_unknown().unwrap_or_default().to_owned(), other.content().map(|content| content.sha256))
            }
            Err(why) => (why, None),
        };
        self.unread.insert(address.clone(), (format!("its image cannot be downloaded for a copy: {why}"), came));
        came.is_some()
    }
}

/// Downloads what is missing; images in `kept` are kept already.
async fn download<P: ReadPortal>(
    missing: Vec<(&OldImage<'_>, &str)>,
    mut kept: BTreeSet<Digest>,
    tools: &Tools<'_, P>,
    run: &dyn PreparedRun,
) -> Result<Lost, NotApplied> {
    let reader = &tools.reader;
    reader.observer.observe(Event::Stage { stage: Stage::Downloading, total: Some(missing.len()) });
    let mut downloads = stream::iter(missing)
        .map(|(old, file_uri)| async move { (old.digest, old.address, reader.portal.download(file_uri).await) })
        .buffer_unordered(DOWNLOADS);
    let (mut waiting, mut bytes_waiting) = (Contents::new(), 0);
    let mut lost = Lost::default();
    while let Some((digest, address, downloaded)) = downloads.next().await {
        reader.observer.observe(Event::Advanced(1));
        match downloaded {
            Ok(bytes) => {
                let came = Digest::of(&bytes);
                let is_kept = came == digest || lost.add(address, Content::of_download(address.kind, &bytes));
                // Several entries may have one image.
                if is_kept && kept.insert(came) {
                    bytes_waiting += bytes.len();
                    waiting.insert(came, bytes.into());
                }
            }
            Err(error) => _ = lost.add(address, Err(error.to_string())),
        }
        if bytes_waiting > MAX_WAITING_BYTES {
            run.keep(&std::mem::take(&mut waiting))?;
            bytes_waiting = 0;
        }
    }
    reader.observer.observe(Event::Downloaded);
    run.keep(&waiting)?;
    Ok(lost)
}
