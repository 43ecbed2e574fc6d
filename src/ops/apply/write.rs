//! Sends writes, each with its intent in the journal before and its outcome after, and finds out what came of those
//! whose answer was lost.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::asset::Address;
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::Change;
use crate::domain::journal::{JournalEntry, Said, Write};
use crate::domain::plan::{Plan, StepState};
use crate::domain::retry::Class;
use crate::domain::step::{StepOutcome, StepResult};
use crate::ops::events::Event;
use crate::ops::ports::{Journal, PortalError, ReadPortal, Urgency, WriteError, WritePortal};

use super::step_state::{self, ListTrust, Unsettled};
use super::tools::Tools;

/// The most commands that a portal takes in one batch.
pub(super) const MAX_COMMANDS: usize = 50;

/// The most times that a step is sent, when the portal demonstrably did not take it.
pub(super) const MAX_TRIES: u32 = 3;

/// The most bytes of images in one batch; in base64, percent-encoded, they grow by half.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The time for which a precondition that was seen to hold is believed.
const FRESH: Duration = Duration::from_secs(30);

pub(super) enum Sent {
    /// The portal answered: one answer for each command.
    Answered(Vec<Answer>),
    /// It was not sent, and should be sent again after another read.
    NotYet,
    /// It had no effect, and nothing more is sent in this run.
    Stopped,
    Lost(String),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting<'a> {
    pub(super) change: &'a Change,
    /// How often it was sent already.
    pub(super) tries: u32,
    /// Whether one of its writes is known to have taken effect.
    pub(super) wrote: bool,
}

pub(super) struct Writer<'a, P> {
    pub(super) plan: &'a Plan,
    pub(super) tools: &'a Tools<'a, P>,
    journal: &'a dyn Journal,
    requests: Cell<u32>,
    pub(super) batches: Cell<Batches>,
    stopped: RefCell<Option<String>>,
    steps: RefCell<BTreeMap<Address, StepResult>>,
    /// When the steps that wait were last seen to stand where the plan has them.
    seen: Cell<Instant>,
    /// Whether a request waited so long since that they must be looked at again.
    stale: Cell<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Batch,
    Single,
}

/// Whether the portal takes writes in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Batches {
    Accepted,
    Refused,
}

impl<'a> Waiting<'a> {
    /// A step that was not sent yet.
    pub(super) const fn new(change: &'a Change) -> Self {
        Self { change, tries: 0, wrote: false }
    }

