//! Renewing the tokens: once for all calls that wait for it and for all processes that share the file, and never before
//! the file is known to be writable.

use std::any::Any;
use std::io;
use std::time::Duration;

use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::domain::retry::Class;
use crate::ops::events::Event;
use crate::ops::ports::TokenStore;

use super::deadlines::Deadlines;
use super::error::{self, Effect, RequestError};
use super::http;
use super::limits::{RequestPurpose, RetryCounts};
use super::oauth::{Application, OAuthError, TokenFields};
use super::throttle::Throttle;
use super::transport::Transport;
use super::wire::{self, AnswerBody};

/// A longer answer of the token server is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The time between two tries to take a lock that another process holds.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);
const EXPIRED: &str = "the access token has expired";
/// The hint when the server is not well: the tokens are still good.
const HINT_LATER: &str = "the tokens are as good as before: run it again later";

/// A renewal of an application's tokens, and what it uses of its client.
pub(super) struct Renewal<'a> {
    pub(super) application: &'a Application,
    pub(super) transport: &'a Transport,
    pub(super) throttle: &'a Throttle,
    pub(super) deadlines: &'a Deadlines,
    /// What the refused request was for.
    pub(super) purpose: RequestPurpose,
}

impl Renewal<'_> {
    /// Makes sure that `expired`, which the portal refused as expired, is not the token in use any more. A failure never
    /// means that the refused request had an effect.
    pub(super) async fn run(&self, expired: &SecretString) -> Result<(), RequestError> {
        let application = self.application;
        let deadline = self.deadlines.until(self.purpose);
        let turn = timeout_at(deadline, application.renewal.lock()).await;
        let Ok(_turn) = turn else { return Err(self.out_of_time()) };
        if application.token().expose_secret() != expired.expose_secret() {
            return Ok(());
        }
        // Looked at before the lock, too: where the file cannot be written, somebody else renews it.
        if application.follow_file(expired).map_err(unusable)? {
            return Ok(());
        }
        let lock = lock(application.file.as_ref(), deadline).await;
        let lock = lock.map_err(|why| unwritable(application, EXPIRED, &why))?;
        let Some(_lock) = lock else { return Err(self.out_of_time()) };
        if application.follow_file(expired).map_err(unusable)? {
            return Ok(());
        }
        if application.is_just_issued() {
            return Err(refused_at_once(application));
        }
        let stored = application.stored().map_err(unusable)?;
        let replacement = application.file.prepare().map_err(|why| unwritable(application, EXPIRED, &why))?;
        match self.fetch_pair(&stored).await {
            Ok(pair) => {
                // Nothing is waited for between the answer and the disk, so that only a crash can come between.
                if let Err(why) = application.adopt(&stored.renewed(&pair), replacement) {
                    let message = format!(
                        "{} could not be rewritten, and its tokens are spent: authorise the application again ({why})",
                        application.file.name()
                    );
                    self.throttle.observer().observe(Event::Warning(message));
                }
                Ok(())
            }
            // A program that takes no lock may have been faster.
            Err(failure) if is_spent(&failure) && application.follow_file(expired).map_err(unusable)? => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Asks the server until it gives a new pair, or says why not.
    async fn fetch_pair(&self, stored: &TokenFields) -> Result<Map<String, Value>, RequestError> {
        let url = self.application.renewal_url(stored.text("refresh_token").map_err(unusable)?);
        let mut retries = RetryCounts::default();
        loop {
            match self.fetch_pair_once(url.clone()).await {
                Ok(pair) => return Ok(pair),
                Err(failure) => {
                    let failure = RequestError { effect: Effect::None, ..failure };
                    let left = self.deadlines.left(self.purpose, Instant::now());
                    self.throttle.wait_out(failure, &mut retries, left).await?;
                }
            }
        }
    }

    async fn fetch_pair_once(&self, url: Url) -> Result<Map<String, Value>, RequestError> {
        let (application, host) = (self.application, self.application.token_server.host());
        let deadline = self.deadlines.of_read(self.purpose, Instant::now());
        let broken = |error| error::broken(&application.redactor, host, &error, deadline);
        tracing::debug!(host, "renewing the access token");
        let request = self.transport.tokens.get(url).header(ACCEPT, "application/json");
        let response = http::send(request, deadline.until).await.map_err(broken)?;
        let status = response.status;
        tracing::debug!(host, status, "answered");
        if (300..400).contains(&status) {
            let message = format!("{host} answered {status} and redirects elsewhere");
            return Err(misconfigured(message, "check `server_endpoint`"));
        }
        let retry_after = response.retry_after;
        let bytes = response.body(MAX_ANSWER_BYTES, deadline.until).await.map_err(broken)?;
        let failure = match serde_json::from_slice(&bytes) {
            Ok(Value::Object(pair)) if (200..300).contains(&status) && is_pair(&pair) => return Ok(pair),
            _ => match wire::body(&bytes) {
                AnswerBody::Error(body) => refused(application, status, &body),
                AnswerBody::Result(_) => not_a_pair(application, status, "JSON without tokens", b""),
                // Only a page is quoted: half an answer may hold half a token.
                AnswerBody::NoAnswer(why) => {
                    let page = if bytes.trim_ascii_start().starts_with(b"<") { &bytes[..] } else { b"" };
                    not_a_pair(application, status, why, page)
                }
            },
        };
        Err(RequestError { retry_after, ..failure })
    }

    fn out_of_time(&self) -> RequestError {
        error::timed_out(self.application.portal.host(), self.deadlines.budget(), Effect::None)
    }
}

/// Takes the lock of a token file. `None` when another process holds it for too long.
async fn lock(file: &dyn TokenStore, until: Instant) -> io::Result<Option<Box<dyn Any>>> {
    loop {
        match file.try_lock()? {
            None if Instant::now() < until => tokio::time::sleep(LOCK_INTERVAL).await,
            taken => return Ok(taken),
        }
    }
}

/// Whether a new pair of tokens could be stored.
pub(super) fn check_renewable(application: &Application) -> Result<(), RequestError> {
    let prepared = application.file.prepare().map(drop);
    prepared.map_err(|why| unwritable(application, "the access token will expire", &why))
}

/// The token server answered with something else than a pair of tokens, or something in front of it did.
fn not_a_pair(application: &Application, status: u16, why: &str, page: &[u8]) -> RequestError {
    let host = application.token_server.host();
    let mut failure = error::garbage_of(&application.redactor, host, status, why, page);
    let unwell = matches!(status, 408 | 425 | 429 | 500..);
    let hint = if unwell { HINT_LATER } else { "check `server_endpoint` in the file of BITRIX24_OAUTH_FILE" };
    failure.error.hint = Some(hint.to_owned());
    failure
}

/// The token server answered with an error of its own.
fn refused(application: &Application, status: u16, body: &wire::ErrorBody) -> RequestError {
    let code = application.redactor.quote(&body.code);
    let words = application.redactor.quote(&body.description);
    let message = format!("{} answered {status} and error {code}: {words}", application.token_server.host());
    let message = message.trim_end_matches([':', ' ']).to_owned();
    let class = match status {
        429 => Class::Busy,
        408 | 425 | 500.. => Class::Transient,
        _ => Class::Configuration,
    };
    let mut failure = match (class, code.as_str()) {
        (Class::Configuration, "invalid_client" | "wrong_client") => {
            misconfigured(message, "let `client_id` and `client_secret` be those of the application")
        }
        (Class::Configuration, _) => {
            misconfigured(message, "the application must be authorised on the portal again: put its new tokens")
        }
        _ => RequestError::new(class, Effect::None, message, Some(HINT_LATER.to_owned())),
    };
    failure.error.code = Some(code);
    failure
}

fn refused_at_once(application: &Application) -> RequestError {
    let (portal, server) = (application.portal.host(), application.token_server.host());
    let message = format!("{portal} refuses as expired a token that {server} gave out just now");
    misconfigured(message, "check that the portal's clock is right, and the `client_endpoint`")
}

fn misconfigured(message: String, hint: &str) -> RequestError {
    let hint = format!("{hint} in the file of BITRIX24_OAUTH_FILE");
    RequestError::new(Class::Configuration, Effect::None, message, Some(hint))
}

/// Nothing was sent yet.
fn unwritable(application: &Application, what: &str, why: &io::Error) -> RequestError {
    let message = format!("{what}, and {} cannot be rewritten with a new one: {why}", application.file.name());
    let hint = match why.kind() {
        io::ErrorKind::Unsupported => "keep the file on a disk of this machine: one renewal at a time may rewrite it",
        _ => "let brandctl write to that file and its folder: each renewal gives new tokens, which must be kept",
    };
    RequestError::new(Class::Configuration, Effect::None, message, Some(hint.to_owned()))
}

/// The token file was valid when the command began, and is not any more.
fn unusable(error: OAuthError) -> RequestError {
    let hint = "put the application's tokens back into it";
    RequestError::new(Class::Configuration, Effect::None, error.to_string(), Some(hint.to_owned()))
}

/// Whether the server no longer takes the refresh token.
fn is_spent(failure: &RequestError) -> bool {
    failure.error.code.as_deref() == Some("invalid_grant")
}

fn is_pair(answer: &Map<String, Value>) -> bool {
    ["access_token", "refresh_token"]
        .iter()
        .all(|field| answer.get(*field).and_then(Value::as_str).is_some_and(|token| !token.trim().is_empty()))
}
