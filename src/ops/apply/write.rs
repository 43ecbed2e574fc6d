//! Sends writes, each with its intent in the journal before and its outcome after, and finds out the outcome of those
//! whose answer was lost.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::asset::{Address, Kind};
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::diff::Change;
use crate::domain::journal::JournalEntry;
use crate::domain::plan::Plan;
use crate::domain::request::{Said, Write};
use crate::domain::retry::Class;
use crate::domain::step::{LiveState, StepOutcome, StepResult};
use crate::domain::unanswered::FoldedAddress;
use crate::ops::events::Event;
use crate::ops::ports::{Journal, PortalError, ReadPortal, Transmission, Urgency, WriteError, WritePortal};

use super::step_state::StartingPoint;
use super::tools::{Tools, WayBack};

/// The maximum number of commands that a portal accepts in one batch.
pub(super) const MAX_COMMANDS: usize = 50;

/// The maximum number of times that a step is sent, if the portal demonstrably did not carry it out.
pub(super) const MAX_TRIES: u32 = 3;

/// The maximum size of images in one batch, in bytes; in base64, percent-encoded, they grow by half.
const MAX_BYTES: usize = 4 * 1024 * 1024;

pub(super) enum Sent {
    /// The portal answered: one answer for each command.
    Answered(Vec<Answer>),
    /// It was not sent, and should be sent again after another reading.
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
    pub(super) journal: &'a dyn Journal,
    requests: Cell<u32>,
    pub(super) batches: Cell<Batches>,
    stopped: RefCell<Option<String>>,
    pub(super) steps: RefCell<BTreeMap<Address, StepResult>>,
    /// The steps that had no request sent, or none that can still be carried out.
    pub(super) waiting: RefCell<BTreeSet<Address>>,
    /// The time of the last reading of the portal, if nothing was written since.
    pub(super) read_at: Cell<Option<Instant>>,
    /// Until when a request without an answer may still be carried out, by the code that it is about.
    pub(super) windows: RefCell<BTreeMap<FoldedAddress, Instant>>,
    /// The steps that are applied by the portal's answer alone, and why their images cannot be read back.
    pub(super) not_read_back: RefCell<BTreeMap<Address, String>>,
    /// The replaces whose codes had no image at the last reading at the end.
    pub(super) missing: RefCell<BTreeSet<Address>>,
    /// What the portal has under each code, where it was read since the last request for the code.
    pub(super) live: RefCell<BTreeMap<FoldedAddress, LiveState>>,
    /// The replaces whose old image the portal said it deleted, without saying that it added another.
    pub(super) removed: RefCell<BTreeSet<FoldedAddress>>,
    /// Whether something on the way was seen to answer in the portal's place, so that copies may be wrong.
    pub(super) copies_are_doubtful: Cell<bool>,
    /// What was sent without an answer and then read as another image: from somebody else, or from something on the way.
    pub(super) otherwise: RefCell<BTreeSet<Address>>,
    /// Where the images are that the portal said it added, by the code.
    added: RefCell<BTreeMap<FoldedAddress, String>>,
    /// Those that were not fetched yet.
    new_files: RefCell<Vec<(Kind, String)>>,
    pub(super) way_back: Cell<WayBack>,
    /// When the first request about each code left, and how many steps the last one was about.
    pub(super) sent_at: RefCell<BTreeMap<FoldedAddress, (Instant, usize)>>,
    /// How many deletes were sent.
    removals: Cell<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Batch,
    Single,
}

/// Whether the portal accepts writes in batches.
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

    /// The same step, to send it again.
    pub(super) const fn again(self) -> Self {
        Self { tries: self.tries + 1, ..self }
    }
}

impl<'a, P: ReadPortal + WritePortal> Writer<'a, P> {
    /// A writer for a plan whose preconditions were seen to hold, except for what `start` has.
    pub(super) fn new(
        plan: &'a Plan,
        tools: &'a Tools<'a, P>,
        journal: &'a dyn Journal,
        start: &StartingPoint,
        way_back: WayBack,
    ) -> Self {
        let changes = plan.diff.changes.iter().map(|change| &change.address);
        let waiting = changes.filter(|address| !start.done.contains(address) && !start.between.contains(address));
        Self {
            plan,
            tools,
            journal,
            requests: Cell::new(0),
            batches: Cell::new(Batches::Accepted),
            stopped: RefCell::new(None),
            steps: RefCell::new(BTreeMap::new()),
            waiting: RefCell::new(waiting.cloned().collect()),
            read_at: Cell::new(None),
            windows: RefCell::default(),
            not_read_back: RefCell::default(),
            missing: RefCell::default(),
            live: RefCell::default(),
            otherwise: RefCell::default(),
            removed: RefCell::default(),
            copies_are_doubtful: Cell::new(false),
            added: RefCell::default(),
            new_files: RefCell::default(),
            way_back: Cell::new(way_back),
            sent_at: RefCell::default(),
            removals: Cell::new(0),
        }
    }

