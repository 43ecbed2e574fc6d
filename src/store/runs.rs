//! Run folders: `runs/<run id>/` with the plan, the old images, the journal and, at the end, the report. A run's folder
//! needs nothing outside it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::files::{Durability, FileKind, Folder, FolderItem, JournalFile, is_unexpected, unexpected};
use super::past_run::past_run;
use super::state_dir::{Existing, StateDir, existing, folder_name, look_through};
use crate::domain::asset::Digest;
use crate::domain::guard::ApprovedPlan;
use crate::domain::journal::{FORMAT_VERSION, JournalEntry, Line, RunState};
use crate::domain::origin::PastRun;
use crate::domain::plan::Contents;
use crate::format::{Document, Published};
use crate::ops::ports::{Journal, OpenRun, Runs, StoreError};

/// The files of a run's folder, and the folder of the old images in it.
const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal.jsonl";
const REPORT: &str = "report.json";
const OLD: &str = "old";

/// The folder of the runs in the state folder.
const RUNS: &str = "runs";

/// The largest journal that is read, in bytes: more than that of a run with a hundred thousand steps.
const MAX_JOURNAL_BYTES: u64 = 32 * 1024 * 1024;

/// The largest plan that is read, in bytes: that of a hundred thousand changes.
const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024;

/// The largest old image that is read, in bytes: no larger one is downloaded.
const MAX_IMAGE_BYTES: u64 = 1024 * 1024;

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

    fn create(&self, plan: &Document, old: &Contents) -> io::Result<RunFolder> {
        let runs = self.state.make(RUNS)?;
        let (id, folder) = fresh(&runs)?;
        let images = folder.child(OLD);
        images.make()?;
        old.par_iter().try_for_each(|(digest, bytes)| images.write_new(&format!("{digest}.png"), bytes))?;
        images.sync()?;
        folder.replace(PLAN, &serde_json::to_vec_pretty(plan)?, Durability::Synced)?;
        let journal = folder.new_journal(JOURNAL)?;
        let run = RunFolder { id: id.clone(), folder, journal: RefCell::new(journal), torn: Cell::new(false) };
        run.write(&[JournalEntry::Begin {
            format_version: FORMAT_VERSION,
            run: id,
            portal: plan.portal.clone().unwrap_or_default(),
            plan_sha256: plan.plan_sha256.map_or_else(|| plan.digest(), Ok)?,
            commit: self.commit.clone(),
        }])?;
        run.folder.sync()?;
        runs.sync()?;
        Ok(run)
    }

    fn append(&self, run: &RunState, entries: &[JournalEntry]) -> io::Result<()> {
        let folder = self.state.folder().child(RUNS).child(&run.run);
        let journal = folder.journal(JOURNAL)?;
        // A line that a kill tore must not be continued by the next one.
        let torn = Cell::new(!folder.read(JOURNAL, MAX_JOURNAL_BYTES)?.ends_with(b"\n"));
        RunFolder { id: run.run.clone(), folder, journal: RefCell::new(journal), torn }.write(entries)
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
    fn begin(&self, plan: &Published<ApprovedPlan>) -> Result<Box<dyn Journal>, StoreError> {
        let run = self
            .create(plan.document(), &plan.plan().plan().old_images())
            .map_err(|error| unusable(self.state.path(), &error))?;
        Ok(Box::new(run))
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
        self.append(run, entries).map_err(|error| unusable(self.state.path(), &error))
    }
}

fn unusable(path: &Path, error: &io::Error) -> StoreError {
    StoreError(format!("{}: {error}", path.display()))
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
            let name = format!("{digest}.png");
            let bytes = match old.read(&name, MAX_IMAGE_BYTES) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                bytes => bytes?,
            };
            if Digest::of(&bytes) != digest {
                return Err(unexpected(&old.path_of(name), "was altered"));
            }
            contents.insert(digest, Arc::from(bytes));
        }
        Ok(contents)
    }
}

/// Makes a new folder named after the present second; a second run in it gets a number.
fn fresh(runs: &Folder) -> io::Result<(String, Folder)> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut id = now.clone();
    for number in 2..1000 {
        let folder = runs.child(&id);
        match folder.make() {
            Ok(()) => return Ok((id, folder)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => id = format!("{now}-{number:03}"),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("a thousand runs in one second"))
}

/// One run's folder, open for writing.
#[derive(Debug)]
struct RunFolder {
    id: String,
    folder: Folder,
    journal: RefCell<JournalFile>,
    /// Whether the last line may lack its end: what follows it begins a line of its own.
    torn: Cell<bool>,
}

impl RunFolder {
    fn write(&self, entries: &[JournalEntry]) -> io::Result<()> {
        let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let mut lines = if self.torn.replace(true) { b"\n".to_vec() } else { Vec::new() };
        for entry in entries {
            serde_json::to_writer(&mut lines, &Line { at: at.clone(), entry: entry.clone() })?;
            lines.push(b'\n');
        }
        self.journal.borrow_mut().append(&lines)?;
        self.torn.set(false);
        Ok(())
    }
}

impl Journal for RunFolder {
    fn id(&self) -> &str {
        &self.id
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn append_all(&self, entries: &[JournalEntry]) -> Result<(), StoreError> {
        self.write(entries).map_err(|error| unusable(self.folder.path(), &error))
    }
}
