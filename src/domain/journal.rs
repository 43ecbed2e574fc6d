//! The journal of a run: each request before it is sent, its outcome, and how the run ended. Append-only, one JSON
//! object per line, for people and for the next run. It contains neither secrets nor images.
//!
//! A journal is read by folding it, line by line: [`RunState`] is the sum of its lines. A run whose journal has no end
//! was cut short. Journals are hostile input too: one with a line that brandctl does not write is damaged, because a
//! request that it leaves out may still have been sent.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::asset::{Address, Digest};
use super::request::{Said, Write};
use super::step::{StepOutcome, StepResult};
use super::unanswered::{FoldedAddress, Moment, OpenWindow, Unanswered};
use crate::text;

/// The version of the journal's format. A journal of version 1 has neither `sent`, `seen` nor `concluded`, and does not
/// record whether a failed request was answered.
pub(crate) const FORMAT_VERSION: u32 = 2;

/// The maximum number of commands in a request: a portal takes no more in one batch.
const MAX_COMMANDS: usize = 50;

/// The longest line that is read, in bytes: longer than any that is written.
pub(crate) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// How many characters are kept of each text from a portal, which may send any amount.
const MAX_TEXT_CHARS: usize = 1000;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written, in RFC 3339.
    pub(crate) at: String,
    /// What it says.
    #[serde(flatten)]
    pub entry: JournalEntry,
}

/// The content of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum JournalEntry {
    /// The run began: the plan and the old images are on disk.
    Begin {
        /// The version of the journal's format.
        format_version: u32,
        /// The run's id.
        run: String,
        /// The portal's identity.
        portal: String,
        /// The plan's digest.
        plan_sha256: Digest,
        /// The commit of the repository that the manifest is in, with a `+` when there were changes beside it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        commit: Option<String>,
        /// The command that made the run; journals of older versions do not have it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        command: Option<RunCommand>,
    },
    /// A request is about to leave.
    Intent {
        /// Its number in this run, from 1.
        request: u32,
        /// What it asks for, in order.
        commands: Vec<Write>,
    },
    /// The last byte of a request was sent. There is one such line each time that the request is sent.
    Sent {
        /// Its number.
        request: u32,
    },
    /// A request was answered, or an answer can no longer arrive.
    Outcome {
        /// Its number.
        request: u32,
        /// What the portal said to each command; empty when the request failed as a whole.
        answers: Vec<Said>,
        /// Why there is no answer, or why the whole request was refused.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        error: Option<String>,
        /// Whether it was sent and not answered: it may still be carried out.
        #[serde(skip_serializing_if = "is_false", default)]
        unanswered: bool,
    },
    /// A later command found requests without an answer, and it is not known when they were sent.
    Seen,
    /// A step ended.
    Step {
        /// The entry.
        address: Address,
        /// Its result.
        #[serde(flatten)]
        result: StepResult,
    },
    /// The run has nothing left to do, but a request without an answer may still be carried out.
    Concluded {
        /// The way it ended.
        how: Ending,
    },
    /// The run ended: nothing of it is in flight.
    End {
        /// How many steps ended as planned.
        applied: usize,
        /// How many did not.
        not_applied: usize,
        /// The way it ended.
        how: Ending,
    },
}

/// The command that made a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunCommand {
    /// `apply`.
    #[default]
    Apply,
    /// `restore`.
    Restore,
    /// A command that this version does not have.
    #[serde(other)]
    Other,
}

/// The way a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Every step was tried.
    Finished,
    /// A user or the system asked it to stop.
    Interrupted,
    /// It was killed, and a later command determined what it had done.
    CutShort,
}

impl JournalEntry {
    /// The same with long texts cut, so that a line of it can be read again.
    pub(crate) fn shortened(mut self) -> Self {
        let cut = |text: &mut String| {
            if let Cow::Owned(short) = text::cut(text, MAX_TEXT_CHARS) {
                *text = short;
            }
        };
        match &mut self {
            Self::Outcome { answers, error, .. } => {
                for said in answers {
                    match said {
                        Said::Refused { code, description } => [code, description].into_iter().for_each(cut),
                        Said::Unknown { why } => cut(why),
                        Said::Done | Said::NotRun => {}
                    }
                }
                error.iter_mut().for_each(cut);
            }
            Self::Step { result, .. } => result.why.iter_mut().for_each(cut),
            Self::Begin { .. }
            | Self::Intent { .. }
            | Self::Sent { .. }
            | Self::Seen
            | Self::Concluded { .. }
            | Self::End { .. } => {}
        }
        self
    }

