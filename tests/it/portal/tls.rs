//! TLS: certificates that do not fit, and what goes from https to https.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brandctl::domain::retry::Class;
use brandctl::ops::ports::{DOWNLOADS, ReadPortal as _};
use brandctl::portal::{Client, Deadlines, Rate, Throttle, TrustStore, Webhook};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::time::Instant;

use super::server::*;

/// A certificate authority and a server that has a certificate of it.
struct Trusted {
    ca: String,
    address: String,
    /// The requests' heads, in lower case.
    heads: Arc<Mutex<Vec<String>>>,
}

/// A server with a certificate for `name` until that year. `decide` makes an answer of a request's target.
fn serving(name: &str, until: i32, decide: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Trusted {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = params.signed_by(&key, &Issuer::from_params(&ca, &ca_key)).unwrap();
    served(pem, &certificate, &key, decide)
}

/// A server with the certificate that `openssl req -x509` makes: its own, and that of an authority. It stands in for one.
fn serving_own(
    names: &[&str],
    common_name: &str,
    until: i32,
    decide: impl Fn(&str) -> Vec<u8> + Send + 'static,
) -> Trusted {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, common_name);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    served(certificate.pem(), &certificate, &key, decide)
}

fn served(
    pem: String,
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    decide: impl Fn(&str) -> Vec<u8> + Send + 'static,
) -> Trusted {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let trusted = Trusted { ca: pem, address: listener.local_addr().unwrap().to_string(), heads: Arc::default() };
    let heads = Arc::clone(&trusted.heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut bytes = [0; 4096];
            // A client that does not trust it is gone by now.
            if let Ok(length) = stream.read(&mut bytes) {
                let head = String::from_utf8_lossy(&bytes[..length]).to_lowercase();
                drop(stream.write_all(&decide(head.split(' ').nth(1).unwrap_or_default())));
                heads.lock().unwrap().push(head);
                stream.conn.send_close_notify();
                drop(stream.flush());
            }
        }
    });
    trusted
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_says_which_and_what_to_do() {
    let ask = async |server: &Trusted, ca: Option<&str>| {
        let webhook = Webhook::parse(&format!("https://{}/rest/1/{SECRET}/", server.address), "test").unwrap();
        let ca = ca.map(|pem| pem.as_bytes().to_vec());
        client(webhook, Duration::from_secs(20), |settings| settings.ca_cert = ca).list().await
    };
    let empty = |_: &str| {
        let list = json!({"result": {"result": {"icons": {"icons": []}, "logos": {"logos": []}}}});
        plain(200, "application/json", list.to_string().as_bytes())
    };
    let good = serving("127.0.0.1", 2500, empty);
    ask(&good, Some(&good.ca)).await.unwrap();
    let other = serving("127.0.0.1", 2500, empty);
    let misnamed = serving("portal.example", 2500, empty);
    let ended = serving("127.0.0.1", 2001, empty);
    for (server, ca, fix) in [
        (&good, None, "--ca-cert"),
        (&good, Some(&*other.ca), "--ca-cert"),
        (&misnamed, Some(&*misnamed.ca), "host name"),
        (&ended, Some(&*ended.ca), "renew"),
    ] {
        let error = ask(server, ca).await.unwrap_err();
        assert_no_secret(&error);
        assert_eq!(error.class, Class::Configuration, "it is not asked again: {error}");
        let expected = format!("the certificate of {} is not trusted: ", server.address);
        assert!(error.message.starts_with(&expected) && error.message.len() > expected.len(), "{error}");
        assert!(error.hint.unwrap().contains(fix));
    }
}

/// As `curl --cacert` does.
#[tokio::test]
async fn a_server_may_show_the_very_certificate_that_was_given() {
    let ask = async |server: &Trusted, ca: Option<&str>| {
        let webhook = Webhook::parse(&format!("https://{}/rest/1/{SECRET}/", server.address), "test").unwrap();
        let ca = ca.map(|pem| pem.as_bytes().to_vec());
        client(webhook, Duration::from_secs(20), |settings| settings.ca_cert = ca).list().await
    };
    let empty = |_: &str| {
        let list = json!({"result": {"result": {"icons": {"icons": []}, "logos": {"logos": []}}}});
        plain(200, "application/json", list.to_string().as_bytes())
    };
    let own = serving_own(&["127.0.0.1"], "portal", 2500, empty);
    ask(&own, Some(&own.ca)).await.unwrap();
    let unnamed = serving_own(&[], "127.0.0.1", 2500, empty);
    ask(&unnamed, Some(&unnamed.ca)).await.unwrap();
    // Others' certificates beside it change nothing.
    let both = [unnamed.ca.as_str(), own.ca.as_str()].concat();
    ask(&own, Some(&both)).await.unwrap();
    let misnamed = serving_own(&["portal.example"], "127.0.0.1", 2500, empty);
    let ended = serving_own(&["127.0.0.1"], "portal", 2001, empty);
    for (server, ca, fix) in [
        (&own, None, "--ca-cert"),
        (&own, Some(&*unnamed.ca), "--ca-cert"),
        (&misnamed, Some(&*misnamed.ca), "host name"),
        (&ended, Some(&*ended.ca), "renew"),
    ] {
        let error = ask(server, ca).await.unwrap_err();
        assert!(error.message.contains("is not trusted: ") && error.hint.unwrap().contains(fix), "{}", error.message);
    }
}

