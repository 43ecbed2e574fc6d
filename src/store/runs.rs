//! Run folders: `runs/<run id>/` with the plan, the old images, the journal and, at the end, the report. A run's folder
//! is complete in itself.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path};
use std::rc::Rc;

use super::budget::ReadingBudget;
use super::files::{Durability, FileKind, Folder, FolderItem, is_unexpected, unexpected};
use super::past_run::past_run;
pub use super::run_folder::Clock;
use super::run_folder::{PreparedFolder, RunFolder, RunOrigin, unusable};
use super::state_dir::{Existing, StateDir, existing, folder_name, look_through};
pub use super::stored_run::StoredRun;
pub(crate) use super::stored_run::read;
use crate::domain::guard::ApprovedPlan;
use crate::domain::journal::{JournalEntry, RunCommand, RunState};
use crate::domain::origin::PastRun;
use crate::domain::plan::Contents;
use crate::format::{Document, Published};
use crate::ops::ports::{OpenRun, PreparedRun, Runs, StoreError};

/// The report in a run's folder.
const REPORT: &str = "report.json";

/// The folder of the runs in the state folder.
const RUNS: &str = "runs";

/// The runs of one portal.
#[derive(Debug)]
pub struct RunStore {
    state: StateDir,
    origin: RunOrigin,
    clock: Clock,
}

/// The runs that were found, and the reason for each one that cannot be read.
pub type FoundRuns = Vec<io::Result<StoredRun>>;

impl RunStore {
    /// The runs in `state`. `commit` is recorded in runs that are begun through this value.
    #[must_use]
    pub const fn new(state: StateDir, commit: Option<String>) -> Self {
        Self { state, origin: RunOrigin { commit, command: None }, clock: jiff::Timestamp::now }
    }

    /// The same runs; `command` is recorded in runs that are begun through this value.
    #[must_use]
    pub fn made_by(mut self, command: RunCommand) -> Self {
        self.origin.command = Some(command);
        self
    }

    /// The same runs, whose journals get their times from a clock other than the machine's.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Every run that began, the oldest first.
    ///
    /// # Errors
    /// When the state folder or a run in it cannot be read.
    pub fn all(&self) -> io::Result<Vec<StoredRun>> {
        if self.state.why_unread().is_some() {
            return Ok(Vec::new());
        }
        let found = all(&self.runs(), |named| self.is_right(named), &ReadingBudget::new(self.state.reading_end()))?;
        found.into_iter().collect()
    }

    /// The newest runs on the portal, the newest first, as far as they can be read: they are only used to say who
    /// changed what.
    ///
    /// # Errors
    /// When a plan belongs to another run.
    pub(crate) fn record(&self) -> io::Result<Vec<PastRun>> {
        /// How many runs are read.
        const MAX_RUNS: usize = 50;
        let mut past = Vec::new();
        if self.state.why_unread().is_some() {
            return Ok(past);
        }
        let (runs, budget) = (self.runs(), ReadingBudget::new(self.state.reading_end()));
        for name in names(&runs).unwrap_or_default().iter().rev() {
            if past.len() == MAX_RUNS || budget.is_spent() {
                break;
            }
            let Ok(Some(run)) = StoredRun::standing_at(&runs, name, |named| self.is_right(named), &budget) else {
                continue;
            };
            match run.plan() {
                Ok(plan) => past.push(past_run(&run.state, &plan)),
                Err(error) if is_unexpected(&error) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(past)
    }

    fn runs(&self) -> Folder {
        self.state.folder().child(RUNS)
    }

    fn is_right(&self, portal: &str) -> bool {
        portal == self.state.portal()
    }

    /// Writes the report of a run into its folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_report(&self, run: &str, report: &Document) -> io::Result<()> {
        let folder = self.runs().child(run);
        folder.replace(REPORT, &serde_json::to_vec_pretty(report)?, Durability::Synced)
    }
}

impl Runs for RunStore {
    fn prepare(&self, plan: &Published<ApprovedPlan>) -> Result<Box<dyn PreparedRun>, StoreError> {
        let runs = self.state.make(RUNS).map_err(|error| unusable(self.state.path(), &error))?;
        Ok(Box::new(PreparedFolder::make(runs, plan.document(), self.origin.clone(), self.clock)?))
    }

    fn open(&self) -> Result<Vec<OpenRun>, StoreError> {
        let runs = self.all().map_err(|error| unusable(self.state.path(), &error))?;
        runs.into_iter()
            .filter(|run| run.state.ended.is_none())
            .map(|run| {
                let plan = run.plan().and_then(|plan| plan.plan(Contents::new()).map_err(io::Error::other));
                let changes = plan.map_err(|error| unusable(run.folder(), &error))?.diff.changes;
                Ok(OpenRun { state: run.state, changes })
            })
            .collect()
    }

