//! The connection to a portal, with its state folder and its lock.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::finding::Finding;
use crate::domain::journal::RunState;
use crate::domain::last_known::LastKnown;
use crate::domain::manifest::Manifest;
use crate::domain::report::FailureKind;
use crate::domain::state::Listing;
use crate::ops::observe::{NoCache, Reader};
use crate::ops::plan::Purpose;
use crate::ops::ports::{DOWNLOADS, Interrupt};
use crate::portal::{Access, Client, Deadlines, Rate, Throttle, TrustStore, Webhook};
use crate::sandbox::{self, Sandbox};
use crate::store::budget::ReadingEnd;
use crate::store::cache::Cache;
use crate::store::lock::{Lock, LockError, LockPurpose};
use crate::store::state_dir::{StateDir, StateError};

use super::context::Context;
use super::credentials;
use super::error::Failure;
use super::output;
use super::resources;
use super::sandbox::{how_to_fix, named_folder, own_folder};

/// The connection to a portal.
pub(super) struct Connection {
    pub(super) client: Client,
    /// The portal's identity: its host, or the sandbox's.
    pub(super) identity: String,
    /// The source of the credentials, for people.
    pub(super) source: String,
    pub(super) state: StateDir,
    pub(super) cache: Cache,
    /// What was last put under each code: by the runs in the state folder, once they are read, and by this one.
    known: RefCell<LastKnown>,
    lock: Option<Lock>,
    /// The embedded portal, which stops when this is dropped.
    _sandbox: Option<Sandbox>,
}

/// Access to a portal, and its identity.
struct Target {
    access: Access,
    identity: String,
    source: String,
    sandbox: Option<Sandbox>,
}

impl Connection {
    /// Connects to the portal that the options and the environment name, which must be the manifest's. Nothing is sent
    /// yet.
    pub(super) fn open(context: &Context<'_>, manifest: Option<&Manifest>, purpose: Purpose) -> Result<Self, Failure> {
        let opened = Self::try_open(context, manifest, purpose);
        // This does not cut short what was slow before, such as checking the art.
        if context.interrupt.is_raised() {
            return Err(Failure::interrupted("interrupted before the portal was read"));
        }
        opened
    }

    fn try_open(context: &Context<'_>, manifest: Option<&Manifest>, purpose: Purpose) -> Result<Self, Failure> {
        let root = context.globals.state_root(context.repository.folder());
        let Target { access, identity, source, sandbox } = match &context.globals.sandbox {
            Some(folder) => {
                let option = if folder.is_some() { "--sandbox=DIR" } else { "--state-dir" };
                let folder =
                    folder.as_deref().map_or_else(|| own_folder(&root, option), |folder| named_folder(folder, option));
                start_sandbox(context, folder, option).map_err(|why| {
                    let finding = Finding::error("sandbox", format!("the sandbox cannot start: {why}"));
                    Failure::new(FailureKind::Usage, finding)
                })?
            }
            None => named(context, manifest)?,
        };
        let client = client(context, access)?;
        let deadline = std::time::Instant::now() + context.globals.timeout;
        let state = StateDir::checked(&root, &identity)?
            .read_until(ReadingEnd { interrupt: context.interrupt.clone(), deadline });
        let lock = match purpose {
            Purpose::Read => None,
            Purpose::Write => Some(lock_for_writing(&state, &context.interrupt, context.globals.timeout)?),
        };
        let cache = Cache::try_open(&state).map_err(StateError::from)?;
        Ok(Self { client, identity, source, state, cache, known: RefCell::default(), lock, _sandbox: sandbox })
    }

    /// Refuses a plan or run of another portal. `what` begins the message: "the plan is for".
    pub(super) fn must_be(&self, portal: &str, what: &str) -> Result<(), Failure> {
        if portal == self.identity {
            return Ok(());
        }
        let message = format!("{what} {portal}, but this portal is {}", self.identity);
        Err(Failure::stale(vec![Finding::error("plan-stale", message).help("nothing was written")]))
    }

    /// Whether this command holds the lock, to write.
    pub(super) const fn writes(&self) -> bool {
        self.lock.is_some()
    }

    /// Takes the lock, unless this command has it, so that a run of another live process is not settled.
    pub(super) fn lock_for_settling(&self) -> Result<Option<Lock>, LockError> {
        if self.writes() { Ok(None) } else { Lock::take(&self.state, LockPurpose::Settle, now()).map(Some) }
    }

    /// The finding about a state folder that exists and is not read.
    pub(super) fn unread_state(&self) -> Option<Finding> {
        let why = self.state.why_unread().filter(|_| self.state.is_there())?;
        let folder = self.state.path().display();
        let message =
            format!("the runs and the cache in {folder} are not read, because they may have come with a commit: {why}");
        let help = "use --state-dir to name a folder outside the checkout; `restore` accepts a run's folder";
        Some(Finding::warning("state-unread", message).help(help))
    }