    /// A line for each step that ended so.
    pub(crate) fn steps(results: &BTreeMap<Address, StepResult>) -> impl Iterator<Item = Self> {
        results.iter().map(|(address, result)| Self::Step { address: address.clone(), result: result.clone() })
    }

    /// The last line of a run whose steps ended so.
    pub(crate) fn end<'a>(results: impl Iterator<Item = &'a StepResult>, how: Ending) -> Self {
        let (mut applied, mut not_applied) = (0, 0);
        for result in results {
            *if result.outcome == StepOutcome::Applied { &mut applied } else { &mut not_applied } += 1;
        }
        Self::End { applied, not_applied, how }
    }
}

/// The reason why a journal does not show what its run did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    /// Another version of this program made it.
    #[error("it has format {0}, but this version of brandctl reads formats 1 to {FORMAT_VERSION}")]
    Format(u32),
    /// Its first line is something else.
    #[error("it is not the beginning of a run")]
    NoBeginning,
    /// It has two beginnings.
    #[error("it begins more than once")]
    BeginsAgain,
    /// A line is complete, but of an unknown kind.
    #[error("it is not a line of a run's journal")]
    NotALine,
    /// A line names more items than one request can hold.
    #[error("it names {0} {1}, but a request has at most {MAX_COMMANDS}")]
    TooMany(usize, &'static str),
}

/// The state of a run, as its journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// The run's id.
    pub run: String,
    /// When it began, in RFC 3339.
    pub(crate) began: String,
    pub(crate) portal: String,
    pub(crate) plan_sha256: Digest,
    /// The commit of the manifest's repository.
    pub(crate) commit: Option<String>,
    /// The command that made it, if its journal says so.
    pub(crate) command: Option<RunCommand>,
    /// How steps ended, as far as that was noted.
    pub(crate) steps: BTreeMap<Address, StepResult>,
    /// How it ended; `None` when it did not.
    pub ended: Option<Ending>,
    /// How it will end, once its last request without an answer is over.
    pub(crate) concluded: Option<Ending>,
    format_version: u32,
    intended: BTreeSet<FoldedAddress>,
    unanswered: Unanswered,
    /// The images that the run wanted to add under each code, in their order.
    added: BTreeMap<FoldedAddress, Vec<Digest>>,
}

impl RunState {
    /// The state of a run whose first line this is.
    pub(crate) fn begin(line: Line) -> Result<Self, Damage> {
        match line.entry {
            JournalEntry::Begin { format_version, run, portal, plan_sha256, commit, command }
                if (1..=FORMAT_VERSION).contains(&format_version) =>
            {
                Ok(Self {
                    run,
                    began: line.at,
                    portal,
                    plan_sha256,
                    commit,
                    command,
                    steps: BTreeMap::new(),
                    ended: None,
                    concluded: None,
                    format_version,
                    intended: BTreeSet::new(),
                    unanswered: Unanswered::default(),
                    added: BTreeMap::new(),
                })
            }
            JournalEntry::Begin { format_version, .. } => Err(Damage::Format(format_version)),
            _ => Err(Damage::NoBeginning),
        }
    }

