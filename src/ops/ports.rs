//! The traits that the adapters fill. Reading and writing are two, so that a plan cannot write.

use crate::domain::asset::Address;
use crate::domain::command::{Answer, Command, Halt};
use crate::domain::retry::Class;
use crate::domain::state::{Listed, Listing};

/// Why the portal did not give what was asked. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PortalError {
    /// What kind of failure.
    pub class: Class,
    /// The portal's error code, if it gave one, as a string.
    pub code: Option<String>,
    /// One sentence that names the host, and the status or cause: lower case, no full stop.
    pub message: String,
    /// What to do about it, in the same form.
    pub hint: Option<String>,
}

/// Reading a portal. Implementations wait, retry what may be retried, and keep within the command's deadline.
#[expect(async_fn_in_trait, reason = "the futures stay on the thread that makes them")]
pub trait ReadPortal {
    /// Both lists, complete.
    async fn list(&self) -> Result<Listing, PortalError>;
    /// One entry past the server's list cache; `None` when there is none. `code` of the answer may echo the question's spelling.
    async fn get(&self, address: &Address) -> Result<Option<Listed>, PortalError>;
    /// The bytes behind a `fileUri`, without credentials.
    async fn download(&self, file_uri: &str) -> Result<Vec<u8>, PortalError>;
    /// Whether the caller may write.
    async fn is_administrator(&self) -> Result<bool, PortalError>;
}

/// A write request that was not answered as it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Refused as a whole, without effect.
    #[error("{0}")]
    NoEffect(PortalError),
    /// It may have had its effect, in whole or in part, and may still be having it.
    #[error("{0}")]
    Unknown(PortalError),
}

/// Writing to a portal. Implementations never send a request twice unless the first was refused without effect.
#[expect(async_fn_in_trait, reason = "the futures stay on the thread that makes them")]
pub trait WritePortal {
    /// At most 50 commands in one batch request; one answer for each, in order.
    async fn write(&self, commands: &[Command], halt: Halt) -> Result<Vec<Answer>, WriteError>;
    /// One command in a request of its own, for portals that refuse batches.
    async fn write_single(&self, command: &Command) -> Result<Answer, WriteError>;
}
