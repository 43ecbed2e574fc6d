//! Creates and deletes: one command each, in batches; several may be in flight, because a refused one does not
//! concern the others.

use std::collections::{BTreeSet, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::{Action, Change};
use crate::domain::plan::StepState;
use crate::domain::retry::Class;
use crate::domain::step::StepOutcome;
use crate::ops::ports::{ReadPortal, Urgency, WritePortal};

use super::step_state::{self, ListTrust};
use super::write::{MAX_COMMANDS, Sent, Waiting, Writer, refusal};

/// The fewest commands that are worth a request of their own: a request costs as much of the portal's limit as a full
/// batch does.
const MIN_COMMANDS: usize = 10;

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Adds what does not exist yet.
    pub(super) async fn creates(&self) {
        self.independent(|change| matches!(change.action, Action::Create(_))).await;
    }

    /// Deletes what is not declared. The old half of a rename stays unless the new half is seen on the portal.
    pub(super) async fn deletes(&self) {
        let old: Vec<_> = self
            .waiting(|change| matches!(change.action, Action::Delete(_)) && change.rename.is_some())
            .into_iter()
            .map(|step| step.change)
            .collect();
        if !old.is_empty() && self.why_stopped().is_none() {
            let halves: BTreeSet<_> = old.iter().filter_map(|change| change.rename.as_ref()).collect();
            let new: Vec<_> = self.plan.diff.changes.iter().filter(|change| halves.contains(&change.address)).collect();
            let states = step_state::states(&new, &self.tools.reader, ListTrust::NotDone).await.unwrap_or_default();
            for change in old {
                let new = change.rename.as_ref().filter(|new| states.get(new) != Some(&StepState::Done));
                if let Some(new) = new {
                    let why = format!("it is renamed, and {} is not there", new);
                    self.end(change, StepOutcome::Skipped, Some(why), false);
                }
            }
        }
        self.independent(|change| matches!(change.action, Action::Delete(_))).await;
    }

    async fn independent(&self, which: fn(&Change) -> bool) {
        let mut queue = self.waiting(which);
        // The batches share the load, so that they end together.
        let share = queue.len().div_ceil(self.tools.in_flight.get()).clamp(MIN_COMMANDS, MAX_COMMANDS);
        while !queue.is_empty() && self.why_stopped().is_none() {
            self.look_again(&mut queue).await;
            let lost = self.flight(&mut queue, share).await;
            if let Some((steps, why)) = lost {
                queue.extend(self.settle_steps(steps, &why).await);
            }
        }
    }

    /// Sends batches until the queue is empty, what is known grows old, or an answer is lost; returns the steps of
    /// lost answers once nothing is in flight any more.
    async fn flight(&self, queue: &mut VecDeque<Waiting<'a>>, share: usize) -> Option<(Vec<Waiting<'a>>, String)> {
        let mut in_flight = FuturesUnordered::new();
        let mut again = VecDeque::new();
        let mut lost: Option<(Vec<Waiting<'a>>, String)> = None;
        loop {
            let open = lost.is_none() && self.why_stopped().is_none() && self.is_fresh();
            while open && in_flight.len() < self.tools.in_flight.get() && !queue.is_empty() {
                let batch = self.take(queue, share);
                in_flight.push(async move {
                    let commands: Vec<_> = batch.iter().filter_map(|step| self.command(step.change)).collect();
                    let sent = self.send(&commands, Halt::Never, Urgency::Ordinary).await;
                    (batch, sent)
                });
            }
            let Some((batch, sent)) = in_flight.next().await else { break };
            match sent {
                Sent::Stopped => {}
                Sent::NotYet => again.extend(batch),
                Sent::Lost(why) => lost.get_or_insert((Vec::new(), why)).0.extend(batch),
                Sent::Answered(answers) => {
                    for (step, answer) in batch.into_iter().zip(answers) {
                        match answer {
                            Answer::Done => self.applied(step.change),
                            Answer::Refused { class, code, description } if class != Class::Busy => {
                                self.end(step.change, StepOutcome::Failed, Some(refusal(&code, &description)), false);
                            }
                            Answer::NotRun => again.push_back(step),
                            // Settling waits, which is what a busy portal asks for.
                            Answer::Refused { code, description, .. } => {
                                lost.get_or_insert((Vec::new(), refusal(&code, &description))).0.push(step);
                            }
                            Answer::Unknown(why) => lost.get_or_insert((Vec::new(), why)).0.push(step),
                        }
                    }
                }
            }
        }
        queue.append(&mut again);
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
