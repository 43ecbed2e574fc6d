//! Checks whether codes are in use: reads the log entries of CRM items and counts which codes they name. Writes nothing.

use std::collections::BTreeMap;

use crate::domain::asset::Address;
use crate::domain::evidence::{Usage, UsageEvidence};
use crate::domain::finding::Finding;
use crate::domain::logmessage::{Entity, LogOrder, LogPage, Paging};
use crate::domain::plan::Plan;
use crate::domain::retry::Class;
use crate::domain::usage::{Completeness, Items, UsageCounter};

use super::events::{Event, Observer, Stage};
use super::observe::Reader;
use super::ports::{PAGES_AT_ONCE, PortalError, ReadLog, ReadPortal};

/// How often an item is asked for again if a portal that answers gives nothing sound for it.
const REPEATS: u32 = 2;

/// The evidence that was found, and why the reading ended.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) evidence: UsageEvidence,
    /// Why it ended early, if it did: what was read until then counts.
    pub(crate) stopped: Option<PortalError>,
}

/// Looks for `codes` in the log entries of `items`, the newest first.
pub(crate) async fn scan(
    log: &impl ReadLog,
    observer: &dyn Observer,
    items: &Items,
    codes: impl IntoIterator<Item = Address>,
) -> Scanned {
    let mut counter = UsageCounter::new(codes);
    let mut waiting = items.iter().take(if counter.needs_reading() { usize::MAX } else { 0 });
    let mut open: Vec<Cursor> = Vec::new();
    if counter.needs_reading() {
        observer.observe(Event::Stage { stage: Stage::Scanning, total: Some(items.count()) });
    }
    let stopped = loop {
        // Items with more pages stay open, and others replace those that are done.
        open.extend(waiting.by_ref().take(PAGES_AT_ONCE - open.len()).map(Cursor::new));
        if open.is_empty() {
            break None;
        }
        let wanted: Vec<_> = open.iter().map(|cursor| (cursor.item, cursor.start)).collect();
        let pages = match log.log_pages(&wanted, LogOrder::Descending).await {
            Ok(pages) => pages,
            Err(error) => {
                open.iter()
                    .filter(|cursor| cursor.start > 0)
                    .for_each(|cursor| counter.end(cursor.item, Completeness::Cut));
                break Some(error);
            }
        };
        let asked = open.len();
        open = open.into_iter().zip(pages).filter_map(|(cursor, page)| cursor.advance(page, &mut counter)).collect();
        observer.observe(Event::Advanced(asked - open.len()));
    };
    Scanned { evidence: counter.finish(items), stopped }
}

/// The warnings about codes that the portal does not have: "not seen" would be true of every mistyped one.
pub(crate) async fn absent(portal: &impl ReadPortal, codes: &[Address]) -> Result<Vec<Finding>, PortalError> {
    let found = portal.get(codes).await?;
    let absent = codes.iter().zip(found).filter(|(_, found)| found.is_none());
    Ok(absent
        .map(|(address, _)| {
            let message = format!("the portal has no {}", address);
            let help = "log entries may still name it; `brandctl list --system` shows the codes";
            Finding::warning("unknown-code", message).help(help).about(address.clone())
        })
        .collect())
}

struct Cursor {
    item: Entity,
    start: usize,
    paging: Paging,
    failures: u32,
}

impl Cursor {
    fn new(item: Entity) -> Self {
        Self { item, start: 0, paging: Paging::new(None), failures: 0 }
    }

    /// Counts a page; `None` when it was the item's last.
    fn advance(mut self, page: Result<LogPage, PortalError>, counter: &mut UsageCounter) -> Option<Self> {
        let completeness = match page {
            Ok(page) => {
                let (new, next) = self.paging.take(page, self.start);
                counter.take(self.item, &new);
                match next {
                    Some(start) => return Some(Self { start, failures: 0, ..self }),
                    None if self.paging.is_whole() => Completeness::Whole,
                    None => Completeness::Cut,
                }
            }
            Err(error) if error.class == Class::Transient && self.failures < REPEATS => {
                return Some(Self { failures: self.failures + 1, ..self });
            }
            Err(error) => Completeness::Refused(error.message),
        };
        counter.end(self.item, completeness);
        None
    }
}

/// Checks whether the codes that a plan deletes or replaces are in use; `None` if it does neither. The findings are about
/// what stays unknown.
pub(crate) async fn check(
    plan: &Plan,
    items: &Items,
    reader: &Reader<'_, impl ReadLog>,
) -> Option<(UsageEvidence, Vec<Finding>)> {
    let codes: Vec<_> = plan.removed_or_replaced().cloned().collect();
    if codes.is_empty() {
        return None;
    }
    let Scanned { evidence, stopped } = scan(reader.portal, reader.observer, items, codes).await;
    let mut findings = Vec::new();
    findings.extend(stopped.map(|error| {
        let message = format!("not all log entries were read: {}", error.message);
        Finding { help: error.hint, ..Finding::warning("usage-unknown", message) }
    }));
    findings.extend(unknown(&evidence));
    Some((evidence, findings))
}

/// The findings about what stays unknown. These are warnings: an error would block a saved plan forever, and the
/// guard decides separately.
fn unknown(evidence: &UsageEvidence) -> Vec<Finding> {
    let mut reasons: BTreeMap<&str, Vec<&Address>> = BTreeMap::new();
    for (address, usage) in &evidence.usages {
        if let Usage::Unknown { why } = usage {
            reasons.entry(why).or_default().push(address);
        }
    }
    reasons
        .into_iter()
        .map(|(why, addresses)| match addresses.as_slice() {
            [one] => {
                let message = format!("whether {} is in use is unknown: {why}", one);
                Finding::warning("usage-unknown", message).about((*one).clone())
            }
            several => {
                let message = format!("whether {} codes are in use is unknown: {why}", several.len());
                Finding::warning("usage-unknown", message)
            }
        })
        .collect()
}
