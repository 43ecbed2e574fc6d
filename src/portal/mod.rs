//! The REST client of a real portal: [`Client`] reads and writes through one webhook, keeps within the portal's limits
//! and the command's time, and never lets the webhook's secret out.
//!
//! | file | what it knows |
//! |---|---|
//! | `webhook` | the URL and its secret, and how to keep it out of any text |
//! | `wire` | the shapes of answers, PHP's habits included |
//! | `batch` | how commands become a batch, and a batch's answer the answers to commands |
//! | `bucket` | the portal's rate limit, as arithmetic |
//! | `error` | what each error means for us, and what the user can do about it |
//! | `settings` | what a client is made of |
//! | `http` | one bounded request, and TLS |
//! | `download` | where images may come from |
//! | `client` | all of it put together: waiting, repeating, the two ports |

mod batch;
mod bucket;
mod client;
mod download;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod http;
mod listing;
mod settings;
mod webhook;
mod wire;

pub use client::Client;
pub use settings::{Rate, Settings};
pub use webhook::{Webhook, WebhookError};
