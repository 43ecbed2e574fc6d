//! The state of a plan's steps on the portal, and the last check of it before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::asset::{Address, FoldedCode, Kind};
use crate::domain::diff::Change;
use crate::domain::finding::Finding;
use crate::domain::plan::{Plan, StepState};
use crate::domain::resumption::Resumption;
use crate::domain::retry::Class;
use crate::domain::state::{Listed, Listing, ObservedEntry, Reading};
use crate::ops::events::Event;
use crate::ops::observe::{self, Freshness, KeptImages, Reader};
use crate::ops::plan::Seen;
use crate::ops::ports::{PortalError, ReadPortal};

use super::error::NotApplied;

/// The starting point of a run: what an earlier run of the same plan did.
#[derive(Debug, Default)]
pub(crate) struct StartingPoint {
    /// Steps that are done.
    pub done: BTreeSet<Address>,
    /// Replaces whose old image is deleted and whose new one is not there.
    pub between: BTreeSet<Address>,
    /// The locations of the images that the other steps remove: a portal may have moved them since the plan was made.
    pub(super) old_images: BTreeMap<Address, String>,
}

/// The time for which the reading that made a plan replaces the one before the first write, if the plan only creates:
/// the portal itself refuses an add whose code exists or is a system code, so nothing can be lost in that time.
const JUST_NOW: Duration = Duration::from_secs(2);

/// Checks that the caller may write and that every step is in the state that the plan expects. `seen` is the portal as it
/// was when the plan was made, if that was in this process.
pub(super) async fn check(
    plan: &Plan,
    seen: Option<Seen>,
    resumed: &Resumption,
    reader: &Reader<'_, impl ReadPortal>,
) -> Result<StartingPoint, NotApplied> {
    let (listing, may_write) = match seen.filter(|seen| plan.only_creates() && seen.at.elapsed() < JUST_NOW) {
        Some(Seen { may_write, .. }) => (None, may_write),
        None => {
            let (listing, may_write) = reader.portal.list_to_write().await?;
            (Some(listing), may_write)
        }
    };
    if !may_write {
        return Err(NotApplied::Portal(PortalError {
            class: Class::Configuration,
            code: None,
            message: "the user behind these credentials is not an administrator, and only administrators may write"
                .to_owned(),
            hint: Some("use a webhook that an administrator of the portal made".to_owned()),
        }));
    }
    match listing {
        Some(listing) => start(plan, &listing, resumed, reader).await.map_err(NotApplied::Stale),
        None => Ok(StartingPoint::default()),
    }
}

/// The starting point of `plan` on the portal that `listing` describes: every step must be in the state before the plan,
/// or in a state that runs of the same plan that were cut short may have left.
/// The error has a finding for each step in another state.
pub(crate) async fn start(
    plan: &Plan,
    listing: &Listing,
    resumed: &Resumption,
    reader: &Reader<'_, impl ReadPortal>,
) -> Result<StartingPoint, Vec<Finding>> {
    let changes: Vec<_> = plan.diff.changes.iter().collect();
    let mut start = StartingPoint::default();
    let mut stale = Vec::new();
    let live = by_code(listing);
    for (address, state) in judge(&changes, &live, reader).await {
        let why = match state {
            StepState::Pending => {
                if let Some([listed]) = live.get(&address.folded()).map(Vec::as_slice) {
                    start.old_images.insert(address, listed.file_uri.clone());
                }
                continue;
            }
            StepState::Done if resumed.may_have_changed(&address) => {
                start.done.insert(address);
                continue;
            }
            StepState::Between if resumed.may_have_changed(&address) => {
                start.between.insert(address);
                continue;
            }
            StepState::Done => "it already matches the plan".to_owned(),
            StepState::Between => "it is missing on the portal".to_owned(),
            StepState::Diverged(why) | StepState::Unseen { why, .. } => why,
        };
        let message = format!("{}: {why}", address);
        stale.push(Finding::error("plan-stale", message).about(address));
    }
    if let Some(last) = stale.pop() {
        stale.push(last.help("nothing was written; make a new plan"));
    }
    if stale.is_empty() { Ok(start) } else { Err(stale) }
}

/// The maximum number of readings until two agree.
const MAX_READINGS: u32 = 12;

type Live<'a> = BTreeMap<(Kind, FoldedCode), Vec<&'a Listed>>;

/// The states of steps.
pub(in crate::ops) type States = BTreeMap<Address, StepState>;

/// The reason why the state of steps could not be found out.
pub(in crate::ops) enum Unsettled {
    Unread(PortalError),
    NeverSettled,
}

