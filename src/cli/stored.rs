//! Plans and runs on disk, as the user names them: a saved plan's path, a run's folder, or a run's id.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::finding::Finding;
use crate::domain::journal::{RunCommand, RunState};
use crate::domain::plan::Plan;
use crate::format::{Document, SavedPlan};
use crate::store::files::{FileKind, UserInput, plain};
use crate::store::runs::{self, StoredRun};

/// The largest saved plan that is read, in bytes.
const MAX_PLAN_BYTES: u64 = 512 * 1024 * 1024;

/// The stored thing that a name stands for.
pub(super) enum Stored {
    Plan(Box<SavedPlan>),
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

/// The name of the newest run. A file or folder of that name is `./last`.
const LAST: &str = "last";

/// Whether `name` stands for the newest run.
pub(super) fn is_last(name: &str) -> bool {
    name == LAST
}

/// The runs among which `last` is the newest.
#[derive(Debug, Clone, Copy)]
pub(super) enum LastOf<'a> {
    /// All runs of all portals.
    All,
    /// All runs but restores, of all portals or of one.
    Restorable(Option<&'a str>),
}

/// Finds a saved plan or a run. Ids are looked up among the runs of all portals below `root`. `history` is the command
/// that lists them.
pub(super) fn find(name: &str, root: &Path, last_of: LastOf<'_>, history: &str) -> Result<Stored, Box<Finding>> {
    if name == LAST {
        return newest(root, last_of);
    }
    let path = Path::new(name);
    match UserInput::at(path).facts().map(|(kind, _)| kind) {
        Ok(FileKind::Folder) => {
            UserInput::at(path).check_way().map_err(|error| not_a_run(path, &error))?;
            let run = runs::read(path).map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => cannot_be_read(path, &error),
                _ => not_a_run(path, &error),
            })?;
            let begun = run.ok_or_else(|| not_a_run(path, &"its journal does not begin"))?;
            return kept_run(begun).map(|run| Stored::Run(Box::new(run)));
        }
        Ok(_) => return saved_plan(path).map(|saved| Stored::Plan(Box::new(saved))),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(cannot_be_read(path, &error));
        }
        Err(_) => {}
    }
    with_id(name, root, history)
}

/// Finds the newest run.
fn newest(root: &Path, last_of: LastOf<'_>) -> Result<Stored, Box<Finding>> {
    let (portal, what) = match last_of {
        LastOf::All => (None, "run".to_owned()),
        LastOf::Restorable(None) => (None, "run to restore".to_owned()),
        LastOf::Restorable(Some(portal)) => (Some(portal), format!("run of {portal} to restore")),
    };
    let is_wanted = |state: &RunState| matches!(last_of, LastOf::All) || state.command != Some(RunCommand::Restore);
    match runs::newest(root, portal, is_wanted).map_err(|error| not_readable(root, &error))? {
        Some(run) => kept_run(run).map(|run| Stored::Run(Box::new(run))),
        None => {
            let message = format!("there is no {what} in {} yet", root.display());
            Err(Box::new(Finding::error("run", message).help("name a run's folder or a saved plan")))
        }
    }
}

fn with_id(name: &str, root: &Path, history: &str) -> Result<Stored, Box<Finding>> {
    let runs = runs::with_id(root, name).map_err(|error| not_readable(root, &error))?;
    let mut found = runs.into_iter();
    match (found.next(), found.next()) {
        (Some(run), None) => kept_run(run).map(|run| Stored::Run(Box::new(run))),
        (Some(_), Some(_)) => Err(unreadable(&format!("several portals have a run `{}`: name its folder", name))),
        (None, _) => {
            let message = format!("there is no run and no saved plan `{}`", name);
            Err(Box::new(
                Finding::error("run", message)
                    .help(format!("`{history}` lists the runs; the path of a run's folder works too")),
            ))
        }
    }
}

pub(super) fn saved_plan(path: &Path) -> Result<SavedPlan, Box<Finding>> {
    let input = UserInput::at(path);
    let bytes = input.read_regular(MAX_PLAN_BYTES).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::FileTooLarge => "it is larger than any plan".to_owned(),
            _ => error.to_string(),
        };
        let path = path.display();
        unreadable(&match input.kind() {
            Some(kind @ (FileKind::Other | FileKind::Folder)) => format!("{path} is {}", kind.words()),
            _ => format!("the plan {path} cannot be read: {why}"),
        })
    })?;
    Document::read_saved(&bytes).map_err(|error| {
        let finding = Finding::error("plan", format!("{} cannot be used: {error}", path.display()));
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        let named = format!("to name a manifest, use `-f {}`", path.display());
        Box::new(finding.help(if is_yaml { named } else { "make a new one with `brandctl plan -o`".to_owned() }))
    })
}

/// A run with its plan and the old images in its folder.
pub(super) fn kept_run(run: StoredRun) -> Result<KeptRun, Box<Finding>> {
    let document = run.plan().map_err(|error| not_a_run(run.folder(), &error))?;
    let old = run.old_images_of(&document).map_err(|error| not_a_run(run.folder(), &error))?;
    let plan = document.plan(old).map_err(|error| not_a_run(run.folder(), &error))?;
    Ok(KeptRun { document, plan, folder: run.folder().to_owned(), state: run.state })
}

fn not_a_run(folder: &Path, why: &dyn fmt::Display) -> Box<Finding> {
    unreadable(&format!("{} is not a run's folder: {why}", folder.display()))
}

fn cannot_be_read(path: &Path, error: &io::Error) -> Box<Finding> {
    unreadable(&format!("{} cannot be read: {}", path.display(), plain(error)))
}

fn not_readable(root: &Path, error: &io::Error) -> Box<Finding> {
    unreadable(&format!("the state folder {} cannot be read: {error}", root.display()))
}

fn unreadable(message: &str) -> Box<Finding> {
    Box::new(Finding::error("run", message))
}
