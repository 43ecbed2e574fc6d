//! Replaces: a delete and an add, because the portal has no update. Between the two the code does not exist, so pairs
//! go in batches that halt at the first refusal, one batch at a time, the first pair alone; where an add is refused, the
//! old image goes back at once, and if that fails too, no further pair is sent.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::domain::asset::Address;
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::{Action, Change};
use crate::domain::plan::StepState;
use crate::domain::retry::Class;
use crate::domain::step::StepOutcome;
use crate::ops::ports::{ReadPortal, Urgency, WritePortal};

use super::step_state::{self, ListTrust};
use super::write::{MAX_COMMANDS, MAX_TRIES, Sent, Waiting, Writer, refusal};

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Replaces what looks different, pair by pair. Until a pair went through and was seen on the portal, one pair is
    /// sent at a time, and a portal that refuses one new image after the other is not tried for long.
    pub(super) async fn replaces(&self) {
        let mut queue = self.waiting(|change| matches!(change.action, Action::Replace(..)));
        let mut proven = Proven::No { refused: 0 };
        while !queue.is_empty() && self.why_stopped().is_none() {
            self.look_again(&mut queue).await;
            let most = if proven == Proven::Yes { MAX_COMMANDS / 2 } else { 1 };
            let batch = self.take(&mut queue, most);
            let commands: Vec<_> = batch.iter().filter_map(|step| self.pair(step.change)).flatten().collect();
            if commands.is_empty() {
                continue;
            }
            let first = batch.first().copied();
            match self.send(&commands, Halt::OnError, Urgency::Ordinary).await {
                Sent::Stopped => return,
                Sent::NotYet => {
                    put_first(&mut queue, batch);
                    // What the portal takes by now is not known: one pair tells.
                    proven = proven.again();
                }
                Sent::Lost(why) => put_first(&mut queue, self.settle_steps(batch, &why).await),
                Sent::Answered(answers) => self.answered(batch, &answers, &mut queue).await,
            }
            if let (Proven::No { refused }, Some(step)) = (proven, first) {
                proven = self.prove(step, refused).await;
            }
        }
    }

    /// Looks whether the pair that was sent alone is on the portal: an answer is not believed before one was seen to be
    /// true.
    async fn prove(&self, step: Waiting<'a>, refused: u32) -> Proven {
        if !self.is_ended(&step.change.address) {
            return Proven::No { refused };
        }
        if !self.is_applied(&step.change.address) {
            if refused + 1 >= MAX_REFUSED {
                self.stop(format!("the portal took none of {MAX_REFUSED} new images"));
            }
            return Proven::No { refused: refused + 1 };
        }
        match step_state::states(&[step.change], &self.tools.reader, ListTrust::NotDone).await {
            Ok(states) => match states.get(&step.change.address) {
                Some(StepState::Done) => Proven::Yes,
                Some(StepState::Between) => {
                    let why = "the portal said that it took the new image, and does not have it";
                    self.stop(why.to_owned());
                    self.put_back(step.change, why).await;
                    Proven::No { refused }
                }
                // Somebody else is at it: what that means for this step is for the reading at the end to say.
                _ => Proven::No { refused },
            },
            Err(error) => {
                self.stop(format!("the portal could not be read again: {error}"));
                Proven::No { refused }
            }
        }
    }

    /// Finishes replaces where an earlier run deleted the old image and did not add the new one.
    pub(super) async fn finish_replaces(&self, between: &BTreeSet<Address>) {
        for step in self.waiting(|change| between.contains(&change.address)) {
            self.add_new(step.change, "the run before this one was cut short").await;
        }
    }

    /// Puts back the old images of replaces whose code was found to be missing at the end.
    pub(super) async fn rescue(&self, missing: &[&'a Change]) {
        for change in missing {
            let why = self.why(&change.address).unwrap_or_else(|| "the code is missing on the portal".to_owned());
            self.put_back(change, &why).await;
        }
    }

    fn pair(&self, change: &Change) -> Option<[Command; 2]> {
        let png = self.new_png(change)?;
        Some([
            Command::Delete { address: change.live_address() },
            Command::Add { address: change.address.clone(), png },
        ])
    }

    async fn answered(&self, batch: Vec<Waiting<'a>>, answers: &[Answer], queue: &mut VecDeque<Waiting<'a>>) {
        let mut unsent = Vec::new();
        let mut lost = Vec::new();
        let mut lost_why = None;
        for (step, pair) in batch.into_iter().zip(answers.chunks_exact(2)) {
            match pair {
                [Answer::Done, Answer::Done] => self.applied(step.change),
                [Answer::NotRun, _] => unsent.push(step),
                [Answer::Done, Answer::Refused { class, code, description }] if *class != Class::Busy => {
                    self.refused(step.change, &refusal(code, description)).await;
                }
                [Answer::Refused { class, code, description }, _] if *class != Class::Busy => {
                    self.end(step.change, StepOutcome::Failed, Some(refusal(code, description)), false);
                }
                // The old image may be gone: the portal says where the pair stands.
                [delete, add] => {
                    let unclear = if *delete == Answer::Done { add } else { delete };
                    lost_why.get_or_insert_with(|| reason(unclear));
                    lost.push(Waiting { wrote: *delete == Answer::Done, ..step });
                }
                _ => unsent.push(step),
            }
        }
        put_first(queue, unsent);
        if let Some(why) = lost_why {
            put_first(queue, self.settle_steps(lost, &why).await);
        }
    }

    /// Finds out where steps stand whose answer was lost, and finishes replaces whose old image is gone. Returns the steps
    /// that are to be sent again.
    pub(super) async fn settle_steps(&self, steps: Vec<Waiting<'a>>, why: &str) -> Vec<Waiting<'a>> {
        let Some(mut states) = self.settle(&steps, why).await else { return Vec::new() };
        let mut again = Vec::new();
        for step in steps {
            match states.remove(&step.change.address) {
                Some(StepState::Done) => self.applied(step.change),
                Some(StepState::Diverged(found)) => self.end(step.change, StepOutcome::Failed, Some(found), step.wrote),
                Some(StepState::Unseen(found)) => self.end(step.change, StepOutcome::Unknown, Some(found), step.wrote),
                Some(StepState::Between) => self.add_new(step.change, why).await,
                Some(StepState::Pending) | None if step.tries + 1 >= MAX_TRIES => {
                    let why = format!("the portal did not take it in {MAX_TRIES} tries: {why}");
                    self.end(step.change, StepOutcome::Failed, Some(why), step.wrote);
                }
                Some(StepState::Pending) | None => again.push(step.again()),
            }
        }
        again
    }

    /// The old image is gone and the new one is not there: adds the new one, or puts the old one back.
    async fn add_new(&self, change: &'a Change, why: &str) {
        let Some(png) = self.new_png(change) else { return };
        match self.add_until_known(change, change.address.clone(), png).await {
            Added::There => self.applied(change),
            Added::Otherwise(found) => self.end(change, StepOutcome::Failed, Some(found), true),
            Added::Refused(refused) => self.put_back(change, &refused).await,
            Added::Unsent => {
                let why = format!("{why}; the old image was deleted and the new one could not be sent");
                self.end(change, StepOutcome::Unknown, Some(why), true);
            }
            Added::Unknown => {}
        }
    }

    /// The old image was deleted and the new one refused. The old one goes back, unless the portal took the code for
    /// itself or somebody else did: then it is not written to again.
    async fn refused(&self, change: &'a Change, why: &str) {
        let states = step_state::states(&[change], &self.tools.reader, ListTrust::NotDone).await;
        match states.ok().and_then(|mut states| states.remove(&change.address)) {
            Some(StepState::Diverged(found)) => {
                self.end(change, StepOutcome::Failed, Some(format!("{why}; {found}")), true)
            }
            // Where the portal cannot be read, a missing image weighs more.
            _ => self.put_back(change, why).await,
        }
    }

    /// The new image was refused and the old one is gone: adds the old one again. If that fails, no further pair is sent.
    async fn put_back(&self, change: &'a Change, why: &str) {
        let failed = match (self.old_png(change), change.action.before()) {
            (Some(png), Some(before)) => {
                let old = Address::new(change.address.kind, before.code.clone());
                match self.add_until_known(change, old, png).await {
                    Added::There => {
                        return self.end(
                            change,
                            StepOutcome::Recovered,
                            Some(format!("{why}; the old image is back")),
                            true,
                        );
                    }
                    Added::Otherwise(found) => {
                        return self.end(change, StepOutcome::Failed, Some(format!("{why}; {found}")), true);
                    }
                    Added::Unknown => return,
                    Added::Refused(refused) => refused,
                    Added::Unsent => {
                        let stopped = self.why_stopped().unwrap_or_default();
                        let why = format!("{why}; the old image could not be sent: {stopped}");
                        return self.end(change, StepOutcome::Unknown, Some(why), true);
                    }
                }
            }
            _ => "there is no copy of it".to_owned(),
        };
        let why = format!("{why}; the old image could not be put back: {failed}");
        self.end(change, StepOutcome::Failed, Some(why), true);
        self.stop(format!("{} could not be put back", change.address));
    }

    /// Adds one image of a step whose code is free. When the answer is lost, or is not a plain yes, the portal is read
    /// to find out what came of it; where it may help, the image is sent again.
    async fn add_until_known(&self, change: &'a Change, address: Address, png: Arc<[u8]>) -> Added {
        let add = [Command::Add { address, png }];
        let step = Waiting { wrote: true, ..Waiting::new(change) };
        let mut refused = String::new();
        for patience in 0..MAX_RESCUES {
            let (lost, last) = match self.send(&add, Halt::Never, Urgency::Completing).await {
                Sent::Stopped | Sent::NotYet => return Added::Unsent,
                Sent::Lost(why) => (why, false),
                Sent::Answered(answers) => match answers.into_iter().next() {
                    Some(Answer::Done) => return Added::There,
                    Some(Answer::NotRun) => return Added::Unsent,
                    Some(Answer::Refused { class, code, description }) => {
                        refused = refusal(&code, &description);
                        (refused.clone(), class != Class::Busy)
                    }
                    Some(unclear @ Answer::Unknown(_)) => (reason(&unclear), false),
                    None => return Added::Unsent,
                },
            };
            let Some(states) = self.settle(&[step], &lost).await else { return Added::Unknown };
            match states.get(&change.address) {
                // The image that was sent is there, be it the new one or the old one.
                Some(StepState::Done | StepState::Pending) => return Added::There,
                Some(StepState::Diverged(found) | StepState::Unseen(found)) => return Added::Otherwise(found.clone()),
                Some(StepState::Between) | None if last => return Added::Refused(refused),
                Some(StepState::Between) | None => {
                    refused = format!("the portal did not take it in {MAX_RESCUES} tries: {lost}");
                    if patience + 1 == MAX_RESCUES {
                        break;
                    }
                    tokio::time::sleep(self.tools.settle * 2_u32.saturating_pow(patience)).await;
                }
            }
        }
        Added::Refused(refused)
    }
}

fn put_first<T>(queue: &mut VecDeque<T>, items: Vec<T>) {
    items.into_iter().rev().for_each(|item| queue.push_front(item));
}

/// Whether the portal was seen to hold a new image of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proven {
    /// Not yet, and this many were refused.
    No {
        refused: u32,
    },
    Yes,
}

impl Proven {
    /// As at first, but for the images that were refused.
    const fn again(self) -> Self {
        match self {
            Self::Yes => Self::No { refused: 0 },
            unproven @ Self::No { .. } => unproven,
        }
    }
}

/// The number of images refused in a row after which no other is tried.
const MAX_REFUSED: u32 = 3;

/// The most times that one image is sent while its code is missing on the portal; the waits between double.
const MAX_RESCUES: u32 = 5;

/// The reason why an answer is not a plain yes.
fn reason(answer: &Answer) -> String {
    match answer {
        Answer::Refused { code, description, .. } => refusal(code, description),
        Answer::Unknown(why) => why.clone(),
        Answer::Done | Answer::NotRun => "the answer does not speak of it".to_owned(),
    }
}

enum Added {
    There,
    /// Something else is there, in words.
    Otherwise(String),
    /// The portal refused it, in words.
    Refused(String),
    Unsent,
    /// It could not be found out; the step's result is already recorded.
    Unknown,
}
