//! A Bitrix24 portal on loopback, with the real server's behaviour: for tests, demos and other people's clients.
//!
//! ```text
//! socket → (tls) → server (HTTP) → wire, php (parameters) → engine (faults, bucket, caller, batch)
//!                                                          → execute (scope, method time)
//!                                                             → world (pure) → call::WorldChange
//!                                          store (append) ←────────────────────┘ then the world applies it
//! ```
//!
//! `core` holds the state that changes. Applications and their tokens are in `tokens` and `oauth`; the other callers
//! are in `identity`; `methods` lists the methods.
//!
//! `store::files` opens its files, as it does all files. The sandbox has its own wire code and uses no code of the
//! client: tests would not notice a mistake that both shared.

mod batch;
mod bucket;
mod call;
mod checks;
mod core;
mod engine;
mod error;
mod execute;
pub mod faults;
mod handle;
mod identity;
mod logmessage;
mod methods;
mod multipart;
mod oauth;
mod operating;
mod options;
mod page;
mod php;
pub mod record;
mod server;
mod store;
mod system;
mod tls;
mod tokens;
mod wire;
mod world;

pub use bucket::RateLimit;
pub use error::SandboxError;
pub use faults::Faults;
pub use handle::{Sandbox, StoredEntry, start};
pub use logmessage::LogList;
pub use operating::{Costly, Operating};
pub use options::{Latency, Options, Protocol};
pub(crate) use page::{CustomEntry, HtmlPage, KindContents, PortalContents};
pub use record::{Recorded, Recording};
pub use tls::{Authority, AuthorityOrigin};
