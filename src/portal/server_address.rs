//! Addresses of servers: scheme, host and port, and whether that is this machine.

use url::{Host, Url};

/// The scheme, host and port of a server.
#[derive(Debug, Clone)]
pub(super) struct ServerAddress {
    origin: Url,
    host: String,
}

impl ServerAddress {
    /// The server of a URL. `None` when it has no host, or one that consists of dots.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let origin = Url::parse(&url.origin().ascii_serialization()).ok()?;
        let host = url.host_str().filter(|host| !host.split('.').all(str::is_empty))?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Some(Self { origin, host: host.to_ascii_lowercase() })
    }

    /// The host in lower case, with its port if that is not the scheme's own.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The URL of scheme, host and port.
    pub(super) const fn origin(&self) -> &Url {
        &self.origin
    }

    /// Whether the server is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.origin)
    }
}

/// Whether secrets may be sent to a URL: it is https, or it is this machine.
pub(super) fn is_private(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether a URL's host is this machine by its name, so that what is sent there stays on it.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// Whether a URL is for REST 3.0, as in `/rest/api/USER/SECRET/`, which does not have the methods for timeline icons.
pub(super) fn is_of_rest_3(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .collect::<Vec<_>>()
        .windows(2)
        .any(|two| two == ["rest", "api"])
}
