//! Who moved, in words.

use crate::domain::asset::Address;
use crate::domain::origin::{Origin, OriginKind, common_reason};
use crate::domain::report::Report;
use crate::text::escape;

/// The origin of a change, where it says more than that of all others.
pub(super) fn of<'a>(report: &'a Report, address: &Address) -> Option<&'a Origin> {
    let is_shown = common_reason(&report.origins).is_none();
    report.origins.get(address).filter(|_| is_shown)
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
