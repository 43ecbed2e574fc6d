//! Plans and runs on disk, as the user names them: a saved plan's path, a run's folder, or a run's id.

use std::path::{Path, PathBuf};

use crate::domain::finding::Finding;
use crate::domain::journal::RunState;
use crate::domain::plan::Plan;
use crate::format::{Document, SavedPlan};
use crate::store::{runs, saved};

/// What a name stands for.
pub(super) enum Stored {
    /// A saved plan.
    Plan(Box<SavedPlan>),
    /// A run's folder.
    Run(Box<KeptRun>),
}

/// A run, with all that its folder holds.
pub(super) struct KeptRun {
    pub(super) document: Document,
    /// The plan, with the old images.
    pub(super) plan: Plan,
    pub(super) state: RunState,
    pub(super) folder: PathBuf,
}

/// Finds a saved plan or a run. Ids are looked up among the runs of all portals below `root`.
pub(super) fn find(name: &str, root: &Path) -> Result<Stored, Box<Finding>> {
    let path = Path::new(name);
    if path.is_dir() {
        return kept_run(path).map(|run| Stored::Run(Box::new(run)));
    }
    if path.is_file() {
        return saved_plan(path).map(|saved| Stored::Plan(Box::new(saved)));
    }
    let runs = runs::of_all_portals(root)
        .map_err(|error| unreadable(&format!("the state folder {} cannot be read: {error}", root.display())))?;
    let mut found = runs.iter().filter(|run| run.state.run == name);
    match (found.next(), found.next()) {
        (Some(run), None) => kept_run(&run.folder).map(|run| Stored::Run(Box::new(run))),
        (Some(_), Some(_)) => {
            Err(unreadable(&format!("several portals have a run `{}`: name its folder", name.escape_debug())))
        }
        (None, _) => {
            let message = format!("there is no run and no saved plan `{}`", name.escape_debug());
            Err(Box::new(
                Finding::error("run", message).help("`brandctl history` lists the runs; a folder's path does too"),
            ))
        }
    }
}

/// Reads a saved plan.
pub(super) fn saved_plan(path: &Path) -> Result<SavedPlan, Box<Finding>> {
    let bytes = saved::read(path)
        .map_err(|error| unreadable(&format!("the plan {} cannot be read: {error}", path.display())))?;
    Document::read_saved(&bytes).map_err(|error| {
        let finding = Finding::error("plan", format!("{} cannot be used: {error}", path.display()));
        Box::new(finding.help("make a new one with `brandctl plan -o`"))
    })
}

fn kept_run(folder: &Path) -> Result<KeptRun, Box<Finding>> {
    let fail = |error: String| unreadable(&format!("{} is no run's folder: {error}", folder.display()));
    let found = runs::read(folder).map_err(|error| fail(error.to_string()))?;
    let state = found.ok_or_else(|| fail("its journal does not begin".to_owned()))?.state;
    let document = runs::plan(folder).map_err(|error| fail(error.to_string()))?;
    let old = runs::old_images(folder).map_err(|error| fail(error.to_string()))?;
    let plan = document.plan(old).map_err(|error| fail(error.to_string()))?;
    Ok(KeptRun { document, plan, state, folder: folder.to_owned() })
}

fn unreadable(message: &str) -> Box<Finding> {
    Box::new(Finding::error("run", message))
}
