//! An inbound webhook: a URL whose last segment is a secret. Only this file sees the secret; the others ask it for the URL
//! of a request.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::redact::Redactor;
use super::server_address::{ServerAddress, is_of_rest_3, is_private};

/// An inbound webhook: a portal's address and the right to use it. It prints as its host only.
pub struct Webhook {
    pub(super) portal: ServerAddress,
    /// Everything up to and including the secret, without a slash at the end.
    base: SecretString,
    pub(super) redactor: Redactor,
}

/// The reason why a text is not a webhook URL. It names where the text came from and never quotes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{source_name} {problem}")]
pub struct WebhookError {
    /// Where the text came from.
    source_name: String,
    problem: WebhookProblem,
}

impl WebhookError {
    /// What to do about it: one sentence, lower case, no full stop.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        self.problem.help()
    }
}

/// What is wrong with a text that is not a webhook URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum WebhookProblem {
    #[error("is empty")]
    Empty,
    #[error("has quotes around the URL")]
    Quoted,
    /// The text is the name of a variable or secret that was not replaced by its value.
    #[error("holds the name of a variable or secret instead of its value")]
    Placeholder,
    #[error("does not begin with https://")]
    NoScheme,
    /// The URL is `http` to another machine, which would show the secret to everyone on the network.
    #[error("begins with http://, which would send the secret in plain text")]
    NotHttps,
    #[error("does not hold a URL")]
    NotAUrl,
    /// The URL is for the methods of REST 3.0.
    #[error("holds a REST 3.0 URL, and REST 3.0 does not have the methods for timeline icons")]
    Rest3,
    /// The URL is only the portal's address, or one of its pages.
    #[error("holds an address of the portal that is not a webhook URL")]
    Page,
    /// The URL has a user but no secret.
    #[error("holds a webhook URL without its secret")]
    NoSecret,
    #[error("holds a URL that is not a webhook URL")]
    NotAWebhook,
}

impl WebhookProblem {
    const fn help(self) -> &'static str {
        match self {
            Self::Empty => {
                "check that the secret exists and that this job may read it: CI does not give secrets to pull requests from forks or to unprotected branches"
            }
            Self::Quoted => "remove the quotes: env files, CI variables and secrets keep quotes as part of the value",
            Self::Placeholder => "check how the job sets it: the name was not replaced by the secret's value",
            Self::NoScheme | Self::NotHttps => "write https:// at the start of the URL",
            Self::Rest3 => "write /rest/ instead of /rest/api/, and keep the rest of the URL",
            Self::NotAUrl | Self::Page | Self::NoSecret | Self::NotAWebhook => {
                "copy the whole webhook URL from Developer resources > Other > Inbound webhook; it looks like https://acme.bitrix24.com/rest/1/abcdefgh12345678/"
            }
        }
    }
}

/// The quotes that people put around a value.
const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

impl Webhook {
    /// Reads a webhook URL as people paste it: with or without a slash at the end, with a method name after it, with
    /// spaces around it. `source_name` is where it came from, such as `BITRIX24_WEBHOOK_URL`.
    ///
    /// # Errors
    ///
    /// When it is not an https URL (http for loopback hosts) of the shape `https://HOST[:PORT][/prefix]/rest/USER/SECRET/`.
    pub fn parse(text: &str, source_name: &str) -> Result<Self, WebhookError> {
        Self::read(text).map_err(|problem| WebhookError { source_name: source_name.to_owned(), problem })
    }

