//! An inbound webhook: a URL whose last segment is a secret. Only this file sees the secret; everybody else asks it to
//! build a request's URL or to take the secret out of a text.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

/// The longest quotation of a server's words in a message, in characters.
const QUOTED: usize = 120;

/// A portal's address with the right to use it. It prints as its host alone.
#[derive(Clone)]
pub struct Webhook {
    /// Scheme, host and port: what a relative `fileUri` is relative to.
    origin: Url,
    host: String,
    /// Everything up to and with the secret, without a slash at the end.
    base: SecretString,
    /// The spellings of the secret that must not get into any text.
    spellings: Vec<SecretString>,
}

/// Why a text is no webhook URL. It names where the text came from and never quotes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Nothing there.
    #[error("{source_name} is empty: it must hold a webhook URL, https://HOST/rest/USER/SECRET/")]
    Empty {
        /// Where the text came from.
        source_name: String,
    },
    /// Not even a URL.
    #[error("{source_name} holds no URL: a webhook URL looks like https://HOST/rest/USER/SECRET/")]
    NotAUrl {
        /// Where the text came from.
        source_name: String,
    },
    /// `http` to another machine would show the secret to everybody on the way.
    #[error("{source_name} does not start with https://: plain http is allowed to this machine only")]
    NotHttps {
        /// Where the text came from.
        source_name: String,
    },
    /// A URL, but not of a webhook.
    #[error("{source_name} holds a URL that is no webhook: one looks like https://HOST/rest/USER/SECRET/")]
    NotAWebhook {
        /// Where the text came from.
        source_name: String,
    },
}

