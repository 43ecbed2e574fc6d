//! An application on a portal: where its requests and renewals go, and the tokens in use.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use url::Url;

use crate::ops::ports::TokenStore;
use crate::portal::redact::Redactor;
use crate::portal::server_address::{ServerAddress, is_of_rest_3, is_private};

use super::exchange::Exchange;
use super::tokens::{OAuthError, TokenFields};

/// The vendor's server that renews tokens, unless the file names another.
const TOKEN_SERVER: &str = "https://oauth.bitrix.info/rest/";
/// The same for portals of some regions.
const REGIONAL_TOKEN_SERVER: &str = "https://oauth.bitrix24.tech/rest/";
/// The top-level domains of these regions.
const REGIONS: [&str; 8] = ["ru", "am", "az", "ge", "kz", "kg", "uz", "by"];
/// A token that is refused this soon after it was issued was not refused because of its age.
const MIN_TOKEN_AGE: Duration = Duration::from_secs(60);

/// An application on a portal, read from its token file. It prints as the portal's host only.
pub struct Application {
    pub(in crate::portal) portal: ServerAddress,
    /// Everything before the method, without a slash at the end.
    base: String,
    /// The server that renews the tokens.
    pub(in crate::portal) token_server: ServerAddress,
    client_id: SecretString,
    client_secret: SecretString,
    pub(in crate::portal) file: Box<dyn TokenStore>,
    pub(in crate::portal) redactor: Redactor,
    token: RefCell<AccessToken>,
    /// Held while the tokens are renewed. It has the renewal that another call stopped waiting for.
    pub(in crate::portal) renewal: tokio::sync::Mutex<Option<JoinHandle<Exchange>>>,
}

/// The access token in use. Its refresh token is always read from the file.
struct AccessToken {
    text: SecretString,
    /// When the server issued it, if it was issued to this process.
    issued: Option<Instant>,
}

impl Application {
    /// Reads a token file: a JSON object with `domain` (the portal's host), `access_token`, `refresh_token`,
    /// `client_id` and `client_secret`, and perhaps, as in the vendor's answers, `client_endpoint` (the address of the
    /// portal's methods; it takes precedence over `domain`, which is the token server's own in some of these answers)
    /// and `server_endpoint` (the server that renews tokens).
    ///
    /// # Errors
    ///
    /// When it is not such a file, or one of its addresses is not https (http for loopback hosts).
    pub fn open(file: Box<dyn TokenStore>) -> Result<Self, OAuthError> {
        let fields = TokenFields::read(file.as_ref())?;
        let not_an_address = |field| OAuthError::NotAnAddress { file: file.name().to_owned(), field };
        let (url, field) = match fields.optional("client_endpoint") {
            Some(endpoint) => (endpoint.to_owned(), "client_endpoint"),
            None => {
                let domain = fields.text("domain")?;
                if domain.contains(['/', '@', '?', '#', '\\']) {
                    return Err(not_an_address("domain"));
                }
                (format!("https://{domain}/rest/"), "domain")
            }
        };
        let endpoint = address(&url).ok_or_else(|| not_an_address(field))?;
        if is_of_rest_3(&endpoint) {
            return Err(OAuthError::Rest3 { file: file.name().to_owned(), field });
        }
        let server = fields.optional("server_endpoint").unwrap_or_else(|| vendor_token_server(&endpoint));
        let token_server =
            address(server).and_then(|url| ServerAddress::of(&url)).ok_or_else(|| not_an_address("server_endpoint"))?;
        let secret = |field| fields.text(field).map(SecretString::from);
        let (client_id, client_secret) = (secret("client_id")?, secret("client_secret")?);
        let redactor = Redactor::default();
        redactor.hide(client_secret.expose_secret());
        fields.hide(&redactor)?;
        Ok(Self {
            portal: ServerAddress::of(&endpoint).ok_or_else(|| not_an_address(field))?,
            base: endpoint.as_str().trim_end_matches('/').to_owned(),
            token_server,
            client_id,
            client_secret,
            redactor,
            token: RefCell::new(AccessToken { text: secret("access_token")?, issued: None }),
            renewal: tokio::sync::Mutex::default(),
            file,
        })
    }

