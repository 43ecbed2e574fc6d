//! Whether codes are in use: the CRM items that are read, and what their timeline log entries say of a code.
//!
//! A portal cannot be asked where a code is used. Log entries name icons, an item at a time, and only the items that
//! the user gave are looked at; logos are named by configurable activities, which cannot be read. So nothing is ever
//! called "unused": a code is *used*, *not seen* in what was read from beginning to end, or *unknown*.

mod counter;
mod items;

pub(crate) use counter::{Completeness, UsageCounter, UsageReport};
pub(crate) use items::{Items, Span, TooMany};
