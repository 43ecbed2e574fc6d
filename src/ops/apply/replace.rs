//! Replaces: a delete and an add, because the portal has no update. Between the two the code does not exist, so pairs
//! go in batches that halt at the first refusal, one batch at a time, the first pair alone; where an add is refused, the
//! old image goes back at once, and if that fails too, no further pair is sent.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::domain::asset::Address;
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::{Action, Change};
use crate::domain::plan::Standing;
use crate::domain::report::Fate;
use crate::ops::ports::{ReadPortal, WritePortal};

use super::write::{MAX_COMMANDS, MAX_TRIES, Sent, Waiting, Writer, refusal};

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// Replaces what looks different, pair by pair.
    pub(super) async fn replaces(&self) {
        let mut queue = self.waiting(|change| matches!(change.action, Action::Replace(..)));
        let mut most = 1;
        while !queue.is_empty() && self.why_stopped().is_none() {
            self.look_again(&mut queue).await;
            let batch = self.take(&mut queue, most);
            let commands: Vec<_> = batch.iter().filter_map(|(change, _)| self.pair(change)).flatten().collect();
            if commands.is_empty() {
                continue;
            }
            match self.send(&commands, Halt::OnError).await {
                Sent::Stopped => return,
                Sent::NotYet => batch.into_iter().rev().for_each(|step| queue.push_front(step)),
                Sent::Lost(why) => {
                    most = MAX_COMMANDS / 2;
                    self.settle_pairs(batch, &why, &mut queue).await;
                }
                Sent::Answered(answers) => {
                    most = MAX_COMMANDS / 2;
                    self.answered(batch, &answers, &mut queue).await;
                }
            }
        }
    }

    /// Finishes replaces of which an earlier run deleted the old image and did not add the new one.
    pub(super) async fn finish_replaces(&self, between: &BTreeSet<Address>) {
        for (change, _) in self.waiting(|change| between.contains(&change.address)) {
            if self.why_stopped().is_none() {
                self.add_new(change, "the run before this one was cut short").await;
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
        for (step, pair) in batch.into_iter().zip(answers.chunks_exact(2)) {
            match pair {
                [Answer::Done, Answer::Done] => self.applied(step.0),
                [Answer::NotRun, _] => unsent.push(step),
                [Answer::Done, Answer::Refused { code, description }] => {
                    self.put_back(step.0, &refusal(code, description)).await;
                }
                [Answer::Refused { code, description }, _] => {
                    self.end(step.0, Fate::Failed, Some(refusal(code, description)), false);
                }
                // The delete may have had its effect while the add's is not known: the portal says where it stands.
                _ => lost.push(step),
            }
        }
        for step in unsent.into_iter().rev() {
            queue.push_front(step);
        }
        if !lost.is_empty() {
            self.settle_pairs(lost, "the answer does not speak of it", queue).await;
        }
    }

    /// Finds out where pairs stand whose answer was lost, and finishes those whose old image is gone.
    async fn settle_pairs(&self, steps: Vec<Waiting<'a>>, why: &str, queue: &mut VecDeque<Waiting<'a>>) {
        let Some(mut standings) = self.settle(&steps, why).await else { return };
        let mut again = Vec::new();
        for (change, tries) in steps {
            match standings.remove(&change.address) {
                Some(Standing::Done) => self.applied(change),
                Some(Standing::Diverged(found)) => self.end(change, Fate::Failed, Some(found), false),
                Some(Standing::Between) => self.add_new(change, why).await,
                Some(Standing::Pending) | None if tries + 1 >= MAX_TRIES => {
                    let why = format!("the portal did not take it in {MAX_TRIES} tries: {why}");
                    self.end(change, Fate::Failed, Some(why), false);
                }
                Some(Standing::Pending) | None => again.push((change, tries + 1)),
            }
        }
        for step in again.into_iter().rev() {
            queue.push_front(step);
        }
    }

    /// The old image is gone and the new one is not there: adds the new one, or puts the old one back.
    async fn add_new(&self, change: &'a Change, why: &str) {
        let Some(png) = self.new_png(change) else { return };
        match self.add_until_known(change, change.address.clone(), png).await {
            Added::There => self.applied(change),
            Added::Otherwise(found) => self.end(change, Fate::Failed, Some(found), true),
            Added::Refused(refused) => self.put_back(change, &refused).await,
            Added::Unsent => {
                let why = format!("{why}; the old image was deleted and the new one could not be sent");
                self.end(change, Fate::Failed, Some(why), true);
            }
            Added::Unknown => {}
        }
    }

    /// The new image was refused and the old one is gone: adds the old one again. If that fails, no further pair is sent.
    async fn put_back(&self, change: &'a Change, why: &str) {
        let failed = match (self.old_png(change), change.action.before()) {
            (Some(png), Some(before)) => {
                let old = Address::new(change.address.kind, before.code.clone());
                match self.add_until_known(change, old, png).await {
                    Added::There => {
                        self.end(change, Fate::Recovered, Some(format!("{why}; the old image is back")), true);
                        return;
                    }
                    Added::Otherwise(found) => {
                        self.end(change, Fate::Failed, Some(format!("{why}; {found}")), true);
                        return;
                    }
                    Added::Unknown => return,
                    Added::Refused(refused) => refused,
                    Added::Unsent => self.why_stopped().unwrap_or_default(),
                }
            }
            _ => "there is no copy of it".to_owned(),
        };
        let why = format!("{why}; the old image could not be put back: {failed}");
        self.end(change, Fate::Failed, Some(why), true);
        self.stop(format!("{} could not be put back", change.address.to_string().escape_debug()));
    }

    /// Adds one image of a step whose code is free, and finds out what came of it when the answer is lost.
    async fn add_until_known(&self, change: &'a Change, address: Address, png: Arc<[u8]>) -> Added {
        let add = [Command::Add { address, png }];
        for _ in 0..MAX_TRIES {
            let lost = match self.send(&add, Halt::Never).await {
                Sent::Stopped => return Added::Unsent,
                // The code is missing on the portal: there is nothing to look at, and every moment counts.
                Sent::NotYet => continue,
                Sent::Lost(why) => why,
                Sent::Answered(answers) => match answers.into_iter().next() {
                    Some(Answer::Done) => return Added::There,
                    Some(Answer::Refused { code, description }) => return Added::Refused(refusal(&code, &description)),
                    Some(Answer::NotRun) => return Added::Unsent,
                    Some(Answer::Missing) | None => "the answer does not speak of it".to_owned(),
                },
            };
            let Some(standings) = self.settle(&[(change, 0)], &lost).await else { return Added::Unknown };
            match standings.get(&change.address) {
                // The image that was sent is there, be it the new one or the old one.
                Some(Standing::Done | Standing::Pending) => return Added::There,
                Some(Standing::Diverged(found)) => return Added::Otherwise(found.clone()),
                Some(Standing::Between) | None => {}
            }
        }
        Added::Refused(format!("the portal did not take it in {MAX_TRIES} tries"))
    }
}

/// What came of adding one image.
enum Added {
    /// It is there.
    There,
    /// Something else is there, in words.
    Otherwise(String),
    /// The portal refused it, in words.
    Refused(String),
    /// It was not sent, because the run is stopped.
    Unsent,
    /// It could not be found out; the step's fate is noted already.
    Unknown,
}