    fn read(text: &str) -> Result<Self, WebhookProblem> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(WebhookProblem::Empty);
        }
        if text.starts_with(QUOTES) && text.ends_with(QUOTES) {
            return Err(WebhookProblem::Quoted);
        }
        if text.starts_with(['$', '%', '{', '<']) {
            return Err(WebhookProblem::Placeholder);
        }
        // The parser would drop line breaks inside silently.
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(WebhookProblem::NotAUrl);
        }
        let url = Url::parse(text).map_err(|_| without_scheme(text))?;
        if !is_private(&url) {
            return Err(if url.scheme() == "http" { WebhookProblem::NotHttps } else { without_scheme(text) });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookProblem::NotAWebhook);
        }
        let (path, secret) = split(&url).ok_or_else(|| not_a_webhook(&url))?;
        let portal = ServerAddress::of(&url).ok_or(WebhookProblem::NotAUrl)?;
        let base = SecretString::from(format!("{}{path}", url.origin().ascii_serialization()));
        let redactor = Redactor::default();
        redactor.hide(secret);
        Ok(Self { portal, base, redactor })
    }

    /// The host in lower case, with its port if that is not the scheme's own: the portal's name everywhere.
    pub(crate) fn host(&self) -> &str {
        self.portal.host()
    }

    /// The URL of a method. It holds the secret: use it only to send a request.
    pub(super) fn endpoint(&self, method: &str) -> String {
        format!("{}/{method}.json", self.base.expose_secret())
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// What is wrong with a text that does not begin with http.
fn without_scheme(text: &str) -> WebhookProblem {
    let is_webhook = || Url::parse(&format!("https://{text}")).is_ok_and(|url| split(&url).is_some());
    if !text.contains("://") && is_webhook() { WebhookProblem::NoScheme } else { WebhookProblem::NotAUrl }
}

/// What is wrong with a URL that is not a webhook URL.
fn not_a_webhook(url: &Url) -> WebhookProblem {
    if is_of_rest_3(url) {
        return WebhookProblem::Rest3;
    }
    let segments: Vec<&str> = url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let is_number = |user: &&str| user.bytes().all(|byte| byte.is_ascii_digit());
    match segments.iter().position(|segment| *segment == "rest").map(|at| segments.get(at + 1..).unwrap_or_default()) {
        None => WebhookProblem::Page,
        Some([user]) if is_number(user) => WebhookProblem::NoSecret,
        // There is a method where the secret belongs.
        Some([user, method]) if is_number(user) && method.contains('.') => WebhookProblem::NoSecret,
        Some(_) => WebhookProblem::NotAWebhook,
    }
}

/// The path up to and including the secret, and the secret.
fn split(url: &Url) -> Option<(String, &str)> {
    let segments: Vec<&str> = url.path_segments()?.filter(|segment| !segment.is_empty()).collect();
    for (index, segment) in segments.iter().enumerate() {
        let [user, secret, rest @ ..] = segments.get(index + 1..)? else { continue };
        let user_is_number = !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit());
        // A method where the secret should be has a dot; a secret has none.
        let fits = *segment == "rest" && user_is_number && !secret.contains('.') && is_method_or_nothing(rest);
        if fits {
            let kept = segments.get(..=index + 2)?;
            return Some((kept.iter().flat_map(|segment| ["/", segment]).collect(), secret));
        }
    }
    None
}