    /// Adds a further line. `at` is when it was written, if that is known.
    pub(crate) fn add(&mut self, entry: JournalEntry, at: Option<Moment>) -> Result<(), Damage> {
        match entry {
            JournalEntry::Begin { .. } => return Err(Damage::BeginsAgain),
            JournalEntry::Intent { commands, .. } if commands.len() > MAX_COMMANDS => {
                return Err(Damage::TooMany(commands.len(), "commands"));
            }
            JournalEntry::Intent { request, commands } => {
                self.intended.extend(commands.iter().map(|write| write.address().folded()));
                self.unanswered.intend(request, commands.iter().map(|write| write.address().clone()));
                for write in commands {
                    if let Write::Add { address, sha256 } = write {
                        self.added.entry(address.folded()).or_default().push(sha256);
                    }
                }
            }
            JournalEntry::Sent { request } => self.unanswered.note_again(request, at),
            JournalEntry::Seen => self.unanswered.see(at),
            JournalEntry::Outcome { answers, .. } if answers.len() > MAX_COMMANDS => {
                return Err(Damage::TooMany(answers.len(), "answers"));
            }
            JournalEntry::Outcome { request, error, unanswered, .. } => {
                if unanswered || (self.format_version == 1 && error.is_some()) {
                    self.unanswered.note(request, at);
                } else {
                    self.unanswered.close(request);
                }
            }
            JournalEntry::Step { address, result } => {
                self.steps.insert(address, result);
            }
            JournalEntry::Concluded { how } => self.concluded = Some(how),
            JournalEntry::End { how, .. } => self.ended = Some(how),
        }
        Ok(())
    }

    /// The requests of this run that may still be carried out at this time. Each may be for `settle` after its last
    /// byte was sent. `None` when none may.
    pub(crate) fn window(&self, now: Moment, settle: Duration) -> Option<OpenWindow> {
        self.unanswered.window(now, settle)
    }

    /// The same for a run whose process is still running: only the requests that are known to have no answer.
    pub(crate) fn window_at_work(&self, now: Moment, settle: Duration) -> Option<OpenWindow> {
        self.unanswered.lost().window(now, settle)
    }

    /// How many steps are known to have ended as planned.
    pub(crate) fn applied(&self) -> usize {
        self.steps.values().filter(|step| step.outcome == StepOutcome::Applied).count()
    }

    /// Whether the same plan may continue where this run stopped.
    pub(crate) fn can_be_resumed(&self) -> bool {
        self.ended != Some(Ending::Finished)
    }

    /// Whether this run may have changed this entry, spelt as in its plan: the known result of its step decides.
    /// Without one, what matters is whether a request may have left.
    pub(crate) fn may_have_changed(&self, address: &Address) -> bool {
        match self.steps.get(address) {
            Some(step) => step.wrote || step.outcome == StepOutcome::Unknown,
            None => self.sent(address),
        }
    }

    /// Whether every entry that it names is one of `planned`, in any letter case.
    pub(crate) fn is_about(&self, planned: &BTreeSet<FoldedAddress>) -> bool {
        self.intended.is_subset(planned) && self.steps.keys().all(|address| planned.contains(&address.folded()))
    }

    /// The image that this run left under each code that it may have changed; `None` where the image is not known, or
    /// where it left none.
    pub(crate) fn left(&self) -> impl Iterator<Item = (FoldedAddress, Option<Digest>)> {
        let mut steps: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (address, step) in &self.steps {
            steps.entry(address.folded()).or_default().push(step);
        }
        let own = self.intended.iter().filter_map(move |code| {
            let added = self.added.get(code).map_or(&[][..], Vec::as_slice);
            let left = match (steps.get(code).map(Vec::as_slice), added) {
                (Some([step]), [first, others @ ..]) if step.outcome == StepOutcome::Applied => {
                    others.iter().all(|other| other == first).then_some(*first)
                }
                (Some([step]), [.., last]) if step.outcome == StepOutcome::Recovered => Some(*last),
                (Some([step]), _)
                    if !step.wrote && matches!(step.outcome, StepOutcome::Skipped | StepOutcome::Failed) =>
                {
                    return None;
                }
                _ => None,
            };
            Some((code.clone(), left))
        });
        // An entry that already was as planned came from someone else.
        let others = self.steps.iter().filter(|(address, step)| {
            step.outcome == StepOutcome::Applied && !step.wrote && !self.intended.contains(&address.folded())
        });
        own.chain(others.map(|(address, _)| (address.folded(), None)))
    }

