//! Checks the way to a portal step by step, and stops at the first check that fails. Writes nothing.

use crate::domain::asset::{Address, Kind};
use crate::domain::doctor::{DoctorObservations, Inquiry};
use crate::domain::finding::Problem;
use crate::domain::state::{Content, Listed, Reading};

use super::events::{Event, Observer, Stage};
use super::ports::{DoctorPort, Interrupt, ReadPortal};

/// Observes the portal until something fails, or until `interrupt` is raised.
pub(crate) async fn observe(
    portal: &(impl DoctorPort + ReadPortal),
    observer: &dyn Observer,
    interrupt: &Interrupt,
) -> DoctorObservations {
    observer.observe(Event::Stage { stage: Stage::Listing, total: None });
    let mut seen = DoctorObservations { renewable: Some(portal.renewable()), ..DoctorObservations::default() };
    seen.resolved = unless(interrupt, portal.resolve()).await;
    let Some(Ok(addresses)) = &seen.resolved else { return seen };
    seen.connected = unless(interrupt, portal.connect(addresses)).await;
    let Some(Ok(_)) = seen.connected else { return seen };
    let Some(greeted) = unless(interrupt, portal.greet()).await else { return seen };
    // Without encryption, this check shows nothing that the next one does not.
    let goes_on = greeted.is_ok() || !portal.setup().encrypted;
    seen.greeted = Some(greeted.map_err(Into::into));
    if goes_on {
        let inquired = unless(interrupt, portal.inquire(&methods())).await;
        seen.inquired = inquired.map(|inquired| inquired.map_err(Into::into));
    }
    if let Some(Ok(Inquiry { caller: Ok(_), .. })) = seen.inquired {
        seen.downloaded = unless(interrupt, download(portal)).await.flatten();
    }
    seen
}

/// Downloads the image of one custom entry. `None` if the portal cannot be read, which other checks report.
async fn download(portal: &impl ReadPortal) -> Option<Result<Option<Address>, Problem>> {
    let listing = portal.list().await.ok()?;
    let Some(Listed { address, file_uri, .. }) = listing.entries.into_iter().find(|listed| !listed.system) else {
        return Some(Ok(None));
    };
    let downloaded = portal.download(&file_uri).await.map_err(|error| error.to_string());
    let judged = downloaded.and_then(|bytes| Content::of_download(address.kind, &bytes)).map(Reading::of);
    let judged = judged.and_then(|reading| reading.why_unknown().map_or(Ok(()), |why| Err(why.to_owned())));
    let problem = |why| Problem::new(format!("the image of {address} cannot be downloaded: {why}"));
    Some(judged.map_err(problem).map(|()| Some(address.clone())))
}

/// The result of `work`; `None` if the user asked to stop before.
async fn unless<T>(interrupt: &Interrupt, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = interrupt.raised() => None,
        value = work => Some(value),
    }
}

/// The methods that brandctl needs.
fn methods() -> Vec<String> {
    let verbs = ["add", "get", "list", "delete"];
    Kind::ALL.into_iter().flat_map(|kind| verbs.map(|verb| format!("crm.timeline.{kind}.{verb}"))).collect()
}
