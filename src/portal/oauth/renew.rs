//! Renewing the tokens: once for all calls that wait for it and for all processes that share the file, and never before
//! the file is known to be writable.

use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::domain::retry::Class;
use crate::ops::events::Event;
use crate::portal::client::{Client, Purpose};
use crate::portal::error::{self, Effect, Fault};
use crate::portal::http;
use crate::portal::throttle::Failures;
use crate::portal::wire::{self, Body};

use super::file::{Contents, Replacement};
use super::{Application, OAuthError};

/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024;
const EXPIRED: &str = "the access token has expired";
/// What to do when the server is not well. The tokens are.
const LATER: &str = "the tokens are as good as before: run it again later";

impl Client {
    /// Sees to it that `expired`, which the portal refused as expired, is not the token in use any more. Nothing that it
    /// fails with says that the refused request had an effect.
    pub(in crate::portal) async fn renew(
        &self,
        application: &Application,
        expired: &SecretString,
        purpose: Purpose,
    ) -> Result<(), Fault> {
        let deadline = self.deadline(purpose);
        let turn = timeout_at(deadline, application.renewal.lock()).await;
        let Ok(_turn) = turn else { return Err(self.out_of_time()) };
        if application.token().expose_secret() != expired.expose_secret() {
            return Ok(());
        }
        // Looked at before the lock, too: where the file cannot be written, somebody else renews it.
        if application.follow_file(expired).map_err(unusable)? {
            return Ok(());
        }
        let lock = application.file.lock(deadline).await.map_err(|why| application.unwritable(EXPIRED, &why))?;
        let Some(_lock) = lock else { return Err(self.out_of_time()) };
        if application.follow_file(expired).map_err(unusable)? {
            return Ok(());
        }
        if application.is_young() {
            return Err(application.refused_at_once());
        }
        let stored = application.stored().map_err(unusable)?;
        let replacement = application.file.prepare().map_err(|why| application.unwritable(EXPIRED, &why))?;
        match self.fetch_pair(application, &stored, purpose).await {
            Ok(pair) => {
                // Nothing is waited for between the answer and the disk, so that only a crash can come between.
                self.put_to_use(application, &stored.renewed(&pair), replacement);
                Ok(())
            }
            // A program that takes no lock may have been faster.
            Err(fault) if is_spent(&fault) && application.follow_file(expired).map_err(unusable)? => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Stores a new pair, then uses it. One that cannot be stored is used all the same: the old one is gone, and a
    /// replace may be half done.
    fn put_to_use(&self, application: &Application, renewed: &Contents, replacement: Replacement) {
        // Both are there: a pair without one of them is no answer.
        drop(renewed.hide(&application.redactor));
        if let Err(why) = replacement.store(renewed) {
            let message = format!(
                "{} could not be rewritten, and its tokens are spent: authorise the application again ({why})",
                application.file.name()
            );
            self.observer.observe(Event::Warning(message));
        }
        application.take(renewed.optional("access_token").unwrap_or_default(), Some(Instant::now()));
    }

    /// Asks the server until it gives a new pair, or says why not.
    async fn fetch_pair(
        &self,
        application: &Application,
        stored: &Contents,
        purpose: Purpose,
    ) -> Result<Map<String, Value>, Fault> {
        let url = application.renewal_url(stored.text("refresh_token").map_err(unusable)?);
        let mut failures = Failures::default();
        loop {
            match self.fetch_pair_once(application, url.clone(), purpose).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => self.wait_out(purpose, Fault { effect: Effect::None, ..fault }, &mut failures).await?,
            }
        }
    }

    async fn fetch_pair_once(
        &self,
        application: &Application,
        url: Url,
        purpose: Purpose,
    ) -> Result<Map<String, Value>, Fault> {
        let host = application.server.host();
        let patience = self.patience_until(self.deadline(purpose));
        let broken = |broken| error::broken(&self.access, host, &broken, patience);
        tracing::debug!(host, "renewing the access token");
        let request = self.for_tokens.get(url).header(ACCEPT, "application/json");
        let answer = http::send(request, patience.until).await.map_err(broken)?;
        let status = answer.status;
        tracing::debug!(host, status, "answered");
        if (300..400).contains(&status) {
            let message = format!("{host} answered {status} and redirects elsewhere");
            return Err(application.fault(Class::Configuration, message, "check `server_endpoint`"));
        }
        let retry_after = answer.retry_after;
        let bytes = answer.body(LONGEST, patience.until).await.map_err(broken)?;
        let fault = match serde_json::from_slice(&bytes) {
            Ok(Value::Object(pair)) if (200..300).contains(&status) && is_pair(&pair) => return Ok(pair),
            _ => match wire::body(&bytes) {
                Body::Error(body) => application.refused(status, &body),
                Body::Answer(_) => self.no_pair(application, status, "JSON without tokens", b""),
                // A page is quoted, and nothing else: half an answer may hold half a token.
                Body::NoAnswer(why) => {
                    let page = if bytes.trim_ascii_start().starts_with(b"<") { &bytes[..] } else { b"" };
                    self.no_pair(application, status, why, page)
                }
            },
        };
        Err(Fault { retry_after, ..fault })
    }

    /// The server answered with something else, or something in front of it did.
    fn no_pair(&self, application: &Application, status: u16, why: &str, page: &[u8]) -> Fault {
        let mut fault = error::garbage_of(&self.access, application.server.host(), status, why, page);
        let unwell = matches!(status, 408 | 425 | 429 | 500..);
        let hint = if unwell { LATER } else { "check `server_endpoint` in the file of BITRIX24_OAUTH_FILE" };
        fault.error.hint = Some(hint.to_owned());
        fault
    }

    fn out_of_time(&self) -> Fault {
        error::timed_out(self.access.host(), self.budget, Effect::None)
    }
}

impl Application {
    /// The vendor documents renewing as a GET with everything in the URL. So this URL goes nowhere but into the request:
    /// it is in no error and no log.
    fn renewal_url(&self, refresh_token: &str) -> Url {
        let mut url = self.server.origin().clone();
        url.set_path("/oauth/token/");
        url.query_pairs_mut()
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", self.client_id.expose_secret())
            .append_pair("client_secret", self.client_secret.expose_secret())
            .append_pair("refresh_token", refresh_token);
        url
    }

