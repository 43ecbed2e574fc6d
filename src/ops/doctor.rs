//! Tries the way to a portal step by step, and stops where it ends. Writes nothing.

use crate::domain::asset::Kind;
use crate::domain::doctor::DoctorObservations;

use super::events::{Event, Observer, Stage};
use super::ports::DoctorPort;

/// Adds to `observed` what can be seen of the portal.
pub(crate) async fn observe(portal: &impl DoctorPort, observer: &dyn Observer, observed: &mut DoctorObservations) {
    observer.observe(Event::Stage { stage: Stage::Listing, total: None });
    let encrypted = portal.setup().encrypted;
    observed.renewable = Some(portal.renewable());
    let resolved = portal.resolve().await;
    let addresses = resolved.clone().unwrap_or_default();
    observed.resolved = Some(resolved);
    if addresses.is_empty() {
        return;
    }
    let connected = portal.connect(&addresses).await;
    let reached = connected.is_ok();
    observed.connected = Some(connected);
    if !reached {
        return;
    }
    let greeted = portal.greet().await;
    // Where nothing is encrypted, it says nothing that the next question does not.
    let goes_on = greeted.is_ok() || !encrypted;
    observed.greeted = Some(greeted.map_err(Into::into));
    if goes_on {
        observed.inquired = Some(portal.inquire(&methods()).await.map_err(Into::into));
    }
}

/// The methods that brandctl cannot do without.
fn methods() -> Vec<String> {
    let verbs = ["add", "get", "list", "delete"];
    Kind::ALL.into_iter().flat_map(|kind| verbs.map(|verb| format!("crm.timeline.{kind}.{verb}"))).collect()
}
