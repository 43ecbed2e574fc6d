//! The difference between what the portal should hold and what it holds: a pure function of both.

mod index;

use std::collections::{BTreeMap, BTreeSet};

use super::asset::{Address, Code, Kind};
use super::finding::Finding;
use super::ownership::{Prune, Unmanaged};
use super::state::{Content, Desired, DesiredState, Doubt, Listed, ObservedEntry, ObservedState, Reading, Selection};

pub(in crate::domain) use index::PortalIndex;

/// The state of an entry when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The code as the portal spells it.
    pub code: Code,
    /// Where the portal kept its PNG.
    pub file_uri: String,
    /// The facts of the received bytes; `None` when the image could not be fetched.
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
    /// Its name in output.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Replace(..) => "replace",
            Self::Delete(_) => "delete",
        }
    }

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
    /// Declared, but not on the portal.
    Absent,
    /// Owned, but not declared.
    Undeclared,
    /// The image on the portal looks different.
    LooksDifferent,
    /// The bytes received for the portal's image are not a sound PNG, and `--allow-unbacked` permits the change.
    Unsound,
    /// The portal spells the code in different upper and lower case.
    Respelt,
    /// The content could not be fetched, or the received bytes may be another entry's, and `--allow-unbacked` permits
    /// the change.
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

impl Change {
    /// The facts of the old image, if they may be compared: received bytes that may be another entry's are not.
    pub(crate) fn comparable_before(&self) -> Option<&Content> {
        self.action.before()?.content.as_ref().filter(|_| self.reason != Reason::Unbacked)
    }

    /// Whether this is the half of a rename that adds the new code.
    pub(crate) const fn is_new_half(&self) -> bool {
        matches!(self.action, Action::Create(_)) && self.rename.is_some()
    }

    /// Whether this is the half of a rename that deletes the old code.
    pub(crate) const fn is_old_half(&self) -> bool {
        matches!(self.action, Action::Delete(_)) && self.rename.is_some()
    }

    /// What makes a copy of the old image doubtful; `None` if nothing does.
    pub(crate) fn copy_doubt(&self) -> Option<&'static str> {
        let content = self.action.before()?.content.as_ref()?;
        if content.appearance.is_none() {
            Some("is not a sound PNG")
        } else {
            (self.reason == Reason::Unbacked).then_some("may be another entry's image")
        }
    }

    /// Whether the old image is unknown: the run would keep either no copy, or a copy of bytes that may not be that
    /// image.
    pub(crate) fn removes_unknown(&self) -> bool {
        let has_none = |before: &Before| before.content.is_none();
        self.action.before().is_some_and(has_none) || self.copy_doubt().is_some()
    }
}

/// An entry whose image is unknown, because it could not be fetched or the received bytes are not sound: it is not
/// changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The entry, spelt as the portal spells it.
    pub address: Address,
    /// Why it is unknown.
    pub why: String,
}

/// The handling of entries whose image is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbacked {
    /// Leave them alone.
    Keep,
    /// Replace or delete them, with only a copy of the received bytes, if any (`--allow-unbacked`).
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
    /// Entries whose image is unknown, sorted by address.
    pub unknown: Vec<Unknown>,
    /// What must be resolved by hand before anything may be written.
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
        if only.admits(address) {
            let comparison = declared(desired, (address, entry), &portal, unbacked);
            let here = |conflict: Box<Finding>| Box::new(conflict.in_file(manifest).at(entry.place.clone()));
            diff.add(address, comparison.map_err(here));
        }
    }
    for (folded, live) in &portal.custom {
        let is_declared = settled.contains(folded);
        for live in live {
            diff.add(&live.listed.address, undeclared(desired, live, &portal, is_declared, only, unbacked));
        }
    }
    diff.changes.sort_by(|a, b| a.address.cmp(&b.address));
    diff.unmanaged.sort();
    diff.unknown.sort_by(|a, b| a.address.cmp(&b.address));
    pair_renames(&mut diff.changes);
    diff
}

/// The result of comparing one entry.
enum Comparison {
    Change(Action, Reason),
    Same(Content),
    Unknown(Unknown),
    Unmanaged(Unmanaged),
    /// It is not selected, or it was compared with its declaration.
    Nothing,
}

impl Diff {
    fn add(&mut self, address: &Address, comparison: Result<Comparison, Box<Finding>>) {
        let address = address.clone();
        match comparison {
            Ok(Comparison::Change(action, reason)) => {
                self.changes.push(Change { address, action, reason, rename: None });
            }
            Ok(Comparison::Same(content)) => {
                self.unchanged += 1;
                self.kept.insert(address, content);
            }
            Ok(Comparison::Unknown(unknown)) => self.unknown.push(unknown),
            Ok(Comparison::Unmanaged(why)) => self.unmanaged.push((address, why)),
            Ok(Comparison::Nothing) => {}
            Err(conflict) => {
                // Once for all of them: a list can name a code thousands of times.
                let last_reported = self.conflicts.last().and_then(|conflict| conflict.address.as_ref());
                if last_reported.is_none_or(|reported| reported.folded() != address.folded()) {
                    self.conflicts.push(conflict.about(address));
                }
            }
        }
    }
}

