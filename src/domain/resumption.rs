//! The earlier runs of a plan, for the run that resumes it.

use super::asset::{Address, Digest};
use super::journal::RunState;

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
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::journal::{Ending, JournalEntry, Line};
    use super::super::step::{StepOutcome, StepResult};
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    /// A run of a plan that changed an entry and ended so, if it ended.
    fn run(plan: &str, entry: &str, ended: Option<Ending>) -> RunState {
        let begin = JournalEntry::Begin {
            format_version: 1,
            run: "r".to_owned(),
            portal: "p".to_owned(),
            plan_sha256: Digest::of(plan.as_bytes()),
            commit: None,
            command: None,
        };
        let mut state = RunState::begin(Line { at: "2026-01-01T00:00:00Z".to_owned(), entry: begin }).unwrap();
        let result = StepResult { outcome: StepOutcome::Applied, why: None, wrote: true };
        state.add(JournalEntry::Step { address: address(entry), result }, None).unwrap();
        if let Some(how) = ended {
            state.add(JournalEntry::end([].iter(), how), None).unwrap();
        }
        state
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
