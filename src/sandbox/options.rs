//! What a sandbox is made of.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::bucket::Bucket;
use super::faults::Faults;
use super::logmessage::LogList;
use super::operating::Operating;
use super::page::{self, Contents, Page};
use super::record::Recording;

/// How a sandbox is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds its state; made when it is absent.
    pub data: PathBuf,
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The leaky bucket, or none.
    pub limits: Option<Bucket>,
    /// The limit on method time, or none. It counts beside `limits`.
    pub operating: Option<Operating>,
    /// How long an access token works, in whole seconds.
    pub token_lifetime: Duration,
    /// How log entries are listed.
    pub log_list: LogList,
    /// What goes wrong.
    pub faults: Faults,
    /// How slow it is.
    pub latency: Latency,
    /// Whether it wants TLS.
    pub transport: Transport,
    /// Whether it remembers what it was asked.
    pub recording: Recording,
    /// What draws the page at `/`.
    pub page: fn(&Contents) -> Page,
}

/// How a sandbox is talked to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// In plain text.
    #[default]
    Http,
    /// Over TLS, with a certificate of the sandbox's own authority for 127.0.0.1, ::1, localhost and the address that it
    /// listens on. Plain requests are refused.
    Https,
}

impl Options {
    /// A portal of the usual plan on a free port of 127.0.0.1, without failures, as quick as it can.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            limits: Some(Bucket::default()),
            operating: Some(Operating::default()),
            token_lifetime: Duration::from_secs(3600),
            log_list: LogList::default(),
            faults: Faults::none(),
            latency: Latency::default(),
            transport: Transport::default(),
            recording: Recording::default(),
            page: page::plain,
        }
    }
}

/// How slow a portal is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// Before anything happens to a request, downloads included.
    pub per_request: Duration,
    /// Before each command, alone or in a batch.
    pub per_command: Duration,
}
