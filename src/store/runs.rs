//! Run folders: `runs/<run id>/` with the plan, the old images, the journal and, at the end, the report. A run's folder
//! needs nothing outside it.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::files::{Durability, FileKind, Folder, FolderItem, JournalFile};
use super::past_run::past_run;
use super::state_dir::StateDir;
use crate::domain::asset::Digest;
use crate::domain::guard::ApprovedPlan;
use crate::domain::journal::{Entry, FORMAT_VERSION, Line, RunState};
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

/// The largest plan that is read, saved or of a run, in bytes.
pub(crate) const MAX_PLAN_BYTES: u64 = 512 * 1024 * 1024;

/// The largest journal that is read, in bytes.
const MAX_JOURNAL_BYTES: u64 = MAX_PLAN_BYTES;

/// The largest old image that is read, in bytes.
const MAX_IMAGE_BYTES: u64 = 64 * 1024 * 1024;

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
        all(&self.state.folder().child(RUNS))
    }

    /// The newest runs on the portal, the newest first. A run whose plan cannot be read is left out.
    pub(crate) fn record(&self) -> Vec<PastRun> {
        /// How many runs are looked at.
        const MAX_RUNS: usize = 50;
        let runs = self.all().unwrap_or_default();
        runs.iter().rev().take(MAX_RUNS).filter_map(|run| Some(past_run(&run.state, &run.plan().ok()?))).collect()
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
        run.write(&[Entry::Begin {
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

    fn append(&self, run: &RunState, entries: &[Entry]) -> io::Result<()> {
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

    fn close(&self, run: &RunState, entries: &[Entry]) -> Result<(), StoreError> {
        self.append(run, entries).map_err(|error| unusable(self.state.path(), &error))
    }
}

fn unusable(path: &Path, error: &io::Error) -> StoreError {
    StoreError(format!("{}: {error}", path.display()))
}

/// Every run below `runs` that has a journal, the oldest first.
fn all(runs: &Folder) -> io::Result<Vec<StoredRun>> {
    let mut names = Vec::new();
    for item in items(runs)? {
        let item = item?;
        // A link is not passed over in silence: reading it fails.
        if matches!(item.kind(), Some(FileKind::Folder | FileKind::Link)) {
            names.push(item.name());
        }
    }
    names.sort();
    names.iter().filter_map(|name| StoredRun::read(runs.child(name)).transpose()).collect()
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
    let mut found = Vec::new();
    for portal in items(&Folder::at(root))? {
        let runs = Folder::of_state(root.join(portal?.name())).child(RUNS);
        if runs.is_there() {
            found.extend(all(&runs)?);
        }
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
        if let Ok(Line { entry: Entry::Begin { format_version, .. }, .. }) = serde_json::from_slice(first)
            && format_version != FORMAT_VERSION
        {
            let folder = folder.path().display();
            let what = format!("{folder} is of format {format_version}; this program reads {FORMAT_VERSION}");
            return Err(io::Error::other(what));
        }
        // What a kill or a full disk tore is not a line; what it says of requests, the lines before it said already.
        let lines = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        Ok(RunState::fold(lines).map(|state| Self { folder, state }))
    }

    /// The path of its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The plan of the run.
    ///
    /// # Errors
    /// When its plan cannot be read.
    pub fn plan(&self) -> io::Result<Document> {
        Ok(serde_json::from_slice(&self.folder.read(PLAN, MAX_PLAN_BYTES)?)?)
    }

    /// The old images in its folder.
    ///
    /// # Errors
    /// When one cannot be read, or is not what its name says.
    pub fn old_images(&self) -> io::Result<Contents> {
        let old = self.folder.child(OLD);
        let mut contents = Contents::new();
        for item in old.items()? {
            let name = item?.name();
            let Some(name) = name.to_str() else { continue };
            let Some(digest) = Path::new(name).file_stem().and_then(|stem| stem.to_str()?.parse::<Digest>().ok())
            else {
                continue;
            };
            let bytes = old.read(name, MAX_IMAGE_BYTES)?;
            if Digest::of(&bytes) != digest {
                return Err(io::Error::other(format!("{} was altered", old.path_of(name).display())));
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
    fn write(&self, entries: &[Entry]) -> io::Result<()> {
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

    fn append_all(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.write(entries).map_err(|error| unusable(self.folder.path(), &error))
    }
}
