//! The plan: what apply would do, as plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asset::{Address, Digest, Kind};
use super::diff::{Action, Before, Change, Diff};
use super::evidence::{Usage, UsageEvidence};
use super::state::{Content, Listed, ObservedEntry, Reading};
use super::step::LiveState;

/// The bytes of a plan by their digest: what it uploads, and what that replaces or deletes.
pub type Contents = BTreeMap<Digest, Arc<[u8]>>;

/// The changes that apply would make to one portal. Deterministic: the same portal and the same repository give the
/// same plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The portal's identity: its host, or the sandbox's id.
    pub(crate) portal: String,
    /// What differs, and what does not. In a plan that was read back, `kept` is empty: a saved plan only counts those
    /// entries.
    pub diff: Diff,
    /// The new images, and the old ones as far as they are kept in memory: to be shown and saved. Apply makes its copies itself.
    pub contents: Contents,
    /// Whether the codes that are deleted or replaced are in use, if that was requested.
    pub(crate) evidence: Option<UsageEvidence>,
}

/// The numbers of changes of each sort. A rename is one change: its create and its delete are not counted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) create: usize,
    /// Deletes followed by adds.
    pub(crate) replace: usize,
    pub(crate) delete: usize,
    pub(crate) rename: usize,
}

impl Counts {
    /// The number of changes, as people count them.
    pub(crate) const fn changes(self) -> usize {
        self.create + self.replace + self.delete + self.rename
    }
}

/// The state of a change on the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StepState {
    /// The precondition holds: nothing was done yet.
    Pending,
    /// The postcondition holds: nothing is left to do.
    Done,
    /// The old entry of a replace is gone and the new one is not there yet.
    Between,
    /// Neither: something else happened, in words.
    Diverged(String),
    /// There is an entry, but its content could not be fetched.
    Unseen {
        /// Why, in words.
        why: String,
        /// Where its image is.
        file_uri: String,
    },
}

impl StepState {
    /// What the portal has under the code of a change that is in this state.
    pub(crate) const fn live(&self, action: &Action) -> LiveState {
        match (self, action) {
            (Self::Done, Action::Create(_) | Action::Replace(..)) => LiveState::New,
            (Self::Pending, Action::Replace(..) | Action::Delete(_)) => LiveState::Old,
            (Self::Done, Action::Delete(_)) | (Self::Pending, Action::Create(_)) | (Self::Between, _) => {
                LiveState::Absent
            }
            (Self::Diverged(_), _) => LiveState::Other,
            (Self::Unseen { .. }, _) => LiveState::Unknown,
        }
    }
}

impl Plan {
    /// The plan of a diff and the bytes that it names.
    pub fn new(portal: String, diff: Diff, contents: Contents) -> Self {
        Self { portal, diff, contents, evidence: None }
    }

    /// The entries that would be deleted or replaced, as the changes name them.
    pub(crate) fn removed_or_replaced(&self) -> impl Iterator<Item = &Address> {
        self.diff.changes.iter().filter(|change| change.action.before().is_some()).map(|change| &change.address)
    }

    /// The known use of an entry that would be deleted or replaced; `None` when it was not looked for, and of
    /// an entry that is new.
    pub(crate) fn usage(&self, change: &Change) -> Option<Usage> {
        change.action.before()?;
        Some(self.evidence.as_ref()?.of(&change.address))
    }

    /// How many unchanged entries are only counted here, because it is no longer known which they are.
    pub(crate) fn unnamed(&self) -> usize {
        self.diff.unchanged.saturating_sub(self.diff.kept.len())
    }

    /// The numbers of changes, for people: the guards count a rename's delete ([`Plan::deletes`]).
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.diff.changes {
            match change.action {
                // Its other half is the delete of the old code.
                Action::Create(_) if change.rename.is_some() => counts.rename += 1,
                Action::Delete(_) if change.rename.is_some() => {}
                Action::Create(_) => counts.create += 1,
                Action::Replace(..) => counts.replace += 1,
                Action::Delete(_) => counts.delete += 1,
            }
        }
        counts
    }

    /// Whether nothing would be replaced or deleted.
    pub(crate) fn only_creates(&self) -> bool {
        self.diff.changes.iter().all(|change| matches!(change.action, Action::Create(_)))
    }

    /// How many entries of a kind would be deleted; replaces do not count.
    pub(crate) fn deletes(&self, kind: Kind) -> usize {
        self.diff
            .changes
            .iter()
            .filter(|change| change.address.kind == kind && matches!(change.action, Action::Delete(_)))
            .count()
    }
}

impl Change {
    /// The entry as the portal spells it before the change.
    pub(crate) fn live_address(&self) -> Address {
        self.action
            .before()
            .map_or_else(|| self.address.clone(), |before| Address::new(self.address.kind, before.code.clone()))
    }

    /// Whether apply keeps a copy of the image that it removes.
    pub(crate) fn has_copy(&self) -> bool {
        self.action.before().is_some_and(|before| before.content.is_some())
    }

    /// Whether a listed entry has the same code and path as before. Then it is unchanged, and need not be read.
    pub(crate) fn is_where_it_was(&self, listed: &Listed) -> bool {
        let is_same = |before: &Before| listed.file_uri == before.file_uri && listed.address.code == before.code;
        self.action.before().is_some_and(is_same)
    }

    /// The state of this change, given the entries that the portal has under its code, in any letter case.
    pub(crate) fn step_state(&self, live: &[ObservedEntry]) -> StepState {
        if live.iter().any(|entry| entry.listed.system) {
            return StepState::Diverged("it has become a system entry".to_owned());
        }
        match (live, &self.action) {
            ([], Action::Create(_)) => StepState::Pending,
            ([], Action::Replace(..)) => StepState::Between,
            ([], Action::Delete(_)) => StepState::Done,
            ([one], _) => self.step_state_with(one),
            (several, _) => StepState::Diverged(format!("the portal lists {} entries for it", several.len())),
        }
    }

    /// The state of this change, given the one entry that the portal has under its code.
    fn step_state_with(&self, ObservedEntry { listed, reading }: &ObservedEntry) -> StepState {
        let holds = |code: &super::asset::Code, content: &Content| {
            listed.address.code == *code && reading.comparable().is_some_and(|found| found.same_appearance(content))
        };
        if let Some(after) = self.action.after()
            && holds(&self.address.code, &after.content)
        {
            return StepState::Done;
        }
        let before = self.action.before();
        if let Some(before) = before
            && listed.address.code == before.code
        {
            // A path keeps its content: what is not fetched again under it, or not whole, is still what it was.
            let unseen = before.content.is_none() || !matches!(reading, Reading::Known(_));
            let untouched = unseen && listed.file_uri == before.file_uri;
            if untouched || before.content.as_ref().is_some_and(|content| holds(&before.code, content)) {
                return StepState::Pending;
            }
        }
        if let Some(why) = reading.why_unknown() {
            return StepState::Unseen {
                why: format!("its content could not be fetched: {why}"),
                file_uri: listed.file_uri.clone(),
            };
        }
        StepState::Diverged(match before {
            None => "it already exists on the portal, with another image".to_owned(),
            Some(before) if listed.address.code != before.code => {
                format!("the portal now spells it `{}`", listed.address.code)
            }
            Some(_) => "its image changed after the plan was made".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
