//! The inputs of the guards besides the plan: what the user allows, and the counts of each kind.

use std::collections::BTreeMap;

use crate::domain::asset::Kind;
use crate::domain::diff::Unbacked;

/// The exceptions that the user allows in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowances {
    /// The maximum number of deletes of one kind, from the flag or else from the manifest; `None` is the default limit.
    pub max_deletes: Option<usize>,
    /// The handling of deletes of a kind that declares nothing.
    pub empty: Empty,
    /// Whether entries whose old bytes could not be kept may be changed.
    pub unbacked: Unbacked,
    /// Whether icons may be deleted that log entries name, or that unreadable log entries may name.
    pub in_use: InUse,
    /// Whether entries may be deleted if their kind's folder may not be checked out completely.
    pub checkout: IncompleteCheckout,
}

/// The handling of deletes of a kind whose folder may not be checked out completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncompleteCheckout {
    /// The guard refuses them.
    Refuse,
    /// They are allowed (`--allow-incomplete-checkout`).
    Allow,
}

/// The handling of deletes of icons that are in use, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InUse {
    /// The guard refuses them.
    Refuse,
    /// They are allowed (`--allow-in-use`).
    Allow,
}

/// Whether a kind that declares nothing may lose entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// It may not.
    Refuse,
    /// It may (`--allow-empty`).
    Allow,
}

/// The completeness of the folder that declares a kind: whether every file that is committed there is checked out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum FolderCheckout {
    /// Every file is checked out, or nothing is committed there, or it was not checked because nothing would be deleted.
    #[default]
    Whole,
    /// Not every file is checked out, or it is not known.
    Incomplete {
        /// Why, in one sentence.
        why: String,
        /// How to complete it.
        help: String,
    },
}

/// Counts of one kind for the guards, and what is known of its folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindCounts {
    /// Entries on the portal that the manifest owns.
    pub(crate) owned: usize,
    /// Entries that the manifest declares.
    pub(crate) declared: usize,
    /// Whether the folder that declares them is checked out completely.
    pub(crate) checkout: FolderCheckout,
}

/// The counts of each kind in the manifest.
pub type CountsByKind = BTreeMap<Kind, KindCounts>;
