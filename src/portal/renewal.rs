//! The renewal of tokens: once for all calls that wait for it and for all processes that share the file, never before
//! the file is known to be writable, and completely or not at all.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::domain::retry::Class;
use crate::ops::ports::{TokenLock, TokenStore};

use super::deadlines::Deadlines;
use super::error::{self, Effect, RequestError};
use super::limits::{RequestPurpose, RetryCounts};
use super::oauth::{Application, Exchange, ExchangeTask, OAuthError, PendingRenewals, TokenAnswer, end_of};
use super::throttle::Throttle;
use super::transport::Transport;
use super::wire::{self, AnswerBody};

/// The time between two tries to take a lock that another process holds.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);
const EXPIRED: &str = "the access token has expired";
/// The hint when the server has a problem: the refresh token was not used.
const HINT_LATER: &str = "the token file is unchanged: run it again later";

/// A renewal of an application's tokens, and the parts of the client that it uses.
pub(super) struct Renewal<'a> {
    pub(super) application: &'a Application,
    pub(super) transport: &'a Transport,
    pub(super) throttle: &'a Throttle,
    pub(super) deadlines: &'a Deadlines,
    pub(super) pending: &'a PendingRenewals,
    /// What the refused request was for.
    pub(super) purpose: RequestPurpose,
}

impl Renewal<'_> {
    /// Makes sure that `expired`, which the portal refused as expired, is no longer the token in use. A failure never
    /// means that the refused request had an effect.
    pub(super) async fn run(&self, expired: &SecretString) -> Result<(), RequestError> {
        let application = self.application;
        let deadline = self.deadlines.until(self.purpose);
        let turn = timeout_at(deadline, application.renewal.lock()).await;
        let Ok(mut turn) = turn else { return Err(self.out_of_time()) };
        if let Some(task) = turn.as_mut() {
            // Another call began it and did not wait for its end.
            if let Exchange::Renewed(pair) = end_of(task).await {
                application.adopt(&pair);
            }
            *turn = None;
        }
        if application.token().expose_secret() != expired.expose_secret() {
            return Ok(());
        }
        // Checked before taking the lock too: if the file cannot be written, another program renews it.
        if application.follow_file(expired).map_err(unusable)? {
            return Ok(());
        }
        let lock = lock(application.file.as_ref(), deadline).await;
        let lock = lock.map_err(|why| unwritable(application, EXPIRED, &why))?;
        let Some(lock) = lock else { return Err(self.out_of_time()) };
        if application.follow_file(expired).map_err(unusable)? {
            return Ok(());
        }
        if application.is_just_issued() {
            return Err(refused_at_once(application));
        }
        match self.fetch_pair(expired, &mut turn, &lock).await {
            // A program that does not take the lock may have been faster.
            Err(failure) if is_spent(&failure) && application.follow_file(expired).map_err(unusable)? => Ok(()),
            fetched => fetched,
        }
    }

    /// Asks the server until it gives a new pair, or says why not. The command's end stops further requests, but never
    /// one that is in flight: its refresh token may already be used up, and only the answer holds the new one.
    async fn fetch_pair(
        &self,
        expired: &SecretString,
        turn: &mut Option<JoinHandle<Exchange>>,
        lock: &TokenLock,
    ) -> Result<(), RequestError> {
        let mut retries = RetryCounts::default();
        loop {
            if self.deadlines.left(self.purpose, Instant::now()).is_zero() {
                return Err(self.out_of_time());
            }
            let deadline = self.deadlines.of_renewal(Instant::now());
            let exchange = end_of(turn.insert(self.begin(lock.clone(), deadline.until)?)).await;
            *turn = None;
            let failure = match exchange {
                Exchange::Renewed(pair) => {
                    self.application.adopt(&pair);
                    return Ok(());
                }
                Exchange::Superseded => return self.application.follow_file(expired).map(drop).map_err(unusable),
                Exchange::Answered(answer) => judge(self.application, &answer),
                Exchange::Broken(error) => {
                    let host = self.application.token_server.host();
                    error::broken(&self.application.redactor, host, &error, deadline)
                }
            };
            let failure = RequestError { effect: Effect::None, ..failure };
            let left = self.deadlines.left(self.purpose, Instant::now());
            self.throttle.wait_out(failure, &mut retries, left).await?;
        }
    }

    /// Begins a request for a new pair, after checking that the pair can be stored.
    fn begin(&self, lock: TokenLock, until: Instant) -> Result<JoinHandle<Exchange>, RequestError> {
        let application = self.application;
        let stored = application.stored().map_err(unusable)?;
        let url = application.renewal_url(stored.text("refresh_token").map_err(unusable)?);
        let replacement = application.file.prepare().map_err(|why| unwritable(application, EXPIRED, &why))?;
        let pending = self.pending.begin().ok_or_else(interrupted)?;
        tracing::debug!(host = application.token_server.host(), "renewing the access token");
        let request = self.transport.tokens.get(url).header(ACCEPT, "application/json");
        let observer = Arc::clone(self.throttle.observer());
        Ok(ExchangeTask { request, until, stored, replacement, lock, pending, observer }.begin())
    }

    fn out_of_time(&self) -> RequestError {
        error::timed_out(self.application.portal.host(), self.deadlines.budget(), Effect::None)
    }
}

