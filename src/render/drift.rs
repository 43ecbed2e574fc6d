//! What differs, seen from the portal: what was changed there, and what is not applied yet.

use anstyle::Style;

use crate::domain::diff::{Action, Reason};
use crate::domain::origin::OriginKind;
use crate::domain::plan::Plan;
use crate::text::{escape, plural};

use super::changes::LEAD;
use super::origin::GroupedOrigins;
use super::reason::{self, PlanRow, rows};
use super::screen::Screen;
use super::style::{CREATE, DELETE, REPLACE, shown};
use super::usage;

/// The width of the first column: who moved, or how the entry differs.
const WORD: usize = "undeclared".len();

/// A line for each entry that differs: what was changed on the portal first.
pub(super) fn lines(plan: &Plan, origins: &GroupedOrigins<'_>, width: usize, screen: &Screen) -> String {
    let mut rows = rows(plan);
    let rank = |row: &PlanRow<'_>| match origins.kind(row) {
        Some(OriginKind::Drifted) => 0,
        Some(OriginKind::Vanished) => 1,
        Some(OriginKind::Unknown) | None => 2,
        Some(OriginKind::Pending) => 3,
    };
    rows.sort_by_key(rank);
    let mut text = String::new();
    for row in &rows {
        let (style, word) = word(row, origins.kind(row));
        let address = shown(&row.change.address);
        let said = sentence(row, plan, origins);
        text.push_str(&match screen.is_narrow(WORD + LEAD, width) {
            true => screen.row(LEAD, &format!("  {style}{word}{style:#} {address}"), width, &said),
            false => screen.row(WORD + LEAD, &format!("  {style}{word:WORD$}{style:#}  {address}"), width, &said),
        });
    }
    if !rows.is_empty() {
        text.push('\n');
    }
    text
}

/// Who moved; or if that is unknown, how the entry differs.
const fn word(row: &PlanRow<'_>, kind: Option<OriginKind>) -> (Style, &'static str) {
    match (kind, &row.change.action) {
        (Some(kind @ (OriginKind::Drifted | OriginKind::Vanished)), _) => (DELETE, kind.name()),
        (Some(kind @ OriginKind::Pending), _) => (CREATE, kind.name()),
        (Some(OriginKind::Unknown) | None, Action::Create(_)) if row.old.is_none() => (REPLACE, "missing"),
        (Some(OriginKind::Unknown) | None, Action::Delete(_)) => (REPLACE, "undeclared"),
        (Some(OriginKind::Unknown) | None, _) => (REPLACE, "differs"),
    }
}

/// What happened on the portal, or did not happen there yet, and how that is known.
fn sentence(row: &PlanRow<'_>, plan: &Plan, origins: &GroupedOrigins<'_>) -> String {
    let quoted = |spelling: &str| format!("`{}`", escape(spelling));
    let said = match (own_words(row, plan, origins.kind(row)), plan.usage(row.old.unwrap_or(row.change))) {
        (Some(said), Some(usage)) => format!("{said}; {}", usage::in_brief(&usage, quoted)),
        (Some(said), None) => said,
        (None, _) => reason::in_full(row.change, plan, quoted, shown),
    };
    match origins.why(row) {
        Some(why) => format!("{said}; {why}"),
        None => said,
    }
}

/// The difference in words, if the reason names a step of the plan; `None` if the reason says enough.
fn own_words(row: &PlanRow<'_>, plan: &Plan, kind: Option<OriginKind>) -> Option<String> {
    let change = row.change;
    let is_moved = matches!(kind, Some(OriginKind::Drifted | OriginKind::Vanished));
    let is_pending = kind == Some(OriginKind::Pending);
    if let Some(old) = row.old {
        let old = shown(&old.address);
        return Some(match kind {
            Some(OriginKind::Drifted | OriginKind::Vanished) => format!("was renamed on the portal to {old}"),
            Some(OriginKind::Pending) => format!("not renamed yet: still {old} on the portal"),
            Some(OriginKind::Unknown) | None => format!("is {old} on the portal"),
        });
    }
    let pixels = || reason::pixels(change, plan).map(|pixels| format!(" ({pixels})")).unwrap_or_default();
    Some(match (&change.action, change.reason) {
        (Action::Create(_), _) if is_moved => "was deleted on the portal".to_owned(),
        (Action::Create(_), _) if is_pending => "not created yet".to_owned(),
        (Action::Create(_), _) => "is not on the portal".to_owned(),
        (Action::Replace(..), Reason::LooksDifferent) if is_moved => {
            format!("was replaced on the portal by another image{}", pixels())
        }
        (Action::Replace(..), Reason::LooksDifferent) if is_pending => format!("not replaced yet{}", pixels()),
        (Action::Delete(_), Reason::Undeclared) if is_moved => "not declared".to_owned(),
        (Action::Delete(_), Reason::Undeclared) if is_pending => "not deleted yet".to_owned(),
        _ => return None,
    })
}

/// What differs, in a sentence; `None` where nothing does.
pub(super) fn summary(plan: &Plan) -> Option<String> {
    let rows = rows(plan);
    let undeclared = rows.iter().filter(|row| row.change.action.after().is_none()).count();
    let differing = rows.len() - undeclared;
    let declared = plan.diff.unchanged + differing;
    let mut parts = Vec::new();
    if differing > 0 {
        let differ = if differing == 1 { "differs" } else { "differ" };
        parts.push(format!("{differing} of {} {differ}", plural(declared, "declared entry", "declared entries")));
    }
    if undeclared > 0 {
        parts.push(format!("{} on the portal", plural(undeclared, "undeclared entry", "undeclared entries")));
    }
    match (parts.is_empty(), plan.diff.unknown.len()) {
        (true, 0) => return None,
        (true, unknown) => parts.push(format!("none is known; {unknown} could not be compared")),
        (false, 0) => {}
        (false, unknown) => parts.push(format!("{unknown} could not be compared")),
    }
    Some(format!("{}.", parts.join("; ")))
}
