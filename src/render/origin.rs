//! Who moved, in words.

use crate::domain::asset::Address;
use crate::domain::origin::{Origin, OriginKind, Origins, common_reason};
use crate::domain::report::Report;
use crate::text::escape;

/// The origins that are shown with their changes: those that say more than one sentence about all of them.
#[derive(Clone, Copy)]
pub(super) struct ShownOrigins<'a>(Option<&'a Origins>);

impl<'a> ShownOrigins<'a> {
    /// Those of a report.
    pub(super) fn of(report: &'a Report) -> Self {
        Self(Some(&report.origins).filter(|origins| common_reason(origins).is_none()))
    }

    /// The origin of a change.
    pub(super) fn get(self, address: &Address) -> Option<&'a Origin> {
        self.0?.get(address)
    }
}

/// An origin in words: `drifted: the portal's image is none of the 3 that were committed`.
pub(super) fn in_words(origin: &Origin) -> String {
    format!("{}: {}", origin.kind.name(), escape(&origin.why))
}

/// All origins in a sentence without its full stop; `None` when they were not looked up, or when nothing differs.
pub(super) fn summary(report: &Report) -> Option<String> {
    if let Some(why) = common_reason(&report.origins) {
        return Some(format!("Who moved is unknown: {}", escape(why)));
    }
    let count = |kind: OriginKind| report.origins.values().filter(|origin| origin.kind == kind).count();
    let counts: Vec<_> = OriginKind::ALL
        .into_iter()
        .filter(|kind| count(*kind) > 0)
        .map(|kind| format!("{} {}", count(kind), kind.name()))
        .collect();
    (!counts.is_empty()).then(|| format!("Who moved: {}", counts.join(", ")))
}
