//! The client: it waits for a permit, sends the request, reads the answer, and retries what may be retried.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::domain::asset::Address;
use crate::domain::retry::Class;
use crate::ops::events::Event;
use crate::ops::ports::{PortalError, Transmission, Urgency};

use super::access::Access;
use super::batch;
use super::deadlines::Deadlines;
use super::error::{self, Effect, RequestError};
use super::http;
use super::limits::{RequestPurpose, RetryCounts};
use super::oauth::PendingRenewals;
use super::renewal::Renewal;
use super::throttle::Throttle;
use super::transport::{Transport, TrustStore};
use super::wire::{self, AnswerBody, Malformed, RestResult};

/// The longest answer that is read. It is large because a list has no pages.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// A portal and the credentials for it. Several futures can use it at once, all on one thread.
pub struct Client {
    pub(super) access: Access,
    pub(super) transport: Transport,
    pub(super) throttle: Throttle,
    pub(super) deadlines: Deadlines,
    pending: PendingRenewals,
    /// The addresses of the images that were added, until they are asked for.
    pub(super) added: RefCell<Vec<(Address, String)>>,
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

impl Client {
    /// Makes a client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up; the class is `Configuration`.
    pub fn new(
        access: Access,
        trust: &TrustStore,
        throttle: Throttle,
        deadlines: Deadlines,
    ) -> Result<Self, PortalError> {
        let transport = Transport::new(trust, &access)?;
        let (pending, added) = Default::default();
        Ok(Self { access, transport, throttle, deadlines, pending, added })
    }

    /// Lets the code that ends the process wait for its token renewals.
    pub fn with_pending(self, pending: PendingRenewals) -> Self {
        Self { pending, ..self }
    }

    /// Gives the command more time: as long as the user took to answer a question.
    pub(crate) fn extend(&self, by: Duration) {
        self.deadlines.extend(by);
    }

    /// Sends a request until there is an answer that `read` accepts, or a failure that must not be retried. An answer
    /// that holds our own secret is an error, because answers go into plans, journals and caches.
    pub(super) async fn ask<T>(
        &self,
        method: &str,
        parameters: &Value,
        read: impl Fn(RestResult) -> Result<T, RequestError>,
    ) -> Result<T, RequestError> {
        let gate = |answered: RestResult| {
            if self.access.redactor().is_in_value(&answered.result) {
                return Err(error::secret_in_answer(&self.access));
            }
            read(answered)
        };
        self.ask_until(RequestPurpose::Read, method, parameters, &|_| {}, gate).await
    }

    /// Sends a write, as [`Client::ask`] does. The write cannot be undone, so our own secret is removed from the answer
    /// instead of making it an error. `note` is called with each thing that happens to the request.
    pub(super) async fn ask_to_write<T>(
        &self,
        urgency: Urgency,
        method: &str,
        parameters: &Value,
        note: &dyn Fn(Transmission),
        read: impl Fn(RestResult) -> Result<T, RequestError>,
    ) -> Result<T, RequestError> {
        self.ask_until(RequestPurpose::Write(urgency), method, parameters, note, self.redacting(read)).await
    }

    /// Reads text that anyone may have written, as [`Client::ask`] does: our own secret is removed from it.
    pub(super) async fn ask_for_words<T>(
        &self,
        method: &str,
        parameters: &Value,
        read: impl Fn(RestResult) -> Result<T, RequestError>,
    ) -> Result<T, RequestError> {
        self.ask_until(RequestPurpose::Read, method, parameters, &|_| {}, self.redacting(read)).await
    }

    /// `read`, of an answer without our own secret.
    fn redacting<T>(
        &self,
        read: impl Fn(RestResult) -> Result<T, RequestError>,
    ) -> impl Fn(RestResult) -> Result<T, RequestError> {
        move |mut answered| {
            self.access.redactor().redact_value(&mut answered.result);
            read(answered)
        }
    }

    async fn ask_until<T>(
        &self,
        purpose: RequestPurpose,
        method: &str,
        parameters: &Value,
        note: &dyn Fn(Transmission),
        read: impl Fn(RestResult) -> Result<T, RequestError>,
    ) -> Result<T, RequestError> {
        let mut retries = RetryCounts::default();
        let begun = Instant::now();
        let (mut last, mut was_sent) = (None, false);
        loop {
            if let Err(why) = self.throttle.permit(purpose, begun, self.deadlines.until(purpose)).await {
                let late = error::not_permitted(self.access.host(), self.deadlines.budget(), why);
                return Err(error::used_up(last, late));
            }
            if std::mem::replace(&mut was_sent, true) {
                note(Transmission::Again);
            }
            let token = self.access.token();
            let failure = match self.exchange(purpose, method, parameters, token.as_ref(), note).await.and_then(&read) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match (&self.access, token) {
                _ if purpose != RequestPurpose::Read && failure.effect != Effect::None => return Err(failure),
                _ if failure.class() == Class::Deadline => return Err(error::used_up(last, failure)),
                // It was refused without effect, so a write is repeated, too.
                (Access::Application(application), Some(expired)) if failure.class() == Class::Expired => {
                    let Self { transport, throttle, deadlines, pending, .. } = self;
                    Renewal { application, transport, throttle, deadlines, pending, purpose }.run(&expired).await?;
                }
                // The caller knows how long to wait for that.
                _ if failure.is_allowance_used_up() && writes_step(purpose, method) => return Err(failure),
                _ => {
                    last = Some(failure.clone());
                    note(Transmission::Refused);
                    self.wait_out(purpose, failure, &mut retries).await?;
                }
            }
        }
    }

