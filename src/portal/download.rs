//! Fetching the bytes behind a `fileUri`: where they may come from, and what does not count as an image. No credentials are
//! sent along.

use reqwest::header::ACCEPT;
use url::Url;

use crate::domain::retry::Class;

use super::access::Access;
use super::deadlines::RequestDeadline;
use super::error::{self, Effect, RequestError};
use super::http;
use super::server_address::is_loopback;

/// The largest image that is fetched: four times what our own rules allow.
const MAX_IMAGE_BYTES: usize = 1024 * 1024;
/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 3;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Fetches a file once.
pub(super) async fn fetch(
    client: &reqwest::Client,
    access: &Access,
    file_uri: &str,
    deadline: RequestDeadline,
) -> Result<Vec<u8>, RequestError> {
    let mut url = resolve(access, file_uri).map_err(|why| refused(access, why))?;
    for _ in 0..=MAX_REDIRECTS {
        let host = access.quote(&authority(&url));
        let broken = |error| error::broken(access.redactor(), &host, &error, deadline);
        let request = client.get(url.clone()).header(ACCEPT, "image/png, */*;q=0.1");
        let response = http::send(request, deadline.until).await.map_err(broken)?;
        match response.status {
            200 => {
                let content_type = response.content_type.clone().unwrap_or_default();
                let body = response.body(MAX_IMAGE_BYTES, deadline.until).await.map_err(broken)?;
                return image(&body, &content_type)
                    .map_err(|what| {
                        let message = format!("{host} answered a download with {}", access.quote(&what));
                        RequestError::new(Class::Transient, Effect::None, message, None)
                    })
                    .map(|()| body);
            }
            301 | 302 | 303 | 307 | 308 => {
                url = follow(&url, response.location.as_deref()).map_err(|why| refused(access, why))?;
            }
            status => {
                let class = match status {
                    429 => Class::Busy,
                    408 | 425 | 500.. => Class::Transient,
                    _ => Class::Refused,
                };
                let failure =
                    RequestError::new(class, Effect::None, format!("{host} answered {status} to a download"), None);
                return Err(RequestError { retry_after: response.retry_after, ..failure });
            }
        }
    }
    Err(refused(access, "there are more than three redirects"))
}

/// The URL of a `fileUri`: a path on the portal, or an absolute https URL. Plain http is allowed only if the portal is
/// on this machine and uses http, and for files on this machine.
fn resolve(access: &Access, file_uri: &str) -> Result<Url, &'static str> {
    if file_uri.trim().is_empty() {
        return Err("the entry has no file");
    }
    let mut url = access.portal().origin().join(file_uri.trim()).map_err(|_| "its address is not a URL")?;
    let plain_allowed = access.portal().is_loopback() && access.portal().origin().scheme() == "http";
    match url.scheme() {
        "https" => {}
        "http" if plain_allowed && is_loopback(&url) => {}
        _ => return Err("its address is not https"),
    }
    strip_credentials(&mut url).map_err(|()| "its address is not a URL")?;
    Ok(url)
}

/// The target of a redirect: only from https to https.
fn follow(from: &Url, location: Option<&str>) -> Result<Url, &'static str> {
    let mut url =
        location.and_then(|location| from.join(location).ok()).ok_or("it redirects without a valid target")?;
    if from.scheme() != "https" || url.scheme() != "https" {
        return Err("it redirects, but not from https to https");
    }
    strip_credentials(&mut url).map_err(|()| "it redirects without a valid target")?;
    Ok(url)
}

/// Takes the credentials out of a URL: they would be sent as an `Authorization` header.
fn strip_credentials(url: &mut Url) -> Result<(), ()> {
    url.set_username("")?;
    url.set_password(None)?;
    url.set_fragment(None);
    Ok(())
}

/// Checks that a body can be an image. An error page with status 200 must not count as the stored image: the image
/// would look broken, and be replaced. Bytes with a PNG signature are an image, valid or not; anything else must not be
/// text.
fn image(body: &[u8], content_type: &str) -> Result<(), String> {
    let kind = content_type.trim().to_ascii_lowercase();
    let is_binary = kind.is_empty() || kind.starts_with("image/") || kind.starts_with("application/octet-stream");
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let is_text = matches!(start.first(), Some(b'<' | b'{' | b'['));
    if body.is_empty() {
        Err("nothing".to_owned())
    } else if body.starts_with(PNG_SIGNATURE) || (is_binary && !is_text) {
        Ok(())
    } else if is_text {
        Err("a page instead of an image".to_owned())
    } else {
        Err(format!("{content_type} instead of an image"))
    }
}

