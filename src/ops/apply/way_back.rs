//! The proof of the way back: what is removed can be put back only if its copy is the image that the portal had, and
//! copies come the same way as other downloads. So before the second removal of a run, an image whose bytes are known
//! must read back.

use crate::domain::diff::{Action, Change};
use crate::domain::plan::StepState;
use crate::domain::state::{Content, ControlImage};
use crate::ops::ports::{ReadPortal, WritePortal};

use super::tools::WayBack;
use super::write::Writer;

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Whether a request with so many deletes may be sent. If not, nothing more is sent.
    pub(super) async fn may_remove(&self, deletes: usize) -> bool {
        if self.why_stopped().is_some() {
            return false;
        }
        if self.way_back.get() == WayBack::Proven || self.removals() + deletes < 2 {
            return true;
        }
        let proof = match &self.tools.control {
            Some(control) => self.reads_back(control).await.map(|()| WayBack::Proven),
            None => self.own_image_reads_back().await,
        };
        match proof {
            Ok(way_back) => {
                self.way_back.set(way_back);
                self.why_stopped().is_none()
            }
            Err(why) => {
                self.copies_are_doubtful.set(true);
                self.stop(format!(
                    "{why}: copies of old images cannot be trusted, so nothing more is removed; check what is between this machine and the portal, or pass --allow-unbacked"
                ));
                false
            }
        }
    }

    /// Downloads an image whose bytes are known.
    async fn reads_back(&self, ControlImage { address, file_uri, content }: &ControlImage) -> Result<(), String> {
        let kind = address.kind;
        let downloaded = self.tools.reader.portal.download(file_uri).await.map_err(|error| error.to_string());
        match downloaded.and_then(|bytes| Content::of_download(kind, &bytes)) {
            Ok(found) if found.same_appearance(content) => Ok(()),
            Ok(_) => Err(format!("{address} is unchanged, but its download is another image")),
            Err(why) => Err(format!("{address} is unchanged, but its image cannot be read back: {why}")),
        }
    }

    /// Checks whether an image that this run added is there. A run that added none goes on without a proof.
    async fn own_image_reads_back(&self) -> Result<WayBack, String> {
        let Some(change) = self.first_added() else {
            return match self.otherwise.borrow().first() {
                Some(address) => Err(format!("{address} should have been added, but its download is another image")),
                None => Ok(WayBack::Unproven),
            };
        };
        let address = &change.address;
        let states = match self.read(&[change]).await {
            Ok(states) => states,
            // That says nothing about the copies.
            Err(error) => {
                self.stop(format!("the portal could not be read again: {error}"));
                return Ok(WayBack::Unproven);
            }
        };
        match states.get(address) {
            Some(StepState::Done) => Ok(WayBack::Proven),
            Some(StepState::Unseen { why, .. }) => Err(format!("{address} was added, but {why}")),
            _ => Err(format!("{address} was added, but does not read back as it was sent")),
        }
    }

    /// The first create that was applied, or else the first replaced pair. An old image that was put back proves nothing:
    /// it is a copy that came the way that must be proven.
    fn first_added(&self) -> Option<&'a Change> {
        let applied = |create: bool| {
            let is = move |change: &&Change| matches!(change.action, Action::Create(_)) == create;
            let has_new = |change: &&Change| change.action.after().is_some() && self.is_applied(&change.address);
            self.plan.diff.changes.iter().filter(is).find(has_new)
        };
        applied(true).or_else(|| applied(false))
    }
}
