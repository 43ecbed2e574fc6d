//! Sends writes: one batch after another, each with its intent and its outcome in the journal.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::domain::asset::Address;
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::{Action, Change};
use crate::domain::journal::{Entry, Said, Write};
use crate::domain::plan::{Plan, Standing};
use crate::domain::report::{Fate, StepResult};
use crate::domain::retry::Class;
use crate::ops::events::Event;
use crate::ops::ports::{Journal, ReadPortal, WriteError, WritePortal};

use super::Tools;
use super::standing;

/// The most commands that a portal takes in one batch.
pub(super) const MAX_COMMANDS: usize = 50;

/// The most bytes of images in one batch; in base64, percent-encoded, they grow by half.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// How often a step is sent at most, when the portal demonstrably did not take it.
pub(super) const MAX_TRIES: u32 = 3;

/// How many readings are taken at most until two agree.
const MAX_READINGS: u32 = 12;

/// What came of a request.
pub(super) enum Sent {
    /// The portal answered: one answer for each command.
    Answered(Vec<Answer>),
    /// It had no effect, and nothing more is sent in this run.
    Stopped,
    /// Its answer was lost.
    Lost(String),
}

/// A step that waits to be sent, and how often it was sent already.
pub(super) type Waiting<'a> = (&'a Change, u32);

/// Sends the steps of one plan.
pub(super) struct Writer<'a, P> {
    pub(super) plan: &'a Plan,
    pub(super) tools: &'a Tools<'a, P>,
    journal: &'a dyn Journal,
    requests: u32,
    batches: Batches,
    /// Why nothing more is sent.
    pub(super) stopped: Option<String>,
    steps: BTreeMap<Address, StepResult>,
}

