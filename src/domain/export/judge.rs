//! Whether a manifest can declare an entry of an export, by the same rules that will check that manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::asset::{Address, Code, FoldedCode, Kind};
use crate::domain::finding::{Finding, Place};
use crate::domain::manifest::{self as manifests, Level, Manifest};
use crate::domain::plan::Contents;
use crate::domain::quote::quoted;
use crate::domain::rules;
use crate::domain::scope::{Pattern, Scope};
use crate::domain::state::{Listed, ObservedState, Reading};

use super::names::MANIFEST;

/// Whether an entry can be declared.
pub(super) enum Judgement<'a> {
    NotAsked,
    Unknown(String),
    Refused(&'a Arc<[u8]>, String),
    Sound(&'a Arc<[u8]>, Opacity),
}

/// Whether an image has transparent pixels.
#[derive(PartialEq, Eq)]
pub(super) enum Opacity {
    Transparent,
    Opaque,
}

/// The rules that a manifest's art must keep, to check entries before there is a manifest.
pub(super) struct DeclarationRules {
    /// A manifest that owns everything and allows opaque art.
    manifest: Manifest,
    /// The system codes, by their folded form.
    reserved: BTreeMap<(Kind, FoldedCode), Code>,
    /// The codes that the portal lists more than once.
    ambiguous: BTreeSet<(Kind, FoldedCode)>,
}

impl DeclarationRules {
    pub(super) fn of(observed: &ObservedState) -> Self {
        let (mut seen, mut ambiguous, mut reserved) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        for Listed { address, system, .. } in observed.entries.iter().map(|entry| &entry.listed) {
            if *system {
                reserved.insert(address.folded(), address.code.clone());
            } else if !seen.insert(address.folded()) {
                ambiguous.insert(address.folded());
            }
        }
        let everything = Pattern::parse("*").and_then(|pattern| Scope::new(vec![pattern])).unwrap_or_default();
        let manifest = Manifest {
            owns: everything,
            rules: BTreeMap::from([(rules::TRANSPARENT_BACKGROUND.to_owned(), Level::Warn)]),
            ..Manifest::default()
        };
        Self { manifest, reserved, ambiguous }
    }

    pub(super) fn judge<'a>(&self, address: &Address, reading: &Reading, contents: &'a Contents) -> Judgement<'a> {
        let content = match reading {
            Reading::NotNeeded => return Judgement::NotAsked,
            Reading::Failed(why) => return Judgement::Unknown(why.clone()),
            Reading::Known(content) => content,
        };
        let Some(bytes) = contents.get(&content.sha256) else {
            return Judgement::Unknown("its bytes were not kept".to_owned());
        };
        let found = rules::check_planned(&self.manifest, address, address.code.as_str(), bytes);
        let why = self.of_code(address).or_else(|| {
            let worst = found.iter().find(|finding| finding.is_error())?;
            Some(format!("{}: {}", worst.rule, worst.message))
        });
        match why {
            Some(why) => Judgement::Refused(bytes, why),
            None if found.iter().any(|finding| finding.rule == rules::TRANSPARENT_BACKGROUND) => {
                Judgement::Sound(bytes, Opacity::Opaque)
            }
            None => Judgement::Sound(bytes, Opacity::Transparent),
        }
    }

    /// The reason why a manifest cannot declare this code.
    fn of_code(&self, address: &Address) -> Option<String> {
        if self.ambiguous.contains(&address.folded()) {
            return Some("code-ambiguous: the portal lists several entries that differ by case at most".to_owned());
        }
        if let Some(system) = self.reserved.get(&address.folded()) {
            let system = quoted(system.as_str());
            return Some(format!("code-reserved: the portal has a system entry {system}, the same code but for case"));
        }
        let codes = [(&address.code, Place::START)];
        let found = manifests::check_codes(&self.manifest, address.kind, codes, MANIFEST);
        found.into_iter().find(Finding::is_error).map(|finding| format!("{}: {}", finding.rule, finding.message))
    }
}
