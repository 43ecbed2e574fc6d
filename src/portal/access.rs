//! The right to use a portal, whichever way it was given: where the portal is, how its methods are addressed, and what
//! must not get into any text.

use std::sync::Arc;

use secrecy::SecretString;

use super::error::Fault;
use super::oauth::Application;
use super::redact::Redactor;
use super::site::Site;
use super::webhook::Webhook;

/// A portal's address with the right to use it. It prints as its host alone.
#[derive(Debug, Clone)]
pub enum Access {
    /// A URL that holds a secret.
    Webhook(Webhook),
    /// An application with a token that is renewed.
    Application(Arc<Application>),
}

impl From<Application> for Access {
    fn from(application: Application) -> Self {
        Self::Application(Arc::new(application))
    }
}

impl From<Webhook> for Access {
    fn from(webhook: Webhook) -> Self {
        Self::Webhook(webhook)
    }
}

impl Access {
    /// The host in lower case, with its port if that is not the scheme's own: the portal's name everywhere.
    #[must_use]
    pub fn host(&self) -> &str {
        self.site().host()
    }

    /// Where the portal is: what a relative `fileUri` is relative to.
    pub(super) fn site(&self) -> &Site {
        match self {
            Self::Webhook(webhook) => &webhook.site,
            Self::Application(application) => &application.site,
        }
    }

    /// Who renews its tokens; a webhook has none, and the portal itself stands in.
    pub(super) fn token_server(&self) -> &Site {
        match self {
            Self::Webhook(webhook) => &webhook.site,
            Self::Application(application) => application.server(),
        }
    }

    /// Takes the secrets out of texts.
    pub(super) fn redactor(&self) -> &Redactor {
        match self {
            Self::Webhook(webhook) => &webhook.redactor,
            Self::Application(application) => &application.redactor,
        }
    }

    /// The URL of a method. It may hold the secret: it must go nowhere but into a request.
    pub(super) fn endpoint(&self, method: &str) -> String {
        match self {
            Self::Webhook(webhook) => webhook.endpoint(method),
            Self::Application(application) => application.endpoint(method),
        }
    }

    /// What a request carries beside its parameters; a webhook's URL says all.
    pub(super) fn token(&self) -> Option<SecretString> {
        match self {
            Self::Webhook(_) => None,
            Self::Application(application) => Some(application.token()),
        }
    }

    /// Whether what expires could be renewed.
    pub(super) fn renewable(&self) -> Result<(), Fault> {
        match self {
            Self::Webhook(_) => Ok(()),
            Self::Application(application) => application.renewable(),
        }
    }

    /// The text without any secret, however spelt.
    pub(super) fn redact(&self, text: &str) -> String {
        self.redactor().redact(text)
    }

    /// A server's words, fit for a message: without any secret, in one line, escaped, shortened, without a full stop.
    pub(super) fn quote(&self, text: &str) -> String {
        self.redactor().quote(text)
    }
}
