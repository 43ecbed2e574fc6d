//! A Bitrix24 portal on loopback, with the real server's behaviour: for tests, demos and other people's clients.
//!
//! ```text
//! socket → (tls) → server (HTTP) → wire (PHP-like parameters) → engine (faults, bucket, method, caller, batch) → world (pure) → Change
//!                                                                                        │
//!                                                        store (append) ←────────────────┘ then the world takes it over
//! ```
//!
//! The room has wire code of its own and imports nothing of the client: a mistake that both shared would agree with itself.

mod batch;
pub mod bucket;
mod checks;
mod engine;
pub mod faults;
mod handle;
mod methods;
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
pub use handle::{Entry, Latency, Options, Sandbox, SandboxError, Transport, start};
pub use record::{Recorded, Recording};
pub use tls::{Authority, Origin};
