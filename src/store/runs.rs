//! Run folders: `runs/<run id>/` with the plan, the old images, the journal and, at the end, the report. A run's folder
//! needs nothing outside it.

use std::cell::{Cell, RefCell};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::atomic;
use super::past_run::past_run;
use super::state_dir::StateDir;
use crate::domain::asset::Digest;
use crate::domain::journal::{Entry, FORMAT_VERSION, Line, RunState};
use crate::domain::origin::PastRun;
use crate::domain::plan::Contents;
use crate::format::Document;
use crate::ops::ports::{Journal, OpenRun, Runs, StoreError};

const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal.jsonl";
const OLD: &str = "old";
const REPORT: &str = "report.json";

/// The runs of one portal.
#[derive(Debug)]
pub struct RunStore {
    state: StateDir,
    commit: Option<String>,
}

/// A run's folder, as it was found.
#[derive(Debug)]
pub struct StoredRun {
    /// Its folder.
    pub folder: PathBuf,
    /// What its journal says.
    pub state: RunState,
}

impl RunStore {
    /// The runs in `state`. `commit` is noted with the runs that begin from here on.
    #[must_use]
    pub const fn new(state: StateDir, commit: Option<String>) -> Self {
        Self { state, commit }
    }

    /// Every run with a journal, the oldest first.
    ///
    /// # Errors
    /// When the state folder cannot be read.
    pub fn all(&self) -> io::Result<Vec<StoredRun>> {
        all(&self.state.inside("runs")?)
    }

    /// What the newest runs did to the portal, the newest first. One whose plan cannot be read says nothing.
    #[must_use]
    pub fn record(&self) -> Vec<PastRun> {
        /// The most runs that are looked at.
        const MOST: usize = 50;
        let runs = self.all().unwrap_or_default();
        runs.iter().rev().take(MOST).filter_map(|run| Some(past_run(&run.state, &plan(&run.folder).ok()?))).collect()
    }

    fn create(&self, plan: &Document, old: &Contents) -> io::Result<RunFolder> {
        let runs = self.state.make("runs")?;
        let (id, folder) = fresh(&runs)?;
        let images = folder.join(OLD);
        fs::create_dir(&images)?;
        old.par_iter().try_for_each(|(digest, bytes)| {
            let mut file = File::create_new(image(&images, *digest))?;
            file.write_all(bytes)?;
            file.sync_all()
        })?;
        atomic::sync_folder(&images)?;
        atomic::write(&folder.join(PLAN), &serde_json::to_vec_pretty(plan)?)?;
        let journal = OpenOptions::new().create_new(true).append(true).open(folder.join(JOURNAL))?;
        let run = RunFolder { id: id.clone(), folder, journal: RefCell::new(journal), torn: Cell::new(false) };
        run.write(&[Entry::Begin {
            format_version: FORMAT_VERSION,
            run: id,
            portal: plan.portal.clone().unwrap_or_default(),
            plan_sha256: plan.plan_sha256.map_or_else(|| plan.digest(), Ok)?,
            commit: self.commit.clone(),
        }])?;
        atomic::sync_folder(&run.folder)?;
        atomic::sync_folder(&runs)?;
        Ok(run)
    }

    fn reopen(run: StoredRun) -> io::Result<OpenRun> {
        let changes = plan(&run.folder)?.plan(Contents::new()).map_err(io::Error::other)?.diff.changes;
        Ok(OpenRun { state: run.state, changes })
    }

    fn append(&self, run: &RunState, entries: &[Entry]) -> io::Result<()> {
        let folder = self.state.inside(&format!("runs/{}", run.run))?;
        let journal = OpenOptions::new().append(true).open(folder.join(JOURNAL))?;
        // A line that a kill tore must not be continued by the next one.
        let torn = Cell::new(!fs::read(folder.join(JOURNAL))?.ends_with(b"\n"));
        RunFolder { id: run.run.clone(), folder, journal: RefCell::new(journal), torn }.write(entries)
    }
}

