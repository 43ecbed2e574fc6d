//! The reasons why apply wrote nothing.

use crate::domain::finding::Finding;
use crate::ops::ports::{PortalError, StoreError};

/// The reason why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NotApplied {
    /// The portal is not as the plan says.
    #[error("the plan is stale")]
    Stale(Vec<Finding>),
    /// The portal cannot be read, or does not let this user write.
    #[error(transparent)]
    Portal(#[from] PortalError),
    /// The run folder cannot be written.
    #[error("the run folder cannot be written: {0}")]
    Store(#[from] StoreError),
    /// The user asked to stop before anything was sent.
    #[error("interrupted before anything was written")]
    Interrupted,
}
