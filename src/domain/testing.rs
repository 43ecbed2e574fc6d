//! A repository and the portal that it is applied to, for tests that derive the one from the other, change one side and
//! look at what follows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asset::{Address, Kind};
use super::diff::{Change, Diff, Unbacked, diff};
use super::finding::Place;
use super::guard::{CountsByKind, KindCounts};
use super::ownership::{Ownership, Prune};
use super::plan::{Contents, Plan};
use super::png::testing::{insert, rgba};
use super::scope::{Pattern, Scope};
use super::state::{Content, Desired, DesiredState, Doubt, Listed, ObservedEntry, ObservedState, Reading, Selection};

/// An entry: `icon/acme-call`.
pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Several entries.
pub(crate) fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().map(|text| address(text)).collect()
}

/// A list of patterns.
pub(crate) fn scope(patterns: &[&str]) -> Scope {
    Scope::new(patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect()).unwrap()
}

/// The same look has the same number.
type Look = u8;

fn png(kind: Kind, look: Look) -> Vec<u8> {
    rgba(kind.side(), kind.side(), |x, y| if x == y { [look, 20, 30, 255] } else { [0; 4] })
}

/// An image of a kind.
pub(crate) fn image(kind: Kind, look: Look) -> Content {
    Content::of(&png(kind, look))
}

/// Other bytes with the look of [`image`].
pub(crate) fn encoded_otherwise(kind: Kind, look: Look) -> Content {
    Content::of(&insert(&png(kind, look), b"IDAT", b"tEXt", b"Software\0other"))
}

/// Bytes that are not an image.
pub(crate) fn unsound() -> Content {
    Content::of(b"<html>")
}

/// The declared entries and the ownership of a manifest: at first everything, and what is not declared is deleted.
#[derive(Clone)]
pub(crate) struct Repository {
    ownership: Ownership,
    entries: BTreeMap<Address, Desired>,
}

impl Repository {
    /// A manifest that declares these entries with these looks.
    pub(crate) fn declaring(entries: &[(&str, Look)]) -> Self {
        let ownership = Ownership {
            owns: scope(&["*"]),
            ignore: Scope::default(),
            protect: Scope::default(),
            prune: Prune::Delete,
            kinds: Kind::ALL.to_vec(),
        };
        Self { ownership, entries: BTreeMap::new() }.and(entries)
    }

    /// Declares more, or other looks.
    pub(crate) fn and(mut self, entries: &[(&str, Look)]) -> Self {
        for (line, (entry, look)) in (1..).zip(entries) {
            let address = address(entry);
            let bytes = png(address.kind, *look);
            let desired = Desired {
                file: format!("{look}.png"),
                place: Place { line, column: 1, bytes: 0..0 },
                content: Content::of(&bytes),
                png: bytes.into(),
            };
            self.entries.insert(address, desired);
        }
        self
    }

    /// Declares other bytes.
    pub(crate) fn declares_bytes(&mut self, entry: &str, bytes: &[u8]) {
        let desired = self.entries.get_mut(&address(entry)).unwrap_or_else(|| panic!("{entry} is not declared"));
        (desired.content, desired.png) = (Content::of(bytes), bytes.into());
    }

    /// Declares one less.
    pub(crate) fn without(mut self, entry: &str) -> Self {
        self.entries.remove(&address(entry)).unwrap_or_else(|| panic!("{entry} was not declared"));
        self
    }

    pub(crate) fn owns(mut self, patterns: &[&str]) -> Self {
        self.ownership.owns = scope(patterns);
        self
    }

    pub(crate) fn ignores(mut self, patterns: &[&str]) -> Self {
        self.ownership.ignore = scope(patterns);
        self
    }

    pub(crate) fn protects(mut self, patterns: &[&str]) -> Self {
        self.ownership.protect = scope(patterns);
        self
    }

    /// Its `prune` is off.
    pub(crate) fn keeps_undeclared(mut self) -> Self {
        self.ownership.prune = Prune::Keep;
        self
    }

    /// It has no section for the other kind.
    pub(crate) fn speaks_only_of(mut self, kind: Kind) -> Self {
        self.ownership.kinds = vec![kind];
        self
    }

    pub(crate) fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    pub(crate) fn desired(&self) -> DesiredState {
        DesiredState::declared(self.ownership.clone(), self.entries.clone())
    }

    /// A portal that was brought to exactly this.
    pub(crate) fn portal(&self) -> Portal {
        let entries = self.entries.iter().map(|(address, desired)| {
            let listed = Listed { address: address.clone(), system: false, file_uri: format!("/upload/{address}") };
            ObservedEntry { listed, reading: Reading::Known(desired.content.clone()) }
        });
        Portal(ObservedState { entries: entries.collect() })
    }

    pub(crate) fn diff(&self, portal: &Portal) -> Diff {
        self.diff_of(portal, &Selection::All, Unbacked::Keep)
    }

    pub(crate) fn diff_of(&self, portal: &Portal, only: &Selection, unbacked: Unbacked) -> Diff {
        diff(&self.desired(), &portal.0, only, unbacked, "brand.yaml")
    }

