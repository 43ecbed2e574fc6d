//! The report of a command: what it found and did. Every renderer starts from this value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::asset::{Address, Digest};
use super::diff::Change;
use super::export::ExportItem;
use super::finding::{Finding, Severity};
use super::guard::{Outcome, Verdict};
use super::journal::RunState;
use super::manifest::schema_copy::SCHEMA_COPY;
use super::origin::{ChangedBy, OriginKind, Origins};
use super::plan::Plan;
use super::retry::Class;
use super::rules::Piece;
use super::step::{LiveState, StepOutcome, StepResult};
use crate::text::shell_word;

/// A run of apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id: the run folder's name.
    pub id: String,
    /// Its folder, which holds the journal and the old images.
    pub folder: PathBuf,
    /// The outcome of each step.
    pub steps: BTreeMap<Address, StepResult>,
    /// The steps that a run of the same plan that was cut short had done before.
    pub done_before: BTreeSet<Address>,
    /// The codes that had an image when it began, and have none at its end.
    pub missing: BTreeSet<Address>,
    /// What the portal has under the code of each step, by the last reading; empty for a run that is read from its folder.
    pub live: BTreeMap<Address, LiveState>,
    /// The steps that are applied by the portal's answer alone, because their images cannot be read back.
    pub not_read_back: BTreeSet<Address>,
    /// The entries whose old image was known, but could not be downloaded again for a copy, each with the reason.
    pub without_copy: BTreeMap<Address, String>,
    /// The commands that may follow it.
    pub next: NextCommands,
}

impl Run {
    /// Whether this run kept a copy of the image that a change of its plan removes.
    pub(crate) fn has_copy(&self, change: &Change) -> bool {
        change.has_copy() && !self.without_copy.contains_key(&change.address)
    }

    /// The command that puts back the right images of these changes, of those that have a copy; `None` if there is none.
    pub(crate) fn restore<'a>(&self, changes: impl Iterator<Item = &'a Change>) -> Option<String> {
        // What was restored has the images that the restore was to put back.
        let has_image = |change: &&Change| match self.next.is_of_restore() {
            true => change.action.after().is_some(),
            false => self.has_copy(change),
        };
        let mut addresses = changes.filter(has_image).map(|change| &change.address).peekable();
        addresses.peek()?;
        self.next.restore(&self.id, addresses)
    }
}

/// Commands for the user to type, each with the options that name the same manifest, state folder and portal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NextCommands {
    /// Those options, each after a space.
    pub options: String,
    /// The source of the right old images, if the run itself does not have them or is not found by its id.
    pub images: OldImages,
}

/// The place of the images that `restore` should put back after a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OldImages {
    /// The run itself, found by its id.
    #[default]
    Run,
    /// The run itself, found by this name, such as the path of its folder.
    Folder(String),
    /// The run or plan that this run restored. Its own copies are of the images that the restore was to take away.
    Restored {
        /// The name of that run or plan, as `restore` takes it.
        from: String,
        /// The whole restore, to continue it: the command without `brandctl` and without the common options.
        again: String,
    },
    /// A run or plan that this run restored, and that is not known.
    Unknown,
}

impl NextCommands {
    /// A command with these options, such as `apply`.
    pub(crate) fn typed(&self, command: &str) -> String {
        format!("brandctl {command}{}", self.options)
    }

    /// The command that puts back the old images of `addresses` after the run `id`, if it is known.
    pub(crate) fn restore<'a>(&self, id: &str, addresses: impl Iterator<Item = &'a Address>) -> Option<String> {
        let from = match &self.images {
            OldImages::Run => id,
            OldImages::Folder(from) | OldImages::Restored { from, .. } => from,
            OldImages::Unknown => return None,
        };
        let mut command = format!("restore {}", shell_word(from));
        for address in addresses {
            command.push_str(&format!(" {}", shell_word(&address.to_string())));
        }
        Some(self.typed(&command))
    }

    /// Whether the run was a restore: its own copies are of the images that it took away.
    pub(crate) const fn is_of_restore(&self) -> bool {
        matches!(self.images, OldImages::Restored { .. } | OldImages::Unknown)
    }
}