/// The states of `changes` once nothing changes any more: two readings `apart` must agree.
pub(in crate::ops) async fn settled(
    changes: &[&Change],
    reader: &Reader<'_, impl ReadPortal>,
    apart: Duration,
) -> Result<States, Unsettled> {
    settled_by(async || states(changes, &[], &[], reader).await, reader, apart).await
}

/// The result of `read` once `judged` of two readings `apart` agree.
pub(super) async fn settled_by(
    read: impl AsyncFn() -> Result<States, PortalError>,
    reader: &Reader<'_, impl ReadPortal>,
    apart: Duration,
) -> Result<States, Unsettled> {
    let mut last = read().await.map_err(Unsettled::Unread)?;
    for _ in 1..MAX_READINGS {
        reader.observer.observe(Event::Waiting { why: "finding out the result of a request".to_owned(), wait: apart });
        tokio::time::sleep(apart).await;
        let found = read().await.map_err(Unsettled::Unread)?;
        if found == last {
            return Ok(found);
        }
        last = found;
    }
    Err(Unsettled::NeverSettled)
}

fn by_code(listing: &Listing) -> Live<'_> {
    let mut live = Live::new();
    for listed in &listing.entries {
        live.entry(listed.address.folded()).or_default().push(listed);
    }
    live
}

/// Reads the portal and returns the states of `sent` and of `waiting`. A request about the first may have left, and the
/// server may have cached its list before: `get` is asked about all of them that the list does not show as done. `added`
/// has the locations of images that will be asked for.
pub(super) async fn states(
    sent: &[&Change],
    waiting: &[&Change],
    added: &[(Kind, String)],
    reader: &Reader<'_, impl ReadPortal>,
) -> Result<States, PortalError> {
    let listing = observe::list_and_fetch(reader, added).await?;
    let mut live = by_code(&listing);
    let all: Vec<_> = sent.iter().chain(waiting).copied().collect();
    let mut states = judge(&all, &live, reader).await;
    let is_doubtful = |change: &&Change| states.get(&change.address) != Some(&StepState::Done);
    let doubtful: Vec<_> = sent.iter().copied().filter(is_doubtful).collect();
    if doubtful.is_empty() {
        return Ok(states);
    }
    let addresses: Vec<_> = doubtful.iter().map(|change| change.address.clone()).collect();
    let got = reader.portal.get(&addresses).await?;
    let mut fresher = Vec::new();
    for (address, entry) in addresses.iter().zip(got) {
        // `get` repeats the spelling that was asked for: an entry that the list knows too is spelt as listed.
        let known = entry.as_ref().and_then(|entry| {
            let listed = live.get(&address.folded())?.iter().find(|listed| listed.file_uri == entry.file_uri)?;
            Some((*listed).clone())
        });
        fresher.push((address.folded(), known.or(entry)));
    }
    for (key, entry) in &fresher {
        let listed = live.entry(key.clone()).or_default();
        // `get` knows one entry. If the list has a system entry or several entries, it knows more.
        if listed.iter().all(|listed| !listed.system) && listed.len() <= 1 {
            *listed = entry.iter().collect();
        }
    }
    states.extend(judge(&doubtful, &live, reader).await);
    Ok(states)
}

/// Compares changes with entries, fetching the images that were not seen before.
async fn judge(changes: &[&Change], live: &Live<'_>, reader: &Reader<'_, impl ReadPortal>) -> States {
    let under = |change: &Change| live.get(&change.address.folded()).map_or(&[][..], Vec::as_slice);
    let is_wanted = |change: &Change, listed: &Listed| !listed.system && !change.is_where_it_was(listed);
    let wanted: Vec<_> = changes
        .iter()
        .flat_map(|change| under(change).iter().copied().filter(|listed| is_wanted(change, listed)))
        .collect();
    let readings =
        observe::contents(reader, &wanted, Freshness::Cached, &mut KeptImages::limited(), |_, _| false).await;
    let mut readings = readings.into_iter();
    let mut entry = |change: &Change, listed: &Listed| {
        let reading = if is_wanted(change, listed) { readings.next() } else { None };
        ObservedEntry { listed: listed.clone(), reading: reading.unwrap_or(Reading::NotNeeded) }
    };
    changes
        .iter()
        .map(|change| {
            let entries: Vec<_> = under(change).iter().map(|listed| entry(change, listed)).collect();
            (change.address.clone(), change.step_state(&entries))
        })
        .collect()
}
