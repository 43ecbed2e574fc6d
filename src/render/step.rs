//! A step that just ended, in a line.

use std::time::Duration;

use crate::domain::journal::RunCommand;
use crate::domain::step::{StepEnded, StepOutcome, StepWork};
use crate::text::escape;

use super::style::{CREATE, DELETE, REPLACE, shown};

/// The line: what was done and how long it took, or why it was not done.
pub(crate) fn ended(ended: &StepEnded, command: RunCommand) -> String {
    let StepEnded { address, work, result, took, in_request } = ended;
    let (style, done) = match (work, command) {
        (StepWork::Create | StepWork::Replace, RunCommand::Restore) => (CREATE, "put back".to_owned()),
        (StepWork::Create, _) => (CREATE, "created".to_owned()),
        (StepWork::Replace, _) => (REPLACE, "replaced".to_owned()),
        (StepWork::Delete, _) => (DELETE, "deleted".to_owned()),
        (StepWork::Rename { from }, _) => (REPLACE, format!("renamed from {}", shown(from))),
    };
    let address = shown(address);
    let why = escape(result.why.as_deref().unwrap_or("the reason is unknown"));
    match (result.outcome, took) {
        (StepOutcome::Applied, None) => format!("{address}: already {done}"),
        (StepOutcome::Applied, Some(took)) => {
            let batch = if *in_request > 1 { format!(", batch of {in_request}") } else { String::new() };
            format!("{address}: {style}{done}{style:#} ({}{batch})", brief(*took))
        }
        (StepOutcome::Unknown, _) => {
            format!("{address}: {DELETE}unknown whether {done}{DELETE:#}: {why}")
        }
        (StepOutcome::Recovered, _) => format!("{address}: {REPLACE}not {done}{REPLACE:#}: {why}"),
        (StepOutcome::Failed | StepOutcome::Skipped, _) => format!("{address}: {DELETE}not {done}{DELETE:#}: {why}"),
    }
}

/// A time for people: `0.4s`, `2m 5s`.
fn brief(time: Duration) -> String {
    match time.as_secs() {
        0 if time < Duration::from_millis(100) => "under 0.1s".to_owned(),
        0..60 => format!("{:.1}s", time.as_secs_f64()),
        seconds => format!("{}m {}s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::domain::step::StepResult;

    fn line(work: StepWork, outcome: StepOutcome, took: Option<f64>, in_request: usize) -> String {
        let why = (outcome != StepOutcome::Applied).then(|| "the portal refused it: \u{1b}[2J".to_owned());
        let took = took.map(Duration::from_secs_f64);
        let result = StepResult { outcome, why, wrote: true };
        let step = StepEnded { address: "icon/acme-call".parse().unwrap(), work, result, took, in_request };
        anstream::adapter::strip_str(&ended(&step, RunCommand::Apply)).to_string()
    }

    #[test]
    fn a_step_is_a_line_with_its_time_or_its_reason() {
        use StepOutcome::{Applied, Failed, Recovered, Unknown};
        let renamed = || StepWork::Rename { from: "icon/acme-phone".parse().unwrap() };
        for (line, expected) in [
            (line(StepWork::Create, Applied, Some(0.42), 1), "icon/acme-call: created (0.4s)"),
            (line(StepWork::Create, Applied, Some(0.42), 12), "icon/acme-call: created (0.4s, batch of 12)"),
            (line(StepWork::Replace, Applied, Some(125.9), 1), "icon/acme-call: replaced (2m 5s)"),
            (line(renamed(), Applied, Some(1.0), 1), "icon/acme-call: renamed from icon/acme-phone (1.0s)"),
            (line(StepWork::Delete, Applied, None, 0), "icon/acme-call: already deleted"),
            (
                line(StepWork::Create, Failed, Some(0.1), 1),
                "icon/acme-call: not created: the portal refused it: \\u{1b}[2J",
            ),
            (
                line(StepWork::Replace, Recovered, Some(0.1), 1),
                "icon/acme-call: not replaced: the portal refused it: \\u{1b}[2J",
            ),
            (
                line(StepWork::Delete, Unknown, None, 1),
                "icon/acme-call: unknown whether deleted: the portal refused it: \\u{1b}[2J",
            ),
        ] {
            assert_eq!(line, expected);
        }
    }
}
