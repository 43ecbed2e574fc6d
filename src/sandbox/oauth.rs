//! OAuth: the applications' first pairs of tokens, and their refresh at `/oauth/token/`.
//!
//! A refresh makes a new pair. The refresh token that was used for it is invalid from then on: using it again gives
//! `invalid_grant`. The access token of the old pair works until it expires. An older page of the vendor says that it
//! becomes invalid too, but calls that are in flight during a refresh must not fail.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::core::Core;
use super::error::SandboxError;
use super::identity::{ADMINISTRATOR, CRM, Identity};
use super::php::Parameters;
use super::store::Store;
use super::tokens::{TokenPair, Tokens, domain, endpoint};
use super::wire::{CallRefusal, HttpAnswer};

/// The tokens of a folder, with a new pair for every application without one that it can refresh.
pub(super) fn open(
    store: &Store,
    identity: &Identity,
    now: Timestamp,
    lifetime: Duration,
) -> Result<Tokens, SandboxError> {
    let before = store.tokens()?;
    let mut tokens = before.clone();
    for app in &identity.apps {
        if tokens.newest(app).is_none_or(|pair| pair.refresh_expires <= now.as_second()) {
            tokens.add(TokenPair::new(app, now, lifetime)?);
        }
    }
    if tokens != before {
        store.save_tokens(&tokens)?;
    }
    Ok(tokens)
}

/// The answer of `/oauth/token/` at the portal whose address is `base`. The new pair is stored before it is sent.
pub(super) fn refresh(
    core: &mut Core,
    identity: &Identity,
    base: &str,
    lifetime: Duration,
    given: &Parameters,
) -> HttpAnswer {
    let now = Timestamp::now();
    let refreshed = core.tokens.refreshed(&identity.apps, given, now).and_then(|app| {
        let pair = TokenPair::new(app, now, lifetime).map_err(|error| CallRefusal::internal(&error))?;
        let mut tokens = core.tokens.clone();
        tokens.add(pair.clone());
        core.store.save_tokens(&tokens).map_err(|error| CallRefusal::internal(&error))?;
        core.tokens = tokens;
        core.refreshes += 1;
        Ok(pair)
    });
    match refreshed {
        Err(refusal) => HttpAnswer::refused(&refusal),
        Ok(pair) => HttpAnswer::json(
            200,
            &json!({
                "access_token": pair.access_token,
                "expires": pair.expires,
                "expires_in": lifetime.as_secs(),
                "scope": CRM,
                "domain": domain(base),
                "server_endpoint": endpoint(base),
                "status": "L",
                "client_endpoint": endpoint(base),
                "member_id": identity.member_id,
                "user_id": ADMINISTRATOR,
                "refresh_token": pair.refresh_token,
            }),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::tokens::REFRESH_LIFETIME;
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
        assert_eq!((refusal.status, &*refusal.code), (400, "invalid_grant"));
        assert_eq!(open(&store, &identity, at(REFRESH_LIFETIME - 1), LIFETIME).unwrap(), tokens);
        let later = open(&store, &identity, at(REFRESH_LIFETIME), LIFETIME).unwrap();
        assert_ne!(later.newest(app), Some(pair));
        assert_eq!(open(&store, &identity, at(REFRESH_LIFETIME), LIFETIME).unwrap(), later, "it is stored");
        assert_eq!(tokens.client_id(&pair.access_token, at(3599)).unwrap(), app.client_id);
        assert_eq!(tokens.client_id(&pair.access_token, at(3600)).unwrap_err().code, "expired_token");
    }
}