/// A run that is over, or was cut short, with what its folder holds.
#[derive(Debug, Clone)]
pub(crate) struct RecordedRun {
    /// Its state, from its journal.
    pub(crate) state: RunState,
    /// The changes of its plan.
    pub(crate) changes: Vec<Change>,
    /// The old images in its folder.
    pub(crate) copies: BTreeSet<Digest>,
}

impl RecordedRun {
    /// How many changes it made as planned, and of how many, as far as its journal says. A rename is one change. Without
    /// a plan, the steps are counted.
    pub(crate) fn counts(&self) -> (usize, usize) {
        counts(&self.state, &self.changes)
    }
}

/// How many of these changes, which are a run's, ended as planned, and of how many, as in [`RecordedRun::counts`].
pub(crate) fn counts(state: &RunState, changes: &[Change]) -> (usize, usize) {
    let steps = &state.steps;
    if changes.is_empty() {
        return (state.applied(), steps.len());
    }
    let (mut applied, mut all) = (0, 0);
    for change in changes.iter().filter(|change| !change.is_old_half()) {
        let halves = || [Some(&change.address), change.rename.as_ref()].into_iter().flatten();
        let is_applied = |half: &Address| steps.get(half).is_some_and(|step| step.outcome == StepOutcome::Applied);
        all += usize::from(halves().any(|half| steps.contains_key(half)));
        applied += usize::from(halves().all(is_applied));
    }
    (applied, all)
}

/// The changes that make `drift` fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DriftScope {
    /// All changes.
    #[default]
    Everything,
    /// Only changes made on the portal (`--only-portal`).
    Portal,
}

/// The source that was compared with instead of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// A folder that `export` wrote.
    Export,
}

/// The subject of a report, in words that are the same in every run and on every machine. A tool finds earlier reports
/// by them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The portal that the credentials are for, also when it could not be reached; `None` without credentials.
    pub portal: Option<String>,
    /// The manifest, from the root of its Git repository; outside of one, its file name.
    pub manifest: String,
}

/// The time and the commit of a report, for readers who find it later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heading {
    /// When the command began, in RFC 3339 and UTC; `None` where it is not known.
    pub started: Option<String>,
    /// The commit of the manifest, with a `+` when what it declares may differ from that commit; `None` outside Git.
    pub commit: Option<String>,
}

/// The reason why a command was not finished. Reports say so in a sentence, and the exit codes 5 and 130 follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The options do not fit together, or no portal can be used with them.
    Usage,
    /// The manifest, the art or a saved plan is not valid.
    Invalid,
    /// The portal could not be read or written.
    Portal(Class),
    /// The plan is not for this portal and manifest as they are now: nothing was written.
    Stale,
    /// A guard refused: nothing was written.
    Refused,
    /// A question could not be asked.
    Unasked,
    /// A question was answered with no.
    Declined,
    /// The command was asked to stop before everything was done.
    Interrupted,
    /// The state folder or the file of a run cannot be used.
    Store,
    /// The operating system refuses a resource that every command needs.
    System,
}

/// The result of a command that reads a portal.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What it is about.
    pub subject: Subject,
    /// Its time and commit.
    pub heading: Heading,
    /// How the user names the manifest.
    pub manifest: String,
    /// The manifest's text, for snippets.
    pub source: String,
    /// The portal's identity.
    pub portal: Option<String>,
    /// What was read instead of the portal, if it was not read itself: such a plan can be shown, but not applied.
    pub against: Option<Against>,
    /// The plan, once there is one.
    pub plan: Option<Plan>,
    /// Which side changed, for every change that was examined.
    pub origins: Origins,
    /// Who changed the files of changes, as far as Git says.
    pub changed_by: ChangedBy,
    /// The changes that make `drift` fail.
    pub drift_scope: DriftScope,
    /// Its digest.
    pub plan_sha256: Option<Digest>,
    /// The decisions of the guards about it.
    pub guards: Vec<Verdict>,
    /// The findings of the checks and of the portal.
    pub findings: Vec<Finding>,
    /// The declared images, for renderers that draw them.
    pub art: Vec<Piece>,
    /// The reason why the command was not finished, if it was not.
    pub failure: Option<FailureKind>,
    /// What apply did, once it began.
    pub run: Option<Run>,
}

