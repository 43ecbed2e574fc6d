//! The HTTP clients of one portal, and which certificates they trust.

use std::sync::Arc;
use std::time::Duration;

use reqwest::ClientBuilder;
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::ops::ports::PortalError;

use super::access::Access;
use super::certificate::{SystemOrGiven, provider};
use super::error;
use super::http::innermost_cause;

/// The longest that connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const HINT_CA_CERT: &str = "pass a PEM file with the certificates of the portal's certificate authority to --ca-cert";

/// The certificates that are trusted: the system's and those of `ca_cert`, or, if the system has no certificate store,
/// the compiled-in ones and those of `ca_cert`. Clones share what was read, for use by many portals.
#[derive(Clone)]
pub struct TrustStore {
    config: ClientConfig,
}

impl TrustStore {
    /// Reads `ca_cert`, a PEM bundle. The system's store is read at the first handshake.
    ///
    /// # Errors
    ///
    /// When `ca_cert` holds no certificate; the class is `Configuration`.
    pub fn new(ca_cert: Option<&[u8]>) -> Result<Self, PortalError> {
        Self::with(ca_cert)
            .map_err(|why| error::misconfigured(format!("the file of --ca-cert cannot be used: {why}"), HINT_CA_CERT))
    }

    fn with(ca_cert: Option<&[u8]>) -> Result<Self, String> {
        let given = ca_cert.map(certificates).transpose()?.unwrap_or_default();
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let verifier = Arc::new(SystemOrGiven::new(given));
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        Ok(Self { config: config.with_no_client_auth() })
    }

    /// Builds an HTTP client that does not follow redirects and sends nothing on its own. `direct` means without a
    /// proxy.
    fn client(&self, connections: Connections, direct: bool) -> Result<reqwest::Client, reqwest::Error> {
        let mut builder = ClientBuilder::new()
            .user_agent(concat!("brandctl/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            // The referer would be the URL with the secret.
            .referer(false)
            // Retries are decided elsewhere.
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .tls_backend_preconfigured(self.config.clone());
        if connections == Connections::Fresh {
            builder = builder.pool_max_idle_per_host(0);
        }
        if direct {
            builder = builder.no_proxy();
        }
        builder.build()
    }
}

/// The handling of connections by an HTTP client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connections {
    /// For the next request.
    Kept,
    /// Each request makes its own. A reused one may break at the moment it is used, and then it is unknown whether the
    /// request had its effect.
    Fresh,
}

/// The HTTP clients of one portal.
pub(super) struct Transport {
    pub(super) reads: reqwest::Client,
    pub(super) writes: reqwest::Client,
    pub(super) downloads: reqwest::Client,
    pub(super) tokens: reqwest::Client,
}

impl Transport {
    /// Makes the clients. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up; the class is `Configuration`.
    pub(super) fn new(trust: &TrustStore, access: &Access) -> Result<Self, PortalError> {
        let (portal, token_server) = (access.portal().is_loopback(), access.token_server().is_loopback());
        let client = |connections, direct| {
            trust.client(connections, direct).map_err(|error| {
                let why = access.quote(&innermost_cause(&error.without_url()));
                error::misconfigured(format!("TLS cannot be set up: {why}"), HINT_CA_CERT)
            })
        };
        Ok(Self {
            reads: client(Connections::Kept, portal)?,
            writes: client(Connections::Fresh, portal)?,
            downloads: client(Connections::Kept, portal)?,
            tokens: client(Connections::Fresh, token_server)?,
        })
    }
}

/// The certificates of a PEM bundle.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| "it is not a valid PEM file")?;
    let mut roots = RootCertStore::empty();
    for certificate in &found {
        roots.add(certificate.clone()).map_err(|_| "it holds something that is not a certificate")?;
    }
    if found.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let refusal = |pem: &[u8]| TrustStore::with(Some(pem)).err().unwrap();
        assert_eq!(refusal(b""), "it holds no certificate");
        assert_eq!(refusal(b"hello"), "it holds no certificate");
        assert_eq!(
            refusal(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "it holds something that is not a certificate"
        );
        assert_eq!(refusal(b"-----BEGIN CERTIFICATE-----\n!!!\n"), "it is not a valid PEM file");
    }
}
