//! Finds out the state of steps: what the portal shows decides, never what was sent.
//!
//! A request without an answer may still be carried out until its window has passed. Until then, a step that is not seen
//! done is neither sent again nor judged; only a code that is missing gets its new image at once.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::asset::Address;
use crate::domain::command::Command;
use crate::domain::diff::Change;
use crate::domain::plan::StepState;
use crate::domain::step::StepOutcome;
use crate::domain::unanswered;
use crate::ops::events::Event;
use crate::ops::ports::{PortalError, ReadPortal, WritePortal};

use super::step_state::{self, States, Unsettled};
use super::write::{MAX_TRIES, Waiting, Writer};

/// How often the portal is read while a window is open.
const READ_EVERY: Duration = Duration::from_secs(15);

/// For how long a reading counts as current, if nothing was written since.
const FRESH: Duration = Duration::from_millis(500);

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Reads the portal: returns the state of `sent`, and ends each waiting step that the portal no longer has as
    /// planned. No edit by others is overwritten on old knowledge.
    pub(super) async fn read(&self, sent: &[&'a Change]) -> Result<States, PortalError> {
        let is_sent = |change: &Change| sent.iter().any(|sent| sent.address == change.address);
        let mut waiting = self.waiting_changes();
        waiting.retain(|change| !is_sent(change));
        let states = step_state::states(sent, &waiting, &self.new_files(), &self.tools.reader).await?;
        self.read_at.set(Some(Instant::now()));
        self.note_live(sent.iter().chain(&waiting), &states);
        for change in waiting {
            let why = match states.get(&change.address) {
                Some(StepState::Pending) | None => continue,
                Some(StepState::Done) => {
                    self.tools.reader.known.borrow_mut().forget(&change.address);
                    "somebody else did it in the meantime".to_owned()
                }
                Some(StepState::Between) => "it was deleted in the meantime".to_owned(),
                Some(StepState::Diverged(why) | StepState::Unseen { why, .. }) => why.clone(),
            };
            self.end(change, StepOutcome::Failed, Some(why), false);
        }
        Ok(states)
    }

    /// Notes what the portal has under the codes of changes that were just read.
    fn note_live<'b>(&self, changes: impl Iterator<Item = &'b &'a Change>, states: &States)
    where
        'a: 'b,
    {
        let mut live = self.live.borrow_mut();
        for change in changes {
            if let Some(state) = states.get(&change.address) {
                live.insert(change.address.folded(), state.live(&change.action));
            }
        }
    }

    /// Notes that it is unknown what the portal has under codes for which something was sent.
    pub(super) fn forget_live(&self, commands: &[Command]) {
        let mut live = self.live.borrow_mut();
        for command in commands {
            live.remove(&command.address().folded());
        }
    }

    /// Reads the portal before a request that deletes, unless that was done just now. If it fails, nothing more is sent.
    pub(super) async fn look(&self) {
        let is_fresh = self.read_at.get().is_some_and(|at| at.elapsed() < FRESH);
        if self.why_stopped().is_none()
            && !is_fresh
            && let Err(error) = self.read(&[]).await
        {
            self.stop(format!("the portal could not be read again: {error}"));
        }
    }

    /// Notes that a request got no answer: what it asks for may still be carried out.
    pub(super) fn open_window(&self, commands: &[Command], since: Instant) {
        let until = since + self.tools.settle;
        let mut windows = self.windows.borrow_mut();
        for command in commands {
            windows.entry(command.address().folded()).and_modify(|end| *end = (*end).max(until)).or_insert(until);
        }
    }

    /// How long a request without an answer about one of these steps may still be carried out.
    pub(super) fn open_for<'b>(&self, changes: impl Iterator<Item = &'b Change>) -> Duration {
        let (windows, now) = (self.windows.borrow(), Instant::now());
        let ends = changes
            .flat_map(|change| [windows.get(&change.address.folded()), windows.get(&change.live_address().folded())]);
        ends.flatten().map(|end| end.saturating_duration_since(now)).max().unwrap_or_default()
    }

    /// Finds out the state of steps without a plain answer, and finishes replaces whose old image is deleted. Returns the
    /// steps that must be sent again.
    pub(super) async fn settle_steps(&self, steps: Vec<Waiting<'a>>, why: &str) -> Vec<Waiting<'a>> {
        let steps = self.sit_out_window(steps, why).await;
        if steps.is_empty() {
            return Vec::new();
        }
        let Some(states) = self.settle(&steps, why).await else { return Vec::new() };
        let mut again = Vec::new();
        for step in steps {
            match states.get(&step.change.address) {
                Some(StepState::Done) => self.applied(step.change),
                Some(StepState::Between) => self.add_new(step.change, why).await,
                _ => again.extend(self.judge(step, &states, why)),
            }
        }
        again
    }

    /// Waits until no request without an answer about these steps can be carried out any more. A step that is seen done
    /// in the meantime is ended, and a code without an image gets the new one. Returns the rest.
    async fn sit_out_window(&self, mut steps: Vec<Waiting<'a>>, why: &str) -> Vec<Waiting<'a>> {
        let mut part = unanswered::apart(self.tools.settle);
        let mut missing = BTreeSet::new();
        loop {
            let left = self.open_for(steps.iter().map(|step| step.change));
            if left.is_zero() {
                return steps;
            }
            let changes: Vec<_> = steps.iter().map(|step| step.change).collect();
            self.tools.reader.portal.begin_grace_period();
            // If one fails, another may follow.
            let states = self.read(&changes).await.unwrap_or_default();
            let cut = self.cannot_wait(left);
            let mut rest = Vec::new();
            for step in steps {
                let address = &step.change.address;
                match (states.get(address), cut) {
                    (Some(StepState::Done), _) => self.applied(step.change),
                    (Some(StepState::Between), cut) if cut.is_some() || !missing.insert(address) => {
                        self.add_new(step.change, why).await;
                    }
                    (_, None) => rest.push(step),
                    (_, Some(cut)) => {
                        let seconds = left.as_secs_f64().ceil();
                        let why = format!("{why}; it may still be carried out for {seconds} s, {cut}");
                        self.end(step.change, StepOutcome::Unknown, Some(why.clone()), step.wrote);
                        self.stop(why);
                    }
                }
            }
            if rest.is_empty() {
                return rest;
            }
            self.wait(left.min(part), left).await;
            part = READ_EVERY;
            steps = rest;
        }
    }

    /// Ends a step that is not done although nothing of it can be carried out any more, unless it must be sent again.
    fn judge(&self, step: Waiting<'a>, states: &States, why: &str) -> Option<Waiting<'a>> {
        match states.get(&step.change.address) {
            Some(StepState::Diverged(found)) => {
                if step.change.action.after().is_some() {
                    self.otherwise.borrow_mut().insert(step.change.address.clone());
                }
                self.end(step.change, StepOutcome::Failed, Some(found.clone()), step.wrote);
            }
            Some(StepState::Unseen { why, .. }) => {
                self.end(step.change, StepOutcome::Unknown, Some(why.clone()), step.wrote);
            }
            _ if step.tries + 1 >= MAX_TRIES => {
                let why = format!("the portal did not carry it out in {MAX_TRIES} tries: {why}");
                self.end(step.change, StepOutcome::Failed, Some(why), step.wrote);
            }
            _ => return Some(step.again()),
        }
        None
    }

    /// The reason why the command cannot wait so long, in words; `None` if it can.
    pub(super) fn cannot_wait(&self, left: Duration) -> Option<&'static str> {
        if self.tools.interrupt.is_raised() {
            Some("and waiting for that was interrupted")
        } else if self.tools.reader.portal.time_left() < left {
            Some("and --timeout leaves no time to wait for that")
        } else {
            None
        }
    }

    /// Waits for a part of the rest of a window, or until the user asks to stop.
    pub(super) async fn wait(&self, part: Duration, left: Duration) {
        let why = "a request without an answer may still be carried out".to_owned();
        self.tools.reader.observer.observe(Event::Waiting { why, wait: left });
        tokio::select! {
            biased;
            () = self.tools.interrupt.raised() => {}
            () = tokio::time::sleep(part) => {}
        }
    }

    /// The states of steps once nothing changes any more. `None` if they cannot be found out; the result of the steps is
    /// then unknown, and nothing more is sent.
    pub(super) async fn settle(&self, steps: &[Waiting<'a>], why: &str) -> Option<States> {
        let changes: Vec<_> = steps.iter().map(|step| step.change).collect();
        self.tools.reader.portal.begin_grace_period();
        let own = |states: States| -> States {
            let is_own = |address: &Address| changes.iter().any(|change| change.address == *address);
            states.into_iter().filter(|(address, _)| is_own(address)).collect()
        };
        let read = async || self.read(&changes).await.map(own);
        let apart = unanswered::apart(self.tools.settle);
        match step_state::settled_by(read, &self.tools.reader, apart).await {
            Ok(states) => Some(states),
            Err(unsettled) => {
                let why = match unsettled {
                    Unsettled::Unread(error) => format!("{why}; its result could not be read: {error}"),
                    Unsettled::NeverSettled => format!("{why}; the portal kept changing while it was read"),
                };
                for step in steps {
                    self.end(step.change, StepOutcome::Unknown, Some(why.clone()), step.wrote);
                }
                self.stop(why);
                None
            }
        }
    }
}
