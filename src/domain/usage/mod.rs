//! Whether codes are in use: the CRM items that are read, and the codes that their timeline log entries name.
//!
//! The API cannot list the uses of a code. Log entries name icons and are read per item, and only the items that the
//! user gave are read; logos are named by configurable activities, which cannot be read. So nothing is ever called
//! "unused": a code is *used*, *not seen* in what was read from beginning to end, or *unknown*.

mod counter;
mod items;

pub(crate) use counter::{Completeness, UsageCounter, UsageReport};
pub(crate) use items::{Items, Span, TooMany};