    /// Whether a request about this entry may have left, in any letter case.
    pub(crate) fn sent(&self, address: &Address) -> bool {
        self.intended.contains(&address.folded())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use super::super::asset::Kind;
    use super::*;

    /// The state after all these lines; `None` when they are damaged.
    fn folded(lines: impl IntoIterator<Item = Line>) -> Option<RunState> {
        let mut lines = lines.into_iter();
        let mut state = RunState::begin(lines.next()?).ok()?;
        lines.try_for_each(|line| state.add(line.entry, Some(WRITTEN))).ok()?;
        Some(state)
    }

    fn lines() -> Vec<Line> {
        let address: Address = "icon/a".parse().unwrap();
        let applied = StepResult { outcome: StepOutcome::Applied, why: None, wrote: true };
        let entries = [
            JournalEntry::Begin {
                format_version: FORMAT_VERSION,
                run: "r".to_owned(),
                portal: "p".to_owned(),
                plan_sha256: Digest::of(b"plan"),
                commit: None,
                command: None,
            },
            JournalEntry::Intent { request: 1, commands: vec![Write::Delete { address: address.clone() }] },
            JournalEntry::Sent { request: 1 },
            JournalEntry::Outcome { request: 1, answers: vec![Said::Done], error: None, unanswered: false },
            JournalEntry::Step { address, result: applied.clone() },
            JournalEntry::end([applied].iter(), Ending::Finished),
        ];
        entries.into_iter().map(written).collect()
    }

    /// When the lines of these tests were written.
    const WRITTEN: Moment = Duration::from_secs(1_000_000);

    fn written(entry: JournalEntry) -> Line {
        Line { at: "2026-01-01T00:00:00Z".to_owned(), entry }
    }

    #[test]
    fn every_beginning_of_a_journal_says_what_may_have_left() {
        let lines = lines();
        assert_eq!(folded([]), None);
        for cut in 1..=lines.len() {
            let state = folded(lines[..cut].iter().cloned()).unwrap();
            assert_eq!(state.sent(&"icon/A".parse().unwrap()), cut > 1, "in upper or lower case, after {cut} lines");
            assert!(!state.sent(&"logo/a".parse().unwrap()));
            assert_eq!(state.applied(), usize::from(cut > 4));
            assert_eq!(state.ended, (cut == lines.len()).then_some(Ending::Finished));
            assert_eq!(state.can_be_resumed(), cut < lines.len());
        }
    }

    #[test]
    fn lines_survive_their_own_json() {
        for line in lines() {
            let text = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line, "{text}");
        }
    }

    /// The journal of another format.
    fn of_format(version: u32, entries: impl IntoIterator<Item = JournalEntry>) -> Option<RunState> {
        let mut begin = begin("plan");
        if let JournalEntry::Begin { format_version, .. } = &mut begin {
            *format_version = version;
        }
        fold([begin].into_iter().chain(entries))
    }