impl Webhook {
    /// Reads a webhook URL as people paste it: with or without the slash at the end, with a method name behind it, with
    /// space around it. `source_name` is where it came from, such as `BITRIX24_WEBHOOK_URL`.
    ///
    /// # Errors
    ///
    /// When it is no https URL (http for loopback hosts) of the shape `https://HOST[:PORT][/prefix]/rest/USER/SECRET/`.
    pub fn parse(text: &str, source_name: &str) -> Result<Self, WebhookError> {
        let source_name = || source_name.to_owned();
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(WebhookError::Empty { source_name: source_name() });
        }
        // The parser would drop line breaks inside silently.
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(WebhookError::NotAUrl { source_name: source_name() });
        }
        let url = Url::parse(text).map_err(|_| WebhookError::NotAUrl { source_name: source_name() })?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(WebhookError::NotHttps { source_name: source_name() }),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookError::NotAWebhook { source_name: source_name() });
        }
        let (path, secret) = split(&url).ok_or_else(|| WebhookError::NotAWebhook { source_name: source_name() })?;
        let origin = Url::parse(&url.origin().ascii_serialization())
            .map_err(|_| WebhookError::NotAUrl { source_name: source_name() })?;
        let host = url.host_str().ok_or_else(|| WebhookError::NotAUrl { source_name: source_name() })?;
        if host.split('.').all(str::is_empty) {
            return Err(WebhookError::NotAUrl { source_name: source_name() });
        }
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
        .to_ascii_lowercase();
        let base = SecretString::from(format!("{}{path}", url.origin().ascii_serialization()));
        Ok(Self { origin, host, base, spellings: spellings(secret) })
    }

    /// The host in lower case, with its port if that is not the scheme's own: the portal's name everywhere.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Scheme, host and port.
    pub(super) const fn origin(&self) -> &Url {
        &self.origin
    }

    /// Whether the portal is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.origin)
    }

    /// The URL of a method. It holds the secret: it must go nowhere but into a request.
    pub(super) fn endpoint(&self, method: &str) -> String {
        format!("{}/{method}.json", self.base.expose_secret())
    }

    /// The text without the secret, however spelt.
    pub(super) fn redact(&self, text: &str) -> String {
        self.spellings.iter().fold(text.to_owned(), |text, secret| without(&text, secret.expose_secret()))
    }

    /// A server's words, fit for a message: without the secret, in one line, escaped, shortened, without a full stop.
    pub(super) fn quote(&self, text: &str) -> String {
        // Redacting comes first: a shortened or escaped secret would not be found.
        let text = self.redact(text);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let mut quoted = String::new();
        for (index, c) in line.trim_end_matches('.').chars().enumerate() {
            if index == QUOTED {
                quoted.push('…');
                break;
            }
            if is_plain(c) { quoted.push(c) } else { quoted.extend(c.escape_unicode()) }
        }
        quoted
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Whether a URL's host is this machine by name: nobody else sees what is sent there.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// The path up to and with the secret, and the secret.
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

fn spellings(secret: &str) -> Vec<SecretString> {
    let plain = percent_decode_str(secret).decode_utf8_lossy().into_owned();
    let encoded = utf8_percent_encode(&plain, NON_ALPHANUMERIC).to_string();
    let mut all = vec![secret.to_owned(), encoded, plain];
    // The longest first: a short one may be a part of it.
    all.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    all.dedup();
    all.into_iter().map(SecretString::from).collect()
}

/// `text` with each occurrence of `secret`, in whatever case, replaced.
fn without(text: &str, secret: &str) -> String {
    const MASK: &str = "[secret]";
    if secret.is_empty() {
        return text.to_owned();
    }
    // ASCII folding keeps every byte where it is, so places found in the one are places in the other.
    let (folded, needle) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (start, found) in folded.match_indices(&needle) {
        kept.push_str(text.get(from..start).unwrap_or_default());
        kept.push_str(MASK);
        from = start + found.len();
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// Neither a control character nor one that turns the direction of writing.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
        assert_eq!(webhook.origin().as_str(), "https://intra.example:8443/");
        assert_eq!(parse(&format!("https://acme.example:443/rest/1/{SECRET}/")).unwrap().host(), "acme.example");
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for host in ["127.0.0.1:8024", "127.9.9.9", "[::1]:8024", "localhost", "LOCALHOST:1"] {
            let webhook = parse(&format!("http://{host}/rest/1/{SECRET}/")).unwrap();
            assert!(webhook.is_loopback());
            assert_eq!(webhook.host(), host.to_ascii_lowercase());
        }
        for host in ["acme.bitrix24.com", "10.0.0.1", "localhost.evil.example", "[::2]"] {
            let error = parse(&format!("http://{host}/rest/1/{SECRET}/")).unwrap_err();
            assert!(matches!(error, WebhookError::NotHttps { .. }), "{host}: {error}");
        }
    }

    #[test]
    fn errors_name_the_source_and_quote_nothing() {
        for text in [
            "".to_owned(),
            " \n".to_owned(),
            SECRET.to_owned(),
            format!("\"https://acme.example/rest/1/{SECRET}/\""),
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
            let told = format!("{error} {error:?}");
            assert!(error.to_string().starts_with("BITRIX24_WEBHOOK_URL "), "{error}");
            assert!(!told.contains(SECRET) && !told.contains("acme.example"), "{told}");
        }
    }

    #[test]
    fn it_prints_as_its_host() {
        let webhook = parse(&format!("https://acme.example/rest/1/{SECRET}/")).unwrap();
        let told = format!("{webhook:?} {webhook:#?}");
        assert!(told.contains("acme.example") && !told.contains(SECRET), "{told}");
    }

    #[test]
    fn the_secret_is_taken_out_in_every_spelling() {
        let webhook = parse("https://acme.example/rest/1/a%2Bb-c_d/").unwrap();
        let text = "1 /a%2Bb-c_d/ 2 a+b-c_d 3 a%2Bb%2Dc%5Fd 4 A%2bB-C_D 5";
        assert_eq!(webhook.redact(text), "1 /[secret]/ 2 [secret] 3 [secret] 4 [secret] 5");
        assert_eq!(webhook.redact("ünïcode äußerst fein"), "ünïcode äußerst fein");
    }

    #[test]
    fn quotations_are_one_short_harmless_line() {
        let webhook = parse(&format!("https://acme.example/rest/1/{SECRET}/")).unwrap();
        assert_eq!(webhook.quote("\r\n  Bad \u{1b}[31mred\u{202e}.\nmore"), "Bad \\u{1b}[31mred\\u{202e}");
        let long = webhook.quote(&"é".repeat(500));
        assert_eq!(long.chars().count(), QUOTED + 1);
        // A secret that straddles the cut leaves nothing of itself.
        let straddling = webhook.quote(&format!("{}{SECRET}", "x".repeat(QUOTED - 5)));
        assert!(!straddling.contains("s3cr"), "{straddling}");
    }
}
