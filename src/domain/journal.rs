//! The journal of a run: what was about to be sent, what came of it, and how the run ended. Append-only, one JSON
//! object a line, for people and for the next run; never a secret, never an image.
//!
//! A journal is read by folding it, line by line: [`RunState`] is all that its lines say. A run whose journal has no end was cut
//! short. Journals are hostile input as well: one that says what brandctl does not write is damaged, because what it
//! leaves out may still have been sent.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::asset::{Address, Digest, FoldedCode, Kind};
use super::command::{Answer, Command};
use super::step::{StepOutcome, StepResult};
use crate::text;

/// The version of the journal's format.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// How many commands a request has at most: a portal takes no more in one batch.
const MAX_COMMANDS: usize = 50;

/// The longest line that is read, in bytes: longer than any that is written.
pub(crate) const MAX_LINE_BYTES: usize = 1024 * 1024;

/// How many characters are kept of each text that came from a portal, which may send any amount.
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
    },
    /// A request is about to leave.
    Intent {
        /// Its number in this run, from 1.
        request: u32,
        /// What it asks for, in order.
        commands: Vec<Write>,
    },
    /// A request was answered, or its answer was lost.
    Outcome {
        /// Its number.
        request: u32,
        /// What the portal said to each command; empty when the answer was lost.
        answers: Vec<Said>,
        /// Why the answer was lost, or the whole request refused.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        error: Option<String>,
    },
    /// A step ended.
    Step {
        /// The entry.
        address: Address,
        /// Its result.
        #[serde(flatten)]
        result: StepResult,
    },
    /// The run ended: nothing of it is in flight.
    End {
        /// How many steps are as planned.
        applied: usize,
        /// How many are not.
        not_applied: usize,
        /// The way it ended.
        how: Ending,
    },
}

/// The way a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Every step was tried.
    Finished,
    /// Somebody asked it to stop.
    Interrupted,
    /// It was killed, and a later command found out what it had done.
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
            Self::Begin { .. } | Self::Intent { .. } | Self::End { .. } => {}
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

/// The reason why a journal does not tell what its run did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    /// Another version of this program made it.
    #[error("it is of format {0}; this program reads {FORMAT_VERSION}")]
    Format(u32),
    /// Its first line is something else.
    #[error("it is not the beginning of a run")]
    NoBeginning,
    /// It has two beginnings.
    #[error("it begins more than once")]
    BeginsAgain,
    /// A line is whole and of no kind that there is.
    #[error("it is not a line of a run's journal")]
    NotALine,
    /// A line speaks of more than one request can hold.
    #[error("it names {0} {1}, and a request has at most {MAX_COMMANDS}")]
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
    /// How steps ended, as far as that was noted.
    pub(crate) steps: BTreeMap<Address, StepResult>,
    /// How it ended; `None` when it did not.
    pub ended: Option<Ending>,
    intended: BTreeSet<(Kind, FoldedCode)>,
    /// The images that were to be added under each code, in their order.
    added: BTreeMap<(Kind, FoldedCode), Vec<Digest>>,
}

impl RunState {
    /// The state of a run of which this is the first line.
    pub(crate) fn begin(line: Line) -> Result<Self, Damage> {
        match line.entry {
            JournalEntry::Begin { format_version: FORMAT_VERSION, run, portal, plan_sha256, commit } => Ok(Self {
                run,
                began: line.at,
                portal,
                plan_sha256,
                commit,
                steps: BTreeMap::new(),
                ended: None,
                intended: BTreeSet::new(),
                added: BTreeMap::new(),
            }),
            JournalEntry::Begin { format_version, .. } => Err(Damage::Format(format_version)),
            _ => Err(Damage::NoBeginning),
        }
    }

    /// Adds what a further line says.
    pub(crate) fn add(&mut self, entry: JournalEntry) -> Result<(), Damage> {
        match entry {
            JournalEntry::Begin { .. } => return Err(Damage::BeginsAgain),
            JournalEntry::Intent { commands, .. } if commands.len() > MAX_COMMANDS => {
                return Err(Damage::TooMany(commands.len(), "commands"));
            }
            JournalEntry::Intent { commands, .. } => {
                self.intended.extend(commands.iter().map(|write| write.address().folded()));
                for write in commands {
                    if let Write::Add { address, sha256 } = write {
                        self.added.entry(address.folded()).or_default().push(sha256);
                    }
                }
            }
            JournalEntry::Outcome { answers, .. } if answers.len() > MAX_COMMANDS => {
                return Err(Damage::TooMany(answers.len(), "answers"));
            }
            JournalEntry::Outcome { .. } => {}
            JournalEntry::Step { address, result } => {
                self.steps.insert(address, result);
            }
            JournalEntry::End { how, .. } => self.ended = Some(how),
        }
        Ok(())
    }

