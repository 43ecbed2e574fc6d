//! The pairs of tokens that the applications were given.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::identity::{App, random_text};
use super::php::Parameters;
use super::wire::CallRefusal;

/// How long a refresh token can be used, in seconds.
pub(super) const REFRESH_LIFETIME: i64 = 180 * 24 * 3600;

/// The most pairs of an application that are remembered. An access token older than these is unknown instead of
/// expired.
const MAX_PAIRS: usize = 100;

/// A pair of tokens. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TokenPair {
    pub(super) client_id: String,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    pub(super) expires: i64,
    pub(super) refresh_expires: i64,
}

impl TokenPair {
    pub(super) fn new(app: &App, now: Timestamp, lifetime: Duration) -> Result<Self, rustls::Error> {
        let now = now.as_second();
        Ok(Self {
            client_id: app.client_id.clone(),
            access_token: random_text(70)?,
            refresh_token: random_text(70)?,
            expires: now.saturating_add_unsigned(lifetime.as_secs()),
            refresh_expires: now + REFRESH_LIFETIME,
        })
    }

    /// The file with which a client calls the portal as an application, and refreshes its tokens.
    pub(super) fn file(&self, app: &App, base: &str) -> Value {
        json!({
            "domain": domain(base),
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "client_endpoint": endpoint(base),
            "server_endpoint": endpoint(base),
        })
    }
}

/// The remembered pairs, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens(Vec<TokenPair>);

impl Tokens {
    /// The newest pair of an application: the only one that can be refreshed.
    pub(super) fn newest(&self, app: &App) -> Option<&TokenPair> {
        self.0.iter().rev().find(|pair| pair.client_id == app.client_id)
    }

    /// Adds a pair; if the application has too many, its oldest one is dropped.
    pub(super) fn add(&mut self, pair: TokenPair) {
        let of_app = |known: &TokenPair| known.client_id == pair.client_id;
        if self.0.iter().filter(|known| of_app(known)).count() >= MAX_PAIRS
            && let Some(oldest) = self.0.iter().position(of_app)
        {
            self.0.remove(oldest);
        }
        self.0.push(pair);
    }

    /// Makes all access tokens expire.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.0.iter_mut().for_each(|pair| pair.expires = pair.expires.min(now.as_second()));
    }

    /// The client id of the application that an access token belongs to.
    pub(super) fn client_id(&self, access_token: &str, now: Timestamp) -> Result<&str, CallRefusal> {
        let pair = self.0.iter().find(|pair| pair.access_token == access_token).ok_or(CallRefusal::NO_AUTH)?;
        if pair.expires <= now.as_second() {
            return Err(CallRefusal::EXPIRED_TOKEN);
        }
        Ok(&pair.client_id)
    }

    /// The application that may get a new pair.
    pub(super) fn refreshed<'a>(
        &self,
        apps: &'a [App],
        given: &Parameters,
        now: Timestamp,
    ) -> Result<&'a App, CallRefusal> {
        let text = |name: &str| {
            let lacking = || CallRefusal::new(400, "invalid_request", &format!("The parameter {name} is missing"));
            given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(lacking)
        };
        if text("grant_type")? != "refresh_token" {
            return Err(CallRefusal::new(400, "invalid_request", "The grant type must be refresh_token"));
        }
        let (id, secret, token) = (text("client_id")?, text("client_secret")?, text("refresh_token")?);
        let unknown = || CallRefusal::new(400, "invalid_client", "No application has this client id and secret");
        let app = apps.iter().find(|app| app.client_id == id && app.client_secret == secret).ok_or_else(unknown)?;
        let lives = |pair: &&TokenPair| pair.refresh_token == token && pair.refresh_expires > now.as_second();
        let dead = || CallRefusal::new(400, "invalid_grant", "The refresh token was used, has expired or is another's");
        self.newest(app).filter(lives).ok_or_else(dead)?;
        Ok(app)
    }
}

/// The URL of the portal's methods. The portal is its own authorization server: both endpoints of a client have this
/// URL.
pub(super) fn endpoint(base: &str) -> String {
    format!("{base}/rest/")
}

/// Host and port of the portal.
pub(super) fn domain(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(3600);

    #[test]
    fn the_oldest_pairs_of_an_application_are_forgotten() {
        let app = |id: &str| App { client_id: id.to_owned(), client_secret: String::new() };
        let (busy, idle) = (app("busy"), app("idle"));
        let mut tokens = Tokens::default();
        let now = Timestamp::constant(1_800_000_000, 0);
        let first = TokenPair::new(&busy, now, LIFETIME).unwrap();
        tokens.add(TokenPair::new(&idle, now, LIFETIME).unwrap());
        tokens.add(first.clone());
        for _ in 0..MAX_PAIRS {
            assert!(tokens.client_id(&first.access_token, now).is_ok());
            tokens.add(TokenPair::new(&busy, now, LIFETIME).unwrap());
        }
        assert_eq!(tokens.client_id(&first.access_token, now).unwrap_err().code, "NO_AUTH_FOUND");
        assert_eq!(tokens.0.len(), MAX_PAIRS + 1);
        assert!(tokens.newest(&idle).is_some(), "that of another is not");
    }
}
