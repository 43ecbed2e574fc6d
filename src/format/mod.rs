//! The published files that brandctl reads back: format 1, JSON. [`Document`] is a plan and what became of it, described by
//! `schema/plan.schema.json`; [`SnapshotDocument`] is the file `portal.json` of an export, described by
//! `schema/portal.schema.json`. What is only printed is in [`crate::render::json`].
//!
//! These types are frozen: other programs read them. A plan that is saved carries the bytes too (`contents`), so that
//! it can be applied and restored from without the files it came from. `plan_sha256` covers everything but `contents`
//! (each covered by its own digest) and what apply adds.

mod facts;
pub mod plan;
pub mod published;
pub mod saved;
pub mod snapshot;
mod words;

pub(crate) use facts::{CodeUsage, ContentDocument, CoverageDocument};
pub use plan::{ActionName, ChangeDocument, Document, FindingDocument, PlaceDocument, Tool};
pub use published::Published;
pub(crate) use saved::SavedPlan;
pub(crate) use snapshot::{SnapshotDocument, SnapshotEntry};

/// The version of the formats that this program writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 1;