impl Report {
    /// Whether the plan is not for this portal and manifest as they are now: nothing was written.
    pub(crate) fn is_stale(&self) -> bool {
        self.failure == Some(FailureKind::Stale)
    }

    /// Whether the user stopped the command before it was done.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.failure == Some(FailureKind::Interrupted)
    }

    /// Whether a finding stops everything, or something could not be determined.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
            || self.plan.as_ref().is_some_and(|plan| !plan.diff.unknown.is_empty())
    }

    /// Whether a guard refused.
    pub(crate) fn refused(&self) -> bool {
        self.guards.iter().any(|verdict| verdict.outcome == Outcome::Refused)
    }

    /// Whether the plan would change anything that the command covers.
    pub(crate) fn has_changes(&self) -> bool {
        self.plan.iter().flat_map(|plan| &plan.diff.changes).any(|change| self.concerns(&change.address))
    }

    /// Whether a change counts, given its origin. One of unknown origin does.
    pub(crate) fn concerns(&self, address: &Address) -> bool {
        self.drift_scope == DriftScope::Everything
            || self.origins.get(address).is_none_or(|origin| origin.kind != OriginKind::Pending)
    }

    /// How many changes have an unknown origin.
    pub(crate) fn unknown_origins(&self) -> usize {
        self.origins.values().filter(|origin| origin.kind == OriginKind::Unknown).count()
    }

    /// Whether at least one write took effect and at least one step did not end as planned.
    pub fn partly_applied(&self) -> bool {
        self.run.as_ref().is_some_and(|run| {
            run.steps.values().any(|step| step.wrote)
                && run.steps.values().any(|step| step.outcome != StepOutcome::Applied)
        })
    }

    /// Whether steps did not end as planned.
    pub fn has_failed_steps(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.steps.values().any(|step| step.outcome != StepOutcome::Applied))
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ExportReport {
    /// The portal's identity; `None` when it was not reached.
    pub(crate) portal: Option<String>,
    /// The folder, as the user names it.
    pub(crate) folder: String,
    /// The custom entries, by address.
    pub(crate) items: Vec<ExportItem>,
    /// The files that were written, relative to the folder.
    pub(crate) written: Vec<String>,
    pub(crate) findings: Vec<Finding>,
}

impl ExportReport {
    /// Whether something is wrong, or could not be fetched.
    pub(crate) fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }
}

/// The handling of warnings by a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Warnings {
    /// The findings are shown, and nothing else.
    #[default]
    Allowed,
    /// They fail the check as errors do.
    Denied,
}

/// The result of `validate`.
#[derive(Debug, Clone, Default)]
pub struct Validation {
    /// What it is about.
    pub subject: Subject,
    /// Its time and commit.
    pub heading: Heading,
    /// How the user names the manifest.
    pub manifest: String,
    /// The manifest's text, for snippets.
    pub source: String,
    /// How many declared entries those are for.
    pub images: usize,
    /// Everything found, sorted.
    pub findings: Vec<Finding>,
    /// The declared images, for renderers that draw them.
    pub art: Vec<Piece>,
    /// Whether warnings let it pass.
    pub warnings: Warnings,
}

impl Validation {
    /// The images that were checked, as files, each once.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.art.iter().map(|piece| piece.file.as_str()).collect()
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Whether this finding fails the check. The copy of the schema never does: what changed is brandctl, not the
    /// repository.
    pub(crate) fn fails(&self, finding: &Finding) -> bool {
        finding.is_error() || (self.warnings == Warnings::Denied && finding.rule != SCHEMA_COPY)
    }

    /// Whether nothing was found that fails the check.
    pub fn passed(&self) -> bool {
        !self.findings.iter().any(|finding| self.fails(finding))
    }
}
