//! The start of a sandbox, and the handle with which a test reads and changes it without the API.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::call::WorldChange;
use super::core::Core;
use super::engine::Engine;
use super::error::SandboxError;
use super::faults::{Faults, Script};
use super::identity::random_path;
use super::oauth;
use super::options::{Options, Protocol};
use super::record::Recorded;
use super::server;
use super::store::{Store, write_application_file};
use super::tls::{self, Authority};
use crate::domain::asset::Kind;

/// The files that clients need to call as one of the portal's applications.
const OAUTH_FILES: [&str; 2] = ["oauth.json", "oauth-other.json"];

/// A custom entry and its file, as the portal has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Icon or logo.
    pub kind: Kind,
    /// The code as it was spelt when it was added.
    pub code: String,
    /// The path of its file, also when a system code hides the entry.
    pub file_uri: String,
    /// The bytes of its file.
    pub content: Vec<u8>,
}

/// A running sandbox. It stops when it is dropped.
pub struct Sandbox {
    engine: Arc<Engine>,
    address: SocketAddr,
    data: PathBuf,
    authority: Option<Authority>,
    running: Option<(oneshot::Sender<Infallible>, JoinHandle<()>)>,
}

/// Starts a sandbox in its own thread; it listens when this returns.
pub fn start(options: Options) -> Result<Sandbox, SandboxError> {
    let (data, listen) = (options.data.clone(), options.listen);
    let (store, identity, world) = Store::open(&data)?;
    let tokens = oauth::open(&store, &identity, Timestamp::now(), options.token_lifetime)?;
    let (authority, acceptor) = match options.protocol {
        Protocol::Http => (None, None),
        Protocol::Https => {
            let failed = |source| SandboxError::Io { path: data.clone(), source };
            let (authority, acceptor) = tls::set_up(&data, &identity.id, listen.ip()).map_err(failed)?;
            (Some(authority), Some(acceptor))
        }
    };
    let failed = |source| SandboxError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let base = base(options.protocol, address);
    for (app, file) in identity.apps.iter().zip(OAUTH_FILES) {
        if let Some(pair) = tokens.newest(app) {
            write_application_file(&data, file, &pair.file(app, &base))?;
        }
    }
    let core = Core::new(store, world, tokens, &options);
    let engine = Arc::new(Engine::new(identity, base, &options, core));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(SandboxError::System)?;
    let entered = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    drop(entered);
    let (stop, stopped) = oneshot::channel();
    let served = Arc::clone(&engine);
    let thread = thread::Builder::new()
        .name("sandbox".to_owned())
        .spawn(move || runtime.block_on(server::run(listener, acceptor, served, stopped)))
        .map_err(SandboxError::System)?;
    Ok(Sandbox { engine, address, data, authority, running: Some((stop, thread)) })
}

/// The beginning of all URLs of a sandbox. If it listens on every address of this machine, this is the loopback
/// address.
fn base(protocol: Protocol, mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    match protocol {
        Protocol::Http => format!("http://{address}"),
        Protocol::Https => format!("https://{address}"),
    }
}

impl Sandbox {
    /// The address that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The portal's random name, made once for the folder and kept in it.
    pub fn id(&self) -> &str {
        &self.engine.identity.id
    }

    /// The webhook of user 1, an administrator, ending with a slash. The secret belongs to the folder.
    pub fn admin_webhook(&self) -> String {
        self.webhook(1, &self.engine.identity.administrator_secret)
    }

    /// The webhook of user 2, who is not an administrator, ending with a slash. The secret belongs to the folder.
    pub fn user_webhook(&self) -> String {
        self.webhook(2, &self.engine.identity.user_secret)
    }

    /// The URL of its page, ending with a slash; all its URLs begin with it. If it listens on every address of this machine,
    /// this is the loopback one.
    pub fn url(&self) -> String {
        format!("{}/", self.engine.base)
    }

    /// The folder that holds its state.
    pub(crate) fn folder(&self) -> &Path {
        &self.data
    }

    /// The certificate authority that clients must trust, when it speaks TLS.
    pub const fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// A webhook of user 1 that lacks the scope `crm`, ending with a slash. The secret belongs to the folder.
    pub fn scopeless_webhook(&self) -> String {
        self.webhook(1, &self.engine.identity.scopeless_secret)
    }

    fn webhook(&self, user: u32, secret: &str) -> String {
        format!("{}/rest/{user}/{secret}/", self.engine.base)
    }