#[tokio::test]
async fn clients_of_many_portals_share_a_trust_store_and_a_thread_and_no_deadline() {
    let empty = |_: &str| {
        let list = json!({"result": {"result": {"icons": {"icons": []}, "logos": {"logos": []}}}});
        plain(200, "application/json", list.to_string().as_bytes())
    };
    let servers = [serving("127.0.0.1", 2500, empty), serving("127.0.0.1", 2500, empty)];
    let trust = TrustStore::new(Some(servers.each_ref().map(|server| &*server.ca).concat().as_bytes())).unwrap();
    let client = |server: &Trusted, seconds| {
        let webhook = Webhook::parse(&format!("https://{}/rest/1/{SECRET}/", server.address), "test").unwrap();
        let throttle = Throttle::new(Rate::default(), DOWNLOADS, Arc::new(Told::default())).unwrap();
        let deadlines = Deadlines::new(Instant::now(), Duration::from_secs(seconds));
        Client::new(webhook.into(), &trust, throttle, deadlines).unwrap()
    };
    let [first, second] = servers.each_ref().map(|server| client(server, 20));
    let late = client(&servers[0], 0);
    let (first, second, late) = tokio::join!(first.list(), second.list(), late.list());
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(late.unwrap_err().class, Class::Deadline);
}

#[test]
fn doctor_tells_what_is_wrong_with_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let run = |server: &Trusted, trusting: bool| {
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, &server.ca).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_brandctl"));
        command.args(["doctor", "--timeout", "20"]).current_dir(folder.path()).env_clear();
        command.env("BITRIX24_WEBHOOK_URL", format!("https://{}/rest/1/{SECRET}/", server.address));
        if trusting {
            command.arg("--ca-cert").arg(ca);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!text.contains(SECRET), "{text}");
        text
    };
    let silent = |_: &str| plain(404, "text/html", b"");
    for (server, trusting, help) in [
        (serving("127.0.0.1", 2001, silent), true, "must renew it"),
        (serving("portal.example", 2500, silent), true, "use the host name that the certificate is for"),
        (serving("127.0.0.1", 2500, silent), false, "pass that authority's certificate with --ca-cert"),
    ] {
        let told = run(&server, trusting);
        let failed = format!("failed   tls          the certificate of {} is not trusted: ", server.address);
        assert!(told.contains(&failed) && told.contains(help), "{told}");
        assert!(told.contains("skipped  credentials") && server.heads.lock().unwrap().is_empty(), "{told}");
    }
    // One that fits is accepted; what the server says then is not.
    let told = run(&serving("127.0.0.1", 2500, silent), true);
    assert!(told.contains("ok       tls          the certificate is trusted"), "{told}");
}

#[tokio::test]
async fn downloads_follow_three_redirects_and_take_nothing_along() {
    // `/upload/3` is three redirects away from the image; each goes another way.
    let server = serving("127.0.0.1", 2500, |target| {
        let left: u32 = target.trim_start_matches("/upload/").parse().unwrap_or_default();
        let location = match left {
            0 => return plain(200, "image/png", PNG),
            9 => "http://127.0.0.1:1/upload/0".to_owned(),
            1 => "0".to_owned(),
            left => format!("/upload/{}", left - 1),
        };
        let head = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nSet-Cookie: a=b\r\n");
        format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
    });
    let webhook = Webhook::parse(&format!("https://{}/rest/1/{SECRET}/", server.address), "test").unwrap();
    let ca = server.ca.clone().into_bytes();
    let client = client(webhook, Duration::from_secs(20), |settings| settings.ca_cert = Some(ca));
    assert_eq!(client.download("/upload/3").await.unwrap(), PNG);
    let heads = server.heads.lock().unwrap().split_off(0);
    assert_eq!(heads.len(), 4);
    for head in heads {
        for word in ["cookie", "authorization", "referer", &SECRET.to_lowercase()] {
            assert!(!head.contains(word), "{head}");
        }
    }
    for (uri, why) in [("/upload/4", "more than three redirects"), ("/upload/9", "not from https to https")] {
        let error = client.download(uri).await.unwrap_err();
        assert_no_secret(&error);
        assert!(error.class == Class::Refused && error.message.contains(why), "{error}");
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_a_clear_error() {
    let server = Server::answering(vec![html(400, "plain HTTP sent to a port for TLS"); 10]).await;
    let webhook = Webhook::parse(&format!("https://{}/rest/1/{SECRET}/", server.address), "test").unwrap();
    let error = client(webhook, Duration::from_secs(2), |_| {}).list().await.unwrap_err();
    assert_no_secret(&error);
    assert!(error.message.contains(&server.address), "{error}");
}
