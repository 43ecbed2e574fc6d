//! The published form of what `list` found on a portal.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::asset::{Address, Code, Digest, Kind};
use crate::domain::list::{self, ListEntry, ListReport, Management};
use crate::domain::png::Appearance;
use crate::format::printed;

/// What a portal holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl list", deny_unknown_fields)]
pub struct ListDocument {
    /// The manifest that decides what is managed; null without one.
    pub(crate) manifest: Option<String>,
    /// The custom entries by kind and code, then the system entries.
    pub(crate) entries: Vec<HeldDocument>,
    /// Counts.
    pub(crate) summary: ListSummary,
}

/// One entry of the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct HeldDocument {
    /// The entry, as in icon/acme-call: kind and code.
    pub(crate) address: Address,
    /// Icon or logo.
    pub(crate) kind: Kind,
    /// Its code, spelt as the portal spells it.
    pub(crate) code: Code,
    /// What brandctl may do with it.
    pub(crate) standing: ManagementName,
    /// How many bytes its file has; null for a system entry, and when it could not be fetched.
    pub(crate) size: Option<u64>,
    /// The SHA-256 of those bytes.
    pub(crate) sha256: Option<Digest>,
    /// An identifier of how the image looks: two are equal exactly if the images look the same. Null if the bytes are not
    /// a sound PNG.
    #[serde(rename = "look")]
    pub(crate) appearance: Option<Appearance>,
    /// Why it could not be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown: Option<String>,
}

/// Counts of what is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ListSummary {
    /// Owned entries that the manifest declares.
    pub(crate) managed: usize,
    /// Owned entries that the manifest does not declare.
    pub(crate) undeclared: usize,
    /// Owned entries that are never replaced or deleted.
    pub(crate) protected: usize,
    /// Owned entries that are left alone.
    pub(crate) ignored: usize,
    /// Entries that are not owned.
    pub(crate) unmanaged: usize,
    /// Entries of unknown owner, because there is no manifest.
    pub(crate) custom: usize,
    /// Entries that come with the product.
    pub(crate) system: usize,
    /// Entries, counted above, whose image is unknown.
    pub(crate) unknown: usize,
}

impl From<&ListReport> for ListDocument {
    fn from(list: &ListReport) -> Self {
        let count = |management| list.count(management);
        Self {
            manifest: list.manifest.clone(),
            entries: list.entries.iter().map(HeldDocument::from).collect(),
            summary: ListSummary {
                managed: count(Management::Managed),
                undeclared: count(Management::Undeclared),
                protected: count(Management::Protected),
                ignored: count(Management::Ignored),
                unmanaged: count(Management::Unmanaged),
                custom: count(Management::Custom),
                system: count(Management::System),
                unknown: list.unknown(),
            },
        }
    }
}

impl From<&ListEntry> for HeldDocument {
    fn from(entry: &ListEntry) -> Self {
        let ListEntry { address, management, reading } = entry;
        let content = reading.comparable();
        Self {
            address: address.clone(),
            kind: address.kind,
            code: address.code.clone(),
            standing: (*management).into(),
            size: content.map(|content| content.size),
            sha256: content.map(|content| content.sha256),
            appearance: content.and_then(|content| content.appearance),
            unknown: reading.why_unknown().map(ToOwned::to_owned),
        }
    }
}

printed! {
    /// What brandctl may do with an entry.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Standing")]
    ManagementName = list::Management {
        /// Owned and declared: apply makes it match the manifest.
        Managed,
        /// Owned and not declared: apply deletes it, unless `prune` is off.
        Undeclared,
        /// Owned, but matched by `protect`: never replaced or deleted.
        Protected,
        /// Owned, but matched by `ignore`: left alone.
        Ignored,
        /// Not owned: left alone.
        Unmanaged,
        /// A custom entry; without a manifest, its owner is unknown.
        Custom,
        /// It comes with the product: never touched.
        System,
    }
}
