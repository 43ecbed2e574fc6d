//! `brandctl history`

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::report::RecordedRun;
use crate::render;
use crate::render::json::{self, HistoryDocument};
use crate::store::runs::{self, StoredRun};

use super::exit::Exit;
use super::output;
use super::settings::{Format, Globals};
use super::stored;

/// List the runs that the state folder holds
///
/// Works offline. Prints a line for each run: the time, the portal, what it did, and the commit of the manifest. JSON
/// also has the changes of each run, and whether its folder holds their old images.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brandctl history\n  brandctl history --format json")]
pub(super) struct Arguments {}

pub(super) fn run(globals: &Globals, _: &Arguments) -> Exit {
    let root = globals.state_root(globals.repository().folder());
    let (mut found, mut findings) = (Vec::new(), Vec::new());
    match runs::of_all_portals(&root) {
        // The other runs are still listed.
        Ok(all) => all.into_iter().for_each(|run| match run {
            Ok(run) => found.push(run),
            Err(error) => findings.push(Finding::error("run", error.to_string())),
        }),
        Err(error) => {
            let message = format!("the state folder {} cannot be read: {error}", root.display());
            findings.push(Finding::error("run", message));
        }
    }
    let recorded: Vec<_> = found.into_iter().map(|run| recorded(run, &mut findings)).collect();
    let exit = exit_of(&findings);
    match globals.format {
        Format::Human => people(&recorded, &findings),
        Format::Json => {
            let header = globals.invocation.header(exit);
            output::json(json::print::<HistoryDocument>(&header, None, &*recorded, &findings), exit)
        }
    }
}

fn exit_of(findings: &[Finding]) -> Exit {
    if findings.is_empty() { Exit::Success } else { Exit::Error }
}

fn people(runs: &[RecordedRun], findings: &[Finding]) -> Exit {
    findings.iter().for_each(|finding| output::complain(&finding.message));
    output::data(&render::run::history(runs, &output::screen()), exit_of(findings))
}

/// A run with its plan and what it holds. If these cannot be read, the run is listed without them, and a finding says so.
fn recorded(run: StoredRun, findings: &mut Vec<Finding>) -> RecordedRun {
    let state = run.state.clone();
    match stored::kept_run(run) {
        Ok(kept) => {
            let copies = kept.plan.contents.into_keys().collect();
            RecordedRun { state, changes: kept.plan.diff.changes, copies }
        }
        Err(finding) => {
            findings.push(*finding);
            RecordedRun { state, changes: Vec::new(), copies: [].into() }
        }
    }
}
