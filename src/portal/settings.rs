//! What a client is made of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ops::events::Observer;
use crate::ops::ports::DOWNLOADS;

use super::access::Access;

/// How fast requests may follow one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests per second in the long run; more than 0.
    pub per_second: f64,
    /// Requests at once after a pause; at least 1.
    pub burst: u32,
    /// How much of the burst writes leave to other integrations.
    pub headroom: u32,
}

impl Default for Rate {
    /// What a portal allows on every plan but the largest.
    fn default() -> Self {
        Self { per_second: 2.0, burst: 50, headroom: 10 }
    }
}

/// What a client is made of.
#[derive(Clone)]
pub struct Settings {
    /// The portal and the right to use it.
    pub access: Access,
    /// How fast requests may follow one another.
    pub rate: Rate,
    /// When the command's time is up: no wait and no request goes beyond.
    pub deadline: Instant,
    /// The longest that one read or download may take.
    pub read_timeout: Duration,
    /// The longest that one write may take. A portal goes on with a batch after its client is gone, so a short one only
    /// makes outcomes unknown: leave it at 120 s or more, except in tests.
    pub write_timeout: Duration,
    /// Certificates to trust beside the system's, as PEM.
    pub ca_cert: Option<Vec<u8>>,
    /// Who is told of waits.
    pub observer: Arc<dyn Observer>,
    /// The most downloads at once; at least 1.
    pub downloads: usize,
}

impl Settings {
    /// The usual ones.
    #[must_use]
    pub fn new(access: impl Into<Access>, deadline: Instant, observer: Arc<dyn Observer>) -> Self {
        Self {
            access: access.into(),
            rate: Rate::default(),
            deadline,
            read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(120),
            ca_cert: None,
            observer,
            downloads: DOWNLOADS,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("access", &self.access).field("rate", &self.rate).finish_non_exhaustive()
    }
}
