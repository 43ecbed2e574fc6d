//! The entries of a portal, and what brandctl may do with each: the portal's list, seen with a manifest or without one.

use std::collections::BTreeSet;

use super::asset::{Address, FoldedCode, Kind};
use super::finding::Finding;
use super::ownership::{Ownership, Prune, Unmanaged};
use super::plan::Contents;
use super::report::{Heading, Subject};
use super::scope;
use super::state::{Listed, ObservedEntry, ObservedState, Reading, Selection};

/// The permissions of brandctl on an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Management {
    /// Owned and declared: apply makes it match the manifest. Also an owned entry if it is not known whether it is
    /// declared.
    Managed,
    /// Owned and not declared: apply deletes it.
    Undeclared,
    /// Owned, but matched by `protect`: never replaced or deleted.
    Protected,
    /// Owned, but matched by `ignore`: left alone.
    Ignored,
    /// Not owned, or owned and not declared while `prune` is off: left alone.
    Unmanaged,
    /// A user or an application added it; without a manifest, its owner is unknown.
    Custom,
    /// It comes with the product: never touched.
    System,
}

impl Management {
    /// All of them, in the order in which they are counted.
    pub(crate) const ALL: [Self; 7] =
        [Self::Managed, Self::Undeclared, Self::Protected, Self::Ignored, Self::Unmanaged, Self::Custom, Self::System];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Undeclared => "undeclared",
            Self::Protected => "protected",
            Self::Ignored => "ignored",
            Self::Unmanaged => "unmanaged",
            Self::Custom => "custom",
            Self::System => "system",
        }
    }
}

/// One entry of the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// Kind and code, spelt as the portal spells it.
    pub address: Address,
    /// What brandctl may do with it.
    pub management: Management,
    /// What is known of its bytes; not needed for a system entry, which has none to fetch.
    pub reading: Reading,
}

/// The result of `list`.
#[derive(Debug, Clone, Default)]
pub struct ListReport {
    /// What it is about.
    pub subject: Subject,
    /// Its time and commit.
    pub heading: Heading,
    /// The portal's identity; `None` when it was not reached.
    pub portal: Option<String>,
    /// How the user names the manifest; `None` without one.
    pub manifest: Option<String>,
    /// The entries: the custom ones by address, then the system ones by address.
    pub entries: Vec<ListEntry>,
    /// The findings about it.
    pub findings: Vec<Finding>,
    /// The bytes of the entries, if they will be shown.
    pub contents: Contents,
}

impl ListReport {
    pub(crate) fn count(&self, management: Management) -> usize {
        self.entries.iter().filter(|entry| entry.management == management).count()
    }

    /// The number of entries that are not system entries.
    pub(crate) fn custom(&self) -> usize {
        self.entries.len() - self.count(Management::System)
    }

    /// The number of entries whose image is unknown.
    pub(crate) fn unknown(&self) -> usize {
        self.entries.iter().filter(|entry| entry.reading.why_unknown().is_some()).count()
    }

    /// Whether something is wrong, or could not be determined.
    pub(crate) fn has_errors(&self) -> bool {
        self.unknown() > 0 || self.findings.iter().any(Finding::is_error)
    }
}

/// The part of a manifest that concerns a portal's entries.
#[derive(Debug)]
pub struct Claims {
    pub(crate) ownership: Ownership,
    /// The codes that it declares; `None` where they cannot be listed.
    pub(crate) declared: Option<BTreeSet<(Kind, FoldedCode)>>,
}

/// The observed entries, sorted; `claims` is `None` without a manifest.
pub(crate) fn entries(observed: ObservedState, claims: Option<&Claims>, only: &Selection) -> Vec<ListEntry> {
    let reserved: BTreeSet<_> = observed
        .entries
        .iter()
        .filter(|entry| entry.listed.system)
        .map(|entry| entry.listed.address.folded())
        .collect();
    let mut entries: Vec<ListEntry> = observed
        .entries
        .into_iter()
        .filter(|entry| only.admits(&entry.listed.address))
        .map(|ObservedEntry { listed, reading }| {
            let management = management(&listed, claims, &reserved);
            ListEntry { address: listed.address, management, reading }
        })
        .collect();
    entries.sort_by_cached_key(|entry| (entry.management == Management::System, entry.address.clone()));
    // A custom code that became a system code is listed twice, both times as a system entry.
    let is_again = |a: &ListEntry, b: &ListEntry| a.management == b.management && a.address == b.address;
    entries.dedup_by(|a, b| a.management == Management::System && is_again(a, b));
    entries
}

