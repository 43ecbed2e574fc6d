//! Certificates that are trusted because the user passed them, like those of `curl --cacert`: a server may present one
//! of these as its own, even if the certificate is marked as an authority, as `openssl req -x509` makes them.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use jiff::civil::DateTime;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// A verifier that accepts what the system accepts, and the given certificates, also as a server's own.
///
/// It reads the system's store at the first handshake, because that takes milliseconds and a portal on loopback needs none.
#[derive(Debug)]
pub(super) struct SystemOrGiven {
    given: Vec<CertificateDer<'static>>,
    verifier: OnceLock<Result<Arc<dyn ServerCertVerifier>, Error>>,
}

impl SystemOrGiven {
    pub(super) const fn new(given: Vec<CertificateDer<'static>>) -> Self {
        Self { given, verifier: OnceLock::new() }
    }

    fn verifier(&self) -> Result<&dyn ServerCertVerifier, Error> {
        let read = || roots(&self.given, Verifier::new(provider()).ok());
        self.verifier.get_or_init(read).as_deref().map_err(Clone::clone)
    }
}

/// The cryptography of every connection.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A verifier for the system's authorities, or for the compiled-in ones if it has no store, and for the given ones.
fn roots(given: &[CertificateDer<'static>], system: Option<Verifier>) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    Ok(match system {
        Some(system) if given.is_empty() => Arc::new(system),
        Some(_) => Arc::new(Verifier::new_with_extra_roots(given.to_vec(), provider())?),
        None => {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            roots.add_parsable_certificates(given.to_vec());
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
            built.map_err(|error| Error::General(error.to_string()))?
        }
    })
}

impl ServerCertVerifier for SystemOrGiven {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(Error::InvalidCertificate(_)) if self.given.contains(end_entity) => {
                check(end_entity, server_name, now).map_err(Error::InvalidCertificate)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Checks that a certificate is in date and for the right host.
fn check(certificate: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let facts = Facts::of(certificate).ok_or(CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < facts.not_before {
        return Err(CertificateError::NotValidYet);
    }
    if now > facts.not_after {
        return Err(CertificateError::Expired);
    }
    let parsed = ParsedCertificate::try_from(certificate).map_err(|_| CertificateError::BadEncoding)?;
    match verify_server_name(&parsed, name) {
        Ok(()) => Ok(()),
        // The subject's name counts only if the certificate names no hosts.
        Err(_) if !facts.names_hosts && facts.common_name.is_some_and(|common| is_for(&common, name)) => Ok(()),
        Err(_) => Err(CertificateError::NotValidForName),
    }
}

fn is_for(common_name: &str, name: &ServerName<'_>) -> bool {
    match name {
        ServerName::DnsName(host) => {
            let host = host.as_ref();
            let below = |domain| host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain));
            common_name.eq_ignore_ascii_case(host) || common_name.strip_prefix("*.").is_some_and(below)
        }
        ServerName::IpAddress(address) => common_name.parse() == Ok(IpAddr::from(*address)),
        _ => false,
    }
}

/// The parts of a certificate that are checked here.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    /// In seconds since 1970.
    not_before: i64,
    not_after: i64,
    common_name: Option<String>,
    /// Whether it has a list of names in addition to the subject's.
    names_hosts: bool,
}

// Tags of DER, and object identifiers.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

impl Facts {
    /// Reads a certificate; `None` when it is not one.
    fn of(certificate: &[u8]) -> Option<Self> {
        let (mut certificate, _) = contents(certificate, SEQUENCE)?;
        let mut fields = take(&mut certificate, SEQUENCE)?;
        if fields.first() == Some(&VERSION) {
            take(&mut fields, VERSION)?;
        }
        // Serial number, algorithm, issuer.
        for _ in 0..3 {
            any(&mut fields)?;
        }
        let mut validity = take(&mut fields, SEQUENCE)?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        let mut subject = take(&mut fields, SEQUENCE)?;
        let mut common_name = None;
        while !subject.is_empty() {
            let mut set = take(&mut subject, SET)?;
            while !set.is_empty() {
                let mut pair = take(&mut set, SEQUENCE)?;
                if take(&mut pair, OBJECT)? == COMMON_NAME {
                    common_name = String::from_utf8(any(&mut pair)?.1.to_vec()).ok();
                }
            }
        }
        let mut names_hosts = false;
        while !fields.is_empty() {
            let (EXTENSIONS, mut wrapped) = any(&mut fields)? else { continue };
            let mut extensions = take(&mut wrapped, SEQUENCE)?;
            while !extensions.is_empty() {
                let mut extension = take(&mut extensions, SEQUENCE)?;
                names_hosts |= take(&mut extension, OBJECT)? == SUBJECT_ALT_NAME;
            }
        }
        Some(Self { not_before, not_after, common_name, names_hosts })
    }
}

