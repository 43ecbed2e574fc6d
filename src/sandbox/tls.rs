//! TLS: a certificate authority that is kept in the folder, so that clients still trust it after a restart, and a
//! server certificate that is made again at each start and never written to disk.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData as _, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;

use super::store::MAX_JSON_BYTES;
use crate::store::files::{Durability, Folder};

const PRIVATE: &str = "authority.json";
const PUBLIC: &str = "ca.pem";

/// How long a server certificate is valid. Some clients refuse more than 825 days.
const SERVER_DAYS: i16 = 800;
/// How long an authority is valid.
const AUTHORITY_DAYS: i16 = 7300;

/// The certificate authority that clients of a sandbox with TLS must trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The PEM file with its certificate: an absolute path in the sandbox's folder, readable by everyone.
    pub file: PathBuf,
    /// Whether it is the same as at the last start, and if not, why.
    pub origin: AuthorityOrigin,
}

/// The origin of an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityOrigin {
    /// It was in the folder.
    Kept,
    /// It is new: there was none in the folder.
    New,
    /// It is new: the one in the folder would have expired before a server certificate.
    Expired,
    /// It is new: the one in the folder could not be read, or is another portal's.
    Damaged,
}

/// The authority as stored: in one file, so that certificate and key always belong together.
#[derive(Serialize, Deserialize)]
struct AuthorityFile {
    certificate: String,
    key: String,
    expires: Date,
}

/// An authority that can sign.
struct Signer {
    stored: AuthorityFile,
    key: KeyPair,
}

/// The authority of a folder, which is created if there is none, and an acceptor with a new certificate of it. `id`
/// distinguishes the authorities of several folders.
pub(super) fn set_up(folder: &Path, id: &str, listen: IpAddr) -> io::Result<(Authority, TlsAcceptor)> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let path = folder;
    let folder = Folder::of_named_state(path);
    let (signer, origin) = match folder.read(PRIVATE, MAX_JSON_BYTES) {
        Ok(bytes) => match read(&bytes, id) {
            Some(signer) if signer.stored.expires > later(today, SERVER_DAYS) => (signer, AuthorityOrigin::Kept),
            Some(_) => (authority(id, today)?, AuthorityOrigin::Expired),
            None => (authority(id, today)?, AuthorityOrigin::Damaged),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => (authority(id, today)?, AuthorityOrigin::New),
        Err(error) => return Err(error),
    };
    if origin != AuthorityOrigin::Kept {
        folder.replace(PRIVATE, &serde_json::to_vec(&signer.stored)?, Durability::Unsynced)?;
    }
    let file = std::path::absolute(path.join(PUBLIC))?;
    if folder.read(PUBLIC, MAX_JSON_BYTES).ok().as_deref() != Some(signer.stored.certificate.as_bytes()) {
        // Everyone may read it, to trust it.
        folder.publish(PUBLIC, signer.stored.certificate.as_bytes())?;
    }
    let acceptor = acceptor(&signer, id, listen, today)?;
    Ok((Authority { file, origin }, acceptor))
}

/// The authority in a file, if certificate and key belong together and to this portal: clients that trust ca.pem would
/// refuse a server certificate of any other.
fn read(bytes: &[u8], id: &str) -> Option<Signer> {
    let kept: AuthorityFile = serde_json::from_slice(bytes).ok()?;
    let key = KeyPair::from_pem(&kept.key).ok()?;
    let certificate = CertificateDer::from_pem_slice(kept.certificate.as_bytes()).ok()?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).ok()?;
    let root = roots.roots.first()?;
    // Both are stored without the tag and the length that they begin with.
    let fits = root.subject.ends_with(common_name(id).as_bytes())
        && key.subject_public_key_info().ends_with(&root.subject_public_key_info);
    fits.then_some(Signer { stored: kept, key })
}

/// The name of a portal's authority.
fn common_name(id: &str) -> String {
    format!("brandctl sandbox {id} authority")
}

fn authority(id: &str, today: Date) -> io::Result<Signer> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(io::Error::other)?;
    let expires = later(today, AUTHORITY_DAYS);
    let mut params = authority_params(id);
    set_validity(&mut params, today, expires);
    let certificate = params.self_signed(&key).map_err(io::Error::other)?.pem();
    Ok(Signer { stored: AuthorityFile { certificate, key: key.serialize_pem(), expires }, key })
}