    /// The portal's host in lower case, with its port if that is not the scheme's own.
    pub fn host(&self) -> &str {
        self.portal.host()
    }

    /// The URL of a method. It holds no secret: the token goes into the body.
    pub(in crate::portal) fn endpoint(&self, method: &str) -> String {
        format!("{}/{method}.json", self.base)
    }

    /// The URL that renews the tokens. The vendor documents a GET with everything in the URL, so this URL is used only
    /// in the request: it is in no error and no log.
    pub(in crate::portal) fn renewal_url(&self, refresh_token: &str) -> Url {
        let mut url = self.token_server.origin().clone();
        url.set_path("/oauth/token/");
        url.query_pairs_mut()
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", self.client_id.expose_secret())
            .append_pair("client_secret", self.client_secret.expose_secret())
            .append_pair("refresh_token", refresh_token);
        url
    }

    /// The access token in use.
    pub(in crate::portal) fn token(&self) -> SecretString {
        self.token.borrow().text.clone()
    }

    /// Whether the server issued the token to this process just now.
    pub(in crate::portal) fn is_just_issued(&self) -> bool {
        self.token.borrow().issued.is_some_and(|at| at.elapsed() < MIN_TOKEN_AGE)
    }

    /// The fields of the file now; its tokens are hidden from here on.
    pub(in crate::portal) fn stored(&self) -> Result<TokenFields, OAuthError> {
        let stored = TokenFields::read(self.file.as_ref())?;
        stored.hide(&self.redactor)?;
        Ok(stored)
    }

    /// Uses the file's token if it is not the one that expired: another process has renewed it.
    pub(in crate::portal) fn follow_file(&self, expired: &SecretString) -> Result<bool, OAuthError> {
        let stored = self.stored()?;
        let token = stored.text("access_token")?;
        let is_other = token != expired.expose_secret();
        if is_other {
            self.token.replace(AccessToken { text: token.into(), issued: None });
        }
        Ok(is_other)
    }

    /// Uses a new pair of tokens from here on.
    pub(in crate::portal) fn adopt(&self, renewed: &TokenFields) {
        // Both are present: an answer without one of them is not accepted.
        drop(renewed.hide(&self.redactor));
        let text = renewed.optional("access_token").unwrap_or_default().into();
        self.token.replace(AccessToken { text, issued: Some(Instant::now()) });
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// The vendor's token server for a portal.
fn vendor_token_server(portal: &Url) -> &'static str {
    let host = portal.host_str().unwrap_or_default().trim_end_matches('.');
    let region = host.rsplit('.').next().unwrap_or_default();
    if REGIONS.contains(&region) { REGIONAL_TOKEN_SERVER } else { TOKEN_SERVER }
}

/// The address of a server to which secrets may be sent.
fn address(text: &str) -> Option<Url> {
    // The parser would drop line breaks inside silently.
    let url = Url::parse(text).ok().filter(|_| !text.contains(|c: char| c.is_whitespace() || c.is_control()))?;
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (bare && is_private(&url)).then_some(url)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn the_vendors_token_server_goes_by_the_region_of_the_portal() {
        let of = |url: &str| vendor_token_server(&address(url).unwrap());
        for region in REGIONS {
            for host in
                [format!("acme.bitrix24.{region}"), format!("B24.EXAMPLE.{region}:8443"), format!("x.{region}.")]
            {
                assert_eq!(of(&format!("https://{host}/rest/")), "https://oauth.bitrix24.tech/rest/", "{host}");
            }
        }
        for host in
            ["acme.bitrix24.com", "acme.bitrix24.de", "ru.example.com", "acme.bitrix24.com.tr", "x.guru", "[::1]"]
        {
            assert_eq!(of(&format!("https://{host}/rest/")), "https://oauth.bitrix.info/rest/", "{host}");
        }
    }
}
