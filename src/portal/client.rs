//! The client: it takes its turn, sends, judges what came back, repeats what may be repeated, and fills the port for
//! reading with that.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::domain::asset::Address;
use crate::domain::retry::Class;
use crate::domain::state::{Listed, Listing};
use crate::ops::events::Observer;
use crate::ops::ports::{PortalError, ReadPortal, Urgency};

use super::access::Access;
use super::bucket::Bucket;
use super::download;
use super::error::{self, Effect, Fault};
use super::http::{self, Connections, Trust};
use super::settings::{Rate, Settings};
use super::site::Site;
use super::throttle::Failures;
use super::wire::{self, Answered, Body, Malformed};

/// The longest answer that is read, in bytes: a list has no pages.
const LONGEST: usize = 64 * 1024 * 1024;

/// A portal, with the right to use it. It can be used by several tasks at once.
pub struct Client {
    pub(super) access: Access,
    for_reads: reqwest::Client,
    for_writes: reqwest::Client,
    pub(super) for_downloads: reqwest::Client,
    pub(super) for_tokens: reqwest::Client,
    pub(super) rate: Rate,
    pub(super) bucket: Mutex<Bucket>,
    /// When the time allowance of the methods is filled up again, as last seen.
    pub(super) resets_at: Mutex<Option<Instant>>,
    /// Until when the portal refuses writes, by its own word inside an answer that it gave.
    pub(super) held_until: Mutex<Option<Instant>>,
    download_slots: Semaphore,
    /// Where the images are that were added, until somebody asks.
    pub(super) added: Mutex<Vec<String>>,
    pub(super) deadline: Instant,
    /// Turns that were waited for and not used.
    pub(super) unused_permits: AtomicU32,
    /// Whether reading serves to find out what writes did.
    pub(super) winding_up: AtomicBool,
    /// How long the command has from the client's making on.
    pub(super) budget: Duration,
    pub(super) read_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) dice: AtomicU64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("access", &self.access).finish_non_exhaustive()
    }
}

/// The body of a request. The token goes into it, as in the vendor's own examples: web servers write URLs into their
/// logs, and not all of them hand an `Authorization` header on to PHP.
#[derive(Serialize)]
struct Signed<'a> {
    #[serde(flatten)]
    parameters: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<&'a str>,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write(Urgency),
}

impl Client {
    /// Makes a client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When a setting makes no sense or `ca_cert` holds no certificate; the class is `Configuration`.
    pub fn new(settings: Settings) -> Result<Self, PortalError> {
        let Settings { access, rate, deadline, read_timeout, write_timeout, ca_cert, observer, downloads } = settings;
        if !(rate.per_second.is_finite() && rate.per_second > 0.0) || rate.burst == 0 {
            return Err(misconfigured("the request rate must be more than 0", "give --rps a number above 0"));
        }
        if downloads == 0 {
            return Err(misconfigured("the number of downloads at once must be more than 0", "let it be at least 1"));
        }
        let ca_hint = "--ca-cert names a PEM file with the certificates of the portal's certificate authority";
        let trust = Trust::new(ca_cert.as_deref())
            .map_err(|why| misconfigured(format!("the file of --ca-cert is of no use: {why}"), ca_hint))?;
        let client = |connections, site: &Site| {
            trust
                .client(connections, site.is_loopback())
                .map_err(|why| misconfigured(format!("TLS cannot be set up: {}", access.quote(&why)), ca_hint))
        };
        let now = Instant::now();
        Ok(Self {
            for_reads: client(Connections::Kept, access.site())?,
            for_writes: client(Connections::Fresh, access.site())?,
            for_downloads: client(Connections::Kept, access.site())?,
            for_tokens: client(Connections::Fresh, access.token_server())?,
            rate,
            bucket: Mutex::new(Bucket::new(rate.per_second, rate.burst, now)),
            resets_at: Mutex::new(None),
            held_until: Mutex::new(None),
            download_slots: Semaphore::new(downloads.min(Semaphore::MAX_PERMITS)),
            added: Mutex::new(Vec::new()),
            deadline,
            unused_permits: AtomicU32::new(0),
            winding_up: AtomicBool::new(false),
            budget: deadline.saturating_duration_since(now),
            read_timeout,
            write_timeout,
            observer,
            dice: AtomicU64::new(RandomState::new().hash_one("dice")),
            access,
        })
    }

    /// Gives the command so much more time: what the user took to answer a question.
    pub fn extend(&mut self, by: Duration) {
        self.deadline += by;
    }