    /// The plan, with all known images at hand.
    pub(crate) fn plan(&self, portal: &Portal) -> Plan {
        plan_of(self.diff(portal))
    }

    /// The counts of the guards, on this portal.
    pub(crate) fn counts(&self, portal: &Portal) -> CountsByKind {
        let count = |kind: Kind| {
            let owned = |entry: &&ObservedEntry| {
                entry.listed.address.kind == kind && self.ownership.of(&entry.listed.address).is_ok()
            };
            let declared = self.entries.keys().filter(|address| address.kind == kind).count();
            (
                kind,
                KindCounts { owned: portal.0.entries.iter().filter(owned).count(), declared, ..KindCounts::default() },
            )
        };
        Kind::ALL.map(count).into()
    }
}

/// A plan with all images at hand that are known. Which bytes they are does not matter to it.
pub(crate) fn plan_of(diff: Diff) -> Plan {
    let old = diff.changes.iter().filter_map(|change| change.action.before()?.content.as_ref());
    let new = diff.changes.iter().filter_map(|change| Some(&change.action.after()?.content));
    let contents: Contents = old.chain(new).map(|content| (content.sha256, Arc::from([]))).collect();
    Plan::new("portal".to_owned(), diff, contents)
}

/// The state of a portal.
#[derive(Clone)]
pub(crate) struct Portal(ObservedState);

impl Portal {
    /// A portal without any entries.
    pub(crate) fn empty() -> Self {
        Self(ObservedState::default())
    }

    /// Lists one more custom entry.
    pub(crate) fn with(self, entry: &str, look: Look) -> Self {
        let content = image(address(entry).kind, look);
        self.listing(entry, false, Reading::Known(content))
    }

    /// Lists one more system entry.
    pub(crate) fn with_system(self, entry: &str) -> Self {
        self.listing(entry, true, Reading::NotNeeded)
    }

    fn listing(mut self, entry: &str, system: bool, reading: Reading) -> Self {
        let file_uri = if system { String::new() } else { format!("/upload/{entry}") };
        self.0.entries.push(ObservedEntry { listed: Listed { address: address(entry), system, file_uri }, reading });
        self
    }

    pub(crate) fn without(mut self, entry: &str) -> Self {
        self.position(entry);
        self.0.entries.retain(|one| one.listed.address != address(entry));
        self
    }

    /// Holds another image of an entry, which it has stored at another place.
    pub(crate) fn showing(self, entry: &str, look: Look) -> Self {
        let content = image(address(entry).kind, look);
        self.storing(entry, content)
    }

    /// Holds other bytes of an entry, which it has stored at another place.
    pub(crate) fn storing(self, entry: &str, content: Content) -> Self {
        let mut portal = self.reading(entry, Reading::of(content));
        let at = portal.position(entry);
        if let Some(one) = portal.0.entries.get_mut(at) {
            one.listed.file_uri.push_str("/again");
        }
        portal
    }

    /// Spells an entry otherwise.
    pub(crate) fn spelling(mut self, entry: &str, otherwise: &str) -> Self {
        let at = self.position(entry);
        if let Some(one) = self.0.entries.get_mut(at) {
            one.listed.address = address(otherwise);
        }
        self
    }

    /// Gives other bytes for an entry than it has stored.
    pub(crate) fn giving(self, entry: &str, content: Content) -> Self {
        self.reading(entry, Reading::of(content))
    }

    /// Gives bytes for an entry that may be another entry's.
    pub(crate) fn doubted(self, entry: &str, content: Content) -> Self {
        self.reading(entry, Reading::Doubtful { content, doubt: Doubt::Substituted("doubted".to_owned()) })
    }

    /// Does not give an entry's image away.
    pub(crate) fn failing(self, entry: &str) -> Self {
        self.reading(entry, Reading::Failed("404".to_owned()))
    }

    /// Holds an image that is unknown, because it was not needed.
    pub(crate) fn unread(self, entry: &str) -> Self {
        self.reading(entry, Reading::NotNeeded)
    }

    fn reading(mut self, entry: &str, reading: Reading) -> Self {
        let at = self.position(entry);
        if let Some(one) = self.0.entries.get_mut(at) {
            one.reading = reading;
        }
        self
    }

    fn position(&self, entry: &str) -> usize {
        let is = |one: &ObservedEntry| one.listed.address == address(entry);
        self.0.entries.iter().position(is).unwrap_or_else(|| panic!("{entry} is not listed"))
    }

    /// The entries that it lists under the code of a change, in any letter case.
    pub(crate) fn live(&self, change: &Change) -> Vec<ObservedEntry> {
        let folded = change.address.folded();
        self.0.entries.iter().filter(|entry| entry.listed.address.folded() == folded).cloned().collect()
    }
}

/// The changes of a diff, a line each: what is done to what, why, and the other half of a rename.
pub(crate) fn shown(diff: &Diff) -> Vec<String> {
    let one = |change: &Change| {
        let rename = change.rename.as_ref().map(|other| format!(", renamed {other}")).unwrap_or_default();
        format!("{} {}: {:?}{rename}", change.action.name(), change.address, change.reason)
    };
    diff.changes.iter().map(one).collect()
}