    /// How many steps are known to be as planned.
    pub(crate) fn applied(&self) -> usize {
        self.steps.values().filter(|step| step.outcome == StepOutcome::Applied).count()
    }

    /// Whether the same plan may take up where this run stopped.
    pub(crate) fn can_be_resumed(&self) -> bool {
        self.ended != Some(Ending::Finished)
    }

    /// Whether this run may have changed this entry, spelt as in its plan: what is known of its step decides, and
    /// where nothing is known, whether a request may have left.
    pub(crate) fn may_have_changed(&self, address: &Address) -> bool {
        match self.steps.get(address) {
            Some(step) => step.wrote || step.outcome == StepOutcome::Unknown,
            None => self.sent(address),
        }
    }

    /// Whether every entry that it speaks of is one of `planned`, in any letter case.
    pub(crate) fn is_about(&self, planned: &BTreeSet<(Kind, FoldedCode)>) -> bool {
        self.intended.is_subset(planned) && self.steps.keys().all(|address| planned.contains(&address.folded()))
    }

    /// The image that this run left under each code that it may have changed; `None` where that is not known, and where it
    /// left none.
    pub(crate) fn left(&self) -> impl Iterator<Item = ((Kind, FoldedCode), Option<Digest>)> {
        let mut steps: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (address, step) in &self.steps {
            steps.entry(address.folded()).or_default().push(step);
        }
        self.intended.iter().filter_map(move |code| {
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
        })
    }

    /// Whether a request about this entry may have left, in any letter case.
    pub(crate) fn sent(&self, address: &Address) -> bool {
        self.intended.contains(&address.folded())
    }
}

/// One write, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "lowercase")]
pub enum Write {
    /// An add.
    Add {
        /// The entry.
        address: Address,
        /// SHA-256 of the PNG.
        sha256: Digest,
    },
    /// A delete.
    Delete {
        /// The entry.
        address: Address,
    },
}

impl Write {
    pub(crate) const fn address(&self) -> &Address {
        match self {
            Self::Add { address, .. } | Self::Delete { address } => address,
        }
    }
}

impl From<&Command> for Write {
    fn from(command: &Command) -> Self {
        match command {
            Command::Add { address, png } => Self::Add { address: address.clone(), sha256: Digest::of(png) },
            Command::Delete { address } => Self::Delete { address: address.clone() },
        }
    }
}

/// The portal's answer to one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub enum Said {
    /// It took effect.
    Done,
    /// It was refused.
    Refused {
        /// The portal's error code.
        code: String,
        /// The portal's words.
        description: String,
    },
    /// It was not run.
    NotRun,
    /// Its result is unknown.
    Unknown {
        /// Why.
        why: String,
    },
}

impl From<&Answer> for Said {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Done => Self::Done,
            Answer::Refused { class: _, code, description } => {
                Self::Refused { code: code.clone(), description: description.clone() }
            }
            Answer::NotRun => Self::NotRun,
            Answer::Unknown(why) => Self::Unknown { why: why.clone() },
        }
    }
}

/// The earlier runs of a plan that were cut short, for the run that resumes it.
#[derive(Debug, Clone, Default)]
pub struct Resumption(Vec<RunState>);

impl Resumption {
    /// The runs of the plan with this digest since the last one that was finished, out of all `runs`, the oldest first.
    pub(crate) fn of(runs: Vec<RunState>, plan_sha256: Digest) -> Self {
        let mut own: Vec<_> = runs.into_iter().filter(|run| run.plan_sha256 == plan_sha256).collect();
        let finished = own.iter().rposition(|run| !run.can_be_resumed());
        Self(own.split_off(finished.map_or(0, |last| last + 1)))
    }

