//! Timeline log entries: the CRM items that they belong to, what they say, and how pages of them become a list.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::finding::Finding;
use crate::text;

/// The number of entries on a full page, according to the documentation.
const PAGE_SIZE: usize = 10;
/// The most entries that are listed.
pub(crate) const MAX_ENTRIES: usize = 10_000;

/// The types of CRM items that have names. Where there are two, the first is shown.
const NAMES: [(&str, u32); 9] = [
    ("lead", 1),
    ("deal", 2),
    ("contact", 3),
    ("company", 4),
    ("invoice", 5),
    ("quote", 7),
    ("estimate", 7),
    ("order", 14),
    ("smart-invoice", 31),
];
/// Smart processes, which each portal makes for itself, have numbers from here on.
const FIRST_DYNAMIC: u32 = 128;

/// A CRM item: `deal:12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entity {
    /// `entityTypeId`.
    pub(crate) type_id: u32,
    /// `entityId`, from 1.
    pub(crate) id: u64,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, type_id)| *type_id == self.type_id) {
            Some((name, _)) => write!(f, "{name}:{}", self.id),
            None => write!(f, "{}:{}", self.type_id, self.id),
        }
    }
}

/// The error for text that is not a CRM item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEntity {
    /// The text has no colon.
    #[error("write an item as type and number, for example deal:12")]
    Shape,
    /// The part before the colon is not a type.
    #[error("`{given}` is not a type of CRM items{}: the types are lead, deal, contact, company, quote, smart-invoice, invoice, order, and a smart process by its number, for example 1032 or T408",
        .near.map(|near| format!(", did you mean `{near}`")).unwrap_or_default())]
    Type {
        /// What was given.
        given: String,
        /// The name that is most like it.
        near: Option<&'static str>,
    },
    /// The part after the colon is not a number.
    #[error("`{0}` is not an item's number: write a whole number from 1 on")]
    Id(String),
    /// A range ends before it begins.
    #[error("a range must begin with the lower number: did you mean {last}-{first}")]
    Backwards {
        /// Where it begins.
        first: u64,
        /// Where it ends.
        last: u64,
    },
}

impl FromStr for Entity {
    type Err = NotAnEntity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (type_id, id) = type_and_rest(text)?;
        Ok(Self { type_id, id: item_number(id)? })
    }
}

/// The type before the colon, and the text after it.
pub(super) fn type_and_rest(text: &str) -> Result<(u32, &str), NotAnEntity> {
    let (kind, rest) = text.split_once(':').ok_or(NotAnEntity::Shape)?;
    let type_id = type_id(kind).ok_or_else(|| {
        let names = NAMES.map(|(name, _)| name);
        let near = text::nearest(kind, &names);
        NotAnEntity::Type { given: kind.to_owned(), near }
    })?;
    Ok((type_id, rest))
}

/// The number of an item, from 1.
pub(super) fn item_number(text: &str) -> Result<u64, NotAnEntity> {
    match digits(text).and_then(|id| id.parse().ok()) {
        Some(id) if id > 0 => Ok(id),
        _ => Err(NotAnEntity::Id(text.to_owned())),
    }
}

/// A type by its name, its number, or the codes that the portal itself has for a smart process: `DYNAMIC_1032` and, with
/// the number in hexadecimal digits, `T408` (both from the documentation of `crm.enum.ownertype`).
fn type_id(text: &str) -> Option<u32> {
    let name = text.to_ascii_lowercase().replace('_', "-");
    let named = NAMES.iter().find(|(known, _)| *known == name).map(|(_, type_id)| *type_id);
    let dynamic = || {
        let number = match (name.strip_prefix("dynamic-"), name.strip_prefix('t')) {
            (Some(decimal), _) => digits(decimal)?.parse().ok()?,
            (None, Some(hex)) if hex.chars().all(|digit| digit.is_ascii_hexdigit()) => {
                u32::from_str_radix(hex, 16).ok()?
            }
            _ => return None,
        };
        (number >= FIRST_DYNAMIC).then_some(number)
    };
    let numbered = || digits(&name)?.parse().ok().filter(|number| *number > 0);
    named.or_else(numbered).or_else(dynamic)
}

/// A text of digits only: parsing a number would allow signs too.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewLogEntry {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) icon: String,
}

