//! OAuth: the pairs of tokens that the applications were given, and their refresh at `/oauth/token/`.
//!
//! A refresh makes a new pair. The refresh token that paid for it is dead from then on, so whoever comes second with it
//! gets `invalid_grant`. The access token that came with it works until it expires. An older page of the vendor says that
//! it dies too, but calls that are on their way while another one refreshes have done nothing wrong.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::engine::{Core, Engine};
use super::identity::{ADMINISTRATOR, App, CRM, Identity, random_text};
use super::store::{Store, StoreError};
use super::wire::{Answer, Parameters, Refusal};

/// How long a refresh token can be used.
const REFRESH_LIFETIME: i64 = 180 * 24 * 3600;

/// How many pairs of an application are remembered. An access token that is older than these is unknown instead of expired.
const REMEMBERED: usize = 100;

/// A pair of tokens. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pair {
    client_id: String,
    access_token: String,
    refresh_token: String,
    expires: i64,
    refresh_expires: i64,
}

impl Pair {
    fn new(app: &App, now: Timestamp, lifetime: Duration) -> Result<Self, getrandom::Error> {
        let now = now.as_second();
        Ok(Self {
            client_id: app.client_id.clone(),
            access_token: random_text(70)?,
            refresh_token: random_text(70)?,
            expires: now.saturating_add_unsigned(lifetime.as_secs()),
            refresh_expires: now + REFRESH_LIFETIME,
        })
    }

    /// What a client needs to call the portal as an application, and to refresh.
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

/// Every pair that is remembered, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens(Vec<Pair>);

impl Tokens {
    /// The newest pair of an application: the only one that can be refreshed.
    pub(super) fn newest(&self, app: &App) -> Option<&Pair> {
        self.0.iter().rev().find(|pair| pair.client_id == app.client_id)
    }

    fn add(&mut self, pair: Pair) {
        let of_app = |known: &Pair| known.client_id == pair.client_id;
        if self.0.iter().filter(|known| of_app(known)).count() >= REMEMBERED
            && let Some(oldest) = self.0.iter().position(of_app)
        {
            self.0.remove(oldest);
        }
        self.0.push(pair);
    }

    /// Ends the time of all access tokens.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.0.iter_mut().for_each(|pair| pair.expires = pair.expires.min(now.as_second()));
    }

    /// The client id of the application that an access token was given to.
    pub(super) fn client_id(&self, access_token: &str, now: Timestamp) -> Result<&str, Refusal> {
        let pair = self.0.iter().find(|pair| pair.access_token == access_token).ok_or_else(Refusal::no_auth)?;
        if pair.expires <= now.as_second() {
            return Err(Refusal::new(401, "expired_token", "The access token provided has expired."));
        }
        Ok(&pair.client_id)
    }

    /// The application that may have a new pair.
    fn refreshed<'a>(&self, apps: &'a [App], given: &Parameters, now: Timestamp) -> Result<&'a App, Refusal> {
        let text = |name: &str| {
            let lacking = || Refusal::new(400, "invalid_request", &format!("The parameter {name} is missing"));
            given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(lacking)
        };
        if text("grant_type")? != "refresh_token" {
            return Err(Refusal::new(400, "invalid_request", "The grant type must be refresh_token"));
        }
        let (id, secret, token) = (text("client_id")?, text("client_secret")?, text("refresh_token")?);
        let unknown = || Refusal::new(400, "invalid_client", "No application has this client id and secret");
        let app = apps.iter().find(|app| app.client_id == id && app.client_secret == secret).ok_or_else(unknown)?;
        let lives = |pair: &&Pair| pair.refresh_token == token && pair.refresh_expires > now.as_second();
        let dead = || Refusal::new(400, "invalid_grant", "The refresh token was used, has expired or is another's");
        self.newest(app).filter(lives).ok_or_else(dead)?;
        Ok(app)
    }
}

/// The tokens of a folder, with a pair for every application that has none it could refresh.
pub(super) fn open(
    store: &Store,
    identity: &Identity,
    now: Timestamp,
    lifetime: Duration,
) -> Result<Tokens, StoreError> {
    let before = store.tokens()?;
    let mut tokens = before.clone();
    for app in &identity.apps {
        if tokens.newest(app).is_none_or(|pair| pair.refresh_expires <= now.as_second()) {
            tokens.add(Pair::new(app, now, lifetime).map_err(StoreError::Random)?);
        }
    }
    if tokens != before {
        store.save_tokens(&tokens)?;
    }
    Ok(tokens)
}