    #[test]
    fn a_journal_says_which_command_made_it_unless_it_is_older() {
        let read = |more: &str| {
            let digest = Digest::of(b"plan");
            let line = format!(
                r#"{{"at":"2026-01-01T00:00:00Z","entry":"begin","format_version":2,"run":"r","portal":"p","plan_sha256":"{digest}"{more}}}"#
            );
            RunState::begin(serde_json::from_str(&line).unwrap()).unwrap().command
        };
        assert_eq!(read(""), None);
        assert_eq!(read(r#","command":"apply""#), Some(RunCommand::Apply));
        assert_eq!(read(r#","command":"restore""#), Some(RunCommand::Restore));
        // A newer version's word, and a field that this one does not know, as an older version meets `command`.
        assert_eq!(read(r#","command":"sync""#), Some(RunCommand::Other));
        assert_eq!(read(r#","later":"x""#), None);
    }

    #[test]
    fn another_format_is_not_a_journal_of_ours() {
        for (version, readable) in [(0, false), (1, true), (FORMAT_VERSION, true), (FORMAT_VERSION + 1, false)] {
            assert_eq!(of_format(version, []).is_some(), readable, "{version}");
        }
    }

    #[test]
    fn a_request_without_an_answer_is_open_for_a_time() {
        let settle = Duration::from_secs(120);
        let outcome = |error: Option<&str>, unanswered| JournalEntry::Outcome {
            request: 1,
            answers: Vec::new(),
            error: error.map(str::to_owned),
            unanswered,
        };
        let open = |version, entries: &[JournalEntry], later: u64| {
            let state = of_format(version, entries.iter().cloned()).unwrap();
            state
                .window(WRITTEN + Duration::from_secs(later), settle)
                .map(|window| (window.left.as_secs(), window.counts_from_now))
        };
        let sent = [intent("icon/a"), JournalEntry::Sent { request: 1 }];
        assert_eq!(open(2, &sent, 30), Some((90, false)));
        assert_eq!(open(2, &sent, 120), None);
        assert_eq!(open(2, &sent[..1], 120), Some((120, true)), "it may have waited before it left");
        let then = |outcome| [intent("icon/a"), JournalEntry::Sent { request: 1 }, outcome];
        for (version, outcome, is_open) in [
            (2, outcome(None, false), false),
            (2, outcome(Some("refused"), false), false),
            (2, outcome(Some("reset"), true), true),
            (1, outcome(None, false), false),
            // It does not say whether it was refused or not answered.
            (1, outcome(Some("reset"), false), true),
        ] {
            assert_eq!(open(version, &then(outcome.clone()), 30).is_some(), is_open, "{outcome:?}");
        }
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn result(outcome: StepOutcome, wrote: bool) -> StepResult {
        StepResult { outcome, why: None, wrote }
    }

    fn begin(plan: &str) -> JournalEntry {
        let (run, portal) = ("r".to_owned(), "p".to_owned());
        let plan_sha256 = Digest::of(plan.as_bytes());
        JournalEntry::Begin { format_version: FORMAT_VERSION, run, portal, plan_sha256, commit: None, command: None }
    }

    fn intent(entry: &str) -> JournalEntry {
        JournalEntry::Intent { request: 1, commands: vec![Write::Delete { address: address(entry) }] }
    }

    fn step(entry: &str, result: StepResult) -> JournalEntry {
        JournalEntry::Step { address: address(entry), result }
    }

    fn fold(entries: impl IntoIterator<Item = JournalEntry>) -> Option<RunState> {
        folded(entries.into_iter().map(written))
    }

    /// A run of a plan that changed an entry and ended so, if it ended.
    fn run(plan: &str, entry: &str, ended: Option<Ending>) -> RunState {
        let changed = [begin(plan), step(entry, result(StepOutcome::Applied, true))];
        fold(changed.into_iter().chain(ended.map(|how| JournalEntry::end([].iter(), how)))).unwrap()
    }

    #[test]
    fn the_end_counts_what_was_applied_and_what_was_not() {
        use StepOutcome::{Applied, Failed, Recovered, Skipped, Unknown};
        let results = [Applied, Failed, Skipped, Applied, Recovered, Unknown].map(|outcome| result(outcome, true));
        let end = JournalEntry::end(results.iter(), Ending::Interrupted);
        assert_eq!(end, JournalEntry::End { applied: 2, not_applied: 4, how: Ending::Interrupted });
    }

    #[test]
    fn only_applied_steps_count_as_applied() {
        use StepOutcome::{Applied, Failed, Recovered, Skipped, Unknown};
        let steps = [("icon/a", Applied), ("icon/b", Failed), ("icon/c", Skipped), ("icon/d", Applied)];
        let steps = steps.into_iter().chain([("icon/e", Recovered), ("icon/f", Unknown), ("logo/a", Applied)]);
        let steps = steps.map(|(entry, outcome)| step(entry, result(outcome, true)));
        assert_eq!(fold([begin("plan")].into_iter().chain(steps)).unwrap().applied(), 3);
    }

    #[test]
    fn the_last_line_about_a_step_counts() {
        let failed = step("icon/a", result(StepOutcome::Failed, false));
        let applied = step("icon/a", result(StepOutcome::Applied, true));
        assert_eq!(fold([begin("plan"), failed.clone(), applied.clone()]).unwrap().applied(), 1);
        assert_eq!(fold([begin("plan"), applied, failed]).unwrap().applied(), 0);
    }

    #[test]
    fn a_journal_begins_once() {
        assert_eq!(fold([intent("icon/a"), begin("plan")]), None);
        assert_eq!(fold([begin("plan"), intent("icon/a"), begin("plan")]), None);
    }

    #[test]
    fn whatever_a_portal_says_a_line_can_be_read_again() {
        // Each of these characters takes six bytes in JSON.
        let endless = "\u{1}".repeat(MAX_LINE_BYTES);
        let refused = Said::Refused { code: endless.clone(), description: endless.clone() };
        let unknown = Said::Unknown { why: endless.clone() };
        let answers = vec![refused, unknown].into_iter().cycle().take(MAX_COMMANDS).collect();
        let long = Address::new(Kind::Icon, super::super::asset::Code::new("\"".repeat(255)));
        let result = StepResult { outcome: StepOutcome::Failed, why: Some(endless.clone()), wrote: true };
        let delete = Write::Delete { address: long.clone() };
        for entry in [
            JournalEntry::Outcome { request: 1, answers, error: Some(endless), unanswered: true },
            JournalEntry::Step { address: long, result },
            JournalEntry::Intent { request: 1, commands: vec![delete; MAX_COMMANDS] },
        ] {
            let at = "2026-01-01T00:00:00Z".to_owned();
            let line = serde_json::to_vec(&Line { at, entry: entry.clone().shortened() }).unwrap();
            assert!(line.len() < MAX_LINE_BYTES, "{} bytes", line.len());
            fold([begin("plan")]).unwrap().add(serde_json::from_slice::<Line>(&line).unwrap().entry, None).unwrap();
        }
        for line in lines() {
            assert_eq!(line.entry.clone().shortened(), line.entry, "a short text stays as it is");
        }
    }

    #[test]
    fn a_line_that_no_request_could_have_is_damage() {
        let delete = Write::Delete { address: address("icon/a") };
        for (count, expected) in [(50, Ok(())), (51, Err(Damage::TooMany(51, "commands")))] {
            let mut state = fold([begin("plan")]).unwrap();
            let commands = vec![delete.clone(); count];
            assert_eq!(state.add(JournalEntry::Intent { request: 1, commands }, None), expected);
        }
        for (count, expected) in [(50, Ok(())), (51, Err(Damage::TooMany(51, "answers")))] {
            let mut state = fold([begin("plan")]).unwrap();
            let answers = vec![Said::Done; count];
            let outcome = JournalEntry::Outcome { request: 1, answers, error: None, unanswered: false };
            assert_eq!(state.add(outcome, None), expected);
        }
    }

    #[test]
    fn only_a_finished_run_cannot_be_taken_up_again() {
        for (ended, resumable) in [
            (None, true),
            (Some(Ending::Interrupted), true),
            (Some(Ending::CutShort), true),
            (Some(Ending::Finished), false),
        ] {
            assert_eq!(run("plan", "icon/a", ended).can_be_resumed(), resumable, "{ended:?}");
        }
    }

    #[test]
    fn what_is_known_of_a_step_says_whether_it_may_have_changed_its_entry() {
        use StepOutcome::{Applied, Failed, Recovered, Skipped, Unknown};
        for (outcome, wrote, changed) in [
            (Applied, true, true),
            (Applied, false, false),
            (Failed, true, true),
            (Failed, false, false),
            (Skipped, false, false),
            (Recovered, true, true),
            (Unknown, true, true),
            (Unknown, false, true),
        ] {
            let state = fold([begin("plan"), intent("icon/a"), step("icon/a", result(outcome, wrote))]).unwrap();
            assert_eq!(state.may_have_changed(&address("icon/a")), changed, "{outcome:?}, wrote: {wrote}");
        }
    }

    #[test]
    fn where_nothing_is_known_of_a_step_a_request_may_have_changed_its_entry() {
        let state = fold([begin("plan"), intent("icon/a")]).unwrap();
        assert!(state.may_have_changed(&address("icon/a")));
        assert!(!state.may_have_changed(&address("icon/b")) && !state.may_have_changed(&address("logo/a")));
    }
}
