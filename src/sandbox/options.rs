//! The options of a sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::bucket::RateLimit;
use super::faults::Faults;
use super::logmessage::LogList;
use super::operating::Operating;
use super::page::{self, HtmlPage, PortalContents};
use super::record::Recording;

/// The options that a sandbox is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds its state; created if it does not exist.
    pub data: PathBuf,
    /// The address that it listens on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The leaky bucket, or none.
    pub limits: Option<RateLimit>,
    /// The limit on method time, or none. It applies in addition to `limits`.
    pub operating: Option<Operating>,
    /// How long an access token works, in whole seconds.
    pub token_lifetime: Duration,
    /// How log entries are listed.
    pub log_list: LogList,
    /// The failures that are scripted.
    pub faults: Faults,
    /// The delays before its work.
    pub latency: Latency,
    /// Whether it speaks TLS.
    pub protocol: Protocol,
    /// Whether it records requests.
    pub recording: Recording,
    /// The function that draws the page at `/`.
    pub page: fn(&PortalContents) -> HtmlPage,
}

/// The protocol that a sandbox speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTP over TLS, with a certificate of the sandbox's own authority for 127.0.0.1, ::1, localhost and the address that it
    /// listens on. Plain requests are refused.
    Https,
}

impl Options {
    /// A portal with the usual limits on a free port of 127.0.0.1, without failures and without delays.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            limits: Some(RateLimit::default()),
            operating: Some(Operating::default()),
            token_lifetime: Duration::from_secs(3600),
            log_list: LogList::default(),
            faults: Faults::none(),
            latency: Latency::default(),
            protocol: Protocol::default(),
            recording: Recording::default(),
            page: page::plain,
        }
    }
}

/// The delays of a portal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// Before anything happens to a request, downloads included.
    pub per_request: Duration,
    /// Before each command, alone or in a batch.
    pub per_command: Duration,
}