/// Whether the portal takes writes in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Batches {
    Accepted,
    Refused,
}

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    pub(super) fn new(plan: &'a Plan, tools: &'a Tools<'a, P>, journal: &'a dyn Journal) -> Self {
        Self { plan, tools, journal, requests: 0, batches: Batches::Accepted, stopped: None, steps: BTreeMap::new() }
    }

    /// Adds what does not exist yet.
    pub(super) async fn creates(&mut self) {
        self.independent(|action| matches!(action, Action::Create(_))).await;
    }

    /// Deletes what is not declared.
    pub(super) async fn deletes(&mut self) {
        self.independent(|action| matches!(action, Action::Delete(_))).await;
    }

    /// What became of every step so far; those that were never sent are skipped.
    pub(super) fn finish(mut self) -> BTreeMap<Address, StepResult> {
        for change in &self.plan.changes {
            self.steps.entry(change.address.clone()).or_insert_with(|| StepResult {
                fate: Fate::Skipped,
                why: Some(self.stopped.clone().unwrap_or_else(|| "it was not sent".to_owned())),
                wrote: false,
            });
        }
        self.steps
    }

    /// The bytes that a step uploads.
    pub(super) fn new_png(&self, change: &Change) -> Option<Arc<[u8]>> {
        self.plan.contents.get(&change.action.after()?.content.sha256).cloned()
    }

    /// The bytes that a step replaces or deletes, if they could be kept.
    pub(super) fn old_png(&self, change: &Change) -> Option<Arc<[u8]>> {
        self.plan.contents.get(&change.action.before()?.content.as_ref()?.sha256).cloned()
    }

    pub(super) fn end(&mut self, change: &Change, fate: Fate, why: Option<String>, wrote: bool) {
        self.tools.eyes.observer.observe(Event::Advanced(1));
        self.steps.insert(change.address.clone(), StepResult { fate, why, wrote });
    }

    /// Steps that are one command each: a refused one does not concern the others.
    async fn independent(&mut self, which: fn(&Action) -> bool) {
        let mut queue: VecDeque<Waiting<'a>> =
            self.plan.changes.iter().filter(|change| which(&change.action)).map(|change| (change, 0)).collect();
        while !queue.is_empty() {
            let batch = take(&mut queue, MAX_COMMANDS, |change| self.new_png(change).map_or(0, |png| png.len()));
            let commands: Vec<_> = batch.iter().filter_map(|(change, _)| self.command(change)).collect();
            match self.send(&commands, Halt::Never).await {
                Sent::Stopped => return,
                Sent::Lost(why) => self.settle_independent(batch, &why, &mut queue).await,
                Sent::Answered(answers) => {
                    let mut lost = Vec::new();
                    for (step, answer) in batch.into_iter().zip(answers) {
                        match answer {
                            Answer::Done => self.end(step.0, Fate::Applied, None, true),
                            Answer::Refused { code, description } => {
                                self.end(step.0, Fate::Failed, Some(refusal(&code, &description)), false);
                            }
                            Answer::NotRun => queue.push_back(step),
                            Answer::Missing => lost.push(step),
                        }
                    }
                    if !lost.is_empty() {
                        self.settle_independent(lost, "the answer does not speak of it", &mut queue).await;
                    }
                }
            }
        }
    }

    async fn settle_independent(&mut self, steps: Vec<Waiting<'a>>, why: &str, queue: &mut VecDeque<Waiting<'a>>) {
        let Some(mut standings) = self.settle(&steps, why).await else { return };
        for (change, tries) in steps {
            match standings.remove(&change.address) {
                Some(Standing::Done) => self.end(change, Fate::Applied, None, true),
                Some(Standing::Diverged(found)) => self.end(change, Fate::Failed, Some(found), false),
                _ if tries + 1 >= MAX_TRIES => {
                    let why = format!("the portal did not take it in {MAX_TRIES} tries: {why}");
                    self.end(change, Fate::Failed, Some(why), false);
                }
                _ => queue.push_back((change, tries + 1)),
            }
        }
    }

    /// The one command of a step that needs one.
    fn command(&self, change: &Change) -> Option<Command> {
        match &change.action {
            Action::Create(_) => Some(Command::Add { address: change.address.clone(), png: self.new_png(change)? }),
            Action::Delete(_) => Some(Command::Delete { address: change.live_address() }),
            Action::Replace(..) => None,
        }
    }

    /// Sends one request, with its intent in the journal before and its outcome after; or one request for each command
    /// where the portal refuses batches.
    pub(super) async fn send(&mut self, commands: &[Command], halt: Halt) -> Sent {
        if self.batches == Batches::Accepted {
            match self.request(commands, halt).await {
                Err(WriteError::NoEffect(error)) if error.class == Class::NoBatch => self.batches = Batches::Refused,
                other => return self.sent(other),
            }
        }
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            if halt == Halt::OnError && answers.iter().any(|answer| *answer != Answer::Done) {
                answers.push(Answer::NotRun);
                continue;
            }
            match self.request(std::slice::from_ref(command), halt).await {
                Ok(answer) => answers.extend(answer),
                Err(WriteError::Unknown(_)) => answers.push(Answer::Missing),
                Err(WriteError::NoEffect(error)) => {
                    self.stopped = Some(error.to_string());
                    if answers.is_empty() {
                        return Sent::Stopped;
                    }
                    answers.push(Answer::NotRun);
                }
            }
        }
        Sent::Answered(answers)
    }

    fn sent(&mut self, outcome: Result<Vec<Answer>, WriteError>) -> Sent {
        match outcome {
            Ok(answers) => Sent::Answered(answers),
            Err(WriteError::Unknown(error)) => Sent::Lost(error.to_string()),
            Err(WriteError::NoEffect(error)) => {
                self.stopped = Some(error.to_string());
                Sent::Stopped
            }
        }
    }

    /// One request, unless something stops the run first.
    async fn request(&mut self, commands: &[Command], halt: Halt) -> Result<Vec<Answer>, WriteError> {
        if self.tools.interrupt.is_raised() && self.stopped.is_none() {
            self.stopped = Some("interrupted".to_owned());
        }
        if let Some(why) = &self.stopped {
            return Err(no_effect(why.clone()));
        }
        self.requests += 1;
        let intent = Entry::Intent { request: self.requests, commands: commands.iter().map(Write::from).collect() };
        if let Err(error) = self.journal.append(&intent) {
            return Err(no_effect(format!("the journal cannot be written: {error}")));
        }
        let outcome = match (self.batches, commands) {
            (Batches::Refused, [command]) => {
                self.tools.eyes.portal.write_single(command).await.map(|answer| vec![answer])
            }
            _ => self.tools.eyes.portal.write(commands, halt).await,
        };
        let (answers, error) = match &outcome {
            Ok(answers) => (answers.iter().map(Said::from).collect(), None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        if let Err(error) = self.journal.append(&Entry::Outcome { request: self.requests, answers, error }) {
            self.stopped = Some(format!("the journal cannot be written: {error}"));
        }
        outcome
    }

    /// Finds out where steps stand whose answer was lost: a server goes on with a batch after its client is gone, so
    /// that two readings must agree. `None` when the portal cannot be read; the steps are then of unknown fate and
    /// nothing more is sent.
    pub(super) async fn settle(&mut self, steps: &[Waiting<'a>], why: &str) -> Option<BTreeMap<Address, Standing>> {
        let changes: Vec<_> = steps.iter().map(|(change, _)| *change).collect();
        let mut last = None;
        for _ in 0..MAX_READINGS {
            if last.is_some() {
                let wait = self.tools.settle;
                self.tools
                    .eyes
                    .observer
                    .observe(Event::Waiting { why: "an answer was lost; finding out".to_owned(), wait });
                tokio::time::sleep(wait).await;
            }
            match standing::standings(&changes, &self.tools.eyes).await {
                Ok(found) if last.as_ref() == Some(&found) => return Some(found),
                Ok(found) => last = Some(found),
                Err(error) => {
                    return self.give_up(&changes, &format!("{why}; what came of it could not be read: {error}"));
                }
            }
        }
        self.give_up(&changes, &format!("{why}; the portal kept changing while it was read"))
    }

    fn give_up(&mut self, changes: &[&'a Change], why: &str) -> Option<BTreeMap<Address, Standing>> {
        for change in changes {
            self.end(change, Fate::Unknown, Some(why.to_owned()), false);
        }
        self.stopped = Some(why.to_owned());
        None
    }
}

/// Takes the next steps off the queue: at most `most`, and no more bytes than one request should carry.
pub(super) fn take<'a>(
    queue: &mut VecDeque<Waiting<'a>>,
    most: usize,
    bytes: impl Fn(&Change) -> usize,
) -> Vec<Waiting<'a>> {
    let mut taken = Vec::new();
    let mut sum = 0;
    while let Some((change, _)) = queue.front() {
        sum += bytes(change);
        if taken.len() >= most || (sum > MAX_BYTES && !taken.is_empty()) {
            break;
        }
        taken.extend(queue.pop_front());
    }
    taken
}

/// A refusal in the portal's words, escaped.
pub(super) fn refusal(code: &str, description: &str) -> String {
    let code = if code.is_empty() { "no code" } else { code };
    format!("the portal refused it: {} ({})", description.escape_debug(), code.escape_debug())
}

fn no_effect(message: String) -> WriteError {
    WriteError::NoEffect(crate::ops::ports::PortalError { class: Class::Refused, code: None, message, hint: None })
}
