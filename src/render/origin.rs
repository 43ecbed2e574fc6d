//! Who moved, in words.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::asset::Address;
use crate::domain::origin::{Origin, OriginKind, Origins, common_reason};
use crate::domain::plan::Plan;
use crate::domain::report::Report;
use crate::text::escape;

use super::reason::{PlanRow, rows};
use super::style::shown;

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

/// All origins in a sentence without its full stop; `None` when they were not looked up, or when nothing differs. A
/// rename counts once.
pub(super) fn summary(report: &Report) -> Option<String> {
    if let Some(why) = common_reason(&report.origins) {
        return Some(format!("Who moved is unknown: {}", escape(why)));
    }
    let grouped = GroupedOrigins::of(report, report.plan.as_ref()?);
    let counts: Vec<_> = grouped.counts().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
    (!counts.is_empty()).then(|| format!("Who moved: {}", counts.join(", ")))
}

/// Who moved, and how that is known, in words.
type Clause = (OriginKind, String);

/// The maximum number of shared reasons that are shown for a kind.
const MAX_SHARED: usize = 2;

/// The origins of a plan's lines. What several lines share is shown once, below them.
pub(super) struct GroupedOrigins<'a> {
    clauses: BTreeMap<&'a Address, Clause>,
    /// What most lines of a kind share, and how many lines each of those is about.
    shared: BTreeMap<OriginKind, Vec<(String, usize)>>,
}

impl<'a> GroupedOrigins<'a> {
    pub(super) fn of(report: &Report, plan: &'a Plan) -> Self {
        let origins = ShownOrigins::of(report);
        let rows = rows(plan);
        let clauses: BTreeMap<_, _> =
            rows.iter().filter_map(|row| Some((&row.change.address, clause(row, origins)?))).collect();
        let mut counts: BTreeMap<&Clause, usize> = BTreeMap::new();
        clauses.values().for_each(|clause| *counts.entry(clause).or_default() += 1);
        let mut shared: BTreeMap<OriginKind, Vec<(String, usize)>> = BTreeMap::new();
        for ((kind, why), count) in counts.into_iter().filter(|(_, count)| *count > 1) {
            shared.entry(*kind).or_default().push((why.clone(), count));
        }
        for of_kind in shared.values_mut() {
            of_kind.sort_by_key(|(_, count)| Reverse(*count));
            of_kind.truncate(MAX_SHARED);
        }
        Self { clauses, shared }
    }

    /// Who moved what this line is about.
    pub(super) fn kind(&self, row: &PlanRow<'_>) -> Option<OriginKind> {
        Some(self.clauses.get(&row.change.address)?.0)
    }

    /// How that is known, unless it is shown below the lines.
    pub(super) fn why(&self, row: &PlanRow<'_>) -> Option<&str> {
        let (kind, why) = self.clauses.get(&row.change.address)?;
        let is_shared = self.shared.get(kind).is_some_and(|shared| shared.iter().any(|(shared, _)| shared == why));
        (!is_shared).then_some(why.as_str())
    }

    /// The text of a line about both; `None` if the line is like most lines.
    pub(super) fn beside(&self, row: &PlanRow<'_>) -> Option<String> {
        let kind = self.kind(row)?;
        match self.why(row) {
            Some(why) => Some(format!("{}: {why}", kind.name())),
            None if self.most_shared() == Some(kind) => None,
            None => Some(kind.name().to_owned()),
        }
    }

    /// The kind whose reasons most lines share.
    fn most_shared(&self) -> Option<OriginKind> {
        let lines = |shared: &Vec<(String, usize)>| shared.iter().map(|(_, count)| count).sum::<usize>();
        self.shared.iter().rev().max_by_key(|(_, shared)| lines(shared)).map(|(kind, _)| *kind)
    }

    /// How many lines there are of each kind.
    fn counts(&self) -> impl Iterator<Item = (OriginKind, usize)> {
        let count = |kind| self.clauses.values().filter(|(other, _)| *other == kind).count();
        OriginKind::ALL.into_iter().map(move |kind| (kind, count(kind))).filter(|(_, count)| *count > 0)
    }

    /// All of them, with what several share; `None` where nothing is known.
    pub(super) fn summary(&self) -> Option<String> {
        let of_kind = |(kind, count): (OriginKind, usize)| {
            let said = match self.shared.get(&kind).map(Vec::as_slice) {
                None | Some([]) => String::new(),
                Some([(why, of)]) if *of == count => format!(" ({why})"),
                Some(shared) => {
                    let shared: Vec<_> = shared.iter().map(|(why, of)| format!("{of}: {why}")).collect();
                    format!(" ({})", shared.join("; "))
                }
            };
            format!("{count} {}{said}", kind.name())
        };
        let parts: Vec<_> = self.counts().map(of_kind).collect();
        (!parts.is_empty()).then(|| format!("Who moved: {}", parts.join(", ")))
    }
}

/// The origin of a line. Of a rename it is that of the new code; where the halves differ, both are said, and what needs
/// more attention decides.
fn clause(row: &PlanRow<'_>, origins: ShownOrigins<'_>) -> Option<Clause> {
    let new = origins.get(&row.change.address)?;
    let clause = (new.kind, escape(&new.why).into_owned());
    let Some(old) = row.old.and_then(|old| origins.get(&old.address)).filter(|old| old.kind != new.kind) else {
        return Some(clause);
    };
    let kind = if new.kind == OriginKind::Pending { old.kind } else { new.kind };
    let of_old = row.old.map(|old| shown(&old.address)).unwrap_or_default();
    Some((kind, format!("{}; {of_old} {}", clause.1, in_words(old))))
}
