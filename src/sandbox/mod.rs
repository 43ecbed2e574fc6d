//! A Bitrix24 portal on loopback, with the real server's behaviour: for tests, demos and other people's clients.
//!
//! ```text
//! socket → (tls) → server (HTTP) → wire (PHP-like parameters) → engine (faults, bucket, caller, batch)
//!                                                        → methods (lookup, scope, method time)
//!                                                           → world (pure) → Change
//!                                        store (append) ←────────────────────┘ then the world takes it over
//! ```
//!
//! Applications and their tokens are in `oauth`; who else may call is in `identity`.
//!
//! The room has wire code of its own and imports nothing of the client: a mistake that both shared would agree with itself.

mod batch;
pub mod bucket;
mod checks;
mod engine;
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
pub mod record;
mod server;
mod store;
mod system;
mod tls;
mod wire;
mod world;

pub use bucket::Bucket;
pub use faults::Faults;
pub use handle::{Entry, Sandbox, SandboxError, start};
pub use logmessage::LogList;
pub use operating::Operating;
pub use options::{Latency, Options, Transport};
pub use page::{Contents, Kept, Page, Shelf};
pub use record::{Recorded, Recording};
pub use tls::{Authority, Origin};
