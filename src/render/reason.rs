//! The reasons why a change is made or an entry is left alone, in words, and the order in which changes are shown.

use std::collections::BTreeMap;

use crate::domain::asset::{Address, Kind};
use crate::domain::diff::{Action, Change, Reason};
use crate::domain::ownership::Unmanaged;
use crate::domain::plan::Plan;
use crate::domain::png::{self, Image, changed_pixels};

use super::usage;

/// The reason in a sentence. `quoted` escapes what comes from a portal, and marks it as not ours.
pub(super) fn in_words(change: &Change, quoted: impl Fn(&str) -> String) -> String {
    let spelling = change.action.before().map_or("", |before| before.code.as_str());
    let mut reason = match change.reason {
        Reason::Absent => "not on the portal".to_owned(),
        Reason::Undeclared => "owned, not declared".to_owned(),
        Reason::LooksDifferent => "looks different".to_owned(),
        Reason::Unsound => "the portal's file is not a sound PNG".to_owned(),
        Reason::Respelt => format!("spelt {} on the portal", quoted(spelling)),
        Reason::Unbacked if change.has_copy() => {
            "the download may be another entry's image, and is the only copy".to_owned()
        }
        Reason::Unbacked => "could not be fetched, and is changed without a copy".to_owned(),
    };
    if change.reason == Reason::LooksDifferent && spelling != change.address.code.as_str() {
        reason.push_str(&format!(", and spelt {} on the portal", quoted(spelling)));
    }
    reason
}

/// The reason as in [`in_words`], with how many pixels differ, the other half of a rename as `named` names it, and what
/// is known of the code's use.
pub(super) fn in_full(
    change: &Change,
    plan: &Plan,
    quoted: impl Fn(&str) -> String,
    named: impl Fn(&Address) -> String,
) -> String {
    let mut reason = in_words(change, &quoted);
    if change.reason == Reason::LooksDifferent
        && let Some(pixels) = pixels(change, plan)
    {
        reason.insert_str("looks different".len(), &format!(" ({pixels})"));
    }
    if let Some(other) = &change.rename {
        let word = if matches!(change.action, Action::Delete(_)) { "to" } else { "from" };
        reason.push_str(&format!(" (renamed {word} {})", named(other)));
    }
    if let Some(usage) = plan.usage(change) {
        reason.push_str(&format!("; {}", usage::in_brief(&usage, quoted)));
    }
    reason
}

/// The images before and after a change, where they are at hand.
pub(super) fn images(change: &Change, plan: &Plan) -> [Option<Image>; 2] {
    let before = change.action.before().and_then(|before| before.content.as_ref());
    let after = change.action.after().map(|after| &after.content);
    [before, after].map(|content| png::read(plan.contents.get(&content?.sha256)?).ok())
}

/// How many pixels differ, where both images are at hand.
pub(super) fn pixels(change: &Change, plan: &Plan) -> Option<String> {
    let [Some(before), Some(after)] = images(change, plan) else { return None };
    Some(match changed_pixels(&before, &after) {
        Some(0) => "same pixels, other colour profile".to_owned(),
        Some(count) => format!("{count} of {} pixels", after.pixels.width() * after.pixels.height()),
        None => "another size".to_owned(),
    })
}

/// The changes of a plan, the old name of a rename right below the new one.
pub(super) fn in_pairs(plan: &Plan) -> Vec<&Change> {
    let is_old = |change: &Change| change.rename.is_some() && matches!(change.action, Action::Delete(_));
    let (old, others): (Vec<&Change>, Vec<&Change>) = plan.diff.changes.iter().partition(|change| is_old(change));
    let mut old: BTreeMap<&Address, &Change> = old.into_iter().map(|change| (&change.address, change)).collect();
    let mut paired = Vec::with_capacity(plan.diff.changes.len());
    for change in others {
        paired.push(change);
        paired.extend(change.rename.as_ref().and_then(|name| old.remove(name)));
    }
    // A half without its other half, as in a plan that was written by hand.
    paired.extend(old.into_values());
    paired
}

/// A line of a plan: a change, or both halves of a rename.
#[derive(Clone, Copy)]
pub(super) struct PlanRow<'a> {
    pub(super) change: &'a Change,
    /// The delete of the old code, of a rename.
    pub(super) old: Option<&'a Change>,
}

impl<'a> PlanRow<'a> {
    /// What is done, in a word for programs.
    pub(super) const fn action(&self) -> &'static str {
        if self.old.is_some() { "rename" } else { self.change.action.name() }
    }

    /// The change, or both halves of the rename.
    pub(super) fn halves(self) -> impl Iterator<Item = &'a Change> {
        [Some(self.change), self.old].into_iter().flatten()
    }
}

/// The changes of a plan, a rename as one.
pub(super) fn rows(plan: &Plan) -> Vec<PlanRow<'_>> {
    let mut rows: Vec<PlanRow<'_>> = Vec::with_capacity(plan.diff.changes.len());
    for change in in_pairs(plan) {
        let is_other_half = |row: &PlanRow<'_>| {
            row.change.is_new_half() && !change.is_new_half() && change.rename.as_ref() == Some(&row.change.address)
        };
        match rows.last_mut().filter(|row| is_other_half(row)) {
            Some(row) => row.old = Some(change),
            None => rows.push(PlanRow { change, old: None }),
        }
    }
    rows
}

/// The reason as in [`in_full`]; of a rename, the old code, and what is known of its use.
pub(super) fn of_row(
    row: &PlanRow<'_>,
    plan: &Plan,
    quoted: impl Fn(&str) -> String,
    named: impl Fn(&Address) -> String,
) -> String {
    let Some(old) = row.old else { return in_full(row.change, plan, quoted, named) };
    let usage = plan.usage(old).map(|usage| format!("; {}", usage::in_brief(&usage, quoted)));
    format!("renamed from {}{}", named(&old.address), usage.unwrap_or_default())
}

/// The reason why an entry is left alone, in words.
pub(super) fn unmanaged(kind: Kind, why: Unmanaged) -> String {
    match why {
        Unmanaged::KindAbsent => format!("the manifest has no `{}`", kind.plural()),
        Unmanaged::NotOwned => "not owned".to_owned(),
        Unmanaged::Ignored => "ignored".to_owned(),
        Unmanaged::NotPruned => "not declared, but `prune` is off".to_owned(),
        Unmanaged::Protected => "protected".to_owned(),
        Unmanaged::Reserved => "a system entry has this code, apart from case".to_owned(),
    }
}
