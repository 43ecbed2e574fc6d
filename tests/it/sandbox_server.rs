//! The sandbox's outside: TLS and who trusts it, its page, and scripted failures that stand for a portal's own refusals.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brandctl::domain::asset::Kind;
use brandctl::domain::retry::Class;
use brandctl::ops::events::{Event, Observer};
use brandctl::ops::ports::{DOWNLOADS, PortalError, ReadPortal as _};
use brandctl::portal::{Client, Deadlines, Rate, Throttle, TrustStore, Webhook};
use brandctl::sandbox::{AuthorityOrigin, Options, Protocol, Sandbox, start};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

fn sandbox(data: &std::path::Path, change: impl FnOnce(&mut Options)) -> Sandbox {
    let mut options = Options::new(data);
    change(&mut options);
    start(options).unwrap()
}

fn secured(data: &std::path::Path) -> Sandbox {
    sandbox(data, |options| options.protocol = Protocol::Https)
}

fn ca(sandbox: &Sandbox) -> Vec<u8> {
    std::fs::read(&sandbox.authority().unwrap().file).unwrap()
}

/// A client that is not ours. It trusts what it is given.
fn other_client(ca: Option<&[u8]>) -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy();
    match ca {
        Some(pem) => builder.tls_certs_only([reqwest::Certificate::from_pem(pem).unwrap()]),
        None => builder,
    }
    .build()
    .unwrap()
}

struct Quiet;

impl Observer for Quiet {
    fn observe(&self, _: Event) {}
}

/// Asks with our client whether the caller is an administrator.
async fn ask(webhook: &str, ca: Option<Vec<u8>>) -> Result<bool, PortalError> {
    let webhook = Webhook::parse(webhook, "the sandbox").unwrap();
    let throttle = Throttle::new(Rate::default(), DOWNLOADS, Arc::new(Quiet))?;
    let deadlines = Deadlines::new(Instant::now(), Duration::from_secs(5));
    let client = Client::new(webhook.into(), &TrustStore::new(ca.as_deref())?, throttle, deadlines)?;
    client.list_to_write().await.map(|(_, may_write)| may_write)
}

async fn post(client: &reqwest::Client, url: String, parameters: Value) -> (u16, Value) {
    let answer = client.post(url).json(&parameters).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Passes connections on to `target`, from another address of this machine.
async fn relay(target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(target).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    address
}

#[tokio::test]
async fn whoever_trusts_its_authority_can_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let portal = secured(folder.path());
    assert!(portal.admin_webhook().starts_with("https://127.0.0.1:"));
    assert_eq!(ask(&portal.admin_webhook(), Some(ca(&portal))).await, Ok(true));
    assert_eq!(ask(&portal.user_webhook(), Some(ca(&portal))).await, Ok(false));
    let client = other_client(Some(&ca(&portal)));
    for host in ["127.0.0.1", "localhost"] {
        let url = portal.admin_webhook().replace("127.0.0.1", host) + "scope";
        let answer = client.post(url).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_11), "{host}");
    }
}

#[tokio::test]
async fn who_does_not_trust_it_is_told_what_to_do() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let portal = secured(folder.path());
    let stranger = ca(&secured(other.path()));
    let host = portal.address().to_string();
    for ca in [None, Some(stranger)] {
        let error = ask(&portal.admin_webhook(), ca).await.unwrap_err();
        assert_eq!(error.class, Class::Configuration);
        assert!(error.message.starts_with(&format!("the certificate of {host} is not trusted: ")), "{error:?}");
        assert!(error.hint.as_ref().unwrap().contains("--ca-cert"), "{error:?}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let portal = secured(folder.path());
    let relay = relay(portal.address()).await;
    let webhook = portal.admin_webhook().replace(&portal.address().to_string(), &relay.to_string());
    let error = ask(&webhook, Some(ca(&portal))).await.unwrap_err();
    assert_eq!(error.class, Class::Configuration);
    assert!(error.message.starts_with(&format!("the certificate of {relay} is not trusted: ")), "{error:?}");
    assert!(error.message.contains("not valid for name \"127.0.0.2\""), "{error:?}");
}

#[tokio::test]
async fn a_restart_keeps_the_authority_and_not_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let first = secured(folder.path());
    let (pem, webhook) = (ca(&first), first.admin_webhook());
    assert_eq!(first.authority().unwrap().origin, AuthorityOrigin::New);
    let listen = first.address();
    first.stop();
    let second = sandbox(folder.path(), |options| (options.protocol, options.listen) = (Protocol::Https, listen));
    assert_eq!((second.authority().unwrap().origin, second.admin_webhook()), (AuthorityOrigin::Kept, webhook.clone()));
    assert_eq!(ask(&webhook, Some(pem)).await, Ok(true), "what was trusted before is still trusted");
}

