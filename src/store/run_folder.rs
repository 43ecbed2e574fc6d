//! The folder of a run that is being written: the plan and the copies of the old images first, then the journal.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use super::budget::MAX_JOURNAL_BYTES;
use super::files::{Durability, Folder, JournalFile, unexpected};
use crate::domain::asset::Digest;
use crate::domain::journal::{FORMAT_VERSION, JournalEntry, Line, MAX_LINE_BYTES, RunCommand};
use crate::domain::plan::Contents;
use crate::format::Document;
use crate::ops::ports::{Journal, PreparedRun, StoreError};

/// The plan of a run, in its folder.
pub(super) const PLAN: &str = "plan.json";

/// The journal of a run, in its folder.
pub(super) const JOURNAL: &str = "journal.jsonl";

/// The folder of the old images, in that of a run.
pub(super) const OLD: &str = "old";

/// The largest old image that is read, in bytes: larger ones are not downloaded.
const MAX_IMAGE_BYTES: u64 = 1024 * 1024;

/// The name of the copy of an old image.
fn copy_name(digest: Digest) -> String {
    format!("{digest}.png")
}

/// A copy in a folder of copies; `None` where there is none.
pub(super) fn read_copy(copies: &Folder, digest: Digest) -> io::Result<Option<Arc<[u8]>>> {
    let name = copy_name(digest);
    match copies.read(&name, MAX_IMAGE_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(bytes) if Digest::of(&bytes) == digest => Ok(Some(Arc::from(bytes))),
        Ok(_) => Err(unexpected(&copies.path_of(name), "was altered")),
    }
}

/// The clock that names runs and stamps the lines of their journals.
pub type Clock = fn() -> Timestamp;

pub(super) fn unusable(path: &Path, error: &io::Error) -> StoreError {
    StoreError(format!("{}: {error}", path.display()))
}

/// The form of a run's id.
const ID: &str = "%Y%m%dT%H%M%SZ";

/// Creates a new folder named after the current second; a second run in the same second gets a number. Runs are ordered
/// by their names, so if the clock was set back, the newest run's second is used.
fn fresh(runs: &Folder, clock: Clock) -> io::Result<(String, Folder)> {
    let now = clock().strftime(ID).to_string();
    match newest_second(runs)?.filter(|newest| *newest > now) {
        // A clock that is far behind would use up all numbers.
        Some(newest) => numbered(runs, &newest).or_else(|_| numbered(runs, &now)),
        None => numbered(runs, &now),
    }
}

/// The second after which the newest run is named.
fn newest_second(runs: &Folder) -> io::Result<Option<String>> {
    let mut newest = None;
    for item in runs.items()? {
        let name = item?.name();
        let second = name.to_str().and_then(|name| name.get(..16));
        if let Some(second) = second.filter(|second| jiff::civil::DateTime::strptime(ID, second).is_ok()) {
            newest = newest.max(Some(second.to_owned()));
        }
    }
    Ok(newest)
}