    /// The file of an application with the scope `crm`, whose tokens stand for user 1: domain, tokens, client id and
    /// secret, endpoints. A client rewrites it when it refreshes.
    pub fn oauth_file(&self) -> PathBuf {
        self.data.join(OAUTH_FILES[0])
    }

    /// The same file of a second application, which cannot delete the log entries of the first.
    pub fn other_oauth_file(&self) -> PathBuf {
        self.data.join(OAUTH_FILES[1])
    }

    /// Makes all access tokens expire. A restart undoes it, unless there was a refresh in between.
    pub fn expire_access_tokens(&self) {
        self.engine.core().tokens.expire(Timestamp::now());
    }

    /// The number of token refreshes since the start.
    pub fn refreshes(&self) -> u64 {
        self.engine.core().refreshes
    }

    /// The recorded requests since the start, in the order of arrival: the newest ones, up to 200,000 together with
    /// their commands.
    pub fn requests(&self) -> Vec<Recorded> {
        self.engine.core().requests.all()
    }

    /// Replaces the script of failures; all counts start again.
    pub fn set_faults(&self, faults: Faults) {
        self.engine.core().script = Script::new(faults);
    }

    /// The custom entries, icons first, in the order in which they were added.
    pub fn entries(&self) -> Vec<StoredEntry> {
        let core = self.engine.core();
        let of = |kind| {
            core.world.rows(kind).map(move |row| StoredEntry {
                kind,
                code: row.code.clone(),
                file_uri: row.path.clone(),
                content: row.content.to_vec(),
            })
        };
        Kind::ALL.into_iter().flat_map(of).collect()
    }

    /// The number of files that no entry refers to: one for every `add` refused because of its code.
    pub fn orphans(&self) -> u64 {
        self.engine.core().world.orphans
    }

    /// Adds an entry without the API, or replaces the one with that code. Nothing is checked: the content can be
    /// anything, and the code can be too long or a system code.
    pub fn seed(&self, kind: Kind, code: &str, content: &[u8]) -> Result<(), SandboxError> {
        let path = random_path()?;
        let code = code.to_owned();
        let (content, added) = (content.to_vec().into(), Some(Timestamp::now()));
        self.change(vec![
            WorldChange::Delete { kind, code: code.clone() },
            WorldChange::Add { kind, code, path, content, added },
        ])
    }

    /// Removes an entry without the API; the code is matched without case, as the portal does.
    pub fn remove(&self, kind: Kind, code: &str) -> Result<(), SandboxError> {
        self.change(vec![WorldChange::Delete { kind, code: code.to_owned() }])
    }

    /// Makes a code a system code, as a new release of the portal does. A custom entry with that code stays, hidden.
    pub fn make_system(&self, kind: Kind, code: &str) -> Result<(), SandboxError> {
        self.change(vec![WorldChange::System { kind, code: code.to_owned() }])
    }

    /// Gives every custom entry a new path; the old ones are gone.
    pub fn rotate_uris(&self) -> Result<(), SandboxError> {
        let moves = self.entries().into_iter().map(|StoredEntry { kind, code, .. }| {
            let path = random_path()?;
            Ok(WorldChange::Move { kind, code, path })
        });
        self.change(moves.collect::<Result<_, SandboxError>>()?)
    }

    /// Freezes the icon list as it is now, regardless of what is added or deleted; `get` is not affected. A restart
    /// undoes it.
    pub fn set_stale_icon_list(&self, stale: bool) {
        self.engine.core().world.set_stale_icon_list(stale);
    }

    /// Lets the icon list end with a `null`. A restart undoes it.
    pub fn set_null_element(&self, present: bool) {
        self.engine.core().world.null_element = present;
    }

    /// Counts seconds that another client used of a method's time; they are free again after exactly this long.
    pub fn spend_method_time(&self, method: &str, seconds: f64, free_after: Duration) {
        let reset_at = Timestamp::now().as_second().saturating_add_unsigned(free_after.as_secs());
        self.engine.core().meter.spend(method, seconds, reset_at);
    }

    fn change(&self, changes: Vec<WorldChange>) -> Result<(), SandboxError> {
        let failed = |source| SandboxError::Io { path: self.data.clone(), source };
        self.engine.core().change(changes).map_err(failed)
    }

    /// Stops the sandbox at once: connections are closed, and batches end where they are.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // The thread has no result that its owner could use.
            let _ = thread.join();
        }
    }
}
