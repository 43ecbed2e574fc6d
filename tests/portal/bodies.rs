//! Bodies that are more than they seem, and certificates that do not fit.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use brandctl::domain::retry::Class;
use brandctl::ops::ports::ReadPortal as _;
use brandctl::portal::Webhook;
use flate2::Compression;
use flate2::write::GzEncoder;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

use crate::server::*;

/// So many spaces after `start`, squeezed.
fn bomb(start: &[u8], length: usize) -> Step {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(start).unwrap();
    encoder.write_all(&vec![b' '; length]).unwrap();
    let squeezed = encoder.finish().unwrap();
    assert!(squeezed.len() < length / 50);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        squeezed.len()
    );
    Step::Bytes([head.into_bytes(), squeezed].concat())
}

#[tokio::test]
async fn what_unpacks_without_end_is_cut_off() {
    let server = Server::answering([bomb(b"{", 64 * 1024 * 1024)]).await;
    let error = server.client().list().await.unwrap_err();
    harmless(&error);
    assert!(error.class == Class::Refused && error.message.contains("more than 67108864 bytes"), "{error}");
    let server = Server::answering([bomb(PNG, 1024 * 1024)]).await;
    let error = server.client().download("/upload/a").await.unwrap_err();
    assert!(error.class == Class::Refused && error.message.contains("more than 1048576 bytes"), "{error}");
    // What unpacks to an ordinary answer is one.
    let list = json!({"result": {"result": {"icons": {"icons": []}, "logos": {"logos": []}}, "result_error": []}});
    let server = Server::answering([bomb(list.to_string().as_bytes(), 100_000)]).await;
    server.client().list().await.unwrap();
}

#[tokio::test]
async fn the_content_type_of_an_answer_does_not_matter_and_its_body_does() {
    let list = json!({"result": {"result": {"icons": {"icons": []}, "logos": {"logos": []}}, "result_error": []}});
    for content_type in ["text/html; charset=windows-1251", "application/octet-stream", "image/png", ""] {
        let server = Server::answering([Step::Bytes(plain(200, content_type, list.to_string().as_bytes()))]).await;
        server.client().list().await.unwrap();
        let page = Step::Bytes(plain(403, content_type, b"<html>Forbidden"));
        let (error, requests) = failing_list(page).await;
        assert_eq!((error.class, requests), (Class::Configuration, 1));
        assert!(error.message.contains("answered 403 with no JSON: <html>Forbidden"), "{error}");
    }
}

// ---- Certificates ----

/// A certificate authority and a server that has a certificate of it.
struct Trusted {
    ca: String,
    address: String,
}

/// A server with a certificate for `name`, which ended in the past or will in the future; it answers with empty lists.
async fn serving(name: &str, until: i32) -> Trusted {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = params.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut bytes = [0; 4096];
            // A client that does not trust it is gone by now.
            if std::io::Read::read(&mut stream, &mut bytes).is_ok() {
                let list = json!({"result": {"result": {"icons": {"icons": []}, "logos": {"logos": []}}}});
                drop(stream.write_all(&plain(200, "application/json", list.to_string().as_bytes())));
                stream.conn.send_close_notify();
                drop(stream.flush());
            }
        }
    });
    Trusted { ca: pem, address }
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_says_which_and_what_to_do() {
    let ask = async |server: &Trusted, ca: Option<&str>| {
        let webhook = Webhook::parse(&format!("https://{}/rest/1/{SECRET}/", server.address), "test").unwrap();
        let ca = ca.map(|pem| pem.as_bytes().to_vec());
        client(webhook, Duration::from_secs(20), |settings| settings.ca_cert = ca).list().await
    };
    let good = serving("127.0.0.1", 2500).await;
    ask(&good, Some(&good.ca)).await.unwrap();
    let other = serving("127.0.0.1", 2500).await;
    let misnamed = serving("portal.example", 2500).await;
    let ended = serving("127.0.0.1", 2001).await;
    for (server, ca) in
        [(&good, None), (&good, Some(&*other.ca)), (&misnamed, Some(&*misnamed.ca)), (&ended, Some(&*ended.ca))]
    {
        let error = ask(server, ca).await.unwrap_err();
        harmless(&error);
        assert_eq!(error.class, Class::Configuration, "it is not asked again: {error}");
        let expected = format!("the certificate of {} is not trusted: ", server.address);
        assert!(error.message.starts_with(&expected) && error.message.len() > expected.len(), "{error}");
        assert!(error.hint.unwrap().contains("--ca-cert"));
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_a_clear_error() {
    let server = Server::answering(vec![html(400, "plain HTTP sent to a port for TLS"); 10]).await;
    let webhook = Webhook::parse(&format!("https://{}/rest/1/{SECRET}/", server.address), "test").unwrap();
    let error = client(webhook, Duration::from_secs(2), |_| {}).list().await.unwrap_err();
    harmless(&error);
    assert!(error.message.contains(&server.address), "{error}");
}
