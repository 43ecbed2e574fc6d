//! Ownership: the manifest's `owns`, `ignore`, `protect` and `prune`, applied to one entry at a time.

use super::asset::{Address, Kind};
use super::scope::Scope;

/// The part of a manifest that limits what brandctl may change.
#[derive(Debug, Clone)]
pub struct Ownership {
    /// Codes that the manifest is the source of truth for.
    pub(crate) owns: Scope,
    /// Codes that are left alone although they are owned.
    pub(crate) ignore: Scope,
    /// Codes that are never deleted or replaced.
    pub(crate) protect: Scope,
    pub(crate) prune: Prune,
    /// The kinds that the manifest has a section for; the others are unmanaged.
    pub(crate) kinds: Vec<Kind>,
}

/// The handling of owned entries that are not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prune {
    Delete,
    Keep,
}

/// The reason why brandctl leaves a custom entry alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unmanaged {
    /// The manifest has no section for its kind.
    KindAbsent,
    /// No pattern of `owns` matches it.
    NotOwned,
    /// A pattern of `ignore` matches it.
    Ignored,
    /// It is owned and not declared, but `prune` is off.
    NotPruned,
    /// It is owned and not declared, and a pattern of `protect` matches it, so that it stays with `prune` on too.
    Protected,
    /// A system entry has the same code, ignoring case: the portal could apply a write to the system entry instead.
    Reserved,
}

impl Ownership {
    /// Whether the entry is owned; if not, why it is unmanaged.
    pub(crate) fn of(&self, address: &Address) -> Result<(), Unmanaged> {
        if !self.kinds.contains(&address.kind) {
            Err(Unmanaged::KindAbsent)
        } else if !self.owns.matches(address) {
            Err(Unmanaged::NotOwned)
        } else if self.ignore.matches(address) {
            Err(Unmanaged::Ignored)
        } else {
            Ok(())
        }
    }
}
