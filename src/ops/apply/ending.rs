//! Notes how steps end, and announces it with the time that each took.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::domain::command::Command;
use crate::domain::diff::{Action, Change};
use crate::domain::step::{StepEnded, StepOutcome, StepResult, StepWork};
use crate::ops::events::Event;
use crate::ops::ports::{ReadPortal, WritePortal};

use super::write::Writer;

impl<P: ReadPortal + WritePortal> Writer<'_, P> {
    /// Notes how a step ended.
    pub(super) fn end(&self, change: &Change, outcome: StepOutcome, why: Option<String>, wrote: bool) {
        self.waiting.borrow_mut().remove(&change.address);
        let ended_before =
            self.steps.borrow_mut().insert(change.address.clone(), StepResult { outcome, why, wrote }).is_some();
        self.announce(change);
        if !ended_before && !change.is_new_half() {
            self.tools.reader.observer.observe(Event::Advanced(1));
        }
    }

    pub(super) fn applied(&self, change: &Change) {
        self.end(change, StepOutcome::Applied, None, true);
    }

    /// Corrects what is noted of a step.
    pub(super) fn correct(&self, change: &Change, by: impl FnOnce(&mut StepResult)) {
        let outcome = |writer: &Self| writer.steps.borrow().get(&change.address).map(|step| step.outcome);
        let before = outcome(self);
        if let Some(step) = self.steps.borrow_mut().get_mut(&change.address) {
            by(step);
        }
        if outcome(self) != before {
            self.announce(change);
        }
    }

    /// Notes when the first request about each code left.
    pub(super) fn note_sending(&self, commands: &[Command]) {
        let codes: BTreeSet<_> = commands.iter().map(|command| command.address().folded()).collect();
        let (now, count) = (Instant::now(), codes.len());
        let mut sent_at = self.sent_at.borrow_mut();
        for code in codes {
            sent_at.entry(code).and_modify(|(_, last)| *last = count).or_insert((now, count));
        }
        self.tools.reader.observer.observe(Event::Sending);
    }

    /// Announces a step that ended. A rename is announced as a whole: once its old code is gone, or its new one is not
    /// there. What was never sent is not announced: it usually has one reason, and the summary gives it once.
    fn announce(&self, change: &Change) {
        let Some(result) = self.steps.borrow().get(&change.address).cloned() else { return };
        let is_half = change.is_new_half() && result.outcome == StepOutcome::Applied;
        if is_half || result.outcome == StepOutcome::Skipped {
            return;
        }
        let sent = self.sent_at.borrow().get(&change.address.folded()).copied();
        let (address, work) = match (&change.action, &change.rename) {
            (Action::Delete(_), Some(new)) => (new.clone(), StepWork::Rename { from: change.address.clone() }),
            (Action::Create(_), Some(old)) => (change.address.clone(), StepWork::Rename { from: old.clone() }),
            (Action::Create(_), None) => (change.address.clone(), StepWork::Create),
            (Action::Replace(..), _) => (change.address.clone(), StepWork::Replace),
            (Action::Delete(_), None) => (change.address.clone(), StepWork::Delete),
        };
        let (took, in_request) = sent.map_or((None, 0), |(at, count)| (Some(at.elapsed()), count));
        self.tools.reader.observer.observe(Event::Step(Box::new(StepEnded {
            address,
            work,
            result,
            took,
            in_request,
        })));
    }
}