    /// The same step, to be sent once more.
    pub(super) const fn again(self) -> Self {
        Self { tries: self.tries + 1, ..self }
    }
}

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// A writer for a plan whose preconditions were seen to hold at this time.
    pub(super) fn new(plan: &'a Plan, tools: &'a Tools<'a, P>, journal: &'a dyn Journal, seen: Instant) -> Self {
        Self {
            plan,
            tools,
            journal,
            requests: Cell::new(0),
            batches: Cell::new(Batches::Accepted),
            stopped: RefCell::new(None),
            steps: RefCell::new(BTreeMap::new()),
            seen: Cell::new(seen),
            stale: Cell::new(false),
        }
    }

    /// Whether it is noted how a step ended.
    pub(super) fn is_ended(&self, address: &Address) -> bool {
        self.steps.borrow().contains_key(address)
    }

    /// Whether a step took effect, as far as is known now.
    pub(super) fn is_applied(&self, address: &Address) -> bool {
        self.steps.borrow().get(address).is_some_and(|step| step.outcome == StepOutcome::Applied)
    }

    /// Whether this run may have deleted this step's old image and thinks that some image is there, or does not know.
    pub(super) fn should_be_there(&self, address: &Address) -> bool {
        let steps = self.steps.borrow();
        steps.get(address).is_some_and(|step| {
            matches!(step.outcome, StepOutcome::Applied | StepOutcome::Recovered | StepOutcome::Unknown)
        })
    }

    /// The steps that had a request sent.
    pub(super) fn sent_changes(&self) -> Vec<&'a Change> {
        let steps = self.steps.borrow();
        let sent =
            |change: &&Change| steps.get(&change.address).is_some_and(|step| step.outcome != StepOutcome::Skipped);
        self.plan.diff.changes.iter().filter(sent).collect()
    }

    /// Corrects what is noted of a step.
    pub(super) fn correct(&self, address: &Address, by: impl FnOnce(&mut StepResult)) {
        if let Some(step) = self.steps.borrow_mut().get_mut(address) {
            by(step);
        }
    }

    /// The results of all steps; those that were never sent are skipped.
    pub(super) fn finish(self) -> BTreeMap<Address, StepResult> {
        let why = self.why_stopped().unwrap_or_else(|| "it was not sent".to_owned());
        let mut steps = self.steps.into_inner();
        for change in &self.plan.diff.changes {
            steps.entry(change.address.clone()).or_insert_with(|| StepResult {
                outcome: StepOutcome::Skipped,
                why: Some(why.clone()),
                wrote: false,
            });
        }
        steps
    }

    /// The steps that are not at their end yet and that `which` picks.
    pub(super) fn waiting(&self, which: impl Fn(&Change) -> bool) -> VecDeque<Waiting<'a>> {
        let steps = self.steps.borrow();
        let waiting = |change: &&Change| which(change) && !steps.contains_key(&change.address);
        self.plan.diff.changes.iter().filter(waiting).map(Waiting::new).collect()
    }

    /// The reason why nothing more is sent, if so.
    pub(super) fn why_stopped(&self) -> Option<String> {
        self.stopped.borrow().clone()
    }

    /// Sends nothing more from here on. The first reason stands.
    pub(super) fn stop(&self, why: String) {
        self.stopped.borrow_mut().get_or_insert(why);
    }

    /// The bytes that a step uploads.
    pub(super) fn new_png(&self, change: &Change) -> Option<Arc<[u8]>> {
        self.plan.contents.get(&change.action.after()?.content.sha256).cloned()
    }

    /// The bytes that a step replaces or deletes: this run's copy, or else the plan's, where an earlier run removed the image.
    pub(super) fn old_png(&self, change: &Change) -> Option<Arc<[u8]>> {
        let digest = change.action.before()?.content.as_ref()?.sha256;
        self.journal.copy(digest).or_else(|| self.plan.contents.get(&digest).cloned())
    }

    pub(super) fn end(&self, change: &Change, outcome: StepOutcome, why: Option<String>, wrote: bool) {
        self.tools.reader.observer.observe(Event::Advanced(1));
        self.steps.borrow_mut().insert(change.address.clone(), StepResult { outcome, why, wrote });
    }

    /// The recorded reason why a step is not as planned.
    pub(super) fn why(&self, address: &Address) -> Option<String> {
        self.steps.borrow().get(address)?.why.clone()
    }

    pub(super) fn applied(&self, change: &Change) {
        self.end(change, StepOutcome::Applied, None, true);
    }

    /// Takes the next steps off the queue: at most `most`, and no more bytes than one request should carry.
    pub(super) fn take(&self, queue: &mut VecDeque<Waiting<'a>>, most: usize) -> Vec<Waiting<'a>> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(step) = queue.front() {
            bytes += self.new_png(step.change).map_or(0, |png| png.len());
            if taken.len() >= most || (bytes > MAX_BYTES && !taken.is_empty()) {
                break;
            }
            taken.extend(queue.pop_front());
        }
        taken
    }

    pub(super) fn sent(&self, outcome: Result<Vec<Answer>, WriteError>) -> Sent {
        match outcome {
            Ok(answers) => Sent::Answered(answers),
            Err(WriteError::Unknown(error)) => Sent::Lost(error.to_string()),
            Err(WriteError::NoEffect(error)) if error.class == Class::Waited => {
                self.stale.set(true);
                Sent::NotYet
            }
            Err(WriteError::NoEffect(error)) => {
                self.stop(error.to_string());
                Sent::Stopped
            }
        }
    }

    /// One request, unless something stops the run first. A request that completes a replace is not stopped: not by the
    /// user, and not by a journal that cannot be written, which says already that the old image was to be deleted.
    pub(super) async fn request(
        &self,
        commands: &[Command],
        halt: Halt,
        urgency: Urgency,
        form: Form,
    ) -> Result<Vec<Answer>, WriteError> {
        if self.tools.interrupt.is_raised() {
            self.stop("interrupted".to_owned());
        }
        if let (Some(why), Urgency::Ordinary) = (self.why_stopped(), urgency) {
            return Err(not_sent(why));
        }
        let request = self.requests.get() + 1;
        self.requests.set(request);
        let intent = JournalEntry::Intent { request, commands: commands.iter().map(Write::from).collect() };
        if let Err(error) = self.journal.append(&intent) {
            let why = format!("the journal cannot be written: {error}");
            self.stop(why.clone());
            if urgency == Urgency::Ordinary {
                return Err(not_sent(why));
            }
        }
        let portal = self.tools.reader.portal;
        let outcome = match (form, commands) {
            (Form::Single, [command]) => portal.write_single(command, urgency).await.map(|answer| vec![answer]),
            _ => portal.write(commands, halt, urgency).await,
        };
        let (answers, error) = match &outcome {
            Ok(answers) => (answers.iter().map(Said::from).collect(), None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        if let Err(error) = self.journal.append(&JournalEntry::Outcome { request, answers, error }) {
            self.stop(format!("the journal cannot be written: {error}"));
        }
        outcome
    }

    /// Whether the preconditions of the steps that wait were seen to hold lately.
    pub(super) fn is_fresh(&self) -> bool {
        !self.stale.get() && self.seen.get().elapsed() < FRESH
    }

    /// Looks at the steps in `queue` again when they have waited long, and ends those that no longer stand where the
    /// plan has them: nothing is written on old knowledge.
    pub(super) async fn look_again(&self, queue: &mut VecDeque<Waiting<'a>>) {
        if self.is_fresh() || self.why_stopped().is_some() {
            return;
        }
        let changes: Vec<_> = queue.iter().map(|step| step.change).collect();
        let states = match step_state::states(&changes, &self.tools.reader, ListTrust::None).await {
            Ok(states) => states,
            Err(error) => return self.stop(format!("the portal could not be read again: {error}")),
        };
        self.seen.set(Instant::now());
        self.stale.set(false);
        queue.retain(|Waiting { change, .. }| {
            let why = match states.get(&change.address) {
                Some(StepState::Pending) | None => return true,
                Some(StepState::Done) => "somebody else did it meanwhile".to_owned(),
                Some(StepState::Between) => "it was deleted meanwhile".to_owned(),
                Some(StepState::Diverged(why) | StepState::Unseen(why)) => why.clone(),
            };
            self.end(change, StepOutcome::Failed, Some(why), false);
            false
        });
    }

    /// Finds out where steps stand whose answer was lost. `None` when that cannot be found out; the steps are then of
    /// unknown result and nothing more is sent.
    pub(super) async fn settle(&self, steps: &[Waiting<'a>], why: &str) -> Option<BTreeMap<Address, StepState>> {
        let changes: Vec<_> = steps.iter().map(|step| step.change).collect();
        self.tools.reader.portal.begin_grace_period();
        match step_state::settled(&changes, &self.tools.reader, self.tools.settle).await {
            Ok(states) => Some(states),
            Err(unsettled) => {
                let why = match unsettled {
                    Unsettled::Unread(error) => format!("{why}; what came of it could not be read: {error}"),
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

/// A refusal in the portal's words.
pub(super) fn refusal(code: &str, description: &str) -> String {
    let code = if code.is_empty() { "no code" } else { code };
    format!("the portal refused it: {} ({})", description, code)
}

fn not_sent(message: String) -> WriteError {
    WriteError::NoEffect(PortalError { class: Class::Refused, code: None, message, hint: None })
}