#[tokio::test]
async fn a_plain_request_to_a_port_that_wants_tls_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let portal = secured(folder.path());
    let plain = portal.admin_webhook().replace("https:", "http:");
    let refused = json!({ "error": "INVALID_REQUEST", "error_description": "Https required." });
    assert_eq!(post(&other_client(None), format!("{plain}scope"), json!({})).await, (400, refused));
    let error = ask(&plain, None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Configuration, Some("INVALID_REQUEST")));
    assert!(portal.requests().is_empty());
}

#[tokio::test]
async fn its_page_shows_what_it_holds_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let portal = sandbox(folder.path(), |_| {});
    portal.seed(Kind::Icon, "<img src=x onerror=alert(1)>", b"no picture").unwrap();
    portal.seed(Kind::Logo, "fax", b"no picture").unwrap();
    portal.make_system(Kind::Logo, "fax").unwrap();
    let client = other_client(None);
    let answer = client.get(portal.url()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; img-src 'self'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let head = client.head(portal.url()).send().await.unwrap();
    assert_eq!(
        (head.status(), head.headers().get("content-length")),
        (answer.status(), answer.headers().get("content-length"))
    );
    let page = answer.text().await.unwrap();
    assert!(page.contains("<code>&lt;img src=x onerror=alert(1)&gt;</code>") && !page.contains("<img src=x"), "{page}");
    assert!(page.contains("icons: 1 custom, 50 system") && page.contains("logos: 1 custom, 41 system"), "{page}");
    assert!(page.contains("custom, hidden by a system code"), "{page}");
    let secret = portal.admin_webhook().trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    assert!(!page.contains(&secret) && !page.contains("<script"), "{page}");
    let image = portal.entries()[0].file_uri.clone();
    assert!(page.contains(&image));
    assert!(portal.requests().is_empty(), "looking at it is no request to the portal");
    for path in ["favicon.ico", "rest", "index.html"] {
        let answer = client.get(portal.url() + path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "/{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = client.request(method.parse().unwrap(), portal.url()).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method} /");
        assert_eq!(answer.headers()["allow"], "GET, HEAD", "{method} /");
    }
}

#[tokio::test]
async fn the_portals_own_refusals_can_be_scripted() {
    let folder = tempfile::tempdir().unwrap();
    let portal = sandbox(folder.path(), |options| {
        options.limits = None;
        options.faults =
            "scope 1 expired-token; scope 2 time-limit; scope 3 overload; scope 4+ rate-limited 1".parse().unwrap();
    });
    let client = other_client(None);
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (status, answer) = post(&client, portal.admin_webhook() + "scope", json!({})).await;
        seen.push((status, answer["error"].as_str().map(ToOwned::to_owned)));
    }
    let refused = |status: u16, error: &str| (status, Some(error.to_owned()));
    assert_eq!(
        seen,
        [
            refused(401, "expired_token"),
            refused(429, "OPERATION_TIME_LIMIT"),
            refused(503, "OVERLOAD_LIMIT"),
            refused(503, "QUERY_LIMIT_EXCEEDED"),
            (200, None)
        ]
    );
}

#[tokio::test]
async fn a_full_disk_takes_no_file_and_the_checks_before_it_still_hold() {
    let folder = tempfile::tempdir().unwrap();
    let portal = sandbox(folder.path(), |options| {
        options.faults = "crm.timeline.icon.get disk-full".parse().unwrap();
    });
    let client = other_client(None);
    let mut image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    image.extend([0, 0, 0, 24, 0, 0, 0, 24]);
    let call = async |method: &str, code: &str, content: &[u8]| {
        let parameters = json!({ "code": code, "fileContent": STANDARD.encode(content) });
        let (status, answer) =
            post(&client, format!("{}crm.timeline.icon.{method}", portal.admin_webhook()), parameters).await;
        answer["error"].as_str().map_or_else(|| status.to_string(), ToOwned::to_owned)
    };
    assert_eq!(call("add", "a", &image).await, "200");
    assert_eq!(call("get", "a", &image).await, "200");
    for (code, content, ends) in [
        ("b", image.as_slice(), "FILE_SAVE_ERROR"),
        ("a", &image, "FILE_SAVE_ERROR"),
        ("b", b"GIF", "INVALID_ARG_VALUE"),
    ] {
        assert_eq!(call("add", code, content).await, ends, "{code}");
    }
    assert_eq!((portal.entries().len(), portal.orphans()), (1, 0), "nothing was stored");
    assert_eq!(call("delete", "a", &image).await, "200");
    assert!(portal.entries().is_empty());
}
