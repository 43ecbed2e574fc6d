//! The credentials for a portal, of either kind: where the portal is, how its methods are addressed, which secrets must
//! not get into any text, and how hints name the credentials.

use secrecy::SecretString;

use super::oauth::Application;
use super::redact::Redactor;
use super::server_address::ServerAddress;
use super::webhook::Webhook;

/// A portal's address and the credentials for it. It prints as its host only.
#[derive(Debug)]
pub enum Access {
    /// A URL that holds a secret.
    Webhook(Webhook),
    /// An application with a token that is renewed.
    Application(Box<Application>),
}

impl From<Application> for Access {
    fn from(application: Application) -> Self {
        Self::Application(Box::new(application))
    }
}

impl From<Webhook> for Access {
    fn from(webhook: Webhook) -> Self {
        Self::Webhook(webhook)
    }
}

/// The words for credentials in hints.
pub(super) struct AccessHints {
    /// What they are.
    pub(super) what: &'static str,
    /// Where they were given.
    pub(super) place: &'static str,
    /// What to do when they are no longer valid.
    pub(super) how_to_renew: &'static str,
    /// What to do when they allow too little.
    pub(super) how_to_add_scope: &'static str,
}

impl Access {
    /// The host in lower case, with its port if that is not the scheme's own: the portal's name everywhere.
    pub fn host(&self) -> &str {
        self.portal().host()
    }

    /// The portal's address, which a relative `fileUri` is relative to.
    pub(super) const fn portal(&self) -> &ServerAddress {
        match self {
            Self::Webhook(webhook) => &webhook.portal,
            Self::Application(application) => &application.portal,
        }
    }

    /// The server that renews tokens; for a webhook, which needs no such server, the portal itself.
    pub(super) const fn token_server(&self) -> &ServerAddress {
        match self {
            Self::Webhook(webhook) => &webhook.portal,
            Self::Application(application) => &application.token_server,
        }
    }

    /// Takes the secrets out of texts.
    pub(super) const fn redactor(&self) -> &Redactor {
        match self {
            Self::Webhook(webhook) => &webhook.redactor,
            Self::Application(application) => &application.redactor,
        }
    }

    /// The URL of a method. It may hold the secret: use it only to send a request.
    pub(super) fn endpoint(&self, method: &str) -> String {
        match self {
            Self::Webhook(webhook) => webhook.endpoint(method),
            Self::Application(application) => application.endpoint(method),
        }
    }

    /// The token that a request carries in addition to its parameters. A webhook has none: its URL is enough.
    pub(super) fn token(&self) -> Option<SecretString> {
        match self {
            Self::Webhook(_) => None,
            Self::Application(application) => Some(application.token()),
        }
    }

    /// The text without any secret, in any spelling.
    pub(super) fn redact(&self, text: &str) -> String {
        self.redactor().redact(text)
    }

    /// A server's words for a message: see [`Redactor::quote`].
    pub(super) fn quote(&self, text: &str) -> String {
        self.redactor().quote(text)
    }

    /// The words for these credentials in hints.
    pub(super) const fn hints(&self) -> AccessHints {
        match self {
            Self::Webhook(_) => AccessHints {
                what: "the webhook",
                place: "BITRIX24_WEBHOOK_URL",
                how_to_renew: "make a new one on the portal and put its URL into BITRIX24_WEBHOOK_URL",
                how_to_add_scope: "give the webhook the scope `crm` in its settings on the portal, then use its URL in BITRIX24_WEBHOOK_URL",
            },
            Self::Application(_) => AccessHints {
                what: "the application",
                place: "the file of BITRIX24_OAUTH_FILE",
                how_to_renew: "authorise it on the portal again and put its new tokens into the file of BITRIX24_OAUTH_FILE",
                how_to_add_scope: "give the application the scope `crm` in its settings, then authorise it on the portal again",
            },
        }
    }
}
