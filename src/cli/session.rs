//! What the commands that talk to a portal share: the checked repository, the portal, its state folder.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::finding::Finding;
use crate::domain::manifest::{self, Manifest};
use crate::domain::report::{Report, Subject};
use crate::domain::rules::Aim;
use crate::domain::state::Listing;
use crate::ops;
use crate::ops::observe::Reader;
use crate::ops::plan::Planned;
use crate::ops::ports::{DOWNLOADS, Interrupt, PortalError, ReadArt as _};
use crate::ops::validate::Validated;
use crate::portal::{Access, Client, Deadlines, Rate, Throttle, TrustStore, Webhook};
use crate::sandbox::{self, Sandbox};
use crate::store::cache::Cache;
use crate::store::lock::{self, Lock, LockError};
use crate::store::repository::Repository;
use crate::store::root;
use crate::store::state_dir::StateDir;

use super::progress::Progress;
use super::reports::Reports;
use super::sandbox::own_folder;
use super::settings::{Globals, SettleArgs, Showing};
use super::{credentials, output, signals};

/// A checked repository, and the report that grows from here on.
pub(super) struct Session<'a> {
    pub(super) globals: &'a Globals,
    pub(super) repository: Repository,
    pub(super) progress: Arc<Progress>,
    pub(super) report: Report,
    /// How far apart two readings of the portal must be to be believed.
    pub(super) settle: Duration,
    /// Whether the plan was shown already.
    pub(super) shown: bool,
    /// What was told with it, and is not told again.
    pub(super) told: Vec<Finding>,
    /// The files that an apply writes at its end.
    pub(super) reports: Reports,
    /// How an apply shows its plan.
    pub(super) showing: Showing,
    /// The portal that the credentials are for, once somebody looked.
    named: OnceCell<Option<String>>,
    /// Whether the user asked to stop.
    pub(super) interrupt: Interrupt,
    /// Raised once stopping means to finish what is in flight.
    pub(super) writing: Interrupt,
}

/// A portal that can be talked to.
pub(super) struct Connection {
    pub(super) client: Client,
    /// The portal's identity: its host, or the sandbox's.
    pub(super) identity: String,
    /// Where the credentials came from, for people.
    pub(super) source: String,
    pub(super) state: StateDir,
    pub(super) cache: Cache,
    lock: Option<Lock>,
    /// The embedded portal, which stops when this is dropped.
    _sandbox: Option<Sandbox>,
}

/// What a command wants of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To look at it.
    Read,
    /// To write to it: one command at a time does.
    Write,
}

impl Connection {
    /// Whether this command holds the lock, to write.
    pub(super) const fn writes(&self) -> bool {
        self.lock.is_some()
    }

    /// Takes the lock so that no run of another process is settled while it goes on, unless this command has it.
    pub(super) fn lock_for_settling(&self) -> Result<Option<Lock>, LockError> {
        if self.writes() { Ok(None) } else { Lock::take(&self.state, lock::Purpose::Settle, now()).map(Some) }
    }
}

/// Takes the lock to write; where it is held for a moment only, after that moment.
fn lock_for_writing(state: &StateDir, interrupt: &Interrupt) -> Result<Lock, LockError> {
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        match Lock::take(state, lock::Purpose::Apply, now()) {
            Err(error) if error.is_brief() && std::time::Instant::now() < deadline && !interrupt.is_raised() => {
                std::thread::sleep(Duration::from_millis(200));
            }
            taken => return taken,
        }
    }
}

