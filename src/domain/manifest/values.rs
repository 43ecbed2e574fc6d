//! The values of a manifest that have a form of their own: paths and hosts.

use url::{Host, Url};

use crate::domain::finding::Problem;

use crate::domain::quote::{looks_secret, quoted};

/// Checks the path of a file. Where it may lead is checked when it is opened.
pub(super) fn file(path: &str) -> Result<(), Problem> {
    folder(path)?;
    match path.rsplit('/').next() {
        Some("" | "." | "..") => {
            Err(Problem::new(format!("{} names a folder, not a file", quoted(path))).help("name a PNG in it"))
        }
        _ => Ok(()),
    }
}

/// Checks the path of a folder. Where it may lead is checked when it is opened.
pub(super) fn folder(path: &str) -> Result<(), Problem> {
    const RELATIVE: &str = "write it relative to the manifest's folder";
    let named = quoted(path);
    if path.is_empty() {
        return Err(Problem::new("the path is empty").help(RELATIVE));
    }
    if path.contains(char::is_control) {
        return Err(Problem::new(format!("the path {named} holds a control character")));
    }
    if path.contains("://") {
        return Err(Problem::new(format!("{named} is a URL")).help("download the file and write its path"));
    }
    let mut start = path.chars();
    let drive = start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
    if path.starts_with(['/', '\\']) || drive {
        return Err(Problem::new(format!("the path {named} is absolute")).help(RELATIVE));
    }
    if path.contains('\\') {
        return Err(Problem::new(format!("the path {named} holds a backslash"))
            .help("separate folders with `/`, on Windows too"));
    }
    Ok(())
}

/// Whether a text in place of a host holds more than one, which may be a password: no snippet may show its line.
pub(super) fn is_more_than_a_host(text: &str) -> bool {
    text.contains(['/', '@', '?', '=', '#']) || looks_secret(text)
}

/// Reads a portal's host and gives it the form in which hosts are compared: lower case, international names in
/// Punycode, no trailing dot, a port only when it is not 443.
///
/// A value that may hold a webhook, which is a password, is never repeated.
pub(super) fn host(text: &str) -> Result<String, Problem> {
    if text.is_empty() {
        return Err(Problem::new("the host is empty").help("write one like `acme.bitrix24.com`"));
    }
    if is_more_than_a_host(text) {
        let what = "write only the portal's host: this value has more than a host";
        let host = host_in(text);
        let help = format!(
            "write {}`{}`",
            if host.is_some() { "" } else { "the host, like " },
            host.as_deref().unwrap_or("acme.bitrix24.com")
        );
        return Err(Problem::new(what).help(help));
    }
    let fault = || Problem::new(format!("{} is not a host", quoted(text))).help("write one like `acme.bitrix24.com`");
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            (name, Some(port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(fault)?))
        }
        _ => (text, None),
    };
    let host = Host::parse(name.strip_suffix('.').unwrap_or(name)).map_err(|_| fault())?.to_string();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !host.starts_with('[') && (!host.chars().all(is_name) || host.split('.').any(str::is_empty)) {
        return Err(fault());
    }
    Ok(match port {
        None | Some(443) => host,
        Some(port) => format!("{host}:{port}"),
    })
}

/// The host as in [`host`], for text that is not in a manifest yet: of a URL, its host. The error is one sentence, with what to
/// write.
pub(in crate::domain) fn portal_host(text: &str) -> Result<String, String> {
    let of_url = if is_more_than_a_host(text) { host_in(text) } else { None };
    host(of_url.as_deref().unwrap_or(text)).map_err(|Problem { message, help }| match help {
        Some(help) => format!("{message}: {help}"),
        None => message,
    })
}

/// The host of a URL, with its port.
fn host_in(text: &str) -> Option<String> {
    let address = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    Url::parse(&address).ok().and_then(|url| authority(&url)).filter(|host| host.contains('.'))
}

fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_and_separated_by_slashes() {
        for path in
            ["a.png", "icons/a.png", "./a.png", "a/../b.png", "../a.png", "icons//a.png", "a b.PNG", "…/ü.png", "a"]
        {
            assert_eq!(file(path), Ok(()), "{path}");
        }
        for path in ["logos", "logos/", ".", "./", "a/..", "..", "../"] {
            assert_eq!(folder(path), Ok(()), "{path}");
            if path != "logos" {
                assert!(file(path).is_err(), "{path}");
            }
        }
        for path in ["", "/a.png", "\\a.png", "C:\\a.png", "C:/a.png", "c:a.png", "a\\b.png", "a\0", "https://x/a.png"]
        {
            assert!(folder(path).is_err(), "{path}");
        }
    }

    #[test]
    fn hosts_have_one_form() {
        for (text, expected) in [
            ("acme.bitrix24.com", "acme.bitrix24.com"),
            ("ACME.Bitrix24.COM.", "acme.bitrix24.com"),
            ("portal", "portal"),
            ("portal.local:8443", "portal.local:8443"),
            ("portal.local:443", "portal.local"),
            ("бренд.рф", "xn--90agc6an.xn--p1ai"),
            ("127.0.0.1:8024", "127.0.0.1:8024"),
            ("[::1]:8024", "[::1]:8024"),
        ] {
            assert_eq!(host(text).as_deref(), Ok(expected));
        }
        for text in ["", "*.bitrix24.com", "a b", "a..b", ".", "a:", "a:0", "a:99999", "::1", "a\u{0}b", "a,b"] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pasted_webhook_is_never_repeated() {
        for text in [
            "https://acme.bitrix24.com/rest/1/s3cretT0ken/",
            "acme.bitrix24.com/rest/1/s3cretT0ken/profile.json",
            "https://user:s3cretT0ken@acme.bitrix24.com",
            "https://acme.bitrix24.com?auth=s3cretT0ken",
        ] {
            let fault = host(text).unwrap_err();
            assert!(!format!("{fault:?}").contains("s3cret"), "{fault:?}");
            assert_eq!(fault.help.as_deref(), Some("write `acme.bitrix24.com`"));
        }
        assert_eq!(
            host("rest/1/s3cretT0ken").unwrap_err().help.as_deref(),
            Some("write the host, like `acme.bitrix24.com`")
        );
    }
}