/// Takes the lock of a token file. `None` when another process holds it for too long.
async fn lock(file: &dyn TokenStore, until: Instant) -> io::Result<Option<TokenLock>> {
    loop {
        match file.try_lock()? {
            None if Instant::now() < until => tokio::time::sleep(LOCK_INTERVAL).await,
            taken => return Ok(taken),
        }
    }
}

/// Whether a new pair of tokens can be stored, as far as a renewal checks that before it begins.
pub(super) fn check_renewable(application: &Application) -> Result<(), RequestError> {
    let prepared = application.file.try_lock().and_then(|_| application.file.prepare());
    prepared.map(drop).map_err(|why| unwritable(application, "the access token will expire", &why))
}

/// Why an answer of the token server is not a pair of tokens.
fn judge(application: &Application, answer: &TokenAnswer) -> RequestError {
    let TokenAnswer { status, retry_after, ref body } = *answer;
    if (300..400).contains(&status) {
        let message = format!("{} answered {status} and redirects elsewhere", application.token_server.host());
        return misconfigured(message, "check `server_endpoint`");
    }
    let failure = match wire::body(body) {
        AnswerBody::Error(body) => refused(application, status, &body),
        AnswerBody::Result(_) => not_a_pair(application, status, "JSON without tokens", b""),
        // Only an HTML page is quoted: half an answer may hold half a token.
        AnswerBody::NoAnswer(why) => {
            let page = if body.trim_ascii_start().starts_with(b"<") { &body[..] } else { b"" };
            not_a_pair(application, status, why, page)
        }
    };
    RequestError { retry_after, ..failure }
}

/// The token server, or a server in front of it, answered with something other than a pair of tokens.
fn not_a_pair(application: &Application, status: u16, why: &str, page: &[u8]) -> RequestError {
    let host = application.token_server.host();
    let mut failure = error::garbage_of(&application.redactor, host, status, why, page);
    let unwell = matches!(status, 408 | 425 | 429 | 500..);
    let hint = if unwell { HINT_LATER } else { "check `server_endpoint` in the file of BITRIX24_OAUTH_FILE" };
    failure.error.hint = Some(hint.to_owned());
    failure
}

/// The token server answered with an error.
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
            misconfigured(message, "check that `client_id` and `client_secret` are those of the application")
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
    let message = format!("{portal} says that a token is expired, but {server} issued it just now");
    misconfigured(message, "check that the portal's clock is right, and the `client_endpoint`")
}

fn misconfigured(message: String, hint: &str) -> RequestError {
    let hint = format!("{hint} in the file of BITRIX24_OAUTH_FILE");
    RequestError::new(Class::Configuration, Effect::None, message, Some(hint))
}

/// The process is about to end.
fn interrupted() -> RequestError {
    let message = "interrupted before the access token was renewed".to_owned();
    RequestError::new(Class::Deadline, Effect::None, message, None)
}

/// Nothing was sent yet.
fn unwritable(application: &Application, what: &str, why: &io::Error) -> RequestError {
    let message = format!("{what}, and {} cannot be rewritten with a new one: {why}", application.file.name());
    let hint = match why.kind() {
        io::ErrorKind::Unsupported => {
            "keep the file on a local disk, where it can be locked: only one renewal at a time may rewrite it"
        }
        _ => "allow brandctl to write to that file or its folder: each renewal gives new tokens, which must be stored",
    };
    RequestError::new(Class::Configuration, Effect::None, message, Some(hint.to_owned()))
}

/// The token file was valid when the command began, and no longer is.
fn unusable(error: OAuthError) -> RequestError {
    let hint = "put the application's tokens back into it";
    RequestError::new(Class::Configuration, Effect::None, error.to_string(), Some(hint.to_owned()))
}

/// Whether the server no longer takes the refresh token.
fn is_spent(failure: &RequestError) -> bool {
    failure.error.code.as_deref() == Some("invalid_grant")
}
