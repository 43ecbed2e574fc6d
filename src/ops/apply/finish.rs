//! The end of a run: the results of its steps, the last lines of its journal, and the findings about it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::asset::Address;
use crate::domain::diff::Change;
use crate::domain::finding::Finding;
use crate::domain::journal::{Ending, JournalEntry};
use crate::domain::report::Run;
use crate::domain::step::{LiveState, StepOutcome, StepResult};
use crate::ops::ports::{Journal, ReadPortal, WritePortal};

use super::write::Writer;

/// A finished run, and the findings about it.
#[derive(Debug)]
pub struct Applied {
    /// The run.
    pub run: Run,
    /// Warnings.
    pub findings: Vec<Finding>,
}

impl<P: ReadPortal + WritePortal> Writer<'_, P> {
    /// Ends the run, and notes in its journal how. `without_copy` is what it changed without a copy, and why.
    pub(super) fn finish(self, mut without_copy: BTreeMap<Address, String>) -> Applied {
        let (plan, journal, tools) = (self.plan, self.journal, self.tools);
        let open = self.open_for(plan.diff.changes.iter());
        let why = self.why_stopped().unwrap_or_else(|| "it was not sent".to_owned());
        let live = self.live_at_end();
        let (mut steps, missing) = (self.steps.into_inner(), self.missing.into_inner());
        for change in &plan.diff.changes {
            steps.entry(change.address.clone()).or_insert_with(|| StepResult {
                outcome: StepOutcome::Skipped,
                why: Some(why.clone()),
                wrote: false,
            });
        }
        if self.copies_are_doubtful.get() {
            let removed = plan.diff.changes.iter().filter(|change| change.has_copy());
            let removed = removed.filter(|change| steps.get(&change.address).is_some_and(|step| step.wrote));
            let why = "its copy may come from something between this machine and the portal";
            without_copy.extend(removed.map(|change| (change.address.clone(), why.to_owned())));
        }
        let whole = steps.values().all(|step| step.outcome == StepOutcome::Applied);
        let how = if tools.interrupt.is_raised() && !whole { Ending::Interrupted } else { Ending::Finished };
        conclude(journal, &steps, how, open);
        let id = journal.id();
        let not_read_back = self.not_read_back.into_inner();
        let mut findings: Vec<_> = not_read_back.iter().map(|(address, why)| was_not_read_back(address, why)).collect();
        findings.extend(still_open(id, open));
        let not_read_back = not_read_back.into_keys().collect();
        let (id, folder, next) = (id.to_owned(), journal.folder().to_owned(), tools.next.clone());
        let run = Run { id, folder, steps, done_before: [].into(), missing, live, not_read_back, without_copy, next };
        let lost = plan.diff.changes.iter().filter(|change| run.missing.contains(&change.address));
        let missing: Vec<_> = lost.map(|change| is_missing(change, &run)).collect();
        Applied { findings: [missing, findings].concat(), run }
    }
}

impl<P: ReadPortal + WritePortal> Writer<'_, P> {
    /// What the portal has under the code of each step, as it was last read; if the reading failed, a code is known to be
    /// missing only by the portal's answers.
    fn live_at_end(&self) -> BTreeMap<Address, LiveState> {
        let (live, missing) = (self.live.borrow(), self.missing.borrow());
        let of = |change: &Change| match live.get(&change.address.folded()) {
            Some(live) => *live,
            None if missing.contains(&change.address) => LiveState::Absent,
            None => LiveState::Unknown,
        };
        self.plan.diff.changes.iter().map(|change| (change.address.clone(), of(change))).collect()
    }
}

/// Notes how each step and the run ended. A run with a step of unknown result stays open, and so does one whose
/// journal cannot be written any more: the next command looks at it again. One with a request that may still be carried
/// out stays open as long.
fn conclude(journal: &dyn Journal, steps: &BTreeMap<Address, StepResult>, how: Ending, open: Duration) {
    let mut lines: Vec<_> = JournalEntry::steps(steps).collect();
    if steps.values().all(|step| step.outcome != StepOutcome::Unknown) {
        lines.push(match open {
            Duration::ZERO => JournalEntry::end(steps.values(), how),
            _ => JournalEntry::Concluded { how },
        });
    }
    // An error here takes nothing back: what was done is on the portal and in the report.
    let _ = journal.append_all(&lines);
}

/// The error about a code that has lost its image.
fn is_missing(change: &Change, run: &Run) -> Finding {
    let address = &change.address;
    let finding = Finding::error("missing", format!("{address} is missing on the portal"));
    let apply = run.next.typed("apply");
    let help = match run.restore([change].into_iter()) {
        Some(restore) if run.next.is_of_restore() => format!("`{restore}` puts the old image back"),
        Some(restore) => format!("`{apply}` adds the new image; `{restore}` puts the old one back"),
        None => format!("`{apply}` adds the new image"),
    };
    finding.help(help).about(address.clone())
}

/// The warning about a step that is applied by the portal's answer alone.
fn was_not_read_back(address: &Address, why: &str) -> Finding {
    let message = format!("{address}: the portal accepted it, but it could not be read back: {why}");
    Finding::warning("not-read-back", message)
        .help("its image is known as long as the state folder is kept; without that folder, its content is unknown")
        .about(address.clone())
}

/// The warning about a run whose requests may still be carried out.
fn still_open(run: &str, open: Duration) -> Option<Finding> {
    let seconds = open.as_secs_f64().ceil();
    let message = format!(
        "a request of the run {run} had no answer, and may still be carried out for {seconds} s: the run stays open until then"
    );
    let finding = Finding::warning("run-open", message);
    (!open.is_zero())
        .then(|| finding.help("the next apply waits for that; plan and drift say that the portal may still change"))
}
