//! The REST client of a real portal: [`Client`] reads and writes with one [`Access`], keeps within the portal's limits
//! and the command's time, and never lets a secret out.
//!
//! | file | what it knows |
//! |---|---|
//! | `access` | the right to use a portal, whichever way it was given |
//! | `webhook` | the URL with the secret in it |
//! | `oauth` | the file with tokens, and how they are renewed |
//! | `redact` | how to keep secrets out of any text |
//! | `site` | where a server is, and whether that is this machine |
//! | `wire` | the shapes of answers, PHP's habits included |
//! | `batch` | how commands become a batch, and a batch's answer the answers to commands |
//! | `bucket` | the portal's rate limit, as arithmetic |
//! | `error` | what each error means for us, and what the user can do about it |
//! | `settings` | what a client is made of |
//! | `http` | one bounded request, and TLS |
//! | `download` | where images may come from |
//! | `pace` | waiting, and for how long |
//! | `client` | all of it put together: sending, judging, repeating |
//! | `listing`, `writing` | what reading lists and writing ask, and what they make of the answers |
//! | `log` | timeline log entries |
//! | `probe` | the way to a portal step by step, for `doctor` |

mod access;
mod batch;
mod bucket;
mod client;
mod doctor;
mod download;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod http;
mod listing;
mod logmessage;
mod oauth;
mod redact;
mod settings;
mod site;
mod throttle;
mod webhook;
mod wire;
mod writing;

pub use access::Access;
pub use client::Client;
pub use oauth::{Application, OAuthError};
pub use settings::{Rate, Settings};
pub use webhook::{Webhook, WebhookError};