fn declared(
    desired: &DesiredState,
    (address, entry): (&Address, &Desired),
    portal: &PortalIndex<'_>,
    unbacked: Unbacked,
) -> Result<Comparison, Box<Finding>> {
    portal.check(address)?;
    match portal.custom(address) {
        [live, ..] => compare(desired, (address, entry), live, unbacked),
        [] => Ok(Comparison::Change(Action::Create(after(entry)), Reason::Absent)),
    }
}

/// Compares a declared entry with the one that the portal has under the same code, or under one that differs only by case.
fn compare(
    desired: &DesiredState,
    (address, entry): (&Address, &Desired),
    ObservedEntry { listed, reading }: &ObservedEntry,
    unbacked: Unbacked,
) -> Result<Comparison, Box<Finding>> {
    let respelt = listed.address != *address;
    if respelt && desired.ownership().of(&listed.address).is_err() {
        let message = format!("the portal spells this code `{}`, which this manifest does not own", listed.address);
        let help = "spell it as the portal does, or add that spelling to `owns`";
        return Err(Box::new(Finding::error("code-respelt", message).help(help)));
    }
    let reason = match reading.comparable().map(|content| (content, content.same_appearance(&entry.content))) {
        Some((content, true)) if !respelt => return Ok(Comparison::Same(content.clone())),
        Some((_, true)) => Reason::Respelt,
        _ => match why_changed(listed, reading, unbacked, Reason::LooksDifferent) {
            Ok(reason) => reason,
            Err(unknown) => return Ok(Comparison::Unknown(unknown)),
        },
    };
    Ok(Comparison::Change(Action::Replace(before(listed, reading), after(entry)), reason))
}

fn before(listed: &Listed, reading: &Reading) -> Before {
    let content = reading.content().cloned();
    Before { code: listed.address.code.clone(), file_uri: listed.file_uri.clone(), content }
}

fn after(entry: &Desired) -> After {
    After { file: entry.file.clone(), content: entry.content.clone() }
}

/// The reason to replace or delete an entry: `reason` if its image is known, else that its image is unknown and the
/// user allows the change.
fn why_changed(listed: &Listed, reading: &Reading, unbacked: Unbacked, reason: Reason) -> Result<Reason, Unknown> {
    let why = match reading {
        Reading::Known(_) => return Ok(reason),
        Reading::Doubtful { doubt: Doubt::Unsound, .. } if unbacked == Unbacked::Change => return Ok(Reason::Unsound),
        Reading::Doubtful { .. } | Reading::Failed(_) if unbacked == Unbacked::Change => return Ok(Reason::Unbacked),
        Reading::Doubtful { .. } | Reading::Failed(_) | Reading::NotNeeded => reading.why_unknown(),
    };
    let why = why.unwrap_or("its content was not read").to_owned();
    Err(Unknown { address: listed.address.clone(), why })
}

/// Compares a custom entry with the declarations, which may not include it.
fn undeclared(
    desired: &DesiredState,
    ObservedEntry { listed, reading }: &ObservedEntry,
    portal: &PortalIndex<'_>,
    is_declared: bool,
    only: &Selection,
    unbacked: Unbacked,
) -> Result<Comparison, Box<Finding>> {
    let ownership = desired.ownership();
    match ownership.of(&listed.address) {
        Err(why) => return Ok(Comparison::Unmanaged(why)),
        Ok(()) if portal.system.contains_key(&listed.address.folded()) => {
            return Ok(Comparison::Unmanaged(Unmanaged::Reserved));
        }
        Ok(()) if is_declared || !only.admits(&listed.address) => return Ok(Comparison::Nothing),
        Ok(()) if ownership.prune == Prune::Keep => {
            let is_protected = ownership.protect.matches(&listed.address);
            let why = if is_protected { Unmanaged::Protected } else { Unmanaged::NotPruned };
            return Ok(Comparison::Unmanaged(why));
        }
        Ok(()) => portal.check(&listed.address)?,
    }
    Ok(match why_changed(listed, reading, unbacked, Reason::Undeclared) {
        Ok(reason) => Comparison::Change(Action::Delete(before(listed, reading)), reason),
        Err(unknown) => Comparison::Unknown(unknown),
    })
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
        if matches!(change.action, Action::Delete(_))
            && let Some(Content { appearance: Some(appearance), .. }) = change.comparable_before()
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