impl Engine {
    /// The answer of `/oauth/token/`. The new pair is stored before anybody hears of it.
    pub(super) fn token(&self, given: &Parameters) -> Answer {
        let now = Timestamp::now();
        let mut core = self.core();
        let refreshed = core.tokens.refreshed(&self.identity.apps, given, now).and_then(|app| {
            let internal = |text: String| Refusal::new(500, "INTERNAL_SERVER_ERROR", &text);
            let pair = Pair::new(app, now, self.token_lifetime).map_err(|error| internal(error.to_string()))?;
            core.refresh(pair.clone()).map_err(|error| internal(error.to_string()))?;
            Ok(pair)
        });
        match refreshed {
            Err(refusal) => Answer::refused(&refusal),
            Ok(pair) => Answer::json(
                200,
                &json!({
                    "access_token": pair.access_token,
                    "expires": pair.expires,
                    "expires_in": self.token_lifetime.as_secs(),
                    "scope": CRM,
                    "domain": domain(&self.base),
                    "server_endpoint": endpoint(&self.base),
                    "status": "L",
                    "client_endpoint": endpoint(&self.base),
                    "member_id": self.identity.member_id,
                    "user_id": ADMINISTRATOR,
                    "refresh_token": pair.refresh_token,
                }),
            ),
        }
    }
}

impl Core {
    fn refresh(&mut self, pair: Pair) -> Result<(), StoreError> {
        let mut tokens = self.tokens.clone();
        tokens.add(pair);
        self.store.save_tokens(&tokens)?;
        self.tokens = tokens;
        self.refreshes += 1;
        Ok(())
    }
}

/// Where the portal's methods are. It is its own authorization server: both endpoints that a client is told are this one.
fn endpoint(base: &str) -> String {
    format!("{base}/rest/")
}

fn domain(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(3600);

    #[test]
    fn a_refresh_token_that_expired_is_dead_and_the_next_start_gives_another() {
        let folder = tempfile::tempdir().unwrap();
        let (store, identity, _) = Store::open(folder.path()).unwrap();
        let start = Timestamp::constant(1_800_000_000, 0);
        let tokens = open(&store, &identity, start, LIFETIME).unwrap();
        let app = identity.apps.first().unwrap();
        let pair = tokens.newest(app).unwrap();
        let given = json!({
            "grant_type": "refresh_token",
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "refresh_token": pair.refresh_token,
        });
        let given = given.as_object().unwrap();
        let at = |second: i64| start + jiff::SignedDuration::from_secs(second);
        assert_eq!(tokens.refreshed(&identity.apps, given, at(REFRESH_LIFETIME - 1)).unwrap(), app);
        let refusal = tokens.refreshed(&identity.apps, given, at(REFRESH_LIFETIME)).unwrap_err();
        assert_eq!((refusal.status, refusal.code.as_str()), (400, "invalid_grant"));
        assert_eq!(open(&store, &identity, at(REFRESH_LIFETIME - 1), LIFETIME).unwrap(), tokens);
        let later = open(&store, &identity, at(REFRESH_LIFETIME), LIFETIME).unwrap();
        assert_ne!(later.newest(app), Some(pair));
        assert_eq!(open(&store, &identity, at(REFRESH_LIFETIME), LIFETIME).unwrap(), later, "it is stored");
        assert_eq!(tokens.client_id(&pair.access_token, at(3599)).unwrap(), app.client_id);
        assert_eq!(tokens.client_id(&pair.access_token, at(3600)).unwrap_err().code, "expired_token");
    }

    #[test]
    fn the_oldest_pairs_of_an_application_are_forgotten() {
        let app = |id: &str| App { client_id: id.to_owned(), client_secret: String::new() };
        let (busy, idle) = (app("busy"), app("idle"));
        let mut tokens = Tokens::default();
        let now = Timestamp::constant(1_800_000_000, 0);
        let first = Pair::new(&busy, now, LIFETIME).unwrap();
        tokens.add(Pair::new(&idle, now, LIFETIME).unwrap());
        tokens.add(first.clone());
        for _ in 0..REMEMBERED {
            assert!(tokens.client_id(&first.access_token, now).is_ok());
            tokens.add(Pair::new(&busy, now, LIFETIME).unwrap());
        }
        assert_eq!(tokens.client_id(&first.access_token, now).unwrap_err().code, "NO_AUTH_FOUND");
        assert_eq!(tokens.0.len(), REMEMBERED + 1);
        assert!(tokens.newest(&idle).is_some(), "that of another is not");
    }
}
