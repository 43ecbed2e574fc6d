//! The portal's identity and its callers: a name, three webhooks and two applications, made once for a folder.

use rustls::Error;
use serde::{Deserialize, Serialize};

/// The scopes that webhooks and applications of this portal can have.
pub(super) const SCOPES: [&str; 2] = [CRM, TASK];

/// The scope of the methods for icons, logos and log entries.
pub(super) const CRM: &str = "crm";

/// The only scope of the webhook that lacks `crm`.
const TASK: &str = "task";

/// The user of the administrator's webhooks and of the applications.
pub(super) const ADMINISTRATOR: u32 = 1;

/// A caller whose credentials were right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) user: u32,
    pub(super) administrator: bool,
    /// The scopes of the webhook or of the application.
    pub(super) scopes: &'static [&'static str],
    /// The client id of the application that calls; `None` for a webhook.
    pub(super) app: Option<String>,
}

/// The names and secrets of a portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) administrator_secret: String,
    pub(super) user_secret: String,
    /// The secret of an administrator's webhook that may not use CRM methods.
    #[serde(default)]
    pub(super) scopeless_secret: String,
    /// The portal's name at the authorization server.
    #[serde(default)]
    pub(super) member_id: String,
    #[serde(default)]
    pub(super) apps: Vec<App>,
}

/// An application that is installed on the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct App {
    pub(super) client_id: String,
    pub(super) client_secret: String,
}

impl Identity {
    pub(super) fn new() -> Result<Self, Error> {
        Self {
            id: random_text(10)?,
            administrator_secret: random_text(16)?,
            user_secret: random_text(16)?,
            scopeless_secret: String::new(),
            member_id: String::new(),
            apps: Vec::new(),
        }
        .completed()
    }

    /// The same portal, with the parts that a folder of an older version lacks.
    pub(super) fn completed(mut self) -> Result<Self, Error> {
        if self.scopeless_secret.is_empty() {
            self.scopeless_secret = random_text(16)?;
        }
        if self.member_id.is_empty() {
            self.member_id = random(32, 16)?;
        }
        while self.apps.len() < 2 {
            let client_id = format!("local.{}.{}", random(14, 16)?, random(8, 10)?);
            self.apps.push(App { client_id, client_secret: random_text(50)? });
        }
        Ok(self)
    }

    /// The caller with a webhook's user and secret.
    pub(super) fn webhook(&self, user: &str, secret: &str) -> Option<Caller> {
        let known = [
            (ADMINISTRATOR, &self.administrator_secret, true, &SCOPES[..1]),
            (ADMINISTRATOR, &self.scopeless_secret, true, &SCOPES[1..]),
            (2, &self.user_secret, false, &SCOPES[..1]),
        ];
        known
            .into_iter()
            .find(|(id, key, ..)| id.to_string() == user && *key == secret)
            .map(|(user, _, administrator, scopes)| Caller { user, administrator, scopes, app: None })
    }

    /// The caller with an application's tokens: the administrator who installed it.
    pub(super) fn app_user(client_id: &str) -> Caller {
        Caller { user: ADMINISTRATOR, administrator: true, scopes: &SCOPES[..1], app: Some(client_id.to_owned()) }
    }
}

/// Random lower-case letters and digits.
pub(super) fn random_text(length: usize) -> Result<String, Error> {
    random(length, 32)
}

/// Random digits of a base up to 32.
fn random(length: usize, base: u8) -> Result<String, Error> {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijkmnpqrstuvwx";
    let mut bytes = vec![0; length];
    // ring asks the kernel. The crate getrandom looks its function up in the C library, which a static binary cannot do, and
    // then needs /dev/urandom.
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes)?;
    let digit = |byte: &u8| DIGITS.get(usize::from(byte % base)).copied().map_or('0', char::from);
    Ok(bytes.iter().map(digit).collect())
}

/// A new path as the portal makes them: `/upload/crm/<3 hex>/<32 chars>/<32 chars>`.
pub(super) fn random_path() -> Result<String, Error> {
    Ok(format!("/upload/crm/{}/{}/{}", random(3, 16)?, random_text(32)?, random_text(32)?))
}