    /// Whether one of them may have changed this entry.
    pub(crate) fn may_have_changed(&self, address: &Address) -> bool {
        self.0.iter().any(|run| run.may_have_changed(address))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use super::*;

    /// The state after all these lines; `None` when they are damaged.
    fn folded(lines: impl IntoIterator<Item = Line>) -> Option<RunState> {
        let mut lines = lines.into_iter();
        let mut state = RunState::begin(lines.next()?).ok()?;
        lines.try_for_each(|line| state.add(line.entry)).ok()?;
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
            },
            JournalEntry::Intent { request: 1, commands: vec![Write::Delete { address: address.clone() }] },
            JournalEntry::Outcome { request: 1, answers: vec![Said::Done], error: None },
            JournalEntry::Step { address, result: applied.clone() },
            JournalEntry::end([applied].iter(), Ending::Finished),
        ];
        entries.into_iter().map(|entry| Line { at: "2026-01-01T00:00:00Z".to_owned(), entry }).collect()
    }

    #[test]
    fn every_beginning_of_a_journal_says_what_may_have_left() {
        let lines = lines();
        assert_eq!(folded([]), None);
        for cut in 1..=lines.len() {
            let state = folded(lines[..cut].iter().cloned()).unwrap();
            assert_eq!(state.sent(&"icon/A".parse().unwrap()), cut > 1, "in whatever case, after {cut} lines");
            assert!(!state.sent(&"logo/a".parse().unwrap()));
            assert_eq!(state.applied(), usize::from(cut > 3));
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

    #[test]
    fn another_format_is_not_a_journal_of_ours() {
        let mut lines = lines();
        if let JournalEntry::Begin { format_version, .. } = &mut lines[0].entry {
            *format_version += 1;
        }
        assert_eq!(folded(lines), None);
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
        JournalEntry::Begin { format_version: FORMAT_VERSION, run, portal, plan_sha256, commit: None }
    }

    fn intent(entry: &str) -> JournalEntry {
        JournalEntry::Intent { request: 1, commands: vec![Write::Delete { address: address(entry) }] }
    }

    fn step(entry: &str, result: StepResult) -> JournalEntry {
        JournalEntry::Step { address: address(entry), result }
    }

    fn fold(entries: impl IntoIterator<Item = JournalEntry>) -> Option<RunState> {
        folded(entries.into_iter().map(|entry| Line { at: "2026-01-01T00:00:00Z".to_owned(), entry }))
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
            JournalEntry::Outcome { request: 1, answers, error: Some(endless) },
            JournalEntry::Step { address: long, result },
            JournalEntry::Intent { request: 1, commands: vec![delete; MAX_COMMANDS] },
        ] {
            let at = "2026-01-01T00:00:00Z".to_owned();
            let line = serde_json::to_vec(&Line { at, entry: entry.clone().shortened() }).unwrap();
            assert!(line.len() < MAX_LINE_BYTES, "{} bytes", line.len());
            fold([begin("plan")]).unwrap().add(serde_json::from_slice::<Line>(&line).unwrap().entry).unwrap();
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
            assert_eq!(state.add(JournalEntry::Intent { request: 1, commands }), expected);
        }
        for (count, expected) in [(50, Ok(())), (51, Err(Damage::TooMany(51, "answers")))] {
            let mut state = fold([begin("plan")]).unwrap();
            let answers = vec![Said::Done; count];
            assert_eq!(state.add(JournalEntry::Outcome { request: 1, answers, error: None }), expected);
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

    #[test]
    fn the_runs_of_the_same_plan_since_the_last_finished_one_are_taken_up() {
        let runs = vec![
            run("plan", "icon/long-ago", None),
            run("plan", "icon/finished", Some(Ending::Finished)),
            run("other", "icon/other", None),
            run("plan", "icon/interrupted", Some(Ending::Interrupted)),
            run("plan", "icon/cut-short", None),
            run("other", "icon/other", Some(Ending::Finished)),
        ];
        let resumption = Resumption::of(runs, Digest::of(b"plan"));
        for (entry, changed) in [
            ("icon/long-ago", false),
            ("icon/finished", false),
            ("icon/other", false),
            ("icon/interrupted", true),
            ("icon/cut-short", true),
        ] {
            assert_eq!(resumption.may_have_changed(&address(entry)), changed, "{entry}");
        }
    }

    #[test]
    fn every_run_of_a_plan_that_was_never_finished_is_taken_up() {
        let runs = vec![run("plan", "icon/first", None), run("plan", "icon/second", Some(Ending::CutShort))];
        let resumption = Resumption::of(runs, Digest::of(b"plan"));
        assert!(["icon/first", "icon/second"].iter().all(|entry| resumption.may_have_changed(&address(entry))));
    }

    #[test]
    fn a_plan_that_is_applied_for_the_first_time_has_changed_nothing() {
        assert!(!Resumption::default().may_have_changed(&address("icon/a")));
        let finished = vec![run("plan", "icon/a", Some(Ending::Finished))];
        assert!(!Resumption::of(finished, Digest::of(b"plan")).may_have_changed(&address("icon/a")));
    }
}
