//! Reads the portal again and judges every step by what is there.

use std::collections::BTreeMap;

use crate::domain::asset::Address;
use crate::domain::diff::{Action, Change};
use crate::domain::plan::Standing;
use crate::domain::report::{Fate, StepResult};
use crate::ops::ports::{ReadPortal, WritePortal};

use super::standing::{self, Doubt};
use super::write::Writer;

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Corrects what is noted of the steps by what the portal holds now. A step that was sent and is as planned is
    /// applied, whatever was answered; one that was answered well and is not as planned has failed; and where a replace
    /// left nothing at all, the old image is put back.
    pub(super) async fn verify(&self) {
        let sent = self.sent_changes();
        let Some(standings) = self.read_back(&sent).await else { return };
        let missing: Vec<_> = sent
            .iter()
            .copied()
            .filter(|change| matches!(change.action, Action::Replace(..)))
            .filter(|change| standings.get(&change.address) == Some(&Standing::Between))
            .filter(|change| self.should_be_there(&change.address))
            .collect();
        self.judge_all(&sent, standings);
        if missing.is_empty() {
            return;
        }
        self.rescue(&missing).await;
        if let Some(standings) = self.read_back(&missing).await {
            self.judge_all(&missing, standings);
        }
    }

    async fn read_back(&self, changes: &[&'a Change]) -> Option<BTreeMap<Address, Standing>> {
        if changes.is_empty() {
            return None;
        }
        self.tools.eyes.portal.wind_up();
        match standing::standings(changes, &self.tools.eyes, Doubt::NotDone).await {
            Ok(standings) => Some(standings),
            Err(error) => {
                for change in changes {
                    self.correct(&change.address, |step| {
                        if step.fate == Fate::Applied {
                            step.fate = Fate::Unknown;
                            step.why = Some(format!("the portal took it, but could not be read again: {error}"));
                        }
                    });
                }
                None
            }
        }
    }

    fn judge_all(&self, changes: &[&'a Change], mut standings: BTreeMap<Address, Standing>) {
        for change in changes {
            if let Some(standing) = standings.remove(&change.address) {
                self.correct(&change.address, |step| judge(&change.action, step, standing));
            }
        }
    }
}

/// What a step came to. `action` is what it was to do.
fn judge(action: &Action, step: &mut StepResult, standing: Standing) {
    let found = match (standing, step.fate) {
        (Standing::Done, fate) => {
            step.wrote |= fate == Fate::Unknown;
            step.fate = Fate::Applied;
            step.why = None;
            return;
        }
        (Standing::Between, Fate::Unknown) => {
            step.wrote = true;
            "the code is missing on the portal".to_owned()
        }
        (_, Fate::Failed | Fate::Skipped | Fate::Unknown) | (Standing::Pending, Fate::Recovered) => return,
        (Standing::Pending, Fate::Applied) if action.before().is_none() => "it is not on the portal".to_owned(),
        (Standing::Pending, Fate::Applied) => "the portal shows what was there before".to_owned(),
        (Standing::Between, Fate::Applied | Fate::Recovered) => "the code is missing on the portal".to_owned(),
        (Standing::Diverged(found), Fate::Applied | Fate::Recovered) => found,
        (Standing::Unseen(found), Fate::Applied | Fate::Recovered) => {
            step.fate = Fate::Unknown;
            step.why = Some(format!("the portal took it, but {found}"));
            return;
        }
    };
    let before = step.why.take().unwrap_or_else(|| "the portal took it".to_owned());
    step.why = Some(format!("{before}, but afterwards: {found}"));
    step.fate = Fate::Failed;
}
