//! An OAuth application: a file with a pair of tokens that is renewed when the portal says that it expired.
//!
//! | file | what it knows |
//! |---|---|
//! | `file` | the token file: reading, locking and rewriting it |
//! | `renew` | when the pair is renewed, and how, once for all who wait for it |

mod file;
mod renew;

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use url::Url;

use super::redact::Redactor;
use super::site::{Site, is_private};
use file::{Contents, TokenFile};

/// Where the vendor's server renews tokens, unless the file says otherwise.
const SERVER: &str = "https://oauth.bitrix.info/rest/";
/// A token that is refused so soon after it was given out is not refused for its age.
const YOUNG: Duration = Duration::from_secs(60);

/// An application on a portal, by its token file. It prints as the portal's host alone.
pub struct Application {
    pub(super) site: Site,
    /// Everything before the method, without a slash at the end.
    base: String,
    /// Who renews the tokens.
    server: Site,
    client_id: SecretString,
    client_secret: SecretString,
    file: TokenFile,
    pub(super) redactor: Redactor,
    token: Mutex<Token>,
    /// Held by whoever renews them.
    renewal: tokio::sync::Mutex<()>,
}

/// The access token in use. The refresh token that goes with it is used from the file alone.
struct Token {
    text: SecretString,
    /// When the server gave it out, if it was to us.
    given_out: Option<Instant>,
}

/// Why a file is no token file. It names the file and quotes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// It is not there, or may not be read.
    #[error("{file} cannot be read: {why}")]
    Unreadable {
        /// The file, and where its name came from.
        file: String,
        /// What the system says.
        why: String,
    },
    /// It holds something else.
    #[error("{file} holds no JSON object")]
    NotJson {
        /// The file, and where its name came from.
        file: String,
    },
    /// A field is not there, or is no text.
    #[error("{file} has no text in its field `{field}`")]
    Missing {
        /// The file, and where its name came from.
        file: String,
        /// The field.
        field: &'static str,
    },
    /// A field does not say where a server is.
    #[error("{file} has no https:// address in its field `{field}`: plain http is allowed to this machine only")]
    NotAnAddress {
        /// The file, and where its name came from.
        file: String,
        /// The field.
        field: &'static str,
    },
}

impl Application {
    /// Reads a token file: a JSON object with `domain` (the portal's host), `access_token`, `refresh_token`,
    /// `client_id` and `client_secret`, and perhaps, as in the vendor's answers, `client_endpoint` (where the portal's
    /// methods are; it says more than `domain`, which is the token server's own in some of these answers) and
    /// `server_endpoint` (the server that renews tokens). `source_name` is where the path came from.
    ///
    /// # Errors
    ///
    /// When it is no such file, or one of its addresses is not https (http for loopback hosts).
    pub fn open(path: &Path, source_name: &str) -> Result<Self, OAuthError> {
        let file = TokenFile::new(path, source_name);
        let contents = file.read()?;
        let not_an_address = |field| OAuthError::NotAnAddress { file: file.name().to_owned(), field };
        let (url, field) = match contents.optional("client_endpoint") {
            Some(endpoint) => (endpoint.to_owned(), "client_endpoint"),
            None => {
                let domain = contents.text("domain")?;
                if domain.contains(['/', '@', '?', '#', '\\']) {
                    return Err(not_an_address("domain"));
                }
                (format!("https://{domain}/rest/"), "domain")
            }
        };
        let endpoint = address(&url).ok_or_else(|| not_an_address(field))?;
        let server = contents.optional("server_endpoint").unwrap_or(SERVER);
        let server = address(server).and_then(|url| Site::of(&url)).ok_or_else(|| not_an_address("server_endpoint"))?;
        let secret = |field| contents.text(field).map(SecretString::from);
        let (client_id, client_secret) = (secret("client_id")?, secret("client_secret")?);
        let redactor = Redactor::default();
        redactor.hide(client_secret.expose_secret());
        contents.hide(&redactor)?;
        Ok(Self {
            site: Site::of(&endpoint).ok_or_else(|| not_an_address(field))?,
            base: endpoint.as_str().trim_end_matches('/').to_owned(),
            server,
            client_id,
            client_secret,
            redactor,
            token: Mutex::new(Token { text: secret("access_token")?, given_out: None }),
            renewal: tokio::sync::Mutex::new(()),
            file,
        })
    }

    /// The portal's host in lower case, with its port if that is not the scheme's own.
    #[must_use]
    pub fn host(&self) -> &str {
        self.site.host()
    }

    /// The URL of a method. It holds no secret: the token goes into the body.
    pub(super) fn endpoint(&self, method: &str) -> String {
        format!("{}/{method}.json", self.base)
    }

    /// Who renews the tokens.
    pub(super) const fn server(&self) -> &Site {
        &self.server
    }

    /// The access token in use.
    pub(super) fn token(&self) -> SecretString {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).text.clone()
    }

    /// Uses another access token from here on; the old one stays hidden.
    fn take(&self, token: &str, given_out: Option<Instant>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Token { text: token.into(), given_out };
    }

    /// Whether the server gave the token out to us just now.
    fn is_young(&self) -> bool {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.given_out.is_some_and(|at| at.elapsed() < YOUNG)
    }

    /// What the file holds now; its tokens are hidden from here on.
    fn stored(&self) -> Result<Contents, OAuthError> {
        let stored = self.file.read()?;
        stored.hide(&self.redactor)?;
        Ok(stored)
    }

    /// Uses the token of the file if it is not the one that expired: somebody else has renewed it.
    fn follow_file(&self, expired: &SecretString) -> Result<bool, OAuthError> {
        let stored = self.stored()?;
        let token = stored.text("access_token")?;
        let is_other = token != expired.expose_secret();
        if is_other {
            self.take(token, None);
        }
        Ok(is_other)
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// The address of a server to which secrets may be sent.
fn address(text: &str) -> Option<Url> {
    // The parser would drop line breaks inside silently.
    let url = Url::parse(text).ok().filter(|_| !text.contains(|c: char| c.is_whitespace() || c.is_control()))?;
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (bare && is_private(&url)).then_some(url)
}
