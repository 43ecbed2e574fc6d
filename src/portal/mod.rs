//! The REST client of a real portal. A [`Client`] is made of four parts: [`Access`] (the credentials), a transport
//! (HTTP and TLS, made from a [`TrustStore`] that many clients can share), a [`Throttle`] (all waiting) and
//! [`Deadlines`] (all ends of waiting). Nothing is global, not even the TLS provider. The futures of a client stay on
//! the thread that makes them, and no secret gets into any text.
//!
//! | file | what it knows |
//! |---|---|
//! | `redact` | how to keep secrets out of any text |
//! | `server_address` | where a server is, and whether that is this machine |
//! | `webhook`, `oauth` | the two kinds of credentials: a URL with a secret in it, a file with tokens |
//! | `access` | one of them |
//! | `wire` | the shapes of answers, PHP's habits included |
//! | `bucket`, `allowance`, `limits` | the portal's limits as arithmetic: when the next request may be sent |
//! | `deadlines` | when a command and each of its requests end |
//! | `http` | one bounded HTTP request |
//! | `proxy` | the proxy on the way, from the environment |
//! | `error` | what each error means for brandctl, and what the user can do about it |
//! | `certificate` | which server certificates are trusted because the user passed them |
//! | `transport` | the HTTP clients of a portal, and which certificates they trust |
//! | `throttle` | waiting |
//! | `renewal` | how tokens are renewed, once for all calls that wait for it |
//! | `batch` | how commands become a batch, and a batch's answer the answers to commands |
//! | `download` | where images may come from |
//! | `client` | all of it together: sending, reading answers, retrying |
//! | `reading`, `writing`, `logmessage`, `doctor` | the ports: what each asks, and what it makes of the answers |

mod access;
mod allowance;
mod batch;
mod bucket;
mod certificate;
mod client;
mod deadlines;
mod doctor;
mod download;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod http;
mod json;
mod limits;
mod logmessage;
mod oauth;
mod proxy;
mod reading;
mod redact;
mod renewal;
mod server_address;
mod throttle;
mod transport;
mod webhook;
mod wire;
mod writing;

pub use access::Access;
pub use client::Client;
pub use deadlines::Deadlines;
pub use limits::Rate;
pub use oauth::{Application, OAuthError, PendingRenewals};
pub use throttle::Throttle;
pub use transport::TrustStore;
pub use webhook::{Webhook, WebhookError};
