//! Replaces: a delete and an add, because the portal has no update. Between the two, the code does not exist. So pairs
//! go in batches that halt at the first refusal, one batch at a time, the first pair alone. If an add is refused, the
//! old image goes back at once, and if that fails too, no further pair is sent.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::domain::asset::Address;
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::{Action, Change};
use crate::domain::plan::StepState;
use crate::domain::retry::Class;
use crate::domain::step::StepOutcome;
use crate::domain::unanswered;
use crate::ops::events::Event;
use crate::ops::ports::{ReadPortal, Urgency, WritePortal};

use super::tools::WayBack;
use super::write::{MAX_COMMANDS, Sent, Waiting, Writer, refusal};

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Replaces what looks different, pair by pair. Until one pair was accepted and seen on the portal, pairs are sent
    /// one at a time, and only a few are tried on a portal that refuses each new image.
    pub(super) async fn replaces(&self) {
        let mut queue = self.queue(|change| matches!(change.action, Action::Replace(..)));
        let mut proven = Proven::No { refused: 0 };
        while !queue.is_empty() {
            let most = if proven == Proven::Yes { self.at_once(MAX_COMMANDS / 2) } else { 1 };
            // The portal is read last: a step that is off the queue is not judged any more.
            if !self.may_remove(most.min(queue.len())).await {
                return;
            }
            self.look().await;
            let batch = self.take(&mut queue, most);
            if batch.is_empty() {
                return;
            }
            let commands: Vec<_> = batch.iter().filter_map(|step| self.pair(step.change)).flatten().collect();
            let first = batch.first().copied();
            match self.send(&commands, Halt::OnError, Urgency::Ordinary).await {
                Sent::Stopped => return,
                Sent::NotYet => {
                    self.put_first(&mut queue, batch);
                    // It is unknown what the portal accepts now: send one pair to find out.
                    proven = proven.again();
                }
                Sent::Lost(why) => {
                    let again = self.settle_steps(batch, &why).await;
                    self.put_first(&mut queue, again);
                }
                Sent::Answered(answers) => self.answered(batch, &answers, &mut queue).await,
            }
            if let (Proven::No { refused }, Some(step)) = (proven, first) {
                proven = self.prove(step, refused).await;
            }
        }
    }

    /// Checks whether the pair that was sent alone is on the portal: answers are not trusted until one was confirmed.
    async fn prove(&self, step: Waiting<'a>, refused: u32) -> Proven {
        if !self.is_ended(&step.change.address) {
            return Proven::No { refused };
        }
        if !self.is_applied(&step.change.address) {
            if refused + 1 >= MAX_REFUSED {
                self.stop(format!("the portal accepted none of {MAX_REFUSED} new images"));
            }
            return Proven::No { refused: refused + 1 };
        }
        match self.read(&[step.change]).await {
            Ok(states) => match states.get(&step.change.address) {
                Some(StepState::Done) => {
                    self.way_back.set(WayBack::Proven);
                    Proven::Yes
                }
                // It is there, but its image cannot be read: `may_remove` decides whether that stops the run.
                Some(StepState::Unseen { .. }) => Proven::Yes,
                Some(StepState::Between) => {
                    let why = "the portal said that it added the new image, but does not have it";
                    self.stop(why.to_owned());
                    self.put_back(step.change, why).await;
                    Proven::No { refused }
                }
                // Another client changes the code: the reading at the end decides what that means for this step.
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
        for change in self.plan.diff.changes.iter().filter(|change| between.contains(&change.address)) {
            self.add_new(change, "the run before this one was cut short").await;
        }
    }

    /// Brings images back to replaces whose code is missing at the end: the new one, as long as a request without an
    /// answer may still add it, or else the old one.
    pub(super) async fn rescue(&self, missing: &[&'a Change]) {
        for change in missing {
            let why = self.why(&change.address).unwrap_or_else(|| "the code is missing on the portal".to_owned());
            if self.open_for([*change].into_iter()).is_zero() {
                self.put_back(change, &why).await;
            } else {
                self.add_new(change, &why).await;
            }
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
                // The old image may be deleted: read the portal to find out the state of the pair.
                [delete, add] => {
                    let unclear = if *delete == Answer::Done { add } else { delete };
                    lost_why.get_or_insert_with(|| reason(unclear));
                    lost.push(Waiting { wrote: *delete == Answer::Done, ..step });
                }
                _ => unsent.push(step),
            }
        }
        self.put_first(queue, unsent);
        if let Some(why) = lost_why {
            let again = self.settle_steps(lost, &why).await;
            self.put_first(queue, again);
        }
    }

    /// The old image is deleted and the new one is not there: adds the new one, or puts the old one back.
    pub(super) async fn add_new(&self, change: &'a Change, why: &str) {
        let Some(png) = self.new_png(change) else { return };
        match self.add_until_known(change, change.address.clone(), png, Image::New).await {
            Added::There | Added::New => self.applied(change),
            Added::Otherwise(found) => self.end(change, StepOutcome::Failed, Some(found), true),
            Added::Refused(refused) => self.put_back(change, &refused).await,
            Added::Unsent(_) => {
                let why = format!("{why}; the old image was deleted and the new one could not be sent");
                self.end(change, StepOutcome::Unknown, Some(why), true);
            }
            Added::Unknown => {}
        }
    }

    /// The old image was deleted and the new one refused. The old one goes back, unless the portal took the code for
    /// itself or somebody else added it: then the code is not written to again.
    async fn refused(&self, change: &'a Change, why: &str) {
        let states = self.read(&[change]).await;
        match states.ok().and_then(|mut states| states.remove(&change.address)) {
            Some(StepState::Diverged(found)) => {
                self.end(change, StepOutcome::Failed, Some(format!("{why}; {found}")), true)
            }
            // If the portal cannot be read, a missing image is the worse case: assume it.
            _ => self.put_back(change, why).await,
        }
    }

    /// The new image was refused and the old one is gone: adds the old one again. If that fails, no further pair is sent.
    async fn put_back(&self, change: &'a Change, why: &str) {
        let failed = match (self.old_png(change), change.action.before()) {
            (Some(png), Some(before)) => {
                let old = Address::new(change.address.kind, before.code.clone());
                let (outcome, found) = match self.add_until_known(change, old, png, Image::Old).await {
                    Added::There => (StepOutcome::Recovered, old_is_back(change)),
                    Added::New => return self.applied(change),
                    Added::Otherwise(found) => (StepOutcome::Failed, found),
                    Added::Unknown => {
                        return self.correct(change, |step| {
                            step.why = step.why.take().map(|then| format!("{why}; {then}"));
                        });
                    }
                    Added::Refused(refused) => {
                        return self.lost(change, &format!("{why}; the old image could not be put back: {refused}"));
                    }
                    Added::Unsent(why) => (StepOutcome::Unknown, format!("the old image could not be sent: {why}")),
                };
                return self.end(change, outcome, Some(format!("{why}; {found}")), true);
            }
            _ => "there is no copy of it",
        };
        self.lost(change, &format!("{why}; the old image could not be put back: {failed}"));
    }

    /// A code has lost its image: no further pair is sent.
    fn lost(&self, change: &Change, why: &str) {
        self.end(change, StepOutcome::Failed, Some(why.to_owned()), true);
        self.stop(format!("{} could not be put back", change.address));
    }

    /// Adds one image of a step whose code is free. If the answer is lost, or is not a plain yes, the portal is read
    /// to find out the result; if it may help, the image is sent again. The old one is not sent while a request
    /// without an answer may still add the new one.
    async fn add_until_known(&self, change: &'a Change, address: Address, png: Arc<[u8]>, image: Image) -> Added {
        let add = [Command::Add { address, png }];
        let step = Waiting { wrote: true, ..Waiting::new(change) };
        let mut refused = String::new();
        for patience in 0..MAX_RESCUES {
            if image == Image::Old
                && let Some(ended) = self.pass_window(step, &refused).await
            {
                return ended;
            }
            let (lost, last) = match self.add_once(&add).await {
                Ok(ended) => return ended,
                Err(unclear) => unclear,
            };
            if last {
                refused.clone_from(&lost);
            }
            let Some(states) = self.settle(&[step], &lost).await else { return Added::Unknown };
            match states.get(&change.address) {
                Some(StepState::Done) if image == Image::Old => return Added::New,
                // The image that was sent is there, either the new one or the old one.
                Some(StepState::Done | StepState::Pending) => return Added::There,
                Some(StepState::Diverged(found) | StepState::Unseen { why: found, .. }) => {
                    return Added::Otherwise(found.clone());
                }
                Some(StepState::Between) | None if last => return Added::Refused(refused),
                Some(StepState::Between) | None => {
                    refused = format!("the portal did not carry it out in {MAX_RESCUES} tries: {lost}");
                    if patience + 1 == MAX_RESCUES {
                        break;
                    }
                    let wait = unanswered::apart(self.tools.settle) * 2_u32.saturating_pow(patience);
                    let why = format!("the image of {} is sent again", change.address);
                    self.tools.reader.observer.observe(Event::Waiting { why, wait });
                    tokio::time::sleep(wait).await;
                }
            }
        }
        Added::Refused(refused)
    }

    /// Sends the add of a code without an image. The error is an answer that is not a plain yes, and whether the refusal
    /// is final.
    async fn add_once(&self, add: &[Command]) -> Result<Added, (String, bool)> {
        let unsent = || Added::Unsent(self.why_stopped().unwrap_or_default());
        match self.send(add, Halt::Never, Urgency::Completing).await {
            Sent::Stopped | Sent::NotYet => Ok(unsent()),
            Sent::Lost(why) => Err((why, false)),
            Sent::Answered(answers) => match answers.into_iter().next() {
                Some(Answer::Done) => Ok(Added::There),
                Some(Answer::Refused { class, code, description }) => {
                    Err((refusal(&code, &description), class != Class::Busy))
                }
                Some(Answer::Unknown(why)) => Err((why, false)),
                Some(Answer::NotRun) | None => Ok(unsent()),
            },
        }
    }

    /// Waits until no request without an answer about a code without an image can be carried out any more. Returns
    /// how that ended, unless the code still has no image then.
    async fn pass_window(&self, step: Waiting<'a>, why: &str) -> Option<Added> {
        let left = self.open_for([step.change].into_iter());
        if left.is_zero() {
            return None;
        }
        if self.cannot_wait(left).is_none() {
            self.wait(left, left).await;
        }
        let left = self.open_for([step.change].into_iter());
        if let Some(cut) = self.cannot_wait(left).filter(|_| !left.is_zero()) {
            let seconds = left.as_secs_f64().ceil();
            return Some(Added::Unsent(format!(
                "a request without an answer may still add the new one for {seconds} s, {cut}"
            )));
        }
        let Some(states) = self.settle(&[step], why).await else { return Some(Added::Unknown) };
        match states.get(&step.change.address)? {
            StepState::Done => Some(Added::New),
            StepState::Pending => Some(Added::There),
            StepState::Between => None,
            StepState::Diverged(found) | StepState::Unseen { why: found, .. } => Some(Added::Otherwise(found.clone())),
        }
    }
}

/// What was put back, in words.
fn old_is_back(change: &Change) -> String {
    match change.copy_doubt() {
        Some(doubt) => format!("the copy of the old image is back, but it {doubt}"),
        None => "the old image is back".to_owned(),
    }
}

/// Which image of a replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Image {
    Old,
    New,
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
    /// As at first, except for the images that were refused.
    const fn again(self) -> Self {
        match self {
            Self::Yes => Self::No { refused: 0 },
            unproven @ Self::No { .. } => unproven,
        }
    }
}

/// The number of images refused in a row after which no other image is tried.
const MAX_REFUSED: u32 = 3;

/// The maximum number of times that one image is sent while its code is missing on the portal; the waits between double.
const MAX_RESCUES: u32 = 5;

/// The reason why an answer is not a plain yes.
fn reason(answer: &Answer) -> String {
    match answer {
        Answer::Refused { code, description, .. } => refusal(code, description),
        Answer::Unknown(why) => why.clone(),
        Answer::Done | Answer::NotRun => "the answer does not mention it".to_owned(),
    }
}

enum Added {
    /// The image that was sent is there.
    There,
    /// The old one was due, but the new one is there.
    New,
    /// Something else is there, in words.
    Otherwise(String),
    /// The portal refused it, in words.
    Refused(String),
    /// It was not sent; why, in words.
    Unsent(String),
    /// It could not be found out; the step's result is already recorded.
    Unknown,
}