    /// Whether it is noted how a step ended.
    pub(super) fn is_ended(&self, address: &Address) -> bool {
        self.steps.borrow().contains_key(address)
    }

    /// Whether a step took effect, as far as is known.
    pub(super) fn is_applied(&self, address: &Address) -> bool {
        self.is(address, StepOutcome::Applied)
    }

    /// Whether this is how a step ended, as far as is known.
    pub(super) fn is(&self, address: &Address, outcome: StepOutcome) -> bool {
        self.steps.borrow().get(address).is_some_and(|step| step.outcome == outcome)
    }

    /// Whether this run may have deleted this step's old image, and holds it possible that some image is there.
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

    /// The changes that wait.
    pub(super) fn waiting_changes(&self) -> Vec<&'a Change> {
        let waiting = self.waiting.borrow();
        self.plan.diff.changes.iter().filter(|change| waiting.contains(&change.address)).collect()
    }

    /// The steps that wait and that `which` picks.
    pub(super) fn queue(&self, which: impl Fn(&Change) -> bool) -> VecDeque<Waiting<'a>> {
        self.waiting_changes().into_iter().filter(|change| which(change)).map(Waiting::new).collect()
    }

    /// The reason why nothing more is sent, if there is one.
    pub(super) fn why_stopped(&self) -> Option<String> {
        self.stopped.borrow().clone()
    }

    /// Sends nothing more from here on. The first reason is kept.
    pub(super) fn stop(&self, why: String) {
        self.stopped.borrow_mut().get_or_insert(why);
    }

    /// The bytes that a step uploads.
    pub(super) fn new_png(&self, change: &Change) -> Option<Arc<[u8]>> {
        self.plan.contents.get(&change.action.after()?.content.sha256).cloned()
    }

    /// The bytes that a step replaces or deletes: this run's copy, or else the plan's, where an earlier run removed the
    /// image.
    pub(super) fn old_png(&self, change: &Change) -> Option<Arc<[u8]>> {
        let digest = change.action.before()?.content.as_ref()?.sha256;
        self.journal.copy(digest).or_else(|| self.plan.contents.get(&digest).cloned())
    }

    /// The recorded reason why a step is not as planned.
    pub(super) fn why(&self, address: &Address) -> Option<String> {
        self.steps.borrow().get(address)?.why.clone()
    }

    /// Takes the next steps off the queue that are not ended: at most `most`, and at most the bytes that one request
    /// should carry. They no longer wait.
    pub(super) fn take(&self, queue: &mut VecDeque<Waiting<'a>>, most: usize) -> Vec<Waiting<'a>> {
        queue.retain(|step| !self.is_ended(&step.change.address));
        let mut taken: Vec<Waiting<'a>> = Vec::new();
        let mut bytes = 0;
        while let Some(step) = queue.front() {
            bytes += self.new_png(step.change).map_or(0, |png| png.len());
            if taken.len() >= most || (bytes > MAX_BYTES && !taken.is_empty()) {
                break;
            }
            taken.extend(queue.pop_front());
        }
        let mut waiting = self.waiting.borrow_mut();
        for step in &taken {
            waiting.remove(&step.change.address);
        }
        taken
    }

    /// Puts steps at the front of the queue, to send them next: they wait again. While they were off the queue, no
    /// reading judged them, so the last reading does not count for them.
    pub(super) fn put_first(&self, queue: &mut VecDeque<Waiting<'a>>, steps: Vec<Waiting<'a>>) {
        if !steps.is_empty() {
            self.read_at.set(None);
        }
        let mut waiting = self.waiting.borrow_mut();
        for step in steps.into_iter().rev() {
            waiting.insert(step.change.address.clone());
            queue.push_front(step);
        }
    }

    /// Where the images are that were added since this was last asked.
    pub(super) fn new_files(&self) -> Vec<(Kind, String)> {
        self.new_files.take()
    }

    /// Where the portal said that it added the image under this code.
    pub(super) fn added_at(&self, address: &Address) -> Option<String> {
        self.added.borrow().get(&address.folded()).cloned()
    }

    /// How many deletes were sent.
    pub(super) const fn removals(&self) -> usize {
        self.removals.get()
    }

    pub(super) fn sent(&self, outcome: Result<Vec<Answer>, WriteError>) -> Sent {
        match outcome {
            Ok(answers) => Sent::Answered(answers),
            Err(WriteError::Unclear(error) | WriteError::Unanswered(error)) => Sent::Lost(error.to_string()),
            Err(WriteError::NoEffect(error)) if error.class == Class::Waited => Sent::NotYet,
            Err(WriteError::NoEffect(error)) => {
                self.stop(error.to_string());
                Sent::Stopped
            }
        }
    }

    /// One request, unless something stops the run first. A request that completes a replace is not stopped: not by the
    /// user, and not by a journal that cannot be written, because the journal has the intent to delete the old image
    /// already.
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
        if let Some(why) = self.why_stopped().filter(|_| urgency.may_be_left_undone()) {
            return Err(not_sent(why));
        }
        let request = self.requests.get() + 1;
        self.requests.set(request);
        if let Err(error) = self.journal.append(&intent(request, commands)) {
            let why = format!("the journal cannot be written: {error}");
            self.stop(why.clone());
            if urgency.may_be_left_undone() {
                return Err(not_sent(why));
            }
        }
        let outcome = self.exchange(request, commands, halt, urgency, form).await;
        let (answers, error) = match &outcome {
            Ok(answers) => (answers.iter().map(Said::from).collect(), None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let unanswered = matches!(outcome, Err(WriteError::Unanswered(_)));
        self.note(&JournalEntry::Outcome { request, answers, error, unanswered });
        outcome
    }

    /// Sends a request, and notes its results besides the answer.
    async fn exchange(
        &self,
        request: u32,
        commands: &[Command],
        halt: Halt,
        urgency: Urgency,
        form: Form,
    ) -> Result<Vec<Answer>, WriteError> {
        let portal = self.tools.reader.portal;
        let deletes = commands.iter().filter(|command| matches!(command, Command::Delete { .. })).count();
        self.note_sending(commands);
        let urgency = if deletes > 0 && urgency == Urgency::Ordinary { Urgency::Removing } else { urgency };
        self.read_at.set(None);
        let last_byte = Cell::new(None);
        let note = |transmission| match transmission {
            Transmission::Refused => {
                let error = Some("it was refused, and is sent again".to_owned());
                self.note(&JournalEntry::Outcome { request, answers: Vec::new(), error, unanswered: false });
            }
            // Its noted time no longer holds.
            Transmission::Again => self.note(&intent(request, commands)),
            Transmission::Sent => {
                last_byte.set(Some(Instant::now()));
                self.note(&JournalEntry::Sent { request });
            }
        };
        let outcome = match (form, commands) {
            (Form::Single, [command]) => portal.write_single(command, urgency, &note).await.map(|answer| vec![answer]),
            _ => portal.write(commands, halt, urgency, &note).await,
        };
        self.tools.reader.observer.observe(Event::Answered);
        if !matches!(outcome, Err(WriteError::NoEffect(_))) {
            self.removals.set(self.removals.get() + deletes);
            self.forget_live(commands);
        }
        self.note_removed(commands, outcome.as_deref().unwrap_or_default());
        if matches!(outcome, Err(WriteError::Unanswered(_))) {
            self.open_window(commands, last_byte.get().unwrap_or_else(Instant::now));
        }
        for (address, file_uri) in portal.added_files() {
            self.new_files.borrow_mut().push((address.kind, file_uri.clone()));
            self.added.borrow_mut().insert(address.folded(), file_uri);
        }
        outcome
    }

    /// Notes for which codes the portal said that it deleted an image, but not that it added one.
    fn note_removed(&self, commands: &[Command], answers: &[Answer]) {
        let mut removed = self.removed.borrow_mut();
        for (command, _) in commands.iter().zip(answers).filter(|(_, answer)| **answer == Answer::Done) {
            match command {
                Command::Delete { address } => removed.insert(address.folded()),
                Command::Add { address, .. } => removed.remove(&address.folded()),
            };
        }
    }

    /// Adds a line to the journal. If that fails, nothing more is sent.
    fn note(&self, entry: &JournalEntry) {
        if let Err(error) = self.journal.append(entry) {
            self.stop(format!("the journal cannot be written: {error}"));
        }
    }
}

/// A refusal, with the portal's message.
pub(super) fn refusal(code: &str, description: &str) -> String {
    let code = if code.is_empty() { "no code" } else { code };
    format!("the portal refused it: {} ({})", description, code)
}

/// The line of a request that is about to leave.
fn intent(request: u32, commands: &[Command]) -> JournalEntry {
    JournalEntry::Intent { request, commands: commands.iter().map(Write::from).collect() }
}

fn not_sent(message: String) -> WriteError {
    WriteError::NoEffect(PortalError { class: Class::Refused, code: None, message, hint: None })
}
