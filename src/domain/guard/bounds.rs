//! What the guards weigh a plan against: what the user allows, and the counts of each kind.

use std::collections::BTreeMap;

use crate::domain::asset::Kind;
use crate::domain::diff::Unbacked;

/// The exceptions that the user allows in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowances {
    /// Most deletes of one kind, from the flag or else from the manifest; `None` is the default bound.
    pub max_deletes: Option<usize>,
    /// The handling of deletes of a kind that declares nothing.
    pub empty: Empty,
    /// Whether entries may be changed whose old bytes could not be kept.
    pub unbacked: Unbacked,
    /// Whether icons may be deleted that log entries name, or that may be named by some that could not be read.
    pub in_use: InUse,
    /// Whether entries may be deleted that a folder declares of which not all may be checked out.
    pub checkout: IncompleteCheckout,
}

/// The handling of deletes of a kind whose folder may not be checked out whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncompleteCheckout {
    /// They may not.
    Refuse,
    /// They may (`--allow-incomplete-checkout`).
    Allow,
}

/// The handling of deletes of icons that are in use, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InUse {
    /// They may not.
    Refuse,
    /// They may (`--allow-in-use`).
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
    /// It does, or nothing is committed there, or nobody asks because nothing would be deleted.
    #[default]
    Whole,
    /// It does not, or it is not known.
    Incomplete {
        /// Why, in one sentence.
        why: String,
        /// What makes it whole.
        help: String,
    },
}

/// Counts of one kind that the guards weigh a plan against, and what is known of its folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindCounts {
    /// Entries on the portal that the manifest owns.
    pub(crate) owned: usize,
    /// Entries that the manifest declares.
    pub(crate) declared: usize,
    /// Whether the folder that declares them is checked out whole.
    pub(crate) checkout: FolderCheckout,
}

/// The counts of each kind in the manifest.
pub type CountsByKind = BTreeMap<Kind, KindCounts>;
