//! The counter of codes in log entries.

use std::collections::{BTreeMap, BTreeSet};

use super::items::Items;
use crate::domain::asset::{Address, Code, FoldedCode, Kind};
use crate::domain::evidence::{Coverage, ReadFailure, Sample, Usage, UsageEvidence};
use crate::domain::finding::Finding;
use crate::domain::logmessage::{Entity, LogEntry};
use crate::text;

/// The most log entries that are named for one code.
const MAX_SAMPLES: usize = 3;
/// The most characters of the title of one of them.
const MAX_TITLE_CHARS: usize = 80;
/// The most different reasons that are given, and the most items that are named for one.
const MAX_REASONS: usize = 10;
/// The reason that stands for all others.
const OTHER_REASONS: &str = "other reasons";

/// The reason why the use of a logo is unknown.
const LOGOS: &str = "log entries name only icons; logos are named by configurable activities, which cannot be read";

/// The extent to which an item's log entries were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Completeness {
    Whole,
    /// A part of them: there are too many, or the portal counts more than it returns.
    Cut,
    /// None: the portal refused, for this reason.
    Refused(String),
}

/// A counter of the log entries that name codes, page by page.
#[derive(Debug)]
pub(crate) struct UsageCounter {
    wanted: BTreeSet<Address>,
    /// The hits by folded code: portals look codes up without case, so an entry with another spelling shows the same
    /// icon.
    found: BTreeMap<FoldedCode, (u64, Vec<Sample>)>,
    coverage: Coverage,
}

impl UsageCounter {
    /// A counter that has read nothing yet.
    pub(crate) fn new(codes: impl IntoIterator<Item = Address>) -> Self {
        let wanted: BTreeSet<Address> = codes.into_iter().collect();
        let icons = wanted.iter().filter(|address| address.kind == Kind::Icon);
        let found = icons.map(|address| (address.code.folded(), (0, Vec::new()))).collect();
        Self { wanted, found, coverage: Coverage::default() }
    }

    /// Whether log entries can name any of the codes.
    pub(crate) fn needs_reading(&self) -> bool {
        !self.found.is_empty()
    }

    /// Counts log entries of an item.
    pub(crate) fn take(&mut self, item: Entity, entries: &[LogEntry]) {
        for entry in entries {
            self.coverage.log_entries += 1;
            let Some((count, samples)) = self.found.get_mut(&Code::new(entry.icon.as_str()).folded()) else { continue };
            *count += 1;
            if samples.len() < MAX_SAMPLES {
                samples.push(Sample {
                    id: entry.id,
                    item: item.to_string(),
                    title: text::cut(&entry.title, MAX_TITLE_CHARS).into_owned(),
                });
            }
        }
    }

    /// Notes that no more is read of an item.
    pub(crate) fn end(&mut self, item: Entity, completeness: Completeness) {
        match completeness {
            Completeness::Whole => self.coverage.read += 1,
            Completeness::Cut => self.coverage.cut += 1,
            Completeness::Refused(why) => {
                self.coverage.unreadable += 1;
                self.add_failure(item, why);
            }
        }
    }

    fn add_failure(&mut self, item: Entity, why: String) {
        let failures = &mut self.coverage.troubles;
        let is_known = failures.iter().any(|failure| failure.why == why);
        let why = if is_known || failures.len() < MAX_REASONS { why } else { OTHER_REASONS.to_owned() };
        match failures.iter_mut().find(|failure| failure.why == why) {
            None => failures.push(ReadFailure { why, count: 1, items: vec![item.to_string()] }),
            Some(failure) => {
                failure.count += 1;
                if failure.items.len() < MAX_REASONS {
                    failure.items.push(item.to_string());
                }
            }
        }
    }

