//! The proxy on the way to a server, from the environment. The HTTP library ignores a value that it cannot read and
//! connects to the server directly, so values are checked here first.

use std::ffi::OsString;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::ops::ports::PortalError;

use super::access::Access;
use super::error;
use super::server_address::ServerAddress;

impl Access {
    /// Checks that the variables of the environment name a proxy, if they name any for these servers.
    ///
    /// # Errors
    ///
    /// When one is set to something else; the class is `Configuration`, and the value is not quoted.
    pub(crate) fn check_proxy(&self, variable: impl Fn(&str) -> Option<OsString>) -> Result<(), PortalError> {
        check(self.portal(), &variable)?;
        check(self.token_server(), &variable)
    }
}

/// Checks that the variables of the environment name a proxy, if they name any for this server.
///
/// # Errors
///
/// When one is set to something else; the class is `Configuration`, and the value is not quoted.
fn check(server: &ServerAddress, variable: impl Fn(&str) -> Option<OsString>) -> Result<(), PortalError> {
    let Some((name, value)) = named(&variable).filter(|_| !server.is_loopback() && !is_exempt(server, &variable))
    else {
        return Ok(());
    };
    let why = match value.to_str() {
        None => "it is not text in UTF-8",
        Some(text) => match flaw(text) {
            None => return Ok(()),
            Some(why) => why,
        },
    };
    let hint =
        format!("write it as http://HOST:PORT, or unset {name}; NO_PROXY names the hosts to connect to directly");
    Err(error::misconfigured(format!("{name} does not hold a proxy address: {why}"), &hint))
}

/// The variable that counts for https, in the order in which the HTTP library looks, and its value.
fn named(variable: &impl Fn(&str) -> Option<OsString>) -> Option<(&'static str, OsString)> {
    let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, variable(name)?)));
    let set = |found: &(&'static str, OsString)| !found.1.is_empty();
    first(["HTTPS_PROXY", "https_proxy"]).filter(set).or_else(|| first(["ALL_PROXY", "all_proxy"]).filter(set))
}

/// Whether `NO_PROXY` names the server.
fn is_exempt(server: &ServerAddress, variable: &impl Fn(&str) -> Option<OsString>) -> bool {
    let exempt = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
    let any = Matcher::builder().https("http://proxy.invalid").no(exempt.to_string_lossy().into_owned()).build();
    server.origin().as_str().parse::<Uri>().is_ok_and(|uri| any.intercept(&uri).is_none())
}

/// The flaw of a proxy's address.
fn flaw(text: &str) -> Option<&'static str> {
    if text.contains(char::is_whitespace) {
        return Some("it holds a space or a line break");
    }
    if text.contains(char::is_control) {
        return Some("it holds a control character");
    }
    if text.starts_with(['"', '\'']) {
        return Some("it has quotes around it");
    }
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let has_scheme = text.contains("://");
    if !has_scheme && (begins("http:") || begins("https:")) {
        return Some("`//` is missing after `http:`");
    }
    let whole = if has_scheme { text.to_owned() } else { format!("http://{text}") };
    let Ok(url) = Url::parse(&whole) else { return Some("it is not a URL") };
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if is_bare && is_used(text) => None,
        "http" | "https" if is_bare => Some("it is not a URL"),
        "http" | "https" if !has_scheme => Some("`//` is missing, or there is a path after the host"),
        "http" | "https" => Some("there is a path after the host"),
        scheme if scheme.starts_with("socks") => Some("SOCKS proxies are not supported"),
        _ => Some("its scheme is neither http nor https"),
    }
}

/// Whether the HTTP library accepts a text as a proxy.
fn is_used(text: &str) -> bool {
    Matcher::builder().https(text.to_owned()).build().intercept(&Uri::from_static("https://portal.invalid/")).is_some()
}

/// The host and port of the proxy on the way to a server, as the HTTP library decides, from the same environment
/// variables and system settings.
pub(super) fn of(server: &ServerAddress) -> Option<(String, u16)> {
    let uri = server.origin().as_str().parse::<Uri>().ok().filter(|_| !server.is_loopback())?;
    let found = Matcher::from_system().intercept(&uri)?.uri().clone();
    let port = found.port_u16().unwrap_or(if found.scheme_str() == Some("https") { 443 } else { 80 });
    Some((found.host()?.to_owned(), port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn server(url: &str) -> ServerAddress {
        ServerAddress::of(&Url::parse(url).unwrap()).unwrap()
    }

    fn checked(url: &str, variables: &[(&str, &str)]) -> Result<(), PortalError> {
        let value = |name: &str| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into());
        check(&server(url), value)
    }

    #[test]
    fn what_cannot_be_a_proxy_is_an_error_that_names_the_variable_alone() {
        for (value, why) in [
            (" http://pw.example:1", "space"),
            ("http://pw.example:1 ", "space"),
            ("http://pw.example:1\r", "line break"),
            ("http://pw .example:1", "space"),
            ("http://pw.example:1\u{1}", "control"),
            ("\"http://pw.example:1\"", "quotes"),
            ("http:pw.example:1", "`//` is missing"),
            ("http:/pw.example:1", "`//` is missing"),
            ("http//pw.example:1", "`//` is missing"),
            ("https:pw.example", "`//` is missing"),
            ("HTTP:me:pw@127.0.0.1:1", "`//` is missing"),
            ("http://pw.example:99999", "not a URL"),
            ("http://", "not a URL"),
            ("me:pw@", "not a URL"),
            ("socks5://pw.example:1", "SOCKS"),
            ("ftp://pw.example", "scheme"),
            ("http://pw.example:1/proxy.pac", "path"),
        ] {
            for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
                let error = checked("https://acme.example", &[(name, value)]).unwrap_err();
                assert!(error.message.starts_with(name) && error.message.contains(why), "{value:?}: {error:?}");
                assert!(!format!("{error:?}").contains("pw"), "{value:?}: {error:?}");
            }
            let asked_directly = [("HTTPS_PROXY", value), ("NO_PROXY", ".example")];
            assert_eq!(checked("https://acme.example", &asked_directly), Ok(()));
            assert_eq!(checked("http://127.0.0.1:1", &[("HTTPS_PROXY", value)]), Ok(()));
        }
    }

    #[test]
    fn what_names_a_proxy_is_taken_and_is_used() {
        for value in [
            "http://proxy.example:3128",
            "http://proxy.example:3128/",
            "https://me:p%40ss@proxy.example",
            "proxy.example:3128",
            "proxy",
            "me:pw@10.0.0.1:3128",
            "http://[::1]:3128",
        ] {
            assert_eq!(checked("https://acme.example", &[("HTTPS_PROXY", value)]), Ok(()), "{value}");
            assert!(is_used(value), "{value}");
        }
        // An empty one counts as not set, and HTTPS_PROXY takes precedence over ALL_PROXY.
        let twice = [("HTTPS_PROXY", ""), ("ALL_PROXY", "http:x")];
        assert!(checked("https://acme.example", &twice).unwrap_err().message.starts_with("ALL_PROXY"));
        assert_eq!(checked("https://acme.example", &[("HTTPS_PROXY", "x"), ("ALL_PROXY", "http:x")]), Ok(()));
        assert_eq!(checked("https://acme.example", &[]), Ok(()));
    }
}
