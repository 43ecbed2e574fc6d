//! Reads the portal again and judges every step by what it has.

use std::collections::BTreeMap;

use crate::domain::asset::Address;
use crate::domain::diff::{Action, Change};
use crate::domain::plan::StepState;
use crate::domain::step::{StepOutcome, StepResult};
use crate::ops::ports::{ReadPortal, WritePortal};

use super::write::Writer;

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Corrects the noted results of steps by what the portal holds now. A step that was sent and is as planned is
    /// applied, after any answer; one whose answer was good and that is not as planned has failed; and if a replace
    /// left no image at all, the old image is put back.
    pub(super) async fn verify(&self) {
        let sent = self.sent_changes();
        let Some(states) = self.read_back(&sent).await else { return };
        let missing: Vec<_> = sent
            .iter()
            .copied()
            .filter(|change| matches!(change.action, Action::Replace(..)))
            .filter(|change| states.get(&change.address) == Some(&StepState::Between))
            .filter(|change| self.should_be_there(&change.address))
            .collect();
        self.judge_all(&sent, states);
        if missing.is_empty() {
            return;
        }
        self.rescue(&missing).await;
        // The last reading is about all of them: what it shows of the others is known, too.
        if let Some(states) = self.read_back(&sent).await {
            self.judge_all(&sent, states);
        }
    }

    async fn read_back(&self, changes: &[&'a Change]) -> Option<BTreeMap<Address, StepState>> {
        if changes.is_empty() {
            return None;
        }
        self.tools.reader.portal.begin_grace_period();
        match self.read(changes).await {
            Ok(states) => {
                self.note_missing(changes, &states);
                Some(states)
            }
            Err(error) => {
                // The portal's last answer is all that is known.
                let removed = self.removed.borrow();
                let replaces = changes.iter().filter(|change| matches!(change.action, Action::Replace(..)));
                let lost = replaces.filter(|change| removed.contains(&change.address.folded()));
                self.missing.borrow_mut().extend(lost.map(|change| change.address.clone()));
                for change in changes {
                    self.correct(change, |step| {
                        if step.outcome == StepOutcome::Applied {
                            step.outcome = StepOutcome::Unknown;
                            step.why = Some(format!("the portal accepted it, but could not be read again: {error}"));
                        }
                    });
                }
                None
            }
        }
    }

    /// An image that came for one that this run added, but is another one, must not be taken for it later.
    fn forget_what_came(&self, change: &Change) {
        if let Some(file_uri) = self.added_at(&change.address) {
            self.tools.reader.cache.forget(&file_uri);
        }
    }

    /// Notes which codes have no image, but had one.
    fn note_missing(&self, changes: &[&'a Change], states: &BTreeMap<Address, StepState>) {
        let mut missing = self.missing.borrow_mut();
        for change in changes {
            if states.get(&change.address) == Some(&StepState::Between) {
                missing.insert(change.address.clone());
            } else {
                missing.remove(&change.address);
            }
        }
    }

    fn judge_all(&self, changes: &[&'a Change], mut states: BTreeMap<Address, StepState>) {
        for change in changes {
            if states.get(&change.address) != Some(&StepState::Done) {
                self.forget_what_came(change);
            }
            if let Some(state) = states.remove(&change.address)
                && !self.is_known_from_its_answer(change, &state)
            {
                self.correct(change, |step| judge(&change.action, step, state));
            }
        }
    }
}

impl<P: ReadPortal + WritePortal> Writer<'_, P> {
    /// Whether the portal answered that it added a step's image where it lists it now, and the image cannot be read back.
    /// Then the answer is trusted, and what is there is remembered as long as the cache lasts.
    fn is_known_from_its_answer(&self, change: &Change, state: &StepState) -> bool {
        let StepState::Unseen { why, file_uri } = state else { return false };
        let Some(after) = change.action.after().filter(|_| self.is_applied(&change.address)) else { return false };
        let is_known = self.added_at(&change.address).as_ref() == Some(file_uri);
        if is_known {
            self.tools.reader.cache.remember(file_uri, &after.content);
            self.not_read_back.borrow_mut().insert(change.address.clone(), why.clone());
        }
        is_known
    }
}

/// Judges the result of a step. `action` is the planned action.
fn judge(action: &Action, step: &mut StepResult, state: StepState) {
    let found = match (state, step.outcome) {
        (StepState::Done, outcome) => {
            step.wrote |= outcome == StepOutcome::Unknown;
            step.outcome = StepOutcome::Applied;
            step.why = None;
            return;
        }
        (StepState::Between, StepOutcome::Unknown) => {
            step.wrote = true;
            "the code is missing on the portal".to_owned()
        }
        (_, StepOutcome::Failed | StepOutcome::Skipped | StepOutcome::Unknown)
        | (StepState::Pending, StepOutcome::Recovered) => return,
        (StepState::Pending, StepOutcome::Applied) if action.before().is_none() => "it is not on the portal".to_owned(),
        (StepState::Pending, StepOutcome::Applied) => "the portal shows what was there before".to_owned(),
        (StepState::Between, StepOutcome::Applied | StepOutcome::Recovered) => {
            "the code is missing on the portal".to_owned()
        }
        (StepState::Diverged(found), StepOutcome::Applied | StepOutcome::Recovered) => found,
        (StepState::Unseen { why: found, .. }, StepOutcome::Applied | StepOutcome::Recovered) => {
            step.outcome = StepOutcome::Unknown;
            step.why = Some(format!("the portal accepted it, but {found}"));
            return;
        }
    };
    let before = step.why.take().unwrap_or_else(|| "the portal accepted it".to_owned());
    step.why = Some(format!("{before}, but afterwards: {found}"));
    step.outcome = StepOutcome::Failed;
}
