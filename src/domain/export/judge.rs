//! The check whether a manifest can declare an entry of an export, with the same rules that will check that manifest.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::asset::Address;
use crate::domain::diff::PortalIndex;
use crate::domain::finding::{Finding, Place};
use crate::domain::manifest::{self as manifests, Level, Manifest};
use crate::domain::plan::Contents;
use crate::domain::rules;
use crate::domain::scope::{Pattern, Scope};
use crate::domain::state::{Doubt, ObservedState, Reading};

use super::names::MANIFEST;

/// The decision whether a manifest can declare an entry.
pub(super) enum Judgement<'a> {
    NotAsked,
    Unknown(String),
    Refused(&'a Arc<[u8]>, String),
    Sound(&'a Arc<[u8]>, Opacity),
}

/// The presence of transparent pixels in an image.
pub(super) enum Opacity {
    Transparent,
    Opaque,
}

/// The rules that a manifest's art must keep, to check entries before there is a manifest.
pub(super) struct DeclarationRules<'a> {
    /// A manifest that owns everything and allows opaque art.
    manifest: Manifest,
    portal: PortalIndex<'a>,
}

impl<'a> DeclarationRules<'a> {
    pub(super) fn of(observed: &'a ObservedState) -> Self {
        let everything = Pattern::parse("*").and_then(|pattern| Scope::new(vec![pattern])).unwrap_or_default();
        let manifest = Manifest {
            owns: everything,
            rules: BTreeMap::from([(rules::TRANSPARENT_BACKGROUND.to_owned(), Level::Warn)]),
            ..Manifest::default()
        };
        Self { manifest, portal: PortalIndex::of(observed) }
    }

    pub(super) fn judge<'b>(&self, address: &Address, reading: &Reading, contents: &'b Contents) -> Judgement<'b> {
        let content = match reading {
            Reading::NotNeeded => return Judgement::NotAsked,
            // Bytes that arrived for several entries may look like an image of any of them, and must not be declared.
            Reading::Failed(why) | Reading::Doubtful { doubt: Doubt::Substituted(why), .. } => {
                return Judgement::Unknown(why.clone());
            }
            Reading::Known(content) | Reading::Doubtful { content, doubt: Doubt::Unsound } => content,
        };
        let Some(bytes) = contents.get(&content.sha256) else {
            return Judgement::Unknown("its bytes were not kept".to_owned());
        };
        let found = rules::check_planned(&self.manifest, address, address.code.as_str(), bytes);
        let why = self.of_code(address).or_else(|| found.iter().find(|finding| finding.is_error()).cloned());
        let why = why.map(|finding| format!("{}: {}", finding.rule, finding.message));
        match why {
            Some(why) => Judgement::Refused(bytes, why),
            None if found.iter().any(|finding| finding.rule == rules::TRANSPARENT_BACKGROUND) => {
                Judgement::Sound(bytes, Opacity::Opaque)
            }
            None => Judgement::Sound(bytes, Opacity::Transparent),
        }
    }

    /// The reason why a manifest cannot declare this code.
    fn of_code(&self, address: &Address) -> Option<Finding> {
        if let Err(conflict) = self.portal.check(address) {
            return Some(*conflict);
        }
        let codes = [(&address.code, Place::START)];
        let found = manifests::check_codes(&self.manifest, address.kind, codes, MANIFEST);
        found.into_iter().find(Finding::is_error)
    }
}