/// The parameters of the authority, which its certificates repeat.
fn authority_params(id: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&common_name(id));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn acceptor(signer: &Signer, id: &str, listen: IpAddr, today: Date) -> io::Result<TlsAcceptor> {
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    if !listen.is_unspecified() && !addresses.contains(&listen) {
        addresses.push(listen);
    }
    let names: Vec<_> =
        std::iter::once("localhost".to_owned()).chain(addresses.iter().map(IpAddr::to_string)).collect();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name = name(&format!("brandctl sandbox {id}"));
    set_validity(&mut params, today, later(today, SERVER_DAYS));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(io::Error::other)?;
    let issuer = Issuer::new(authority_params(id), &signer.key);
    let certificate = params.signed_by(&key, &issuer).map_err(io::Error::other)?;
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private.into())
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn later(date: Date, days: i16) -> Date {
    date.saturating_add(jiff::Span::new().days(days))
}

/// Sets the validity from the day before today, because clocks differ.
fn set_validity(params: &mut CertificateParams, today: Date, expires: Date) {
    let start_of =
        |date: Date| date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
    (params.not_before, params.not_after) = (start_of(later(today, -1)), start_of(expires));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::fs;

    use super::*;

    fn origin(folder: &Path) -> AuthorityOrigin {
        set_up(folder, "test", Ipv4Addr::LOCALHOST.into()).unwrap().0.origin
    }

    #[test]
    fn an_authority_is_kept_until_it_is_of_no_use() {
        let folder = tempfile::tempdir().unwrap();
        let (private, public) = (folder.path().join("authority.json"), folder.path().join("ca.pem"));
        assert_eq!(origin(folder.path()), AuthorityOrigin::New);
        let first = fs::read(&public).unwrap();
        assert_eq!(origin(folder.path()), AuthorityOrigin::Kept);
        fs::write(&public, "lost").unwrap();
        assert_eq!(origin(folder.path()), AuthorityOrigin::Kept);
        assert_eq!(fs::read(&public).unwrap(), first, "the public copy is made again");

        let mut kept: AuthorityFile = serde_json::from_slice(&fs::read(&private).unwrap()).unwrap();
        kept.expires = later(Timestamp::now().to_zoned(TimeZone::UTC).date(), SERVER_DAYS);
        fs::write(&private, serde_json::to_vec(&kept).unwrap()).unwrap();
        assert_eq!(origin(folder.path()), AuthorityOrigin::Expired);
        let second = fs::read(&public).unwrap();
        assert_ne!(second, first);
        assert_eq!(origin(folder.path()), AuthorityOrigin::Kept);

        for damage in ["", "{}", "{\"certificate\":\"x\",\"key\":\"y\",\"expires\":\"2099-01-01\"}"] {
            fs::write(&private, damage).unwrap();
            assert_eq!(origin(folder.path()), AuthorityOrigin::Damaged, "{damage}");
        }
        assert_eq!(origin(folder.path()), AuthorityOrigin::Kept);
    }

    #[test]
    fn the_authority_of_another_portal_or_with_another_key_is_of_no_use() {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("authority.json");
        let set_up = |id| set_up(folder.path(), id, Ipv4Addr::LOCALHOST.into()).unwrap().0.origin;
        let read = || -> AuthorityFile { serde_json::from_slice(&fs::read(&private).unwrap()).unwrap() };
        assert_eq!(set_up("one"), AuthorityOrigin::New);
        let one = read();
        assert_eq!(
            (set_up("other"), set_up("other")),
            (AuthorityOrigin::Damaged, AuthorityOrigin::Kept),
            "portal.json was removed"
        );
        fs::write(&private, serde_json::to_vec(&AuthorityFile { key: one.key, ..read() }).unwrap()).unwrap();
        assert_eq!(
            (set_up("other"), set_up("other")),
            (AuthorityOrigin::Damaged, AuthorityOrigin::Kept),
            "of two files"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_the_certificate_is_for_everybody() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        origin(folder.path());
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("authority.json"), mode("ca.pem")), (0o600, 0o644));
        assert!(!fs::read_to_string(folder.path().join("ca.pem")).unwrap().contains("PRIVATE"));
    }
}
