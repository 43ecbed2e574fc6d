//! The manifest: what a branding repository declares.
//!
//! It is read in two steps. [`yaml`](super::yaml) turns text into a tree of values that know their spelling and their
//! place, and finds faults that any YAML can have (syntax, duplicate keys). `meaning` turns that tree into a
//! [`Manifest`] and finds the faults of this manifest. Neither stops at the first finding. `document` describes the
//! same file to editors.
//!
//! Values are read as YAML 1.2 reads them, with one exception: keys are codes, so a key is the text as it is spelt.
//! `on:`, `123:` and `null:` declare the codes `on`, `123` and `null`, quoted or not.

use std::collections::BTreeMap;

use super::asset::{Code, Kind};
use super::finding::Place;
use super::ownership::{Ownership, Prune};
use super::scope::Scope;

mod checks;
mod codes;
mod collector;
mod document;
mod edit;
mod meaning;
mod reader;
pub(crate) mod schema_copy;
mod sections;
#[cfg(test)]
mod tests;
mod text;
mod tuning;
mod values;

pub(crate) use super::rulebook::Level;
pub(crate) use checks::CHECKS;
pub(crate) use codes::check_codes;
pub(crate) use document::schema;
pub(crate) use edit::{line, with_file};
pub use meaning::{parse, read};
pub(crate) use text::MAX_BYTES;
pub(in crate::domain) use values::portal_host;

/// The version of the manifest's format that this brandctl reads.
pub(crate) const VERSION: u32 = 1;

/// The checked declaration of a branding repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// The hosts it may be applied to, in lower case, with the port when it is not 443; empty: any.
    pub(crate) portals: Vec<String>,
    /// Which entries it is the source of truth for; never empty.
    pub(crate) owns: Scope,
    /// Which entries are left alone although owned.
    pub(crate) ignore: Scope,
    /// Which entries are never deleted or replaced.
    pub(crate) protect: Scope,
    pub(crate) policy: Policy,
    /// The levels of art rules that the manifest sets, by rule id.
    pub(crate) rules: BTreeMap<String, Level>,
    /// The icons; `None` when they are not managed.
    pub(crate) icons: Option<Section>,
    /// The logos; `None` when they are not managed.
    pub(crate) logos: Option<Section>,
}

impl Manifest {
    /// The declaration of one kind; `None` when that kind is not managed.
    pub(crate) const fn section(&self, kind: Kind) -> Option<&Section> {
        match kind {
            Kind::Icon => self.icons.as_ref(),
            Kind::Logo => self.logos.as_ref(),
        }
    }

    /// The same, to be changed.
    const fn section_mut(&mut self, kind: Kind) -> Option<&mut Section> {
        match kind {
            Kind::Icon => self.icons.as_mut(),
            Kind::Logo => self.logos.as_mut(),
        }
    }

    /// Whether it may be applied to this portal.
    pub(crate) fn is_for(&self, portal: &str) -> bool {
        self.portals.is_empty() || self.portals.iter().any(|named| named == portal)
    }

    /// The entries that brandctl may touch.
    pub fn ownership(&self) -> Ownership {
        Ownership {
            owns: self.owns.clone(),
            ignore: self.ignore.clone(),
            protect: self.protect.clone(),
            prune: if self.policy.prune { Prune::Delete } else { Prune::Keep },
            kinds: Kind::ALL.into_iter().filter(|kind| self.section(*kind).is_some()).collect(),
        }
    }

    /// The level of this rule, when the manifest sets it.
    pub(crate) fn level(&self, rule: &str) -> Option<Level> {
        self.rules.get(rule).copied()
    }
}

/// Limits for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Whether owned entries that are not declared are deleted.
    pub(crate) prune: bool,
    /// The maximum number of deletes of each kind in one run; `None` is the default.
    pub(crate) max_deletes: Option<u32>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { prune: true, max_deletes: None }
    }
}

/// The declaration of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Section {
    /// Every code with its file; empty if none is declared.
    Entries(BTreeMap<Code, Entry>),
    /// Every `*.png` of a folder; the code is the file's stem.
    Folder {
        /// The folder, as written: relative to the manifest's folder, with `/`, never leaving it by `..`.
        path: String,
        /// Where the manifest names it.
        place: Place,
    },
}

/// The check of paths. It continues where the root is known.
pub(crate) const BAD_PATH: &str = checks::BAD_PATH;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its file, as written or `icons/<code>.png`: relative to the manifest's folder, with `/`. Where it may lead is
    /// not known here.
    pub(crate) path: String,
    /// Where the path is written: its value, else the key.
    pub(crate) path_place: Place,
    /// Where the manifest declares it: its key.
    pub(crate) place: Place,
}
