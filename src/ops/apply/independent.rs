//! Creates and deletes: one command each, in batches. Several batches of creates may be in flight, because a refused
//! create does not affect the others.

use std::collections::{BTreeSet, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::{Action, Change};
use crate::domain::plan::StepState;
use crate::domain::retry::Class;
use crate::domain::step::StepOutcome;
use crate::ops::ports::{ReadPortal, Urgency, WritePortal};

use super::write::{MAX_COMMANDS, Sent, Waiting, Writer, refusal};

/// The fewest commands that are worth a request of their own: a request costs as much of the portal's limit as a full
/// batch does.
const MIN_COMMANDS: usize = 10;

/// Steps without a plain answer, and why.
type Lost<'a> = (Vec<Waiting<'a>>, String);

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Adds what does not exist yet: the portal refuses an add whose code exists, so nothing can be lost.
    pub(super) async fn creates(&self) {
        let mut queue = self.queue(|change| matches!(change.action, Action::Create(_)));
        // The batches share the load, so that they end together.
        let share = queue.len().div_ceil(self.tools.in_flight.get()).clamp(MIN_COMMANDS, MAX_COMMANDS);
        while !queue.is_empty() && self.why_stopped().is_none() {
            if let Some((steps, why)) = self.flight(&mut queue, share).await {
                let again = self.settle_steps(steps, &why).await;
                self.put_first(&mut queue, again);
            }
        }
    }

    /// Deletes what is not declared, one batch after the other; the portal is read before each. The old half of a rename
    /// stays unless the new half is seen on the portal.
    pub(super) async fn deletes(&self) {
        self.keep_what_is_not_renamed().await;
        let mut queue = self.queue(|change| matches!(change.action, Action::Delete(_)));
        while !queue.is_empty() {
            // The portal is read last: a step that is off the queue is not judged any more.
            if !self.may_remove(queue.len().min(self.at_once(MAX_COMMANDS))).await {
                return;
            }
            self.look().await;
            let batch = self.take(&mut queue, self.at_once(MAX_COMMANDS));
            if batch.is_empty() {
                return;
            }
            let (sent, steps) = self.send_batch(batch).await;
            if let Some((lost, why)) = self.answered_singly(sent, steps, &mut queue) {
                let again = self.settle_steps(lost, &why).await;
                self.put_first(&mut queue, again);
            }
        }
    }

    async fn keep_what_is_not_renamed(&self) {
        let old = self.queue(|change| matches!(change.action, Action::Delete(_)) && change.rename.is_some());
        if old.is_empty() || self.why_stopped().is_some() {
            return;
        }
        let halves: BTreeSet<_> = old.iter().filter_map(|step| step.change.rename.as_ref()).collect();
        let new: Vec<_> = self.plan.diff.changes.iter().filter(|change| halves.contains(&change.address)).collect();
        let states = self.read(&new).await.unwrap_or_default();
        for Waiting { change, .. } in old {
            let new = change.rename.as_ref().filter(|new| states.get(new) != Some(&StepState::Done));
            if let Some(new) = new
                && !self.is_ended(&change.address)
            {
                let why = format!("it is renamed, but {} is not on the portal", new);
                self.end(change, StepOutcome::Skipped, Some(why), false);
            }
        }
    }

    /// Sends batches until the queue is empty or an answer is lost; returns the steps of lost answers once nothing is in
    /// flight any more.
    async fn flight(&self, queue: &mut VecDeque<Waiting<'a>>, share: usize) -> Option<Lost<'a>> {
        let mut in_flight = FuturesUnordered::new();
        let mut lost: Option<Lost<'a>> = None;
        let mut again = VecDeque::new();
        loop {
            while lost.is_none() && self.why_stopped().is_none() && in_flight.len() < self.tools.in_flight.get() {
                let batch = self.take(queue, share);
                if batch.is_empty() {
                    break;
                }
                in_flight.push(self.send_batch(batch));
            }
            let Some((sent, batch)) = in_flight.next().await else { break };
            if let Some((steps, why)) = self.answered_singly(sent, batch, &mut again) {
                lost.get_or_insert((Vec::new(), why)).0.extend(steps);
            }
        }
        self.put_first(queue, again.into());
        lost
    }

    async fn send_batch(&self, batch: Vec<Waiting<'a>>) -> (Sent, Vec<Waiting<'a>>) {
        let commands: Vec<_> = batch.iter().filter_map(|step| self.command(step.change)).collect();
        (self.send(&commands, Halt::Never, Urgency::Ordinary).await, batch)
    }

    /// Handles the answers to steps of one command each. Returns the steps without a plain answer; steps that were not
    /// run are put back.
    fn answered_singly(
        &self,
        sent: Sent,
        batch: Vec<Waiting<'a>>,
        queue: &mut VecDeque<Waiting<'a>>,
    ) -> Option<Lost<'a>> {
        let answers = match sent {
            Sent::Stopped => return None,
            Sent::NotYet => {
                self.put_first(queue, batch);
                return None;
            }
            Sent::Lost(why) => return Some((batch, why)),
            Sent::Answered(answers) => answers,
        };
        let (mut unsent, mut lost) = (Vec::new(), None::<Lost<'a>>);
        for (step, answer) in batch.into_iter().zip(answers) {
            let why = match answer {
                Answer::Done => {
                    self.applied(step.change);
                    continue;
                }
                Answer::Refused { class, code, description } if class != Class::Busy => {
                    self.end(step.change, StepOutcome::Failed, Some(refusal(&code, &description)), false);
                    continue;
                }
                Answer::NotRun => {
                    unsent.push(step);
                    continue;
                }
                // Settling waits, which is what a busy portal asks for.
                Answer::Refused { code, description, .. } => refusal(&code, &description),
                Answer::Unknown(why) => why,
            };
            lost.get_or_insert((Vec::new(), why)).0.push(step);
        }
        self.put_first(queue, unsent);
        lost
    }

    /// The one command of a step that needs one.
    fn command(&self, change: &Change) -> Option<Command> {
        match &change.action {
            Action::Create(_) => Some(Command::Add { address: change.address.clone(), png: self.new_png(change)? }),
            Action::Delete(_) => Some(Command::Delete { address: change.live_address() }),
            Action::Replace(..) => None,
        }
    }
}
