//! Run folders: `runs/<run id>/` with the plan, the old images and the journal. A run's folder needs nothing outside it.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::atomic;
use super::state_dir::StateDir;
use crate::domain::document::Document;
use crate::domain::journal::{Entry, FORMAT_VERSION};
use crate::domain::plan::Contents;
use crate::ops::ports::{Journal, Runs, StoreError};

/// The runs of one portal.
#[derive(Debug)]
pub struct RunStore {
    state: StateDir,
}

impl RunStore {
    /// The runs in `state`.
    #[must_use]
    pub const fn new(state: StateDir) -> Self {
        Self { state }
    }

    fn create(&self, plan: &Document, old: &Contents) -> io::Result<RunFolder> {
        let runs = self.state.make("runs")?;
        let (id, folder) = fresh(&runs)?;
        let images = folder.join("old");
        std::fs::create_dir(&images)?;
        let images = &images;
        old.par_iter().try_for_each(|(digest, bytes)| {
            let mut file = File::create_new(images.join(format!("{digest}.png")))?;
            file.write_all(bytes)?;
            file.sync_all()
        })?;
        atomic::sync_folder(images)?;
        atomic::write(&folder.join("plan.json"), &serde_json::to_vec_pretty(plan)?)?;
        let journal = OpenOptions::new().create_new(true).append(true).open(folder.join("journal.jsonl"))?;
        let run = RunFolder { id: id.clone(), folder: folder.clone(), journal: RefCell::new(journal) };
        let portal = plan.portal.clone().unwrap_or_default();
        let plan_sha256 = plan.plan_sha256.map_or_else(|| plan.digest(), Ok)?;
        run.write(&Entry::Begin { format_version: FORMAT_VERSION, run: id, portal, plan_sha256 })?;
        atomic::sync_folder(&folder)?;
        atomic::sync_folder(&runs)?;
        Ok(run)
    }
}

impl Runs for RunStore {
    fn begin(&self, plan: &Document, old: &Contents) -> Result<Box<dyn Journal>, StoreError> {
        self.create(plan, old)
            .map(|run| Box::new(run) as Box<dyn Journal>)
            .map_err(|error| StoreError(format!("{}: {error}", self.state.path().display())))
    }
}

/// Writes what became of a run into its folder.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_report(folder: &Path, report: &Document) -> io::Result<()> {
    atomic::write(&folder.join("report.json"), &serde_json::to_vec_pretty(report)?)
}

/// Makes a new folder named after the present second; a second run in it gets a number.
fn fresh(runs: &Path) -> io::Result<(String, PathBuf)> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut id = now.clone();
    for number in 2.. {
        let folder = runs.join(&id);
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok((id, folder)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                id = format!("{now}-{number}")
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("no free run id"))
}

/// One run's folder.
#[derive(Debug)]
struct RunFolder {
    id: String,
    folder: PathBuf,
    journal: RefCell<File>,
}

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    #[serde(flatten)]
    entry: &'a Entry,
}

impl RunFolder {
    fn write(&self, entry: &Entry) -> io::Result<()> {
        let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let mut line = serde_json::to_vec(&Line { at, entry })?;
        line.push(b'\n');
        let mut journal = self.journal.borrow_mut();
        journal.write_all(&line)?;
        journal.sync_data()
    }
}

impl Journal for RunFolder {
    fn id(&self) -> &str {
        &self.id
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn append(&self, entry: &Entry) -> Result<(), StoreError> {
        self.write(entry).map_err(|error| StoreError(format!("{}: {error}", self.folder.display())))
    }
}