/// Now, in RFC 3339.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl<'a> Session<'a> {
    pub(super) fn new(globals: &'a Globals, settling: &SettleArgs) -> Self {
        Self { settle: settling.settle, ..Self::looking(globals) }
    }

    /// Of a command that never has to read the portal twice.
    pub(super) fn looking(globals: &'a Globals) -> Self {
        let repository = Repository::at(globals.manifest());
        let report = Report { manifest: repository.name().to_owned(), ..Report::default() };
        let (interrupt, writing) = (Interrupt::default(), Interrupt::default());
        signals::watch(&interrupt, &writing);
        Self {
            globals,
            repository,
            progress: Progress::new(globals),
            report,
            settle: Duration::ZERO,
            shown: false,
            told: Vec::new(),
            reports: Reports::default(),
            showing: Showing::default(),
            named: OnceCell::new(),
            interrupt,
            writing,
        }
    }

    /// Reads and checks the manifest and its art; what was found is in the report.
    pub(super) fn validate(&mut self) -> Validated {
        let mut validated = ops::validate::validate(
            self.repository.name(),
            &self.repository,
            Aim::DesiredState,
            self.progress.as_ref(),
        );
        self.report.source = std::mem::take(&mut validated.source);
        self.report.findings = ops::validate::in_brief(std::mem::take(&mut validated.checked.findings));
        self.report.art = std::mem::take(&mut validated.art);
        validated
    }

    /// Connects to the portal that the options and the environment name. Nothing is sent yet. `None` when that cannot
    /// be done; why is in the report.
    pub(super) fn connect(&mut self, manifest: Option<&Manifest>, purpose: Purpose) -> Option<Connection> {
        match self.try_connect(manifest, purpose) {
            // What took its time before, such as checking the art, is not cut short.
            _ if self.interrupt.is_raised() => {
                self.interrupted("interrupted before the portal was read");
                None
            }
            Ok(connection) => {
                self.report.portal = Some(connection.identity.clone());
                Some(connection)
            }
            Err(finding) => {
                self.report.findings.push(*finding);
                None
            }
        }
    }

    fn try_connect(&self, manifest: Option<&Manifest>, purpose: Purpose) -> Result<Connection, Box<Finding>> {
        let root = self.globals.state_root(self.repository.folder());
        let (access, identity, source, sandbox): (Access, _, _, _) = match &self.globals.sandbox {
            Some(folder) => {
                let fail =
                    |why: String| Box::new(Finding::error("sandbox", format!("the sandbox cannot start: {why}")));
                let folder = folder.clone().map_or_else(|| own_folder(&root), Ok).map_err(fail)?;
                let sandbox =
                    sandbox::start(sandbox::Options::new(&folder)).map_err(|error| fail(error.to_string()))?;
                let webhook = Webhook::parse(&sandbox.admin_webhook(), "the sandbox")
                    .map_err(|error| Box::new(Finding::error("sandbox", error.to_string())))?;
                output::note(self.globals, &format!("portal: the sandbox in {}", folder.display()));
                (webhook.into(), format!("sandbox-{}", sandbox.id()), "the sandbox".to_owned(), Some(sandbox))
            }
            None => {
                let found = credentials::find();
                let identity = found.as_ref().ok().map(|found| found.access.host().to_owned());
                let identity = self.named.get_or_init(|| identity).clone().unwrap_or_default();
                let found = found?;
                manifest.map_or(Ok(()), |manifest| pinned(manifest, &identity))?;
                output::note(self.globals, &format!("portal: {identity}, with {}", found.source));
                if !found.ignored.is_empty() {
                    output::note(self.globals, &format!("note: not looked at: {}", found.ignored.join(", ")));
                }
                (found.access, identity, found.source, None)
            }
        };
        let client = self.client(access)?;
        let state = StateDir::new(&root, &identity);
        let lock = match purpose {
            Purpose::Read => None,
            Purpose::Write => Some(lock_for_writing(&state, &self.interrupt).map_err(|error| {
                let help = match error {
                    LockError::Held(_) => "wait until it has ended, then plan again",
                    LockError::Io(_) => {
                        "apply keeps old images there: name a folder that can be written with --state-dir"
                    }
                };
                Box::new(Finding::error("lock", error.to_string()).help(help))
            })?),
        };
        let cache = Cache::open(&state);
        Ok(Connection { client, identity, source, state, cache, lock, _sandbox: sandbox })
    }

    /// A client of the portal that `access` is for. Nothing is sent yet.
    fn client(&self, access: Access) -> Result<Client, Box<Finding>> {
        let ca_cert = self.globals.ca_cert.as_deref().map(credentials::ca_bundle).transpose()?;
        let rate = Rate { per_second: self.globals.rps, ..Rate::default() };
        let deadlines = Deadlines::new(Instant::now(), self.globals.timeout);
        let client = Throttle::new(rate, DOWNLOADS, self.progress.clone()).and_then(|throttle| {
            let trust = TrustStore::new(ca_cert.as_deref())?;
            Client::new(access, &trust, throttle, deadlines)
        });
        client.map_err(|error| Box::new(finding(&error)))
    }

    /// Reads the portal and makes a plan; it and what was found are in the report. `None` when it did not come to one.
    pub(super) fn plan(&mut self, request: &ops::plan::Request<'_>, connection: &Connection) -> Option<Planned> {
        let mut report = std::mem::take(&mut self.report);
        let made = self.read(ops::plan::plan(request, &self.eyes(connection), &mut report));
        self.report = report;
        let planned = self.took(made)?;
        self.save_cache(connection, &planned.listing);
        Some(planned)
    }

    /// Runs `work`, which can be left undone at any point, until it ends or the user asks to stop.
    pub(super) fn read<T>(&self, work: impl Future<Output = T>) -> Result<T, CutShort> {
        let stoppable = async {
            tokio::select! {
                biased;
                () = self.interrupt.raised() => Err(CutShort::Interrupted),
                value = work => Ok(value),
            }
        };
        block_on(stoppable).map_err(CutShort::NoRuntime)?
    }

    /// What came of [`Session::read`]; why nothing did is in the report.
    pub(super) fn took<T>(&mut self, outcome: Result<Result<T, PortalError>, CutShort>) -> Option<T> {
        match outcome {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => self.fail(&error),
            Err(cut) => self.cut_short(&cut),
        }
        None
    }

    /// Notes why reading did not come to its end.
    pub(super) fn cut_short(&mut self, cut: &CutShort) {
        match cut {
            CutShort::Interrupted => self.interrupted("interrupted before the portal was read to the end"),
            CutShort::NoRuntime(error) => {
                self.report.findings.push(Finding::error("system", format!("no runtime: {error}")));
            }
        }
    }

    /// The user asked to stop, and something was left undone.
    pub(super) fn interrupted(&mut self, message: impl Into<String>) {
        self.report.interrupted = true;
        self.report.findings.push(Finding::error("interrupted", message).help("run it again"));
    }

    /// Writes what `command` found out; the report says what could not be written.
    pub(super) fn write_reports(&mut self, reports: &Reports, command: &str) {
        if reports.comment() {
            self.report.subject = self.subject();
        }
        let unwritten = reports.write(&self.report, command);
        self.report.findings.extend(unwritten);
    }

    /// What a report is about. The credentials are looked at for it only where nobody did before: not every source can be
    /// read twice.
    pub(super) fn subject(&self) -> Subject {
        let portal = match self.globals.sandbox {
            Some(_) => Some("sandbox".to_owned()),
            None => {
                let named = || credentials::find().ok().map(|found| found.access.host().to_owned());
                self.named.get_or_init(named).clone()
            }
        };
        Subject { portal, manifest: root::path_in_repository(self.globals.manifest()) }
    }

    /// Writes the cache. One that cannot be written costs downloads, which is worth a remark.
    pub(super) fn save_cache(&self, connection: &Connection, listing: &Listing) {
        let listed = listing.entries.iter().map(|listed| listed.file_uri.as_str()).collect();
        if let Err(error) = connection.cache.save(&connection.state, &listed) {
            let folder = connection.state.path().display();
            output::note(self.globals, &format!("note: the cache in {folder} cannot be written: {error}"));
        }
    }

    /// Reads the manifest alone, for what carries its own art; what was found is in the report.
    pub(super) fn parse(&mut self) -> Option<Manifest> {
        let text = match self.repository.manifest() {
            Ok(text) => text,
            Err(finding) => {
                self.report.findings.push(*finding);
                return None;
            }
        };
        let (manifest, findings) = manifest::parse(&text, self.repository.name());
        self.report.source = String::from_utf8_lossy(&text).into_owned();
        self.report.findings.extend(findings);
        manifest
    }

    /// Reads the manifest for a command that does without: `None` when there is none at the default place, or when the
    /// report has its errors. What else there is to say about it is for the commands that need it.
    pub(super) fn parse_if_any(&mut self) -> Option<Manifest> {
        if !self.globals.names_manifest() && self.repository.is_absent() {
            return None;
        }
        let manifest = self.parse();
        self.report.findings.retain(Finding::is_error);
        manifest
    }

    /// What reading the portal takes.
    pub(super) fn eyes<'b>(&'b self, connection: &'b Connection) -> Reader<'b, Client> {
        Reader { portal: &connection.client, cache: &connection.cache, observer: self.progress.as_ref() }
    }

    /// The plan is not for the portal or the manifest as they are now.
    pub(super) fn stale(&mut self, findings: Vec<Finding>) {
        self.report.stale = true;
        self.report.findings.extend(findings);
    }

    /// Notes an error of the portal.
    pub(super) fn fail(&mut self, error: &PortalError) {
        self.report.findings.push(finding(error));
    }
}

/// Refuses a portal that the manifest does not name.
pub(super) fn pinned(manifest: &Manifest, identity: &str) -> Result<(), Box<Finding>> {
    if manifest.portals.is_empty() || manifest.portals.iter().any(|portal| portal == identity) {
        return Ok(());
    }
    let message =
        format!("the credentials are for {identity}, and the manifest is for {} only", manifest.portals.join(", "));
    Err(Box::new(
        Finding::error("portal-pin", message).help("use the credentials of that portal, or add this one to `portal`"),
    ))
}

/// An error of the portal, as a finding.
pub(super) fn finding(error: &PortalError) -> Finding {
    let finding = Finding::error("portal", error.message.clone());
    match &error.hint {
        Some(hint) => finding.help(hint.clone()),
        None => finding,
    }
}

/// Why reading did not come to its end.
pub(super) enum CutShort {
    /// The user asked to stop.
    Interrupted,
    /// The system has no means to wait for something.
    NoRuntime(std::io::Error),
}

/// Runs `work` to its end on this thread.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let value = runtime.block_on(work);
    // What the system still looks up for nobody is not waited for.
    runtime.shutdown_background();
    Ok(value)
}