    fn append(&self, run: &RunState, entries: &[JournalEntry]) -> Result<(), StoreError> {
        let folder = self.runs().child(&run.run);
        RunFolder::open(folder, run.run.clone(), self.clock)
            .and_then(|run| run.write(entries))
            .map_err(|error| unusable(self.state.path(), &error))
    }
}

/// Every run below `runs` that began, the oldest first. Each must be on an accepted portal.
fn all(runs: &Folder, is_right: impl Fn(&str) -> bool, budget: &Rc<ReadingBudget>) -> io::Result<FoundRuns> {
    let mut found = Vec::new();
    for name in names(runs)? {
        let run = StoredRun::standing_at(runs, &name, &is_right, budget);
        if budget.is_spent() {
            return run.map(|_| found);
        }
        found.extend(run.transpose());
    }
    Ok(found)
}

/// The names of the folders below `runs`, the oldest first.
fn names(runs: &Folder) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for item in items(runs)? {
        let item = item?;
        // A link is not skipped silently: reading it fails.
        if matches!(item.kind(), Some(FileKind::Folder | FileKind::Link)) {
            names.push(item.name());
        }
    }
    names.sort();
    Ok(names)
}

/// The items of a folder; none if it is missing.
fn items(folder: &Folder) -> io::Result<Vec<io::Result<FolderItem>>> {
    match folder.items() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        items => items.map(Iterator::collect),
    }
}

/// Every run of every portal below the state folder `root`, the oldest first, preceded by the reasons for what cannot
/// be read.
///
/// # Errors
/// When the state folder cannot be read.
pub fn of_all_portals(root: &Path) -> io::Result<FoundRuns> {
    let (mut found, budget) = (Vec::new(), ReadingBudget::new(None));
    for (name, folder) in portals(root)? {
        found.extend(all(&folder.child(RUNS), |portal| OsStr::new(&folder_name(portal)) == name, &budget)?);
    }
    // By their names, which are in the order in which the runs were made, also where the clock was put back.
    let id = |run: &io::Result<StoredRun>| Some(run.as_ref().ok()?.state.run.clone());
    found.sort_by_cached_key(id);
    Ok(found)
}

/// The runs with this id, of any portal below the state folder `root`. Other runs are not read.
///
/// # Errors
/// When the state folder or such a run cannot be read.
pub(crate) fn with_id(root: &Path, id: &str) -> io::Result<Vec<StoredRun>> {
    let mut parts = Path::new(id).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Ok(Vec::new());
    }
    let (mut found, budget) = (Vec::new(), ReadingBudget::new(None));
    for (name, folder) in portals(root)? {
        let is_right = |portal: &str| OsStr::new(&folder_name(portal)) == name;
        found.extend(StoredRun::standing_at(&folder.child(RUNS), OsStr::new(id), is_right, &budget)?);
    }
    Ok(found)
}

/// The names of the runs' folders, of every portal below the state folder `root`, the newest first. The runs themselves
/// are not read.
pub(crate) fn ids(root: &Path) -> io::Result<Vec<OsString>> {
    let mut found = Vec::new();
    for (_, folder) in portals(root)? {
        found.extend(names(&folder.child(RUNS))?);
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

/// The newest run that is wanted, below the state folder `root`: of `portal`, or of any portal. Older runs are not read.
///
/// # Errors
/// When the state folder, or a run that is read, cannot be read.
pub(crate) fn newest(
    root: &Path,
    portal: Option<&str>,
    is_wanted: impl Fn(&RunState) -> bool,
) -> io::Result<Option<StoredRun>> {
    let (mut found, budget) = (Vec::new(), ReadingBudget::new(None));
    for (portal_name, folder) in portals(root)? {
        if portal.is_none_or(|portal| OsStr::new(&folder_name(portal)) == portal_name) {
            let runs = folder.child(RUNS);
            found.extend(names(&runs)?.into_iter().map(|run| (run, portal_name.clone(), runs.clone())));
        }
    }
    found.sort_by(|a, b| (&b.0, &b.1).cmp(&(&a.0, &a.1)));
    for (run, portal_name, runs) in found {
        let is_right = |named: &str| OsStr::new(&folder_name(named)) == portal_name;
        if let Some(run) = StoredRun::standing_at(&runs, &run, is_right, &budget)?
            && is_wanted(&run.state)
            && portal.is_none_or(|portal| run.state.portal == portal)
        {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// The folders of the portals below the state folder `root`, with their names.
fn portals(root: &Path) -> io::Result<Vec<(OsString, Folder)>> {
    let existing = existing(root)?;
    let root = Folder::of_state(root);
    if let Existing::Unread(why) = existing
        && root.is_there()
    {
        let what = format!("its runs may come from a commit ({why}): name a run's folder, or use --state-dir");
        return Err(io::Error::other(what));
    }
    let mut found = Vec::new();
    for portal in items(&root)? {
        let portal = portal?;
        let (name, kind) = (portal.name(), portal.kind());
        let folder = root.child(&name);
        match kind {
            Some(FileKind::Folder) => {}
            Some(FileKind::Link) => {
                return Err(unexpected(folder.path(), "is a link, and state is only kept in plain folders"));
            }
            _ => continue,
        }
        look_through(&folder)?;
        found.push((name, folder));
    }
    Ok(found)
}
