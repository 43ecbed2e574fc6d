//! The difference between what the portal should hold and what it holds: a pure function of both.

mod index;

use std::collections::{BTreeMap, BTreeSet};

use super::asset::{Address, Code, Kind};
use super::finding::Finding;
use super::ownership::{Prune, Unmanaged};
use super::state::{Content, Desired, DesiredState, Listed, ObservedEntry, ObservedState, Reading, Selection};

pub(in crate::domain) use index::PortalIndex;

/// The state of an entry when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The code as the portal spells it.
    pub code: Code,
    /// Where the portal kept its PNG.
    pub file_uri: String,
    /// The PNG's facts; null when it could not be fetched.
    pub content: Option<Content>,
}

/// The planned state of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// The art's file, relative to the manifest.
    pub file: String,
    /// The art's facts.
    pub content: Content,
}

/// The action on one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Add it.
    Create(After),
    /// Delete it and add it again, because the portal has no update.
    Replace(Before, After),
    /// Delete it.
    Delete(Before),
}

impl Action {
    /// The state before; `None` for a create.
    pub const fn before(&self) -> Option<&Before> {
        match self {
            Self::Create(_) => None,
            Self::Replace(before, _) | Self::Delete(before) => Some(before),
        }
    }

    /// The planned state; `None` for a delete.
    pub const fn after(&self) -> Option<&After> {
        match self {
            Self::Create(after) | Self::Replace(_, after) => Some(after),
            Self::Delete(_) => None,
        }
    }
}

/// The reason for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Declared, and not on the portal.
    Absent,
    /// Owned, and not declared.
    Undeclared,
    /// The image on the portal looks different.
    LooksDifferent,
    /// What the portal stores is not a sound PNG.
    Unsound,
    /// The code is spelt in other case on the portal.
    Respelt,
    /// The content could not be fetched, and `--allow-unbacked` changes it knowingly.
    Unbacked,
}

/// One change to one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The entry: spelt as declared, or as the portal spells it when it is deleted.
    pub address: Address,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The other half of a rename: an entry of the same kind and look that is created where this one is deleted, or
    /// the other way round.
    pub rename: Option<Address>,
}

/// An entry whose content could not be fetched: it is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The entry, spelt as the portal spells it.
    pub address: Address,
    /// Why it could not be fetched.
    pub why: String,
}

/// The handling of entries whose content could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbacked {
    /// Leave them alone.
    Keep,
    /// Replace or delete them without a copy of the old image (`--allow-unbacked`).
    Change,
}

/// The differences, and a count of what does not differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    /// Sorted by address.
    pub changes: Vec<Change>,
    /// How many declared entries already look as declared.
    pub unchanged: usize,
    /// Which those are, with what the portal holds: it can be other bytes than the art's.
    pub kept: BTreeMap<Address, Content>,
    /// Custom entries that are left alone, sorted by address.
    pub unmanaged: Vec<(Address, Unmanaged)>,
    /// How many system entries the portal lists.
    pub system: usize,
    /// Entries whose content could not be fetched, sorted by address.
    pub unknown: Vec<Unknown>,
    /// What must be settled by hand before anything may be written.
    pub(crate) conflicts: Vec<Finding>,
}

/// Compares what the manifest declares with what the portal holds. `manifest` is the manifest's name in conflicts.
pub(crate) fn diff(
    desired: &DesiredState,
    observed: &ObservedState,
    only: &Selection,
    unbacked: Unbacked,
    manifest: &str,
) -> Diff {
    let portal = PortalIndex::of(observed);
    let mut diff = Diff { system: portal.system_entries, ..Diff::default() };
    let mut settled = BTreeSet::new();
    for (address, entry) in desired.entries() {
        settled.insert(address.folded());
        if !only.admits(address) {
            continue;
        }
        match declared(desired, (address, entry), &portal, unbacked, &mut diff) {
            Ok(Some((action, reason))) => {
                diff.changes.push(Change { address: address.clone(), action, reason, rename: None });
            }
            Ok(None) => {}
            Err(conflict) => {
                diff.conflicts.push(conflict.in_file(manifest).at(entry.place.clone()).about(address.clone()));
            }
        }
    }
    for (folded, live) in &portal.custom {
        for ObservedEntry { listed, reading } in live.iter().copied() {
            undeclared(desired, (listed, reading), &portal, settled.contains(folded), only, unbacked, &mut diff);
        }
    }
    diff.changes.sort_by(|a, b| a.address.cmp(&b.address));
    diff.unmanaged.sort();
    diff.unknown.sort_by(|a, b| a.address.cmp(&b.address));
    pair_renames(&mut diff.changes);
    diff
}

type NeededChange = Result<Option<(Action, Reason)>, Box<Finding>>;

/// The change that a declared entry needs, if any, or the conflict that keeps it from being changed.
fn declared(
    desired: &DesiredState,
    (address, entry): (&Address, &Desired),
    portal: &PortalIndex<'_>,
    unbacked: Unbacked,
    diff: &mut Diff,
) -> NeededChange {
    match (portal.conflict(address), portal.custom(address)) {
        (Some(conflict), _) => Err(conflict),
        (None, [live, ..]) => compare(desired, (address, entry), live, unbacked, diff),
        (None, []) => Ok(Some((Action::Create(after(entry)), Reason::Absent))),
    }
}