/// Makes a new folder named after a second.
fn numbered(runs: &Folder, now: &str) -> io::Result<(String, Folder)> {
    let mut id = now.to_owned();
    for number in 2..1000 {
        let folder = runs.child(&id);
        match folder.make() {
            Ok(()) => return Ok((id, folder)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => id = format!("{now}-{number:03}"),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are already a thousand runs from this second"))
}

/// The origin of a run, for the first line of its journal.
#[derive(Debug, Clone, Default)]
pub(super) struct RunOrigin {
    /// The commit of the manifest's repository.
    pub(super) commit: Option<String>,
    pub(super) command: Option<RunCommand>,
}

/// A run's folder, before the run begins.
#[derive(Debug)]
pub(super) struct PreparedFolder {
    id: String,
    /// The folder of the runs.
    runs: Folder,
    folder: Folder,
    /// The first line of the journal.
    begin: JournalEntry,
    clock: Clock,
    has_begun: bool,
}

impl PreparedFolder {
    /// Creates the folder of a new run in `runs`, with its plan in it.
    pub(super) fn make(runs: Folder, plan: &Document, origin: RunOrigin, clock: Clock) -> Result<Self, StoreError> {
        let at = runs.path().to_owned();
        Self::try_make(runs, plan, origin, clock).map_err(|error| unusable(&at, &error))
    }

    fn try_make(runs: Folder, plan: &Document, origin: RunOrigin, clock: Clock) -> io::Result<Self> {
        let plan_sha256 = plan.plan_sha256.map_or_else(|| plan.digest(), Ok)?;
        let (id, folder) = fresh(&runs, clock)?;
        let portal = plan.portal.clone().unwrap_or_default();
        let RunOrigin { commit, command } = origin;
        let (format_version, run) = (FORMAT_VERSION, id.clone());
        let begin = JournalEntry::Begin { format_version, run, portal, plan_sha256, commit, command };
        let prepared = Self { id, runs, folder, begin, clock, has_begun: false };
        prepared.folder.child(OLD).make()?;
        prepared.folder.replace(PLAN, &serde_json::to_vec_pretty(plan)?, Durability::Synced)?;
        Ok(prepared)
    }

    fn try_begin(&mut self) -> io::Result<RunFolder> {
        self.folder.child(OLD).sync()?;
        let journal = RefCell::new(self.folder.new_journal(JOURNAL)?);
        // From here on the folder counts as a run.
        self.has_begun = true;
        let (id, folder, clock) = (self.id.clone(), self.folder.clone(), self.clock);
        let run = RunFolder { id, folder, journal, clock, torn: Cell::new(false) };
        run.write(std::slice::from_ref(&self.begin))?;
        run.folder.sync()?;
        self.runs.sync()?;
        Ok(run)
    }

    fn remove(&self) -> io::Result<()> {
        let copies = self.folder.child(OLD);
        for copy in copies.items()? {
            if let Some(name) = copy?.name().to_str() {
                copies.remove(name)?;
            }
        }
        copies.remove_folder()?;
        self.folder.remove(PLAN)?;
        self.folder.remove_folder()
    }
}

impl PreparedRun for PreparedFolder {
    fn keep(&self, copies: &Contents) -> Result<(), StoreError> {
        let folder = self.folder.child(OLD);
        copies
            .par_iter()
            .try_for_each(|(digest, bytes)| folder.write_new(&copy_name(*digest), bytes))
            .map_err(|error| unusable(self.folder.path(), &error))
    }

    fn begin(mut self: Box<Self>) -> Result<Box<dyn Journal>, StoreError> {
        match self.try_begin() {
            Ok(run) => Ok(Box::new(run)),
            Err(error) => Err(unusable(self.folder.path(), &error)),
        }
    }
}

impl Drop for PreparedFolder {
    fn drop(&mut self) {
        if !self.has_begun {
            // If it cannot be removed, a folder without a journal remains, which does not count as a run.
            let _ = self.remove();
        }
    }
}

/// One run's folder, open for writing.
#[derive(Debug)]
pub(super) struct RunFolder {
    id: String,
    folder: Folder,
    journal: RefCell<JournalFile>,
    clock: Clock,
    /// Whether the last line may be incomplete: then the next write begins a new line.
    torn: Cell<bool>,
}

impl RunFolder {
    /// Opens the journal of a run that has begun.
    pub(super) fn open(folder: Folder, id: String, clock: Clock) -> io::Result<Self> {
        let journal = folder.journal(JOURNAL)?;
        // The next line must not continue a line that was torn by a kill.
        let torn = Cell::new(!folder.read(JOURNAL, MAX_JOURNAL_BYTES)?.ends_with(b"\n"));
        Ok(Self { id, folder, journal: RefCell::new(journal), clock, torn })
    }

    pub(super) fn write(&self, entries: &[JournalEntry]) -> io::Result<()> {
        let at = (self.clock)().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let mut lines = if self.torn.replace(true) { b"\n".to_vec() } else { Vec::new() };
        for entry in entries {
            let line = serde_json::to_vec(&Line { at: at.clone(), entry: entry.clone().shortened() })?;
            if line.len() >= MAX_LINE_BYTES {
                // It could not be read back. Before a request, this error keeps the request from being sent.
                return Err(io::Error::other("a line of the journal would be too long"));
            }
            lines.extend(line);
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

    fn copy(&self, digest: Digest) -> Option<Arc<[u8]>> {
        read_copy(&self.folder.child(OLD), digest).ok().flatten()
    }

    fn append_all(&self, entries: &[JournalEntry]) -> Result<(), StoreError> {
        self.write(entries).map_err(|error| unusable(self.folder.path(), &error))
    }
}
