//! Reads the portal again and judges every step by what is there.

use std::collections::BTreeMap;

use crate::domain::asset::Address;
use crate::domain::diff::{Action, Change};
use crate::domain::plan::Standing;
use crate::domain::report::{Fate, StepResult};
use crate::ops::ports::{ReadPortal, WritePortal};

use super::standing;
use super::write::Writer;

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Corrects what is noted of the steps by what the portal holds now. A step that was sent and is as planned is
    /// applied, whatever was answered; one that was answered well and is not as planned has failed; and where a replace
    /// left nothing at all, the old image is put back.
    pub(super) async fn verify(&self) {
        let sent = self.sent_changes();
        let Some(standings) = self.read_back(&sent).await else { return };
        let missing: Vec<_> = sent
            .into_iter()
            .filter(|change| matches!(change.action, Action::Replace(..)))
            .filter(|change| standings.get(&change.address) == Some(&Standing::Between))
            .filter(|change| self.should_be_there(&change.address))
            .collect();
        self.judge_all(standings);
        if !missing.is_empty() {
            self.rescue(&missing).await;
            if let Some(standings) = self.read_back(&missing).await {
                self.judge_all(standings);
            }
        }
    }

    async fn read_back(&self, changes: &[&'a Change]) -> Option<BTreeMap<Address, Standing>> {
        if changes.is_empty() {
            return None;
        }
        self.tools.eyes.portal.wind_up();
        match standing::standings(changes, &self.tools.eyes).await {
            Ok(standings) => Some(standings),
            Err(error) => {
                self.correct(|_, step| {
                    if step.fate == Fate::Applied {
                        step.fate = Fate::Unknown;
                        step.why = Some(format!("the portal took it, but could not be read again: {error}"));
                    }
                });
                None
            }
        }
    }

    fn judge_all(&self, mut standings: BTreeMap<Address, Standing>) {
        self.correct(|address, step| {
            if let Some(standing) = standings.remove(address) {
                judge(step, standing);
            }
        });
    }
}

fn judge(step: &mut StepResult, standing: Standing) {
    let found = match (standing, step.fate) {
        (Standing::Done, fate) => {
            step.wrote |= fate == Fate::Unknown;
            step.fate = Fate::Applied;
            step.why = None;
            return;
        }
        (_, Fate::Failed | Fate::Skipped | Fate::Unknown) | (Standing::Pending, Fate::Recovered) => return,
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
