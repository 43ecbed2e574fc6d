//! Whether codes are in use: which CRM items are looked at, and what their timeline log entries say of a code.
//!
//! Nobody can ask a portal where a code is used. Log entries name icons, an item at a time, and only the items that the
//! user gave are looked at; logos are named by configurable activities, which cannot be read. So there is no verdict
//! "unused": a code is *used*, *not seen* in what was read from beginning to end, or *unknown*.

mod counter;
mod items;

pub use counter::{Completeness, UsageCounter, UsageReport};
pub use items::{Items, Span, TooMany};