/// The contents of the first item, which has this tag, and what follows it.
fn contents(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let mut rest = bytes;
    let (found, contents) = any(&mut rest)?;
    (found == tag).then_some((contents, rest))
}

/// Takes the contents of the next item, which has this tag.
fn take<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (contents, rest) = contents(bytes, tag)?;
    *bytes = rest;
    Some(contents)
}

/// Takes the next item: its tag and its contents.
fn any<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let [tag, short, rest @ ..] = *bytes else { return None };
    let (length, rest) = match short {
        0..=0x7f => (usize::from(*short), rest),
        // The length takes this many bytes; in a certificate it never takes more than three.
        0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some((*tag, contents))
}

/// Takes a time, in seconds since 1970.
fn time(bytes: &mut &[u8]) -> Option<i64> {
    let (tag, text) = any(bytes)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let text = match tag {
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use std::time::Duration;

    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(names: &[&str], common_name: &str) -> CertificateDer<'static> {
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 2), date_time_ymd(2060, 3, 4));
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    fn checked(certificate: &CertificateDer<'_>, host: &str, at: u64) -> Result<(), CertificateError> {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        check(certificate, &name, UnixTime::since_unix_epoch(Duration::from_secs(at)))
    }

    #[test]
    fn without_a_store_of_the_system_the_compiled_in_authorities_count_and_the_given_ones() {
        let (ours, name) = (certificate(&["crm.example"], "something"), ServerName::try_from("crm.example").unwrap());
        let verified = |verifier: &dyn ServerCertVerifier| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
            verifier.verify_server_cert(&ours, &[], &name, &[], now).err()
        };
        let unknown = Some(Error::InvalidCertificate(CertificateError::UnknownIssuer));
        assert_eq!(verified(&*roots(&[], None).unwrap()), unknown);
        let given = SystemOrGiven { given: vec![ours.clone()], verifier: OnceLock::new() };
        given.verifier.set(roots(&given.given, None)).unwrap();
        assert_eq!(verified(&given), None);
    }

    #[test]
    fn a_certificate_says_until_when_and_for_whom() {
        let facts = Facts::of(&certificate(&["crm.example"], "something")).unwrap();
        let expected = Facts {
            not_before: 1_577_923_200,
            not_after: 2_845_584_000,
            common_name: Some("something".to_owned()),
            names_hosts: true,
        };
        assert_eq!(facts, expected);
        assert!(!Facts::of(&certificate(&[], "crm.example")).unwrap().names_hosts);
    }

    #[test]
    fn half_of_a_certificate_is_none() {
        let whole = certificate(&["crm.example"], "x");
        for length in 0..whole.len() {
            assert_eq!(Facts::of(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn it_must_be_in_date_and_for_the_host() {
        let named = certificate(&["crm.example", "10.1.2.3"], "other.example");
        let now = 1_800_000_000;
        assert_eq!(checked(&named, "crm.example", now), Ok(()));
        assert_eq!(checked(&named, "10.1.2.3", now), Ok(()));
        assert_eq!(checked(&named, "crm.example", 1_500_000_000), Err(CertificateError::NotValidYet));
        assert_eq!(checked(&named, "crm.example", 2_900_000_000), Err(CertificateError::Expired));
        for host in ["other.example", "10.1.2.4", "a.crm.example"] {
            assert_eq!(checked(&named, host, now), Err(CertificateError::NotValidForName), "{host}");
        }
        for (common_name, host, fits) in [
            ("crm.example", "crm.example", true),
            ("CRM.Example", "crm.example", true),
            ("*.example", "crm.example", true),
            ("*.example", "a.crm.example", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("crm.example", "crm.example.org", false),
            ("crm.example", "10.1.2.3", false),
        ] {
            assert_eq!(checked(&certificate(&[], common_name), host, now).is_ok(), fits, "{common_name} {host}");
        }
    }
}
