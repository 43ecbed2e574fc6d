//! `brandctl history`

use clap::Args;

use crate::domain::journal::RunState;
use crate::render;
use crate::render::json::HistoryDocument;
use crate::store::runs;

use super::exit::Exit;
use super::output;
use super::settings::{Format, Globals};

/// List the runs that the state folder holds
///
/// Offline. One line a run: when, on which portal, what it did, and the commit of the manifest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brandctl history\n  brandctl history --format json")]
pub(super) struct Arguments {}

pub(super) fn run(globals: &Globals, _: &Arguments) -> Exit {
    let root = globals.state_root(globals.repository().folder());
    let found = match runs::of_all_portals(&root) {
        Ok(found) => found,
        Err(error) => {
            output::complain(&format!("the state folder {} cannot be read: {error}", root.display()));
            return Exit::Error;
        }
    };
    let mut exit = Exit::Success;
    let mut runs: Vec<RunState> = Vec::new();
    for run in found {
        match run {
            Ok(run) => runs.push(run.state),
            // The others are listed all the same.
            Err(error) => {
                output::complain(&error.to_string());
                exit = Exit::Error;
            }
        }
    }
    match globals.format {
        Format::Human => output::data(&render::run::history(&runs, &output::screen()), exit),
        Format::Json => output::json(render::json::print::<HistoryDocument>(&*runs), exit),
    }
}