    fn fault(&self, class: Class, message: String, hint: &str) -> Fault {
        let hint = format!("{hint} in the file of BITRIX24_OAUTH_FILE");
        Fault::new(class, Effect::None, message, Some(hint))
    }

    /// The server answered with an error of its own.
    fn refused(&self, status: u16, body: &wire::ErrorBody) -> Fault {
        let code = self.redactor.quote(&body.code);
        let words = self.redactor.quote(&body.description);
        let message = format!("{} answered {status} and error {code}: {words}", self.server.host());
        let message = message.trim_end_matches([':', ' ']).to_owned();
        let class = match status {
            429 => Class::Busy,
            408 | 425 | 500.. => Class::Transient,
            _ => Class::Configuration,
        };
        let mut fault = match (class, code.as_str()) {
            (Class::Configuration, "invalid_client" | "wrong_client") => {
                self.fault(class, message, "let `client_id` and `client_secret` be those of the application")
            }
            (Class::Configuration, _) => {
                self.fault(class, message, "the application must be authorised on the portal again: put its new tokens")
            }
            _ => Fault::new(class, Effect::None, message, Some(LATER.to_owned())),
        };
        fault.error.code = Some(code);
        fault
    }

    fn refused_at_once(&self) -> Fault {
        let message =
            format!("{} refuses as expired a token that {} gave out just now", self.site.host(), self.server.host());
        self.fault(Class::Configuration, message, "check that the portal's clock is right, and the `client_endpoint`")
    }

    /// Whether a new pair could be stored.
    pub(in crate::portal) fn renewable(&self) -> Result<(), Fault> {
        self.file.prepare().map(drop).map_err(|why| self.unwritable("the access token will expire", &why))
    }

    /// Nothing was sent yet.
    fn unwritable(&self, what: &str, why: &std::io::Error) -> Fault {
        let message = format!("{what}, and {} cannot be rewritten with a new one: {why}", self.file.name());
        let hint = "let brandctl write to that file and its folder: each renewal gives new tokens, which must be kept";
        Fault::new(Class::Configuration, Effect::None, message, Some(hint.to_owned()))
    }
}

/// The token file was sound when the command began, and is not any more.
fn unusable(error: OAuthError) -> Fault {
    let hint = "put the application's tokens back into it";
    Fault::new(Class::Configuration, Effect::None, error.to_string(), Some(hint.to_owned()))
}

/// Whether the server does not take the refresh token (any more).
fn is_spent(fault: &Fault) -> bool {
    fault.error.code.as_deref() == Some("invalid_grant")
}

fn is_pair(answer: &Map<String, Value>) -> bool {
    ["access_token", "refresh_token"]
        .iter()
        .all(|field| answer.get(*field).and_then(Value::as_str).is_some_and(|token| !token.trim().is_empty()))
}