impl Runs for RunStore {
    fn begin(&self, plan: &Document, old: &Contents) -> Result<Box<dyn Journal>, StoreError> {
        let run = self.create(plan, old).map_err(|error| unusable(self.state.path(), &error))?;
        Ok(Box::new(run))
    }

    fn open(&self) -> Result<Vec<OpenRun>, StoreError> {
        let runs = self.all().map_err(|error| unusable(self.state.path(), &error))?;
        runs.into_iter()
            .filter(|run| run.state.ended.is_none())
            .map(|run| {
                let folder = run.folder.clone();
                Self::reopen(run).map_err(|error| unusable(&folder, &error))
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
fn all(runs: &Path) -> io::Result<Vec<StoredRun>> {
    let entries = match fs::read_dir(runs) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    folders.sort();
    folders.iter().filter(|folder| folder.is_dir()).filter_map(|folder| read(folder).transpose()).collect()
}

/// Every run of every portal below the state folder `root`, the oldest first.
///
/// # Errors
/// When the state folder cannot be read.
pub fn of_all_portals(root: &Path) -> io::Result<Vec<StoredRun>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let runs = entry?.path().join("runs");
        if runs.is_dir() {
            found.extend(all(&runs)?);
        }
    }
    found.sort_by(|a, b| (&a.state.began, &a.state.run).cmp(&(&b.state.began, &b.state.run)));
    Ok(found)
}

/// The run in `folder`; `None` when it never began: then no request has left.
///
/// # Errors
/// When its journal cannot be read, or is of another format: what it did is then not known.
pub fn read(folder: &Path) -> io::Result<Option<StoredRun>> {
    let text = match fs::read(folder.join(JOURNAL)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if let Ok(Line { entry: Entry::Begin { format_version, .. }, .. }) = serde_json::from_slice(first)
        && format_version != FORMAT_VERSION
    {
        let what = format!("{} is of format {format_version}; this program reads {FORMAT_VERSION}", folder.display());
        return Err(io::Error::other(what));
    }
    // What a kill or a full disk tore is no line; what it says of requests, the lines before it said already.
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    Ok(RunState::fold(lines).map(|state| StoredRun { folder: folder.to_owned(), state }))
}

/// What the run in `folder` was to do.
///
/// # Errors
/// When its plan cannot be read.
pub fn plan(folder: &Path) -> io::Result<Document> {
    Ok(serde_json::from_slice(&fs::read(folder.join(PLAN))?)?)
}

/// The old images in a run's folder.
///
/// # Errors
/// When one cannot be read, or is not what its name says.
pub fn old_images(folder: &Path) -> io::Result<Contents> {
    let mut contents = Contents::new();
    for entry in fs::read_dir(folder.join(OLD))? {
        let path = entry?.path();
        let Some(digest) = path.file_stem().and_then(|stem| stem.to_str()?.parse::<Digest>().ok()) else { continue };
        let bytes = fs::read(&path)?;
        if Digest::of(&bytes) != digest {
            return Err(io::Error::other(format!("{} was altered", path.display())));
        }
        contents.insert(digest, Arc::from(bytes));
    }
    Ok(contents)
}

fn image(folder: &Path, digest: Digest) -> PathBuf {
    folder.join(format!("{digest}.png"))
}

/// Writes what became of a run into its folder.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_report(folder: &Path, report: &Document) -> io::Result<()> {
    atomic::write(&folder.join(REPORT), &serde_json::to_vec_pretty(report)?)
}

/// Makes a new folder named after the present second; a second run in it gets a number.
fn fresh(runs: &Path) -> io::Result<(String, PathBuf)> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut id = now.clone();
    for number in 2..1000 {
        let folder = runs.join(&id);
        match fs::create_dir(&folder) {
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
    folder: PathBuf,
    journal: RefCell<File>,
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
        let mut journal = self.journal.borrow_mut();
        journal.write_all(&lines)?;
        journal.sync_data()?;
        self.torn.set(false);
        Ok(())
    }
}

impl Journal for RunFolder {
    fn id(&self) -> &str {
        &self.id
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn append_all(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.write(entries).map_err(|error| unusable(&self.folder, &error))
    }
}