    /// Asks until there is an answer that `read` accepts, or a failure that is not to be repeated.
    pub(super) async fn ask<T>(
        &self,
        purpose: Purpose,
        method: &str,
        parameters: &Value,
        read: impl Fn(Answered) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut failures = Failures::default();
        let begun = Instant::now();
        let mut last = None;
        loop {
            if let Err(late) = self.take_turn(purpose, begun).await {
                // That the time is up says less than what used it up.
                return Err(match last {
                    Some(fault) if late.class() == Class::Deadline => error::out_of_patience(fault),
                    _ => late,
                });
            }
            let token = self.access.token();
            let fault = match self.exchange(purpose, method, parameters, token.as_ref()).await.and_then(&read) {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            match (&self.access, token) {
                _ if purpose != Purpose::Read && fault.effect == Effect::Unknown => return Err(fault),
                // It was refused without effect, so a write is repeated, too.
                (Access::Application(application), Some(expired)) if fault.class() == Class::Expired => {
                    self.renew(application, &expired, purpose).await?;
                }
                _ => {
                    last = Some(fault.clone());
                    self.wait_out(purpose, fault, &mut failures).await?;
                }
            }
        }
    }

    /// One request, one answer.
    async fn exchange(
        &self,
        purpose: Purpose,
        method: &str,
        parameters: &Value,
        token: Option<&SecretString>,
    ) -> Result<Answered, Fault> {
        let client = match purpose {
            Purpose::Read => &self.for_reads,
            Purpose::Write(_) => &self.for_writes,
        };
        let patience = self.patience(purpose);
        let broken = |broken| error::broken(&self.access, self.access.host(), &broken, patience);
        let request = client
            .post(self.access.endpoint(method))
            .header(ACCEPT, "application/json")
            .json(&Signed { parameters, auth: token.map(ExposeSecret::expose_secret) });
        tracing::debug!(method, "sending");
        let answer = http::send(request, patience.until).await.map_err(broken)?;
        tracing::debug!(method, status = answer.status, "answered");
        let (status, retry_after) = (answer.status, answer.retry_after);
        if (300..400).contains(&status) {
            let to = answer.location.and_then(|location| self.access.site().origin().join(&location).ok());
            return Err(error::redirected(&self.access, status, to.as_ref().and_then(url::Url::host_str)));
        }
        let bytes = answer.body(LONGEST, patience.until).await.map_err(broken)?;
        let fault = match wire::body(&bytes) {
            Body::Answer(answered) if (200..300).contains(&status) => {
                self.note_reset(answered.resets_in);
                return Ok(answered);
            }
            Body::Answer(_) => error::garbage(&self.access, status, "a result under an error's status", b""),
            Body::Error(body) => error::refused(&self.access, Some(status), &body),
            Body::NoAnswer(why) => error::garbage(&self.access, status, why, &bytes),
        };
        Err(Fault { retry_after, ..fault })
    }

    /// The answer of a portal that refuses batches, to commands that only a request of their own says right.
    pub(super) fn not_in_a_batch(&self) -> Fault {
        let message = format!("{} would take a code for a reference in a batch", self.access.host());
        Fault::new(Class::NoBatch, Effect::None, message, None)
    }

    pub(super) fn malformed(&self, method: &str, why: &Malformed) -> Fault {
        error::malformed(&self.access, method, why)
    }
}

impl ReadPortal for Client {
    async fn list(&self) -> Result<Listing, PortalError> {
        self.read_list().await.map_err(|fault| fault.error)
    }

    async fn list_to_write(&self) -> Result<(Listing, bool), PortalError> {
        self.read_rights_and_list().await.map_err(|fault| fault.error)
    }

    async fn get(&self, addresses: &[Address]) -> Result<Vec<Option<Listed>>, PortalError> {
        self.read_entries(addresses).await.map_err(|fault| fault.error)
    }

    async fn download(&self, file_uri: &str) -> Result<Vec<u8>, PortalError> {
        let host = self.access.host();
        let slot = tokio::time::timeout_at(self.deadline(Purpose::Read), self.download_slots.acquire()).await;
        // The semaphore is never closed, so only the time can run out here.
        let Ok(Ok(_slot)) = slot else { return Err(error::timed_out(host, self.budget, Effect::None).error) };
        let mut failures = Failures::default();
        loop {
            if self.left(Purpose::Read).is_zero() {
                return Err(error::timed_out(host, self.budget, Effect::None).error);
            }
            let patience = self.patience(Purpose::Read);
            match download::fetch(&self.for_downloads, &self.access, file_uri, patience).await {
                Ok(bytes) => return Ok(bytes),
                Err(fault) => self.wait_out(Purpose::Read, fault, &mut failures).await.map_err(|fault| fault.error)?,
            }
        }
    }

    fn added_files(&self) -> Vec<String> {
        std::mem::take(&mut *self.added.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin_grace_period(&self) {
        self.winding_up.store(true, Ordering::Relaxed);
    }
}

fn misconfigured(message: impl Into<String>, hint: &str) -> PortalError {
    PortalError { class: Class::Configuration, code: None, message: message.into(), hint: Some(hint.to_owned()) }
}
