//! Run folders: `runs/<run id>/` with the plan, the old images, the journal and, at the end, the report. A run's folder
//! needs nothing outside it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use super::files::{Durability, FileKind, Folder, FolderItem, is_unexpected, unexpected};
use super::past_run::past_run;
use super::run_folder::{JOURNAL, MAX_JOURNAL_BYTES, OLD, PLAN, PreparedFolder, RunFolder, read_copy, unusable};
use super::state_dir::{Existing, StateDir, existing, folder_name, look_through};
use crate::domain::asset::Digest;
use crate::domain::guard::ApprovedPlan;
use crate::domain::journal::{FORMAT_VERSION, JournalEntry, Line, RunState};
use crate::domain::origin::PastRun;
use crate::domain::plan::Contents;
use crate::format::{Document, Published};
use crate::ops::ports::{OpenRun, PreparedRun, Runs, StoreError};

/// The file that says what became of a run, in its folder.
const REPORT: &str = "report.json";

/// The folder of the runs in the state folder.
const RUNS: &str = "runs";

/// The largest plan that is read, in bytes: that of a hundred thousand changes.
const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024;

/// The runs of one portal.
#[derive(Debug)]
pub struct RunStore {
    state: StateDir,
    commit: Option<String>,
}

/// A run's folder, as it was found.
#[derive(Debug)]
pub struct StoredRun {
    folder: Folder,
    /// What its journal says.
    pub state: RunState,
}

impl RunStore {
    /// The runs in `state`. `commit` is noted in those that are begun through this value.
    #[must_use]
    pub const fn new(state: StateDir, commit: Option<String>) -> Self {
        Self { state, commit }
    }

    /// Every run with a journal, the oldest first.
    ///
    /// # Errors
    /// When the state folder cannot be read.
    pub fn all(&self) -> io::Result<Vec<StoredRun>> {
        if self.state.why_unread().is_some() {
            return Ok(Vec::new());
        }
        let portal = self.state.portal();
        all(&self.state.folder().child(RUNS), |named| named == portal)
    }

    /// The newest runs on the portal, the newest first. A run whose plan cannot be read is left out.
    ///
    /// # Errors
    /// When a plan is another run's.
    pub(crate) fn record(&self) -> io::Result<Vec<PastRun>> {
        /// How many runs are looked at.
        const MAX_RUNS: usize = 50;
        let mut past = Vec::new();
        for run in self.all().unwrap_or_default().iter().rev().take(MAX_RUNS) {
            match run.plan() {
                Ok(plan) => past.push(past_run(&run.state, &plan)),
                Err(error) if is_unexpected(&error) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(past)
    }

    /// Writes what became of a run into its folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write_report(&self, run: &str, report: &Document) -> io::Result<()> {
        let folder = self.state.folder().child(RUNS).child(run);
        folder.replace(REPORT, &serde_json::to_vec_pretty(report)?, Durability::Synced)
    }
}

impl Runs for RunStore {
    fn prepare(&self, plan: &Published<ApprovedPlan>) -> Result<Box<dyn PreparedRun>, StoreError> {
        let runs = self.state.make(RUNS).map_err(|error| unusable(self.state.path(), &error))?;
        Ok(Box::new(PreparedFolder::make(runs, plan.document(), self.commit.clone())?))
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

    fn close(&self, run: &RunState, entries: &[JournalEntry]) -> Result<(), StoreError> {
        let folder = self.state.folder().child(RUNS).child(&run.run);
        RunFolder::open(folder, run.run.clone())
            .and_then(|run| run.write(entries))
            .map_err(|error| unusable(self.state.path(), &error))
    }
}

/// Every run below `runs` that has a journal, the oldest first. Each must be of a portal that is right.
fn all(runs: &Folder, is_right: impl Fn(&str) -> bool) -> io::Result<Vec<StoredRun>> {
    let mut names = Vec::new();
    for item in items(runs)? {
        let item = item?;
        // A link is not passed over in silence: reading it fails.
        if matches!(item.kind(), Some(FileKind::Folder | FileKind::Link)) {
            names.push(item.name());
        }
    }
    names.sort();
    let read = |name: &OsString| {
        let run = StoredRun::read(runs.child(name)).transpose()?;
        Some(run.and_then(|run| run.standing_at(name, &is_right)))
    };
    names.iter().filter_map(read).collect()
}

/// The items of a folder; nothing where it is missing.
fn items(folder: &Folder) -> io::Result<Vec<io::Result<FolderItem>>> {
    match folder.items() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        items => items.map(Iterator::collect),
    }
}

/// Every run of every portal below the state folder `root`, the oldest first.
///
/// # Errors
/// When the state folder cannot be read.
pub fn of_all_portals(root: &Path) -> io::Result<Vec<StoredRun>> {
    let existing = existing(root)?;
    let root = Folder::of_state(root);
    if let Existing::Unread(why) = existing
        && root.is_there()
    {
        let what = format!("its runs may have come with a commit ({why}): name a run's folder, or use --state-dir");
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
                return Err(unexpected(folder.path(), "is a link; state is kept in plain folders only"));
            }
            _ => continue,
        }
        look_through(&folder)?;
        found.extend(all(&folder.child(RUNS), |portal| OsStr::new(&folder_name(portal)) == name)?);
    }
    found.sort_by(|a, b| (&a.state.began, &a.state.run).cmp(&(&b.state.began, &b.state.run)));
    Ok(found)
}