    /// The reader of the portal.
    pub(super) fn reader<'b>(&'b self, context: &'b Context<'_>) -> Reader<'b, Client> {
        Reader { portal: &self.client, cache: &self.cache, observer: context.progress.as_ref(), known: &self.known }
    }

    /// The reader of the portal, with nothing from the cache.
    pub(super) fn reader_without_cache<'b>(&'b self, context: &'b Context<'_>) -> Reader<'b, Client> {
        Reader { cache: &NoCache, ..self.reader(context) }
    }

    /// Takes over what these runs left, the oldest first. A run that began in this clock's future is skipped: no later
    /// run could ever outdate it.
    pub(super) fn remember<'r>(&self, runs: impl IntoIterator<Item = &'r RunState>) {
        let now = now();
        self.known.replace(LastKnown::of(runs.into_iter().filter(|run| run.began <= now)));
    }

    /// Writes the cache. If it cannot be written, the next command downloads more, so a note says so.
    pub(super) fn save_cache(&self, context: &Context<'_>, listing: &Listing) {
        let listed = listing.entries.iter().map(|listed| listed.file_uri.as_str()).collect();
        if let Err(error) = self.cache.save(&self.state, &listed) {
            let folder = self.state.path().display();
            output::note(context.globals, &format!("note: the cache in {folder} cannot be written: {error}"));
        }
    }
}

fn start_sandbox(context: &Context<'_>, folder: Result<PathBuf, String>, option: &str) -> Result<Target, String> {
    let folder = folder?;
    resources::check().map_err(|error| error.to_string())?;
    let sandbox = sandbox::start(sandbox::Options::new(&folder))
        .map_err(|error| format!("{error}{}", how_to_fix(&error, option)))?;
    let webhook = Webhook::parse(&sandbox.admin_webhook(), "the sandbox").map_err(|error| error.to_string())?;
    output::note(context.globals, &format!("portal: the sandbox in {}", folder.display()));
    Ok(Target {
        access: webhook.into(),
        identity: format!("sandbox-{}", sandbox.id()),
        source: "the sandbox".to_owned(),
        sandbox: Some(sandbox),
    })
}

/// The portal that the environment has credentials for.
fn named(context: &Context<'_>, manifest: Option<&Manifest>) -> Result<Target, Failure> {
    let credentials::Credentials { access, source, ignored } = context.credentials()?;
    let identity = access.host().to_owned();
    manifest.map_or(Ok(()), |manifest| pinned(manifest, &identity))?;
    output::note(context.globals, &format!("portal: {identity}, with {source}"));
    if !ignored.is_empty() {
        output::note(context.globals, &format!("note: also set, and ignored: {}", ignored.join(", ")));
    }
    Ok(Target { access, identity, source, sandbox: None })
}

/// A client of the portal that `access` is for. Nothing is sent yet.
fn client(context: &Context<'_>, access: Access) -> Result<Client, Failure> {
    let globals = context.globals;
    let ca_cert = globals.ca_cert.as_deref().map(credentials::ca_bundle).transpose()?;
    let rate = Rate { per_second: globals.rps, ..Rate::default() };
    let deadlines = Deadlines::new(Instant::now(), globals.timeout);
    let throttle = Throttle::new(rate, DOWNLOADS, context.progress.clone())?;
    access.check_proxy(|name| std::env::var_os(name))?;
    let trust = TrustStore::new(ca_cert.as_deref())?;
    Ok(Client::new(access, &trust, throttle, deadlines)?.with_pending(context.renewals.clone()))
}

/// Takes the lock to write. If another process holds it only for a moment, waits for that moment.
fn lock_for_writing(state: &StateDir, interrupt: &Interrupt, timeout: Duration) -> Result<Lock, LockError> {
    let deadline = std::time::Instant::now() + timeout.min(Duration::from_secs(30));
    loop {
        match Lock::take(state, LockPurpose::Apply, now()) {
            Err(error) if error.is_brief() && std::time::Instant::now() < deadline && !interrupt.is_raised() => {
                std::thread::sleep(Duration::from_millis(200));
            }
            taken => return taken,
        }
    }
}

/// The current time in RFC 3339.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Refuses credentials for a portal that the manifest does not name.
pub(super) fn pinned(manifest: &Manifest, identity: &str) -> Result<(), Failure> {
    if manifest.is_for(identity) {
        return Ok(());
    }
    let wanted = format!("the manifest is for {} only", manifest.portals.join(", "));
    let host = |name: &str| {
        name.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map(|(host, _)| host.to_owned())
    };
    let bare = |name: &str| host(name).unwrap_or_else(|| name.to_owned());
    let help = match manifest.portals.iter().find(|pin| bare(pin).eq_ignore_ascii_case(&bare(identity))) {
        Some(_) if host(identity).is_some() => format!("the pin includes the port: write `portal: \"{identity}\"`"),
        Some(_) => {
            format!("the pin includes the port, and these credentials have none: write `portal: {identity}`")
        }
        None => "use the credentials of that portal, or add this one to `portal`".to_owned(),
    };
    Err(wrong_portal(&format!("the credentials are for {identity}"), &wanted, &help))
}

/// The portal is not the one that is `wanted`.
pub(super) fn wrong_portal(found: &str, wanted: &str, help: &str) -> Failure {
    Failure::new(FailureKind::Usage, Finding::error("portal-pin", format!("{found}, but {wanted}")).help(help))
}