fn refused(access: &Access, why: &str) -> RequestError {
    let message = format!("{} lists a file that cannot be fetched: {why}", access.host());
    RequestError::new(Class::Refused, Effect::None, message, None)
}

/// The host and port of a URL, without the path, which may hold what must not get into a log.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn on(portal: &str, file_uri: &str) -> Result<String, &'static str> {
        let webhook = crate::portal::Webhook::parse(&format!("{portal}/rest/1/s3cr3tS3cr3t/"), "test").unwrap();
        resolve(&webhook.into(), file_uri).map(String::from)
    }

    #[test]
    fn paths_are_on_the_portal() {
        assert_eq!(
            on("https://acme.example", "/upload/crm/a b.png").unwrap(),
            "https://acme.example/upload/crm/a%20b.png"
        );
        assert_eq!(on("https://acme.example:8443/b24", "/upload/x").unwrap(), "https://acme.example:8443/upload/x");
        assert_eq!(on("http://127.0.0.1:8024", "/upload/x").unwrap(), "http://127.0.0.1:8024/upload/x");
    }

    #[test]
    fn other_hosts_must_speak_https() {
        assert_eq!(on("https://acme.example", "https://cdn.example/x").unwrap(), "https://cdn.example/x");
        assert_eq!(on("https://acme.example", "//cdn.example/x").unwrap(), "https://cdn.example/x");
        assert_eq!(on("http://127.0.0.1:1", "https://cdn.example/x").unwrap(), "https://cdn.example/x");
        assert_eq!(on("http://127.0.0.1:1", "http://localhost:2/x").unwrap(), "http://localhost:2/x");
        for (portal, uri) in [
            ("https://acme.example", "http://acme.example/x"),
            ("https://acme.example", "http://127.0.0.1/x"),
            ("https://127.0.0.1", "http://127.0.0.1/x"),
            ("http://127.0.0.1:1", "http://10.0.0.1/x"),
            ("http://127.0.0.1:1", "//cdn.example/x"),
            ("https://acme.example", "file:///etc/passwd"),
            ("https://acme.example", "data:image/png;base64,AAAA"),
            ("https://acme.example", ""),
            ("https://acme.example", "https://"),
        ] {
            assert!(on(portal, uri).is_err(), "{portal} {uri}");
        }
    }

    #[test]
    fn credentials_in_an_address_are_not_sent() {
        assert_eq!(on("https://acme.example", "https://me:pw@cdn.example/x#y").unwrap(), "https://cdn.example/x");
        let from = Url::parse("https://cdn.example/a").unwrap();
        assert_eq!(follow(&from, Some("https://me:pw@b.example/x")).unwrap().as_str(), "https://b.example/x");
    }

    #[test]
    fn redirects_go_from_https_to_https() {
        let from = Url::parse("https://acme.example/upload/a").unwrap();
        assert_eq!(follow(&from, Some("../b")).unwrap().as_str(), "https://acme.example/b");
        assert_eq!(follow(&from, Some("https://cdn.example/b")).unwrap().as_str(), "https://cdn.example/b");
        assert!(follow(&from, Some("http://acme.example/b")).is_err());
        assert!(follow(&from, None).is_err());
        let plain = Url::parse("http://127.0.0.1:1/a").unwrap();
        assert!(follow(&plain, Some("/b")).is_err());
        assert!(follow(&plain, Some("https://cdn.example/b")).is_err());
    }

    #[test]
    fn a_page_is_not_an_image() {
        assert!(image(b"<html>", "text/html; charset=utf-8").is_err());
        assert!(image(b"{}", "Application/JSON").is_err());
        assert!(image(b"", "image/png").is_err());
        assert!(image(b"\x89PNG\r\n\x1a\nrest", "text/plain").is_ok());
        assert!(image(b"broken", "image/png").is_ok(), "other code checks what was stored");
        assert!(image(b"broken", "").is_ok());
    }
}
