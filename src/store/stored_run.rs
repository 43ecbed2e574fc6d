//! The folder of a run that was begun: its journal, its plan, the old images. All of it is hostile input, and must
//! match the names of its files and folders.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::budget::ReadingBudget;
use super::files::{Folder, unexpected};
use super::run_folder::{JOURNAL, OLD, PLAN, read_copy};
use crate::domain::asset::Digest;
use crate::domain::journal::{Damage, Line, RunState};
use crate::domain::plan::Contents;
use crate::format::Document;

/// A run's folder, as it was found.
#[derive(Debug)]
pub struct StoredRun {
    folder: Folder,
    /// What its journal says.
    pub state: RunState,
    /// How much more may be read in its folder.
    budget: Rc<ReadingBudget>,
}

/// The run in `folder`, as the user named it; `None` when it never began: then no request was sent.
pub(crate) fn read(folder: &Path) -> io::Result<Option<StoredRun>> {
    StoredRun::read(Folder::at(folder), &ReadingBudget::new(None))
}

impl StoredRun {
    pub(super) fn read(folder: Folder, budget: &Rc<ReadingBudget>) -> io::Result<Option<Self>> {
        let (mut state, mut number, mut damage) = (None, 0, None);
        budget.read_lines(&folder, JOURNAL, |text| {
            number += 1;
            damage = take_up(&mut state, text).err();
            damage.is_none()
        })?;
        let journal = || folder.path_of(JOURNAL);
        match damage {
            None => Ok(state.map(|state| Self { folder, state, budget: Rc::clone(budget) })),
            Some(damage @ Damage::Format(_)) => {
                Err(io::Error::other(format!("{} cannot be read: {damage}", journal().display())))
            }
            Some(damage) => Err(unexpected(&journal(), &format!("cannot be read at line {number}: {damage}"))),
        }
    }

    /// The run of that name below `runs`, if it began. Its id must be that name, and its portal an accepted one: then
    /// it was begun there.
    pub(super) fn standing_at(
        runs: &Folder,
        name: &OsStr,
        is_right: impl Fn(&str) -> bool,
        budget: &Rc<ReadingBudget>,
    ) -> io::Result<Option<Self>> {
        let Some(found) = Self::read(runs.child(name), budget)? else { return Ok(None) };
        let RunState { run, portal, .. } = &found.state;
        let journal = || found.folder.path_of(JOURNAL);
        if OsStr::new(run) != name {
            return Err(unexpected(&journal(), &format!("is the journal of another run, `{run}`")));
        }
        if !is_right(portal) {
            return Err(unexpected(&journal(), &format!("is the journal of a run on another portal, {portal}")));
        }
        Ok(Some(found))
    }

    /// The path of its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The plan of the run.
    ///
    /// # Errors
    /// When its plan cannot be read, or is not the one that its journal names.
    pub fn plan(&self) -> io::Result<Document> {
        let plan: Document = serde_json::from_slice(&self.budget.read(&self.folder, PLAN)?)?;
        let planned = plan.changes.iter().map(|change| change.address.folded()).collect();
        let what = if plan.portal.as_ref() != Some(&self.state.portal) {
            "is a plan for a portal other than the run's"
        } else if plan.digest()? != self.state.plan_sha256 {
            "is not the plan that the run began with"
        } else if !self.state.is_about(&planned) {
            "does not have an entry that the run's journal names"
        } else {
            return Ok(plan);
        };
        Err(unexpected(&self.folder.path_of(PLAN), what))
    }

    /// The old images in its folder.
    ///
    /// # Errors
    /// When one cannot be read, or does not match its name.
    pub fn old_images(&self) -> io::Result<Contents> {
        self.old_images_of(&self.plan()?)
    }

    /// The old images in its folder that `plan`, its plan, refers to.
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

/// Adds a line of a journal, with its line ending, to the state from the lines before it. A line that was torn by a
/// kill or a full disk does not count: the lines before it already cover its requests, and if the first line is torn,
/// no request was sent.
pub(super) fn take_up(state: &mut Option<RunState>, text: &[u8]) -> Result<(), Damage> {
    let whole = text.strip_suffix(b"\n");
    let line = serde_json::from_slice::<Line>(whole.unwrap_or(text));
    let is_torn = line.as_ref().is_err_and(serde_json::Error::is_eof);
    match state {
        Some(_) if is_torn => Ok(()),
        Some(state) => {
            let Line { at, entry } = line.map_err(|_| Damage::NotALine)?;
            state.add(entry, moment(&at))
        }
        None if is_torn && whole.is_none() => Ok(()),
        None => {
            *state = Some(RunState::begin(line.map_err(|_| Damage::NoBeginning)?)?);
            Ok(())
        }
    }
}

/// When a line was written; `None` when it has no time since 1970.
fn moment(at: &str) -> Option<Duration> {
    let at: jiff::Timestamp = at.parse().ok()?;
    at.duration_since(jiff::Timestamp::UNIX_EPOCH).try_into().ok()
}
