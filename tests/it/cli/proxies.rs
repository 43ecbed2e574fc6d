//! Proxies from the environment: they are used for real portals, see no secret, and are not asked about this machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::common::{Brand, command};

const SECRET: &str = "q7w8e9r0t1y2u3i4";
const PASSWORD: &str = "pr0xyPassw0rd";

/// A proxy that notes what it is asked, answers with this status, and lets nobody through.
struct Proxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

fn proxy(status: &'static str) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy { address: listener.local_addr().unwrap().to_string(), heads: Arc::default() };
    let heads = Arc::clone(&proxy.heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = String::new();
            for line in BufReader::new(&stream).lines() {
                match line {
                    Ok(line) if !line.is_empty() => head.extend([line.as_str(), "\n"]),
                    _ => break,
                }
            }
            heads.lock().unwrap().push(head);
            drop(write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        }
    });
    proxy
}

/// Plans with a webhook of a real portal and these variables; the code, and both streams.
fn plan(brand: &Brand, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = command(brand.folder.path())
        .args(["plan", "-vv", "--timeout", "2"])
        .env("BITRIX24_WEBHOOK_URL", format!("https://acme.invalid/rest/1/{SECRET}/"))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!text.contains(SECRET) && !text.contains(PASSWORD), "{variables:?}: {text}");
    (output.status.code(), text)
}

#[test]
fn a_proxy_sees_the_host_and_no_secret() {
    let brand = Brand::new().in_step(1);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let proxy = proxy("502 Bad Gateway");
        let url = format!("http://me:{PASSWORD}@{}/", proxy.address);
        let (code, text) = plan(&brand, &[(name, &url)]);
        assert_eq!(code, Some(1), "{name}: {text}");
        assert!(text.contains("acme.invalid cannot be reached: ") && text.contains("HTTPS_PROXY"), "{name}: {text}");
        let heads = proxy.heads.lock().unwrap();
        assert!(!heads.is_empty(), "{name} was not used");
        for head in heads.iter() {
            assert!(head.starts_with("CONNECT acme.invalid:443 HTTP/1.1\n"), "{head}");
            assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
            assert!(!head.contains(SECRET) && !head.contains("/rest/"), "{head}");
        }
    }
}

/// The HTTP library would drop the value and ask the portal directly.
#[test]
fn a_proxy_that_is_misspelt_is_an_error_before_any_request() {
    let brand = Brand::new().in_step(1);
    let proxy = proxy("502 Bad Gateway");
    let address = &proxy.address;
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for (value, why) in [
            (format!(" http://me:{PASSWORD}@{address}"), "space"),
            (format!("http://me:{PASSWORD}@{address}\r"), "line break"),
            (format!("http:me:{PASSWORD}@{address}"), "`//` is missing"),
            (format!("http:/{address}"), "`//` is missing"),
            (format!("socks5://me:{PASSWORD}@{address}"), "SOCKS"),
        ] {
            let (code, text) = plan(&brand, &[(name, &value)]);
            assert_eq!(code, Some(1), "{name}: {text}");
            let told = format!("{name} does not hold a proxy address: ");
            assert!(text.contains(&told) && text.contains(why), "{name}: {text}");
            assert!(!text.contains("cannot be reached"), "{name}: {text}");
        }
    }
    assert_eq!(*proxy.heads.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn doctor_shows_the_proxy_without_its_password() {
    let brand = Brand::new().in_step(1);
    let proxy = proxy("502 Bad Gateway");
    let doctor = |url: &str| {
        let output = command(brand.folder.path())
            .args(["doctor", "--timeout", "5"])
            .env("BITRIX24_WEBHOOK_URL", format!("https://acme.invalid/rest/1/{SECRET}/"))
            .env("HTTPS_PROXY", url)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!text.contains(SECRET) && !text.contains(PASSWORD), "{text}");
        text
    };
    let text = doctor(&format!("http://me:{PASSWORD}@{}", proxy.address));
    let port = proxy.address.rsplit(':').next().unwrap();
    assert!(text.contains(&format!("the proxy 127.0.0.1 accepts connections on port {port}")), "{text}");
    let text = doctor(&format!("http:{PASSWORD}@{}", proxy.address));
    assert!(text.contains("HTTPS_PROXY does not hold a proxy address"), "{text}");
}

#[test]
fn no_proxy_names_who_is_asked_directly() {
    let brand = Brand::new().in_step(1);
    let proxy = proxy("502 Bad Gateway");
    let url = format!("http://{}", proxy.address);
    for exempt in ["acme.invalid", ".invalid", "*"] {
        let (code, text) = plan(&brand, &[("HTTPS_PROXY", &url), ("NO_PROXY", exempt)]);
        assert_eq!(code, Some(1), "{text}");
    }
    assert_eq!(*proxy.heads.lock().unwrap(), Vec::<String>::new());
    plan(&brand, &[("HTTPS_PROXY", &url), ("NO_PROXY", "other.invalid")]);
    assert!(!proxy.heads.lock().unwrap().is_empty());
}

#[test]
fn a_portal_on_this_machine_is_asked_directly() {
    let brand = Brand::new().in_step(1);
    let proxy = proxy("502 Bad Gateway");
    let url = format!("http://{}", proxy.address);
    let mut plan = command(brand.folder.path());
    plan.arg("plan").env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        plan.env(name, &url);
    }
    let output = plan.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(*proxy.heads.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn a_proxy_that_is_not_there_or_wants_a_password_shows_none() {
    let brand = Brand::new().in_step(1);
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let asking = proxy("407 Proxy Authentication Required");
    for url in [
        format!("http://me:{PASSWORD}@{unused}"),
        format!("http://me:{PASSWORD}@{}", asking.address),
        format!("http://me:{PASSWORD}@127.0.0.1:99999"),
        format!("socks9://me:{PASSWORD}@127.0.0.1:1"),
        format!("me:{PASSWORD}@"),
    ] {
        let (code, text) = plan(&brand, &[("HTTPS_PROXY", &url)]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("acme.invalid"), "{text}");
    }
}
