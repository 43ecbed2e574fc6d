//! The portal's entries by the key under which it would find them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::asset::{Address, FoldedCode, Kind};
use crate::domain::finding::Finding;
use crate::domain::state::{ObservedEntry, ObservedState};
use crate::text::first_names;

/// The portal's entries by kind and folded code.
#[derive(Default)]
pub(in crate::domain) struct PortalIndex<'a> {
    pub(super) custom: BTreeMap<(Kind, FoldedCode), Vec<&'a ObservedEntry>>,
    pub(super) system: BTreeMap<(Kind, FoldedCode), &'a Address>,
    /// How many system entries there are. A custom code that became a system code is listed twice, both times as a system
    /// entry, and counts once.
    pub(super) system_entries: usize,
}

impl<'a> PortalIndex<'a> {
    pub(in crate::domain) fn of(observed: &'a ObservedState) -> Self {
        let mut index = Self::default();
        let mut listed_system = BTreeSet::new();
        for entry in &observed.entries {
            let address = &entry.listed.address;
            if entry.listed.system {
                listed_system.insert(address);
                index.system.insert(address.folded(), address);
            } else {
                index.custom.entry(address.folded()).or_default().push(entry);
            }
        }
        // Sorted, so that a message does not depend on the order of the portal's list.
        for live in index.custom.values_mut() {
            live.sort_by(|a, b| a.listed.address.cmp(&b.listed.address));
        }
        index.system_entries = listed_system.len();
        index
    }

    /// The custom entries that a write to `address` could hit.
    pub(super) fn custom(&self, address: &Address) -> &[&'a ObservedEntry] {
        self.custom.get(&address.folded()).map_or(&[], Vec::as_slice)
    }

    /// Refuses a write to `address` that could hit a system entry, or one of several.
    pub(in crate::domain) fn check(&self, address: &Address) -> Result<(), Box<Finding>> {
        match (self.system.get(&address.folded()), self.custom(address)) {
            (Some(system), _) => Err(reserved(address, system)),
            (None, live @ [_, _, ..]) => Err(ambiguous(address, live)),
            (None, _) => Ok(()),
        }
    }
}

fn reserved(address: &Address, system: &Address) -> Box<Finding> {
    let differing = if system.code == address.code { "" } else { " except for case" };
    let message = format!("the portal has a system entry `{system}`, the same code{differing}");
    Box::new(Finding::error("code-reserved", message).help("system entries cannot be changed: choose another code"))
}

fn ambiguous(address: &Address, live: &[&ObservedEntry]) -> Box<Finding> {
    /// How many spellings are named; more are only counted.
    const MAX_SPELLINGS: usize = 5;
    let spellings = first_names(live.iter().map(|entry| &entry.listed.address), MAX_SPELLINGS);
    let message = format!("the portal lists {} entries for `{address}`: {spellings}", live.len());
    let help = "a delete could remove any of them: delete all but one by hand";
    Box::new(Finding::error("code-ambiguous", message).help(help))
}