/// The run in `folder`, as the user named it; `None` when it never began: then no request has left.
pub(crate) fn read(folder: &Path) -> io::Result<Option<StoredRun>> {
    StoredRun::read(Folder::at(folder))
}

impl StoredRun {
    fn read(folder: Folder) -> io::Result<Option<Self>> {
        let text = match folder.read(JOURNAL, MAX_JOURNAL_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let begins = serde_json::from_slice(first).ok().and_then(|Line { entry, .. }| match entry {
            JournalEntry::Begin { format_version, .. } => Some(format_version),
            _ => None,
        });
        if let Some(format_version) = begins
            && format_version != FORMAT_VERSION
        {
            let folder = folder.path().display();
            let what = format!("{folder} is of format {format_version}; this program reads {FORMAT_VERSION}");
            return Err(io::Error::other(what));
        }
        // Else nothing of it means anything, however long it is.
        if begins.is_none() {
            return Ok(None);
        }
        // What a kill or a full disk tore is not a line; what it says of requests, the lines before it said already.
        let lines = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        match RunState::fold(lines) {
            None => Err(unexpected(&folder.path_of(JOURNAL), "begins more than once")),
            Some(state) => Ok(Some(Self { folder, state })),
        }
    }

    /// The same run, if its id is the name of its folder and its portal is right: then it was begun there.
    fn standing_at(self, name: &OsStr, is_right: impl Fn(&str) -> bool) -> io::Result<Self> {
        let RunState { run, portal, .. } = &self.state;
        let journal = || self.folder.path_of(JOURNAL);
        if OsStr::new(run) != name {
            return Err(unexpected(&journal(), &format!("is the journal of another run, `{run}`")));
        }
        if !is_right(portal) {
            return Err(unexpected(&journal(), &format!("is the journal of a run on another portal, {portal}")));
        }
        Ok(self)
    }

    /// The path of its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The plan of the run.
    ///
    /// # Errors
    /// When its plan cannot be read, or is not the one that its journal speaks of.
    pub fn plan(&self) -> io::Result<Document> {
        let plan: Document = serde_json::from_slice(&self.folder.read(PLAN, MAX_FILE_BYTES)?)?;
        let planned = plan.changes.iter().map(|change| change.address.folded()).collect();
        let what = if plan.portal.as_ref() != Some(&self.state.portal) {
            "is a plan for another portal than its run was on"
        } else if plan.digest()? != self.state.plan_sha256 {
            "is not the plan that its run began with"
        } else if !self.state.is_about(&planned) {
            "does not name an entry that its run's journal does"
        } else {
            return Ok(plan);
        };
        Err(unexpected(&self.folder.path_of(PLAN), what))
    }

    /// The old images in its folder.
    ///
    /// # Errors
    /// When one cannot be read, or is not what its name says.
    pub fn old_images(&self) -> io::Result<Contents> {
        self.old_images_of(&self.plan()?)
    }

    /// The old images in its folder that `plan`, its plan, speaks of.
    pub(crate) fn old_images_of(&self, plan: &Document) -> io::Result<Contents> {
        let old = self.folder.child(OLD);
        let digests: BTreeSet<Digest> =
            plan.changes.iter().filter_map(|change| Some(change.before.as_ref()?.content.as_ref()?.sha256)).collect();
        let mut contents = Contents::new();
        for digest in digests {
            if let Some(bytes) = read_copy(&old, digest)? {
                contents.insert(digest, bytes);
            }
        }
        Ok(contents)
    }
}