    /// Waits until it is time to send again, or gives the failure back when it makes no sense to.
    pub(super) async fn wait_out(
        &self,
        purpose: RequestPurpose,
        failure: RequestError,
        retries: &mut RetryCounts,
    ) -> Result<(), RequestError> {
        let left = self.deadlines.left(purpose, Instant::now());
        self.throttle.wait_out(failure, retries, left).await
    }

    /// Sends one request and reads its answer.
    async fn exchange(
        &self,
        purpose: RequestPurpose,
        method: &str,
        parameters: &Value,
        token: Option<&SecretString>,
        note: &dyn Fn(Transmission),
    ) -> Result<RestResult, RequestError> {
        let http = match purpose {
            RequestPurpose::Read => &self.transport.reads,
            RequestPurpose::Write(_) => &self.transport.writes,
        };
        let deadline = self.deadlines.of_request(purpose, Instant::now());
        let broken = |error| error::broken(self.access.redactor(), self.access.host(), &error, deadline);
        let signed = Signed { parameters, auth: token.map(ExposeSecret::expose_secret) };
        let (body, all_sent) = http::watched_json(&signed);
        let request = http
            .post(self.access.endpoint(method))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        tracing::debug!(method, "sending");
        let note_sent = || note(Transmission::Sent);
        let sending = http::noting(http::send(request, deadline.until), all_sent, &note_sent);
        let response = self.announcing(purpose, sending).await.map_err(broken)?;
        tracing::debug!(method, status = response.status, "answered");
        let (status, retry_after) = (response.status, response.retry_after);
        if (300..400).contains(&status) {
            let to = response.location.and_then(|location| self.access.portal().origin().join(&location).ok());
            return Err(error::redirected(&self.access, status, to.as_ref().and_then(url::Url::host_str)));
        }
        let body = response.body(MAX_ANSWER_BYTES, deadline.until);
        let bytes = self.announcing(purpose, body).await.map_err(broken)?;
        let failure = match wire::body(&bytes) {
            AnswerBody::Result(result) if (200..300).contains(&status) => {
                self.throttle.note_reset(result.time.resets_in);
                return Ok(result);
            }
            AnswerBody::Result(_) => error::garbage(&self.access, status, "a result instead of an error", b""),
            AnswerBody::Error(body) => error::refused(&self.access, Some(status), &body),
            AnswerBody::NoAnswer(why) => error::garbage(&self.access, status, why, &bytes),
        };
        Err(RequestError { retry_after, ..failure })
    }

    /// Does `work` for a request, and announces it when the work continues past the command's end.
    async fn announcing<T>(&self, purpose: RequestPurpose, work: impl Future<Output = T>) -> T {
        let goes_on = |end: &Instant| purpose != RequestPurpose::Read || self.deadlines.until(purpose) > *end;
        let Some(end) = self.deadlines.unannounced_end().filter(goes_on) else { return work.await };
        tokio::pin!(work);
        tokio::select! {
            biased;
            value = &mut work => value,
            () = tokio::time::sleep_until(end) => {
                if self.deadlines.unannounced_end().is_some() {
                    let most = self.deadlines.announce().as_secs();
                    let what = "finishing what was begun on the portal, or finding out its outcome";
                    let message = format!("the time of --timeout is up: {what}, for at most {most} s");
                    self.throttle.observer().observe(Event::Warning(message));
                }
                work.await
            }
        }
    }

    /// The error of a portal that refuses batches, for commands that a batch would get wrong.
    pub(super) fn not_in_a_batch(&self) -> RequestError {
        let message = format!("{} would read a code as a reference inside a batch", self.access.host());
        RequestError::new(Class::NoBatch, Effect::None, message, None)
    }

    pub(super) fn malformed(&self, method: &str, why: &Malformed) -> RequestError {
        error::malformed(&self.access, method, why)
    }
}

/// Whether a request is one step of a plan, or half of one: a single write, or the second half of a replace.
fn writes_step(purpose: RequestPurpose, method: &str) -> bool {
    purpose == RequestPurpose::Write(Urgency::Completing) || batch::is_write(method)
}