    /// The evidence on the codes. `items` are the requested ones.
    pub(crate) fn finish(self, items: &Items) -> UsageEvidence {
        let Self { wanted, found, mut coverage } = self;
        if !found.is_empty() {
            coverage.items = items.spans().map(ToString::to_string).collect();
            coverage.asked = items.count();
        }
        let ended = coverage.read + coverage.cut + coverage.unreadable;
        coverage.not_reached = coverage.asked.saturating_sub(ended);
        let usage = |address: Address| {
            let usage = match (address.kind, found.get(&address.code.folded())) {
                (Kind::Logo, _) | (Kind::Icon, None) => Usage::Unknown { why: LOGOS.to_owned() },
                (Kind::Icon, Some((count @ 1.., samples))) => {
                    Usage::Used { log_entries: *count, samples: samples.clone() }
                }
                (Kind::Icon, Some(_)) if coverage.is_whole() => Usage::NotSeen,
                (Kind::Icon, Some(_)) => {
                    let (unread, asked) = (coverage.asked - coverage.read, coverage.asked);
                    let why = format!("not seen, but {unread} of {asked} items could not be read completely");
                    Usage::Unknown { why }
                }
            };
            (address, usage)
        };
        let usages = wanted.into_iter().map(usage).collect();
        UsageEvidence { coverage, usages }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct UsageReport {
    /// Whether it was finished, however much is left unknown.
    pub(crate) is_complete: bool,
    /// What is known; `None` if it failed before that, or there was no code to look for.
    pub(crate) evidence: Option<UsageEvidence>,
    pub(crate) findings: Vec<Finding>,
}

impl UsageReport {
    /// Whether there is an error, or something is left unknown.
    pub(crate) fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
            || self.evidence.as_ref().is_some_and(|evidence| !evidence.is_determined())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(text: &str) -> Items {
        Items::new(text.split_whitespace().map(|span| span.parse().unwrap())).unwrap()
    }

    fn deal(id: u64) -> Entity {
        Entity { type_id: 2, id }
    }

    fn entry(id: u64, icon: &str) -> LogEntry {
        let (created, title, text) = (String::new(), "Ü".repeat(200), String::new());
        LogEntry { id, created, author: None, title, text, icon: icon.to_owned() }
    }

    fn addresses(codes: &[&str]) -> Vec<Address> {
        codes.iter().map(|code| code.parse().unwrap()).collect()
    }

    fn word(usage: &Usage) -> &'static str {
        match usage {
            Usage::Used { .. } => "used",
            Usage::NotSeen => "not seen",
            Usage::Unknown { .. } => "unknown",
        }
    }

    /// The verdicts on `icon/a`, `icon/b` and `logo/a` when deal 1 names `A` and deal 2 ends so.
    fn verdicts(second: Option<Completeness>) -> (Vec<&'static str>, Coverage) {
        let mut counter = UsageCounter::new(addresses(&["icon/a", "icon/b", "logo/a"]));
        counter.take(deal(1), &[entry(1, "A"), entry(2, "other"), entry(3, "a  ")]);
        counter.end(deal(1), Completeness::Whole);
        second.into_iter().for_each(|completeness| counter.end(deal(2), completeness));
        let evidence = counter.finish(&items("deal:1-2"));
        (evidence.usages.values().map(word).collect(), evidence.coverage)
    }

    #[test]
    fn only_what_was_read_to_the_end_can_say_not_seen() {
        assert_eq!(verdicts(Some(Completeness::Whole)).0, ["used", "not seen", "unknown"]);
        for second in [Some(Completeness::Cut), Some(Completeness::Refused("no".to_owned())), None] {
            let (words, coverage) = verdicts(second.clone());
            assert_eq!(words, ["used", "unknown", "unknown"], "{second:?}");
            assert_eq!((coverage.read, coverage.asked, coverage.log_entries), (1, 2, 3));
            assert_eq!(coverage.cut + coverage.unreadable + coverage.not_reached, 1);
        }
    }

    #[test]
    fn what_was_not_looked_for_is_unknown() {
        let evidence = UsageEvidence { coverage: Coverage::default(), usages: BTreeMap::new() };
        assert_eq!(word(&evidence.of(&"icon/a".parse().unwrap())), "unknown");
    }

    #[test]
    fn samples_are_few_and_their_titles_short() {
        let mut counter = UsageCounter::new(addresses(&["icon/a"]));
        counter.take(deal(1), &(1..=9).map(|id| entry(id, "a")).collect::<Vec<_>>());
        counter.end(deal(1), Completeness::Whole);
        let evidence = counter.finish(&items("deal:1"));
        let Usage::Used { log_entries, samples } = evidence.of(&"icon/a".parse().unwrap()) else {
            unreachable!("it is used")
        };
        assert_eq!((log_entries, samples.len(), samples[0].item.as_str()), (9, 3, "deal:1"));
        assert_eq!(samples[0].title, format!("{}…", "Ü".repeat(80)));
    }

    #[test]
    fn reasons_are_told_once_and_are_not_endless() {
        let mut counter = UsageCounter::new(addresses(&["icon/a"]));
        for id in 1..=100 {
            counter.end(deal(id), Completeness::Refused(format!("reason {}", id.min(30))));
        }
        let failures = counter.finish(&items("deal:1-100")).coverage.troubles;
        assert_eq!((failures.len(), failures[10].why.as_str(), failures[10].count), (11, OTHER_REASONS, 90));
        assert!(failures.iter().all(|failure| failure.items.len() <= 10));
    }

    proptest! {
        /// Entries are counted the same however they come, and a verdict is never better than what was read.
        #[test]
        fn pages_and_their_order_make_no_difference(
            codes in prop::collection::vec(prop::sample::select(vec!["a", "A", "b", "c", "a ", ""]), 0..40),
            cut in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
            read in 0_u64..4,
        ) {
            let entries: Vec<_> = codes.iter().zip(1..).map(|(code, id)| entry(id, code)).collect();
            let mut counter = UsageCounter::new(addresses(&["icon/a", "icon/b", "icon/z", "logo/z"]));
            let mut ends: Vec<_> = cut.iter().map(|index| index.index(entries.len() + 1)).collect();
            ends.sort_unstable();
            let mut begin = 0;
            for end in ends.into_iter().chain([entries.len()]) {
                counter.take(deal(1), &entries[begin..end]);
                begin = end;
            }
            (1..=read).for_each(|id| counter.end(deal(id), Completeness::Whole));
            let evidence = counter.finish(&items("deal:1-3"));
            for (code, wanted) in [("icon/a", ["a", "A", "a "].as_slice()), ("icon/b", &["b"]), ("icon/z", &[])] {
                let count = codes.iter().filter(|code| wanted.contains(code)).count() as u64;
                let usage = evidence.of(&code.parse().unwrap());
                match usage {
                    Usage::Used { log_entries, .. } => prop_assert_eq!(log_entries, count),
                    Usage::NotSeen => prop_assert!(count == 0 && read == 3),
                    Usage::Unknown { .. } => prop_assert!(count == 0 && read < 3),
                }
            }
            prop_assert_eq!(word(&evidence.of(&"logo/z".parse().unwrap())), "unknown");
        }
    }
}