/// Compares a declared entry with the one that the portal has under the same code, or under one that differs only by case.
fn compare(
    desired: &DesiredState,
    (address, entry): (&Address, &Desired),
    ObservedEntry { listed, reading }: &ObservedEntry,
    unbacked: Unbacked,
    diff: &mut Diff,
) -> NeededChange {
    let respelt = listed.address != *address;
    if respelt && desired.ownership().of(&listed.address).is_err() {
        let message = format!("the portal spells this code `{}`, which this manifest does not own", listed.address);
        let help = "declare it as the portal spells it, or let `owns` match that spelling too";
        return Err(Box::new(Finding::error("code-respelt", message).help(help)));
    }
    let replace = |content| Action::Replace(before(listed, content), after(entry));
    Ok(match reading {
        Reading::Known(content) => {
            let reason = match (content.same_appearance(&entry.content), content.appearance.is_some(), respelt) {
                (true, _, false) => {
                    diff.unchanged += 1;
                    diff.kept.insert(address.clone(), content.clone());
                    return Ok(None);
                }
                (true, _, true) => Reason::Respelt,
                (false, true, _) => Reason::LooksDifferent,
                (false, false, _) => Reason::Unsound,
            };
            Some((replace(Some(content.clone())), reason))
        }
        unread => give_up(diff, listed, unread, unbacked).then(|| (replace(None), Reason::Unbacked)),
    })
}

fn before(listed: &Listed, content: Option<Content>) -> Before {
    Before { code: listed.address.code.clone(), file_uri: listed.file_uri.clone(), content }
}

fn after(entry: &Desired) -> After {
    After { file: entry.file.clone(), content: entry.content.clone() }
}

/// Whether an entry of unknown content is changed all the same; if not, it is noted.
fn give_up(diff: &mut Diff, listed: &Listed, reading: &Reading, unbacked: Unbacked) -> bool {
    let why = match reading {
        Reading::Failed(_) if unbacked == Unbacked::Change => return true,
        Reading::Failed(why) => why.clone(),
        Reading::NotNeeded | Reading::Known(_) => "its content was not read".to_owned(),
    };
    diff.unknown.push(Unknown { address: listed.address.clone(), why });
    false
}

/// A custom entry that no declaration of the same folded code has claimed.
fn undeclared(
    desired: &DesiredState,
    (listed, reading): (&Listed, &Reading),
    portal: &PortalIndex<'_>,
    declared: bool,
    only: &Selection,
    unbacked: Unbacked,
    diff: &mut Diff,
) {
    let ownership = desired.ownership();
    let unmanaged = match ownership.of(&listed.address) {
        Err(why) => Some(why),
        Ok(()) if portal.system.contains_key(&listed.address.folded()) => Some(Unmanaged::Reserved),
        Ok(()) if declared || !only.admits(&listed.address) => return,
        Ok(()) => (ownership.prune == Prune::Keep).then_some(Unmanaged::NotPruned),
    };
    if let Some(why) = unmanaged {
        diff.unmanaged.push((listed.address.clone(), why));
        return;
    }
    if let Some(conflict) = portal.conflict(&listed.address) {
        // Once for all of them: a list can name a code thousands of times.
        let last_reported = diff.conflicts.last().and_then(|conflict| conflict.address.as_ref());
        if last_reported.is_none_or(|reported| reported.folded() != listed.address.folded()) {
            diff.conflicts.push(conflict.about(listed.address.clone()));
        }
        return;
    }
    let (content, reason) = match reading {
        Reading::Known(content) => (Some(content.clone()), Reason::Undeclared),
        unread if give_up(diff, listed, unread, unbacked) => (None, Reason::Unbacked),
        Reading::Failed(_) | Reading::NotNeeded => return,
    };
    let action = Action::Delete(before(listed, content));
    diff.changes.push(Change { address: listed.address.clone(), action, reason, rename: None });
}

/// Marks a delete and a create of one kind and appearance as the two halves of a rename; each change is in one pair at most.
fn pair_renames(changes: &mut [Change]) {
    let mut created: BTreeMap<(Kind, &super::png::Appearance), Vec<usize>> = BTreeMap::new();
    for (at, change) in changes.iter().enumerate().rev() {
        if let Action::Create(After { content: Content { appearance: Some(appearance), .. }, .. }) = &change.action {
            created.entry((change.address.kind, appearance)).or_default().push(at);
        }
    }
    let mut pairs = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        if let Action::Delete(Before { content: Some(Content { appearance: Some(appearance), .. }), .. }) =
            &change.action
            && let Some(other) = created.get_mut(&(change.address.kind, appearance)).and_then(Vec::pop)
        {
            pairs.push((at, other));
        }
    }
    for (deleted, created) in pairs {
        if let Ok([old, new]) = changes.get_disjoint_mut([deleted, created]) {
            (old.rename, new.rename) = (Some(new.address.clone()), Some(old.address.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
