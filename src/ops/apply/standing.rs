//! Where the steps of a plan stand on the portal, and the last look at them before the first write.

use std::collections::BTreeMap;

use crate::domain::asset::{Address, FoldedCode, Kind};
use crate::domain::diff::Change;
use crate::domain::finding::Finding;
use crate::domain::plan::{Plan, Standing};
use crate::domain::retry::Class;
use crate::domain::state::{Listed, Listing, Reading};
use crate::ops::observe::{self, Eyes, Freshness};
use crate::ops::ports::{PortalError, ReadPortal};

use super::NotApplied;

/// Checks that the caller may write and that every step's precondition holds.
pub(super) async fn check(plan: &Plan, eyes: &Eyes<'_, impl ReadPortal>) -> Result<(), NotApplied> {
    if !eyes.portal.is_administrator().await? {
        return Err(NotApplied::Portal(PortalError {
            class: Class::Configuration,
            code: None,
            message: "the user behind these credentials is no administrator, and only administrators may write"
                .to_owned(),
            hint: Some("use a webhook that an administrator of the portal made".to_owned()),
        }));
    }
    let stale = stale(plan, &eyes.portal.list().await?, eyes).await;
    if stale.is_empty() { Ok(()) } else { Err(NotApplied::Stale(stale)) }
}

/// The steps of `plan` whose precondition does not hold on the portal that `listing` describes.
pub async fn stale(plan: &Plan, listing: &Listing, eyes: &Eyes<'_, impl ReadPortal>) -> Vec<Finding> {
    let changes: Vec<_> = plan.changes.iter().collect();
    let live = by_code(listing);
    judge(&changes, &live, eyes)
        .await
        .into_iter()
        .filter_map(|(address, standing)| {
            let why = match standing {
                Standing::Pending => return None,
                Standing::Done => "it is already as the plan wants it".to_owned(),
                Standing::Between => "it is gone from the portal".to_owned(),
                Standing::Diverged(why) => why,
            };
            let message = format!("{}: {why}", address.to_string().escape_debug());
            let help = "nothing was written; make a new plan";
            Some(Finding::error("plan-stale", message).about(address).help(help))
        })
        .collect()
}

type Live<'a> = BTreeMap<(Kind, FoldedCode), Vec<&'a Listed>>;

fn by_code(listing: &Listing) -> Live<'_> {
    let mut live = Live::new();
    for listed in &listing.entries {
        live.entry(listed.address.folded()).or_default().push(listed);
    }
    live
}

/// Reads the portal and says where each of `changes` stands. Its list may be older than the last write, because the
/// server caches it: `get` is asked about every step that the list does not show as done.
pub(super) async fn standings(
    changes: &[&Change],
    eyes: &Eyes<'_, impl ReadPortal>,
) -> Result<BTreeMap<Address, Standing>, PortalError> {
    let listing = eyes.portal.list().await?;
    let mut live = by_code(&listing);
    let mut standings = judge(changes, &live, eyes).await;
    let doubtful: Vec<_> =
        changes.iter().copied().filter(|change| standings.get(&change.address) != Some(&Standing::Done)).collect();
    if doubtful.is_empty() {
        return Ok(standings);
    }
    let addresses: Vec<_> = doubtful.iter().map(|change| change.address.clone()).collect();
    let got = eyes.portal.get(&addresses).await?;
    let mut fresher = Vec::new();
    for (address, entry) in addresses.iter().zip(got) {
        // `get` echoes the spelling that was asked for: an entry that the list knows too is spelt as listed.
        let known = entry.as_ref().and_then(|entry| {
            let listed = live.get(&address.folded())?.iter().find(|listed| listed.file_uri == entry.file_uri)?;
            Some((*listed).clone())
        });
        fresher.push((address.folded(), known.or(entry)));
    }
    for (key, entry) in &fresher {
        live.insert(key.clone(), entry.iter().collect());
    }
    standings.extend(judge(&doubtful, &live, eyes).await);
    Ok(standings)
}

/// Holds changes against entries, fetching the images that were not seen before.
async fn judge(changes: &[&Change], live: &Live<'_>, eyes: &Eyes<'_, impl ReadPortal>) -> BTreeMap<Address, Standing> {
    let under = |change: &Change| live.get(&change.address.folded()).map_or(&[][..], Vec::as_slice);
    // What the portal stores under the same path as when the plan was made needs no second look.
    let wanted = changes
        .iter()
        .flat_map(|change| {
            under(change).iter().copied().filter(|listed| {
                !listed.system && change.action.before().is_none_or(|before| before.file_uri != listed.file_uri)
            })
        })
        .collect();
    let (readings, _) = observe::contents(eyes, wanted, Freshness::Cached, |_, _| false).await;
    let readings: BTreeMap<_, _> =
        readings.into_iter().map(|(listed, reading)| ((&listed.address, &listed.file_uri), reading)).collect();
    changes
        .iter()
        .map(|change| {
            let entries: Vec<_> = under(change)
                .iter()
                .map(|listed| {
                    (*listed, readings.get(&(&listed.address, &listed.file_uri)).unwrap_or(&Reading::NotNeeded))
                })
                .collect();
            (change.address.clone(), change.standing(&entries))
        })
        .collect()
}