fn is_method_or_nothing(rest: &[&str]) -> bool {
    match rest {
        [] => true,
        [method] => method.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const SECRET: &str = "s3cr3tS3cr3t";

    fn parse(text: &str) -> Result<Webhook, WebhookError> {
        Webhook::parse(text, "BITRIX24_WEBHOOK_URL")
    }

    #[test]
    fn every_way_to_paste_it_means_the_same() {
        for tail in ["", "/", "//", "/profile", "/profile.json", "/crm.timeline.icon.list.json?x=1", "/\n"] {
            let webhook = parse(&format!("  https://Acme.Bitrix24.com/rest/1/{SECRET}{tail}\r\n")).unwrap();
            assert_eq!(webhook.host(), "acme.bitrix24.com");
            assert_eq!(webhook.endpoint("batch"), format!("https://acme.bitrix24.com/rest/1/{SECRET}/batch.json"));
        }
    }

    #[test]
    fn prefixes_and_ports_are_kept() {
        let webhook = parse(&format!("https://intra.example:8443/b24//rest/17/{SECRET}/")).unwrap();
        assert_eq!(webhook.host(), "intra.example:8443");
        assert_eq!(webhook.endpoint("batch"), format!("https://intra.example:8443/b24/rest/17/{SECRET}/batch.json"));
        assert_eq!(webhook.portal.origin().as_str(), "https://intra.example:8443/");
        assert_eq!(parse(&format!("https://acme.example:443/rest/1/{SECRET}/")).unwrap().host(), "acme.example");
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for host in ["127.0.0.1:8024", "127.9.9.9", "[::1]:8024", "localhost", "LOCALHOST:1"] {
            let webhook = parse(&format!("http://{host}/rest/1/{SECRET}/")).unwrap();
            assert!(webhook.portal.is_loopback());
            assert_eq!(webhook.host(), host.to_ascii_lowercase());
        }
        for host in ["acme.bitrix24.com", "10.0.0.1", "localhost.evil.example", "[::2]"] {
            let error = parse(&format!("http://{host}/rest/1/{SECRET}/")).unwrap_err();
            assert!(error.problem == WebhookProblem::NotHttps, "{host}: {error}");
        }
    }

    #[test]
    fn errors_name_the_source_and_quote_nothing() {
        for text in [
            "".to_owned(),
            " \n".to_owned(),
            SECRET.to_owned(),
            format!("\"https://acme.example/rest/1/{SECRET}/\""),
            format!("https://acme.example/rest/api/1/{SECRET}/"),
            format!("https://acme.example/rest/1/{SECRET}\n/x"),
            format!("https://acme.example/rest/{SECRET}/"),
            format!("https://acme.example/rest/x/{SECRET}/"),
            format!("https://acme.example/rest/1/{SECRET}/a/b"),
            format!("https://acme.example/rest/1/{SECRET}/%20"),
            format!("https://acme.example/{SECRET}/"),
            format!("https://user:{SECRET}@acme.example/rest/1/x/"),
            format!("ftp://acme.example/rest/1/{SECRET}/"),
            format!("https:///{SECRET}"),
            "https://acme.example/rest/1/batch.json".to_owned(),
        ] {
            let error = parse(&text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(error.to_string().starts_with("BITRIX24_WEBHOOK_URL "), "{error}");
            assert!(!shown.contains(SECRET) && !shown.contains("acme.example"), "{shown}");
        }
    }

    #[test]
    fn quotes_and_urls_of_rest_3_are_told() {
        for quotes in ["\"\"", "''", "“”", "``"] {
            let (open, close) = (quotes.chars().next().unwrap(), quotes.chars().next_back().unwrap());
            let error = parse(&format!(" {open}https://acme.example/rest/1/{SECRET}/{close}\n")).unwrap_err();
            assert!(error.problem == WebhookProblem::Quoted, "{error}");
        }
        for path in ["rest/api/1", "b24/rest/api/1", "rest//API/1", "rest/api"] {
            let error = parse(&format!("https://acme.example/{path}/{SECRET}/main.user.get")).unwrap_err();
            assert!(error.problem == WebhookProblem::Rest3, "{path}: {error}");
        }
    }

    #[test]
    fn each_mistake_has_its_own_name() {
        for (text, problem) in [
            ("$B24_HOOK", WebhookProblem::Placeholder),
            ("${{ secrets.B24_HOOK }}", WebhookProblem::Placeholder),
            ("%B24_HOOK%", WebhookProblem::Placeholder),
            ("acme.example/rest/1/abcdefgh12345678/", WebhookProblem::NoScheme),
            ("acme.example:8443/rest/1/abcdefgh12345678/", WebhookProblem::NoScheme),
            ("acme", WebhookProblem::NotAUrl),
            ("B24_HOOK=https://acme.example/rest/1/abcdefgh12345678/", WebhookProblem::NotAUrl),
            ("https://acme.example/", WebhookProblem::Page),
            ("https://acme.example/devops/section/standard/", WebhookProblem::Page),
            ("https://acme.example/rest/1/", WebhookProblem::NoSecret),
            ("https://acme.example/rest/1/batch.json", WebhookProblem::NoSecret),
            ("https://acme.example/rest/x/y/z", WebhookProblem::NotAWebhook),
        ] {
            assert_eq!(parse(text).unwrap_err().problem, problem, "{text}");
        }
    }

    #[test]
    fn it_prints_as_its_host() {
        let webhook = parse(&format!("https://acme.example/rest/1/{SECRET}/")).unwrap();
        let shown = format!("{webhook:?} {webhook:#?}");
        assert!(shown.contains("acme.example") && !shown.contains(SECRET), "{shown}");
    }
}
