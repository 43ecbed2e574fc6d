//! What the commands that talk to a portal share: the checked repository, the portal, its state folder.

use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::finding::Finding;
use crate::domain::manifest::Manifest;
use crate::domain::report::Report;
use crate::domain::state::Listing;
use crate::ops;
use crate::ops::ports::PortalError;
use crate::ops::validate::Validated;
use crate::portal::{Client, Rate, Settings, Webhook};
use crate::sandbox::{self, Sandbox};
use crate::store::cache::Cache;
use crate::store::repository::Repository;
use crate::store::state_dir::StateDir;

use super::credentials;
use super::output;
use super::progress::Progress;
use super::settings::Globals;

/// A checked repository, and the report that grows from here on.
pub(super) struct Session<'a> {
    pub(super) globals: &'a Globals,
    pub(super) repository: Repository,
    pub(super) progress: Arc<Progress>,
    pub(super) report: Report,
}

/// A portal that can be talked to.
pub(super) struct Connection {
    pub(super) client: Client,
    /// The portal's identity: its host, or the sandbox's.
    pub(super) identity: String,
    pub(super) state: StateDir,
    pub(super) cache: Cache,
    /// The embedded portal, which stops when this is dropped.
    _sandbox: Option<Sandbox>,
}

impl<'a> Session<'a> {
    pub(super) fn new(globals: &'a Globals) -> Self {
        let repository = Repository::at(&globals.file);
        let report = Report { manifest: repository.name().to_owned(), ..Report::default() };
        Self { globals, repository, progress: Progress::new(globals), report }
    }

    /// Reads and checks the manifest and its art; what was found is in the report.
    pub(super) fn validate(&mut self) -> Validated {
        let mut validated = ops::validate::validate(self.repository.name(), &self.repository, self.progress.as_ref());
        self.report.source = std::mem::take(&mut validated.source);
        self.report.findings = std::mem::take(&mut validated.checked.findings);
        validated
    }

    /// Connects to the portal that the options and the environment name. Nothing is sent yet. `None` when that cannot
    /// be done; why is in the report.
    pub(super) fn connect(&mut self, manifest: &Manifest) -> Option<Connection> {
        match self.try_connect(manifest) {
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

    fn try_connect(&self, manifest: &Manifest) -> Result<Connection, Box<Finding>> {
        let root = self.globals.state_root(self.repository.folder());
        let (webhook, identity, sandbox) = match &self.globals.sandbox {
            Some(folder) => {
                let folder = folder.clone().unwrap_or_else(|| root.join("sandbox"));
                let sandbox = sandbox::start(sandbox::Options::new(&folder)).map_err(|error| {
                    Box::new(Finding::error("sandbox", format!("the sandbox cannot start: {error}")))
                })?;
                let webhook = Webhook::parse(&sandbox.admin_webhook(), "the sandbox")
                    .map_err(|error| Box::new(Finding::error("sandbox", error.to_string())))?;
                output::note(self.globals, &format!("portal: the sandbox in {}", folder.display()));
                (webhook, format!("sandbox-{}", sandbox.id()), Some(sandbox))
            }
            None => {
                let found = credentials::find()?;
                let identity = found.webhook.host().to_owned();
                pinned(manifest, &identity)?;
                output::note(self.globals, &format!("portal: {identity}, with the webhook of {}", found.source));
                (found.webhook, identity, None)
            }
        };
        let mut settings = Settings::new(webhook, Instant::now() + self.globals.timeout, self.progress.clone());
        settings.rate = Rate { per_second: self.globals.rps, ..Rate::default() };
        if let Some(path) = &self.globals.ca_cert {
            let pem = std::fs::read(path).map_err(|error| {
                let message = format!("the file of --ca-cert, {}, cannot be read: {error}", path.display());
                Box::new(Finding::error("credentials", message))
            })?;
            settings.ca_cert = Some(pem);
        }
        let client = Client::new(settings).map_err(|error| Box::new(finding(&error)))?;
        let state = StateDir::new(&root, &identity);
        let cache = Cache::open(&state);
        Ok(Connection { client, identity, state, cache, _sandbox: sandbox })
    }

    /// Writes the cache. One that cannot be written costs downloads, which is worth a remark.
    pub(super) fn save_cache(&self, connection: &Connection, listing: &Listing) {
        let listed = listing.entries.iter().map(|listed| listed.file_uri.as_str()).collect();
        if let Err(error) = connection.cache.save(&connection.state, &listed) {
            let folder = connection.state.path().display();
            output::note(self.globals, &format!("note: the cache in {folder} cannot be written: {error}"));
        }
    }

    /// Notes an error of the portal.
    pub(super) fn fail(&mut self, error: &PortalError) {
        self.report.findings.push(finding(error));
    }
}

/// Refuses a portal that the manifest does not name.
fn pinned(manifest: &Manifest, identity: &str) -> Result<(), Box<Finding>> {
    if manifest.portals.is_empty() || manifest.portals.iter().any(|portal| portal == identity) {
        return Ok(());
    }
    let message =
        format!("the credentials are for {identity}, and the manifest is for {} only", manifest.portals.join(", "));
    Err(Box::new(
        Finding::error("portal-pin", message).help("use the webhook of that portal, or add this one to `portal`"),
    ))
}

fn finding(error: &PortalError) -> Finding {
    let finding = Finding::error("portal", error.message.clone());
    match &error.hint {
        Some(hint) => finding.help(hint.clone()),
        None => finding,
    }
}

/// Runs `work` to its end on this thread.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}
