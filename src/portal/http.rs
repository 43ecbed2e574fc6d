//! One bounded request over HTTP, and the TLS under it. Nothing here knows the portal's methods or waits for anything
//! but an answer; no error of it holds a URL.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, RequestBuilder, Response};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::time::{Instant, timeout_at};

/// The longest that connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long one request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestDeadline {
    /// When to give up.
    pub(super) until: Instant,
    /// How long that is, if the command's time does not end before.
    pub(super) own: Duration,
    /// Whether it does, so that this is when to give up.
    pub(super) cut_short: bool,
    /// How long the command's time was.
    pub(super) budget: Duration,
}

/// Whether a client keeps its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections {
    /// For the next request.
    Kept,
    /// Each request makes its own. A kept one may die at the moment it is used, and then nobody knows whether the
    /// request had its effect.
    Fresh,
}

/// Why no answer, or not all of it, came.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) how: FailureKind,
    /// In a few words, without any URL.
    pub(super) cause: String,
}

/// The kinds of broken requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// There was no connection: nothing was sent.
    NotSent,
    /// There was none because the other side's certificate is not trusted.
    NotTrusted(CertProblem),
    /// It broke after something may have been sent.
    Lost,
    /// The time was up.
    TimedOut,
    /// There is more than was allowed for.
    TooLarge,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertProblem {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is for another host.
    WrongName,
    /// Whoever signed it is not known, or something else is wrong with it.
    Unknown,
}

impl From<&CertificateError> for CertProblem {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
            _ => Self::Unknown,
        }
    }
}

/// The head of an answer; its body is not read yet.
pub(super) struct Answer {
    pub(super) status: u16,
    /// The `Location` as it was sent.
    pub(super) location: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) retry_after: Option<Duration>,
    /// The `Date` as it was sent.
    pub(super) date: Option<String>,
    response: Response,
}

/// How to trust servers: what the system trusts and `ca_cert`, or, where the system has no store of certificates, the
/// roots that are compiled in and `ca_cert`. Reading the system's store takes milliseconds, so all clients share one.
pub(super) struct Trust {
    config: ClientConfig,
}

impl Trust {
    /// Reads `ca_cert`, a PEM bundle, and the system's store.
    ///
    /// # Errors
    ///
    /// Says what is wrong with `ca_cert`.
    pub(super) fn new(ca_cert: Option<&[u8]>) -> Result<Self, String> {
        Self::with_store(ca_cert, Verifier::new(provider()).ok())
    }

    /// `store` trusts what the system trusts; `None` when the system has no store.
    fn with_store(ca_cert: Option<&[u8]>, store: Option<Verifier>) -> Result<Self, String> {
        let extra = ca_cert.map(certificates).transpose()?.unwrap_or_default();
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let config = match store {
            Some(store) => {
                let verifier = if extra.is_empty() {
                    store
                } else {
                    Verifier::new_with_extra_roots(extra, provider()).map_err(|error| error.to_string())?
                };
                config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
            None => {
                let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
                roots.add_parsable_certificates(extra);
                config.with_root_certificates(roots)
            }
        };
        Ok(Self { config: config.with_no_client_auth() })
    }

    /// Builds a client that follows no redirect and sends nothing that was not asked for. `direct` means past any proxy.
    pub(super) fn client(&self, connections: Connections, direct: bool) -> Result<reqwest::Client, String> {
        let mut builder = ClientBuilder::new()
            .user_agent(concat!("brandctl/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            // It would be the URL with the secret.
            .referer(false)
            // Repeating is decided elsewhere.
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .tls_backend_preconfigured(self.config.clone());
        if connections == Connections::Fresh {
            builder = builder.pool_max_idle_per_host(0);
        }
        if direct {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| in_words(&error.without_url()))
    }
}

/// The certificates of a PEM bundle.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| "it is no sound PEM")?;
    let mut roots = RootCertStore::empty();
    for certificate in &found {
        roots.add(certificate.clone()).map_err(|_| "it holds something that is no certificate")?;
    }
    if found.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(found) }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn send(request: RequestBuilder, until: Instant) -> Result<Answer, Broken> {
    let response = match timeout_at(until, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(broken(error)),
        Err(_) => return Err(timed_out()),
    };
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let location = header(LOCATION).map(str::to_owned);
    let content_type = header(CONTENT_TYPE).map(str::to_owned);
    let date = header(DATE).map(str::to_owned);
    // The other form, a date, is not worth a parser: our own waits will do.
    let retry_after = header(RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Ok(Answer { status: response.status().as_u16(), location, content_type, retry_after, date, response })
}

impl Answer {
    /// Reads the body, at most `cap` bytes of it (after decompression).
    pub(super) async fn body(mut self, cap: usize, until: Instant) -> Result<Vec<u8>, Broken> {
        let too_large = || Broken { how: FailureKind::TooLarge, cause: format!("more than {cap} bytes") };
        let announced = self.response.content_length().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > cap) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            match timeout_at(until, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) if chunk.len() > cap - body.len() => return Err(too_large()),
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Ok(None)) => return Ok(body),
                // Whatever breaks now breaks after the request was sent.
                Ok(Err(error)) => return Err(Broken { how: FailureKind::Lost, cause: in_words(&error.without_url()) }),
                Err(_) => return Err(timed_out()),
            }
        }
    }
}

fn timed_out() -> Broken {
    Broken { how: FailureKind::TimedOut, cause: "no answer in time".to_owned() }
}

fn broken(error: reqwest::Error) -> Broken {
    let error = error.without_url();
    let how = match (error.is_connect() || error.is_builder(), distrust(&error)) {
        (true, Some(distrust)) => FailureKind::NotTrusted(distrust),
        (true, None) => FailureKind::NotSent,
        (false, _) => FailureKind::Lost,
    };
    Broken { how, cause: in_words(&error) }
}

/// The innermost cause: the layers above it only say that something failed.
fn in_words(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn distrust(error: &reqwest::Error) -> Option<CertProblem> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(rustls::Error::InvalidCertificate(error)) = cause.downcast_ref() {
            return Some(error.into());
        }
        // An `io::Error` hides what it wraps from `source`, and may wrap another.
        source = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => cause.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn without_a_system_store_the_bundled_roots_are_used() {
        let trust = Trust::with_store(None, None).unwrap();
        trust.client(Connections::Kept, true).unwrap();
        trust.client(Connections::Fresh, false).unwrap();
    }

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let told = |pem: &[u8]| Trust::new(Some(pem)).err().unwrap();
        assert_eq!(told(b""), "it holds no certificate");
        assert_eq!(told(b"hello"), "it holds no certificate");
        assert_eq!(
            told(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "it holds something that is no certificate"
        );
        assert_eq!(told(b"-----BEGIN CERTIFICATE-----\n!!!\n"), "it is no sound PEM");
    }
}
