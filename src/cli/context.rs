//! The context of a command that talks to a portal: what every step needs, and no step changes.

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::finding::Finding;
use crate::domain::manifest;
use crate::domain::report::{FailureKind, Report, Subject};
use crate::ops::ports::{Interrupt, ReadArt as _};
use crate::portal::PendingRenewals;
use crate::render::json::Invoked;
use crate::store::repository::Repository;
use crate::store::root;

use super::credentials::{self, Credentials};
use super::error::Failure;
use super::exit::Exit;
use super::paths;
use super::progress::Progress;
use super::reports::Reports;
use super::resources;
use super::settings::{Globals, SettleArgs};
use super::signals;

/// The options, the repository, and whether the user asked to stop.
pub(super) struct Context<'a> {
    pub(super) globals: &'a Globals,
    pub(super) repository: Repository,
    pub(super) progress: Arc<Progress>,
    /// For how long a request without an answer may still be carried out after its last byte was sent.
    pub(super) settle: Duration,
    /// Whether the user asked to stop.
    pub(super) interrupt: Interrupt,
    /// Raised once a stop has to wait for what is in flight.
    pub(super) writing: Interrupt,
    /// What is finished before a runtime or the process ends.
    pub(super) renewals: PendingRenewals,
    /// The portal that the credentials are for, once they were read.
    named: OnceCell<Option<String>>,
    /// The outputs that are not written, because the command reads those files.
    spared: RefCell<Vec<PathBuf>>,
}

impl<'a> Context<'a> {
    /// The context of a command that must know what the portal may still carry out.
    pub(super) fn new(globals: &'a Globals, settle: &SettleArgs) -> Self {
        Self { settle: settle.settle, ..Self::reading_once(globals) }
    }

    /// The context of a command that need not know what the portal may still carry out.
    pub(super) fn reading_once(globals: &'a Globals) -> Self {
        Self::renewing(globals, PendingRenewals::default())
    }

    /// The context of a command that reads the portal once. `renewals` has renewals of tokens that others wait for, too.
    pub(super) fn renewing(globals: &'a Globals, renewals: PendingRenewals) -> Self {
        let (interrupt, writing) = (Interrupt::default(), Interrupt::default());
        signals::watch(&interrupt, &writing, &renewals, globals.last_words());
        Self {
            globals,
            repository: globals.repository(),
            progress: Progress::new(globals),
            settle: Duration::ZERO,
            interrupt,
            writing,
            renewals,
            named: OnceCell::new(),
            spared: RefCell::default(),
        }
    }

    /// The credentials of the environment. Not every source can be read twice, so the portal that they are for is noted.
    pub(super) fn credentials(&self) -> Result<Credentials, Failure> {
        let found = credentials::find();
        self.named.get_or_init(|| host(&found));
        Ok(found?)
    }

    /// The subject of a report. The credentials are read for it only if no step read them before; without any, as in a
    /// pull request that gets no secret, the one host that the manifest is for stands in.
    pub(super) fn subject(&self) -> Subject {
        let portal = match self.globals.sandbox {
            Some(_) => Some("sandbox".to_owned()),
            None => self.named.get_or_init(|| host(&credentials::find())).clone().or_else(|| self.pinned()),
        };
        Subject { portal, manifest: root::path_in_repository(self.globals.manifest()) }
    }

    /// The only portal that the manifest is for; with a list of them, none is certain.
    fn pinned(&self) -> Option<String> {
        let (manifest, _) = manifest::read(&self.repository.manifest().ok()?, self.repository.name());
        let mut portals = manifest?.portals.into_iter();
        portals.next().filter(|_| portals.next().is_none())
    }

    /// Writes the reports of `command`, and adds a finding to `report` for each one that cannot be written. `exit` is the
    /// exit code if all of them can be written.
    pub(super) fn write_reports(&self, reports: &Reports, report: &mut Report, command: &str, exit: Exit) {
        if reports.comment() {
            report.subject = self.subject();
        }
        report.heading = reports.heading(|| self.globals.invocation.started(), &self.repository);
        let unwritten = reports.write(report, command, &self.header(exit), &self.spared.borrow());
        report.findings.extend(unwritten);
    }

    /// The header of this command's documents, for this exit code.
    pub(super) fn header(&self, exit: Exit) -> Invoked {
        self.globals.invocation.header(exit)
    }

    /// The errors about what went wrong without stopping the command.
    pub(super) fn failed(&self) -> impl Iterator<Item = Finding> {
        self.progress.failures().into_iter().flat_map(|error| Failure::from(error).findings)
    }

    /// The outputs that are not written.
    pub(super) fn spared(&self) -> Vec<PathBuf> {
        self.spared.borrow().clone()
    }

    /// Excludes outputs below `folder`: it is not known which of its files are read.
    pub(super) fn spare_below(&self, folder: &Path) {
        let hit = paths::below(&self.globals.outputs, folder);
        self.spared.borrow_mut().extend(hit.into_iter().map(|named| named.path().to_owned()));
    }

    /// Refuses outputs that would overwrite `images`, which the command reads. They are not written from here on.
    pub(super) fn spare(&self, images: impl Iterator<Item = PathBuf>) -> Result<(), Failure> {
        let hit = paths::among(&self.globals.outputs, images);
        self.spared.borrow_mut().extend(hit.iter().map(|named| named.path().to_owned()));
        let findings: Vec<_> = hit.into_iter().map(|named| named.would_overwrite("an image")).collect();
        if findings.is_empty() { Ok(()) } else { Err(Failure { kind: FailureKind::Usage, findings }) }
    }

    /// Refuses outputs that would be written over the manifest or an image that it declares, if it can be read.
    pub(super) fn spare_repository(&self) -> Result<(), Failure> {
        if self.repository.is_absent() {
            return Ok(());
        }
        self.spare(std::iter::once(PathBuf::from(self.repository.name())))?;
        let text = self.repository.manifest().unwrap_or_default();
        match manifest::read(&text, self.repository.name()).0 {
            Some(manifest) => self.spare(self.repository.declared_files(&manifest)),
            None => Ok(()),
        }
    }

    /// Runs `work`, which may stop at any point, until it ends or the user asks to stop.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        self.block_on(async {
            tokio::select! {
                biased;
                () = self.interrupt.raised() => {
                    Err(Failure::interrupted("interrupted before the portal was read completely"))
                }
                value = work => Ok(value),
            }
        })?
    }

    /// Runs `work` to its end on this thread, and then finishes what it began that must not be cut off.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let runtime = resources::runtime().map_err(|error| Failure::no_runtime(&error))?;
        let value = runtime.block_on(work);
        runtime.block_on(self.renewals.finished());
        // DNS look-ups that are still running are not awaited.
        runtime.shutdown_background();
        Ok(value)
    }
}

fn host<E>(found: &Result<Credentials, E>) -> Option<String> {
    found.as_ref().ok().map(|found| found.access.host().to_owned())
}
