//! The CRM items to read: ranges of them, each item once.

use std::fmt;
use std::str::FromStr;

use crate::domain::logmessage::{Entity, NotAnEntity, item_number, type_and_rest};

/// The most items that one run reads: at the usual rate of a portal they take a quarter of an hour and more.
const MAX_ITEMS: u128 = 100_000;

/// A span of items of one type: `deal:1-500`, or `deal:12` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    type_id: u32,
    first: u64,
    last: u64,
}

impl Span {
    fn count(self) -> u128 {
        u128::from(self.last - self.first) + 1
    }

    fn entity(self, id: u64) -> Entity {
        Entity { type_id: self.type_id, id }
    }
}

impl FromStr for Span {
    type Err = NotAnEntity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (type_id, numbers) = type_and_rest(text)?;
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let (first, last) = (item_number(first)?, item_number(last)?);
        if last < first {
            return Err(NotAnEntity::Backwards { first, last });
        }
        Ok(Self { type_id, first, last })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.entity(self.first))?;
        if self.last > self.first { write!(f, "-{}", self.last) } else { Ok(()) }
    }
}

/// The error for more items than one run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("--entity names {0} items, but one run reads at most {MAX_ITEMS}: split them into several runs")]
pub(crate) struct TooMany(u128);

/// A set of items, by type and number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Items(Vec<Span>);

impl Items {
    /// The set of these items; spans that overlap or touch become one.
    pub(crate) fn new(spans: impl IntoIterator<Item = Span>) -> Result<Self, TooMany> {
        let mut spans: Vec<Span> = spans.into_iter().collect();
        spans.sort();
        let mut joined: Vec<Span> = Vec::new();
        for span in spans {
            match joined.last_mut() {
                Some(last) if last.type_id == span.type_id && span.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(span.last);
                }
                _ => joined.push(span),
            }
        }
        let count = joined.iter().map(|span| span.count()).sum();
        if count > MAX_ITEMS { Err(TooMany(count)) } else { Ok(Self(joined)) }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|span| usize::try_from(span.count()).unwrap_or(usize::MAX)).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Entity> {
        self.0.iter().flat_map(|span| (span.first..=span.last).map(|id| span.entity(id)))
    }

    pub(crate) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.0.iter()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn items(text: &str) -> Result<Items, TooMany> {
        Items::new(text.split_whitespace().map(|span| span.parse().unwrap()))
    }

    fn shown(items: &Items) -> String {
        items.spans().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_overlaps_or_touches_is_one_range() {
        for (given, expected, count) in [
            ("deal:12", "deal:12", 1),
            ("deal:12-12", "deal:12", 1),
            ("deal:1-500", "deal:1-500", 500),
            ("deal:5-9 2:1-6 DEAL:10", "deal:1-10", 10),
            ("deal:1-9 deal:3-4", "deal:1-9", 9),
            ("deal:1 deal:3", "deal:1 deal:3", 2),
            ("deal:1 lead:2 T408:7-8", "lead:2 deal:1 1032:7-8", 4),
            (
                "deal:18446744073709551615 deal:18446744073709551614-18446744073709551615",
                "deal:18446744073709551614-18446744073709551615",
                2,
            ),
            ("", "", 0),
        ] {
            let items = items(given).unwrap();
            assert_eq!(
                (shown(&items).as_str(), items.count(), items.iter().count()),
                (expected, count, count),
                "{given}"
            );
        }
    }

    #[test]
    fn a_hostile_range_is_refused_with_the_reason() {
        for (text, why) in [
            ("deal:5-1", "did you mean 1-5"),
            ("deal:0-3", "`0` is not an item's number"),
            ("deal:0", "`0` is not an item's number"),
            ("deal:", "`` is not an item's number"),
            ("deal:1-", "`` is not an item's number"),
            ("deal:-1", "`` is not an item's number"),
            ("deal:-", "`` is not an item's number"),
            ("deal:1-2-3", "`2-3` is not an item's number"),
            ("deal:1–5", "is not an item's number"),
            ("deal:1 -5", "`1 ` is not an item's number"),
            ("deal:+1-5", "`+1` is not an item's number"),
            ("deal:1-99999999999999999999", "is not an item's number"),
            ("dael:1-5", "did you mean `deal`"),
            ("deal", "write an item as type and number"),
        ] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        for (text, count) in [
            ("deal:1-18446744073709551615", "18446744073709551615"),
            ("deal:1-18446744073709551615 lead:1-18446744073709551615", "36893488147419103230"),
            ("deal:1-100001", "100001"),
            ("deal:1-60000 lead:1-60000", "120000"),
        ] {
            let error = items(text).unwrap_err().to_string();
            assert!(error.contains(&format!("names {count} items")), "{text}: {error}");
        }
        assert_eq!(items("deal:1-60000 deal:30000-100000").unwrap().count(), 100_000);
    }

    proptest! {
        #[test]
        fn every_item_comes_once_and_in_order(ranges in prop::collection::vec((1_u32..4, 1_u64..60, 0_u64..30), 0..12)) {
            let spans = ranges.iter().map(|(type_id, first, more)| Span { type_id: *type_id, first: *first, last: first + more });
            let items = Items::new(spans.clone()).unwrap();
            let expected: BTreeSet<Entity> = spans.flat_map(|span| (span.first..=span.last).map(move |id| span.entity(id))).collect();
            prop_assert_eq!(items.iter().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(items.count(), items.iter().count());
            let again: Items = Items::new(shown(&items).split_whitespace().map(|span| span.parse().unwrap())).unwrap();
            prop_assert_eq!(again, items);
        }
    }
}