/// A log entry as the portal has it. Its texts can hold anything: rendering escapes them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogEntry {
    pub(crate) id: u64,
    /// When it was added, as the portal writes it: RFC 3339, usually.
    pub(crate) created: String,
    /// Who added it: a user's id; null when the portal does not say.
    pub(crate) author: Option<u64>,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) icon: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogOrder {
    Ascending,
    Descending,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LogPage {
    pub(crate) entries: Vec<LogEntry>,
    /// The number of entries on all pages, as the portal counts them.
    pub(crate) total: Option<u64>,
}

/// The state of a list that is read page by page. It ends when a page brings nothing new, because portals repeat pages,
/// ignore where a page should begin, and miscount.
#[derive(Debug)]
pub(crate) struct Paging {
    seen: BTreeSet<u64>,
    limit: usize,
    total: Option<u64>,
    /// The number of entries on the newest page, also of known ones.
    length: usize,
    /// Whether the portal counts fewer than before: entries after a deleted one may have moved to a page that was read already.
    shrank: bool,
}

impl Paging {
    /// The beginning of a list of at most `limit` entries, and never more than [`MAX_ENTRIES`].
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self { seen: BTreeSet::new(), limit: limit.unwrap_or(usize::MAX), total: None, length: 0, shrank: false }
    }

    /// Adds the page that begins at `start`. Gives its new entries, and where the next page begins, if there may be one.
    pub(crate) fn take(&mut self, page: LogPage, start: usize) -> (Vec<LogEntry>, Option<usize>) {
        let room = self.limit.min(MAX_ENTRIES).saturating_sub(self.seen.len());
        self.shrank |= page.total < self.total;
        (self.length, self.total) = (page.entries.len(), page.total);
        let seen = &mut self.seen;
        let new: Vec<_> = page.entries.into_iter().filter(|entry| seen.insert(entry.id)).take(room).collect();
        let is_full = self.seen.len() >= self.limit.min(MAX_ENTRIES);
        let is_last = self.length < PAGE_SIZE && self.has_all_counted();
        let next = start + self.length.div_ceil(PAGE_SIZE) * PAGE_SIZE;
        let ends = new.is_empty() || is_full || is_last;
        (new, (!ends).then_some(next))
    }

    fn has_all_counted(&self) -> bool {
        self.total.is_some_and(|total| usize::try_from(total).is_ok_and(|total| self.seen.len() >= total))
    }

    /// The number of entries that the portal counts, if it gave fewer.
    pub(crate) fn missing(&self) -> Option<u64> {
        let is_whole = self.seen.len() >= self.limit || self.total.is_none() || self.has_all_counted();
        if is_whole { None } else { self.total }
    }

    /// Whether a list that has ended is known to have everything: as many entries as the portal counts or, where it
    /// counts none, a last page with room left on it.
    pub(crate) fn is_whole(&self) -> bool {
        let has_all = if self.total.is_some() { self.has_all_counted() } else { self.length < PAGE_SIZE };
        has_all && !self.shrank
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LogOutcome {
    /// It was done, unless there is an error.
    Done,
    #[default]
    Failed,
    /// A write may have been done: its answer was lost.
    Unknown,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct LogReport {
    /// The portal's identity; `None` when it was not reached.
    pub(crate) portal: Option<String>,
    pub(crate) outcome: LogOutcome,
    /// The entries that were added, got or listed.
    pub(crate) entries: Vec<LogEntry>,
    pub(crate) deleted: Option<u64>,
    pub(crate) findings: Vec<Finding>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn items_are_named_as_people_and_portals_do() {
        for (text, type_id, shown) in [
            ("deal:12", 2, "deal:12"),
            ("DEAL:12", 2, "deal:12"),
            ("2:12", 2, "deal:12"),
            ("SMART_INVOICE:12", 31, "smart-invoice:12"),
            ("estimate:12", 7, "quote:12"),
            ("1032:12", 1032, "1032:12"),
            ("T408:12", 1032, "1032:12"),
            ("Tb1:12", 177, "177:12"),
            ("DYNAMIC_130:12", 130, "130:12"),
        ] {
            let entity: Entity = text.parse().unwrap();
            assert_eq!((entity, entity.to_string().as_str()), (Entity { type_id, id: 12 }, shown), "{text}");
        }
    }

    #[test]
    fn what_names_no_item_says_why() {
        for (text, why) in [
            ("deal", "write an item as type and number"),
            ("", "write an item as type and number"),
            ("dael:1", "`dael` is not a type of CRM items, did you mean `deal`:"),
            ("smart_invoce:1", "did you mean `smart-invoice`"),
            ("xyz:1", "`xyz` is not a type of CRM items: the types are lead"),
            (":1", "`` is not a type"),
            ("0:1", "`0` is not a type"),
            ("-2:1", "`-2` is not a type"),
            ("+2:1", "`+2` is not a type"),
            ("t1:1", "`t1` is not a type"),
            ("t:1", "`t` is not a type"),
            ("dynamic-5:1", "is not a type"),
            ("99999999999:1", "is not a type"),
            ("deal:0", "`0` is not an item's number"),
            ("deal:", "`` is not an item's number"),
            ("deal:-1", "`-1` is not an item's number"),
            ("deal:+1", "`+1` is not an item's number"),
            ("deal:1:2", "`1:2` is not an item's number"),
            ("deal:1-50", "`1-50` is not an item's number"),
            ("deal:99999999999999999999", "is not an item's number"),
            ("\u{1b}[2J:1", "`\u{1b}[2J` is not a type"),
        ] {
            let error = text.parse::<Entity>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    fn entries(ids: impl IntoIterator<Item = u64>) -> Vec<LogEntry> {
        ids.into_iter().map(|id| LogEntry { id, ..LogEntry::default() }).collect()
    }

    /// Lists from a portal that answers with `page`: how many entries, how many are missing, how many requests.
    fn list(limit: Option<usize>, page: impl Fn(usize) -> LogPage) -> (usize, Option<u64>, usize) {
        let (entries, paging, requests) = read(limit, page);
        (entries, paging.missing(), requests)
    }

    fn read(limit: Option<usize>, page: impl Fn(usize) -> LogPage) -> (usize, Paging, usize) {
        let mut paging = Paging::new(limit);
        let (mut start, mut requests, mut entries) = (Some(0), 0, 0);
        while let Some(from) = start {
            requests += 1;
            assert!(requests <= 2 * MAX_ENTRIES, "it must end");
            let (new, next) = paging.take(page(from), from);
            entries += new.len();
            start = next;
        }
        (entries, paging, requests)
    }

    #[test]
    fn a_list_is_whole_only_when_that_is_known() {
        let is_whole = |page: &dyn Fn(usize) -> LogPage| read(None, page).1.is_whole();
        for count in [0, 1, 9, 10, 11, 25] {
            assert!(is_whole(&paged(count, Some(count))), "{count}");
            assert!(is_whole(&paged(count, None)), "{count} without a count end with a page that is not full");
            assert!(!is_whole(&paged(count, Some(count + 1))), "{count}");
        }
        assert!(!is_whole(&|_| LogPage { entries: entries(1..=10), total: None }), "the page may be one of many");
        assert!(is_whole(&|_| LogPage { entries: entries(1..=7), total: None }));
        let endless = |start: usize| LogPage { entries: entries(start as u64..start as u64 + 10), total: None };
        assert!(!is_whole(&endless), "it was cut");
        // The newest of 25 is deleted after the first page: the sixteenth is on no page that is read.
        let shrinking = |start: usize| match start {
            0 => LogPage { entries: entries((16..=25).rev()), total: Some(25) },
            _ => LogPage { entries: entries((1..=24).rev().skip(start).take(PAGE_SIZE)), total: Some(24) },
        };
        assert!(!is_whole(&shrinking));
    }

    /// A portal that does as the documentation says.
    fn paged(count: u64, total: Option<u64>) -> impl Fn(usize) -> LogPage {
        move |start| LogPage { entries: entries((1..=count).skip(start).take(PAGE_SIZE)), total }
    }

    #[test]
    fn a_list_has_all_pages() {
        assert_eq!(list(None, paged(0, Some(0))), (0, None, 1));
        assert_eq!(list(None, paged(7, Some(7))), (7, None, 1));
        assert_eq!(list(None, paged(10, Some(10))), (10, None, 2));
        assert_eq!(list(None, paged(25, Some(25))), (25, None, 3));
        assert_eq!(list(None, paged(25, None)), (25, None, 4), "without a count, only an empty page is the end");
        assert_eq!(list(Some(12), paged(25, Some(25))), (12, None, 2));
        assert_eq!(list(Some(5), paged(25, Some(25))), (5, None, 1));
    }

    #[test]
    fn a_portal_that_repeats_a_page_or_miscounts_does_not_hold_us() {
        let ignores_start = |_| LogPage { entries: entries(1..=10), total: Some(25) };
        assert_eq!(list(None, ignores_start), (10, Some(25), 2));
        assert_eq!(list(Some(10), ignores_start), (10, None, 1));
        let repeats = |start: usize| LogPage { entries: entries((start / 20 * 10 + 1) as u64..=15), total: Some(15) };
        assert_eq!(list(None, repeats).0, 15);
        assert_eq!(list(None, paged(7, Some(3))), (7, None, 1), "a count that is too low hides nothing");
        assert_eq!(list(None, paged(12, Some(3))), (12, None, 2));
        assert_eq!(list(None, paged(7, Some(1000))), (7, Some(1000), 2));
        let endless =
            |start: usize| LogPage { entries: entries(start as u64..start as u64 + 10), total: Some(u64::MAX) };
        assert_eq!(list(None, endless), (MAX_ENTRIES, Some(u64::MAX), MAX_ENTRIES / PAGE_SIZE));
        let everything_at_once = |_| LogPage { entries: entries(1..=35), total: Some(35) };
        assert_eq!(list(None, everything_at_once), (35, None, 2));
    }
}