/// The permissions of brandctl on an entry, in the order of the table of ownership.
fn management(listed: &Listed, claims: Option<&Claims>, reserved: &BTreeSet<(Kind, FoldedCode)>) -> Management {
    if listed.system {
        return Management::System;
    }
    let Some(Claims { ownership, declared }) = claims else { return Management::Custom };
    let is_undeclared = || declared.as_ref().is_some_and(|declared| !declared.contains(&listed.address.folded()));
    match ownership.of(&listed.address) {
        Err(Unmanaged::Ignored) => Management::Ignored,
        Err(_) => Management::Unmanaged,
        // As in the diff: the portal could take a write to this one for a write to the system entry.
        Ok(()) if reserved.contains(&listed.address.folded()) => Management::Unmanaged,
        Ok(()) if ownership.protect.matches(&listed.address) => Management::Protected,
        Ok(()) if is_undeclared() && ownership.prune == Prune::Keep => Management::Unmanaged,
        Ok(()) if is_undeclared() => Management::Undeclared,
        Ok(()) => Management::Managed,
    }
}

/// The findings on `--only` patterns that match no entry, which are probably misspelt.
pub(crate) fn unmatched(only: &Selection, entries: &[ListEntry]) -> Vec<Finding> {
    scope::unmatched(
        "--only",
        only.patterns(),
        entries.iter().map(|entry| &entry.address),
        "entry of the portal",
        "patterns match codes as the portal spells them, such as `acme-*` or `icon/acme-*`",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::domain::manifest;

    fn observed(entries: &[(&str, bool)]) -> ObservedState {
        let entry = |(address, system): &(&str, bool)| {
            let listed = Listed { address: address.parse().unwrap(), system: *system, file_uri: String::new() };
            ObservedEntry { listed, reading: Reading::NotNeeded }
        };
        ObservedState { entries: entries.iter().map(entry).collect() }
    }

    fn words(entries: &[ListEntry]) -> Vec<String> {
        entries.iter().map(|entry| format!("{} {}", entry.address, entry.management.name())).collect()
    }

    const PORTAL: [(&str, bool); 9] = [
        ("logo/info", true),
        ("icon/info", true),
        ("icon/info", true),
        ("icon/other", false),
        ("icon/acme-Info", false),
        ("icon/acme-info", true),
        ("icon/acme-lab-1", false),
        ("icon/acme-brand", false),
        ("icon/acme-call", false),
    ];

    #[test]
    fn an_entry_stands_as_the_manifest_says() {
        let text =
            "version: 1\nowns: [\"acme-*\"]\nicons: icons/\nignore: [\"acme-lab-*\"]\nprotect: [acme-brand, other]\n";
        let (manifest, _) = manifest::parse(text.as_bytes(), "brand.yaml");
        let declares = |codes: &[&str]| {
            Some(codes.iter().map(|code| code.parse::<Address>().unwrap().folded()).collect::<BTreeSet<_>>())
        };
        let mut claims = Claims { ownership: manifest.unwrap().ownership(), declared: declares(&["icon/Acme-Call"]) };
        let found = entries(observed(&PORTAL), Some(&claims), &Selection::All);
        assert_eq!(
            words(&found),
            [
                "icon/acme-Info unmanaged",
                "icon/acme-brand protected",
                "icon/acme-call managed",
                "icon/acme-lab-1 ignored",
                "icon/other unmanaged",
                "icon/acme-info system",
                "icon/info system",
                "logo/info system",
            ]
        );
        // A kind that the manifest has no section for is unmanaged, with any code.
        let found = entries(observed(&[("logo/acme-call", false)]), Some(&claims), &Selection::All);
        assert_eq!(words(&found), ["logo/acme-call unmanaged"]);

        let stands =
            |claims: &Claims| words(&entries(observed(&[("icon/acme-call", false)]), Some(claims), &Selection::All));
        assert_eq!(stands(&claims), ["icon/acme-call managed"]);
        claims.declared = declares(&["logo/acme-call"]);
        assert_eq!(stands(&claims), ["icon/acme-call undeclared"]);
        // As plan, list leaves such an entry alone if `prune` is off.
        claims.ownership.prune = Prune::Keep;
        assert_eq!(stands(&claims), ["icon/acme-call unmanaged"]);
        claims.ownership.prune = Prune::Delete;
        // If the declared codes are not known, no entry is called undeclared.
        claims.declared = None;
        assert_eq!(stands(&claims), ["icon/acme-call managed"]);
    }

    #[test]
    fn without_a_manifest_nothing_is_known_of_owners() {
        let found = entries(observed(&PORTAL), None, &Selection::All);
        assert!(
            found.iter().all(|entry| matches!(entry.management, Management::Custom | Management::System)),
            "{found:?}"
        );
        assert_eq!(found.len(), 8);
    }
}
