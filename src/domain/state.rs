//! What the portal should hold and what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::asset::{Address, Digest, FoldedCode, Kind};
use super::finding::Place;
use super::ownership::{Ownership, Prune};
use super::png::{self, Appearance};
use super::scope::{Pattern, Scope};

/// The facts of an image, enough to compare it without having its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    pub(crate) size: u64,
    /// How the image looks; null when the bytes are not a sound PNG.
    pub(crate) appearance: Option<Appearance>,
}

impl Content {
    /// The facts of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Digest::of(bytes),
            size: bytes.len() as u64,
            appearance: png::read(bytes).ok().map(|image| image.appearance()),
        }
    }

    /// The facts of bytes that a download brought, or the reason why no portal can have stored them: `add` takes nothing but a
    /// PNG whose header says the exact size. Such bytes are somebody's on the way, such as an image service's or a proxy's, and
    /// say nothing of the stored image. What follows the header is for others to judge, because `add` does not look at it.
    pub(crate) fn of_download(kind: Kind, bytes: &[u8]) -> Result<Self, String> {
        let side = kind.side();
        match png::dimensions(bytes) {
            Some(size) if size == (side, side) => Ok(Self::of(bytes)),
            Some((width, height)) => {
                Err(format!("a PNG of {width}×{height} pixels came, and a stored {kind} has {side}×{side}"))
            }
            None => Err("what came is not a PNG, and a portal stores nothing else".to_owned()),
        }
    }

    /// Whether both look the same. Bytes that are not a sound PNG look only like themselves.
    pub(crate) fn same_appearance(&self, other: &Self) -> bool {
        self.sha256 == other.sha256 || (self.appearance.is_some() && self.appearance == other.appearance)
    }
}

/// An entry that stays as it is, whose image is known without the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlImage {
    pub(crate) address: Address,
    /// Where its image is.
    pub(crate) file_uri: String,
    /// The image that is declared for it.
    pub(crate) content: Content,
}

/// An entry that the manifest declares, with art that the rules found sound.
#[derive(Debug, Clone)]
pub(crate) struct Desired {
    /// The art's file, as the user would name it.
    pub(crate) file: String,
    /// Where the manifest declares it.
    pub(crate) place: Place,
    pub(crate) png: Arc<[u8]>,
    pub(crate) content: Content,
}

/// The entries that the portal should hold. The rules make one of a manifest whose art they found sound, and
/// [`super::restore`] makes one of images that the portal had before; nothing else makes one.
#[derive(Debug, Clone)]
pub struct DesiredState {
    ownership: Ownership,
    entries: BTreeMap<Address, Desired>,
}

impl DesiredState {
    /// The entries that a manifest declares. Called by the rules alone, once no finding is an error.
    pub(super) const fn declared(ownership: Ownership, entries: BTreeMap<Address, Desired>) -> Self {
        Self { ownership, entries }
    }

    /// The entries of a backup: images that were on the portal, about which the rules are not asked. Called by restore
    /// alone. Nothing is deleted to bring something else back.
    pub(super) fn of_backup(ownership: &Ownership, entries: BTreeMap<Address, Desired>) -> Self {
        Self { ownership: Ownership { prune: Prune::Keep, ..ownership.clone() }, entries }
    }

    /// The entries that brandctl may touch.
    pub(crate) const fn ownership(&self) -> &Ownership {
        &self.ownership
    }

    pub(crate) const fn entries(&self) -> &BTreeMap<Address, Desired> {
        &self.entries
    }

    /// Whether the diff will ask for the content of a listed entry: it is owned, and declared or about to be deleted.
    pub(crate) fn needs<'a>(&'a self, only: &'a Selection) -> impl Fn(&Listed) -> bool + 'a {
        let declared: BTreeMap<_, _> = self.entries.keys().map(|address| (address.folded(), address)).collect();
        move |listed| {
            !listed.system
                && self.ownership.of(&listed.address).is_ok()
                && match declared.get(&listed.address.folded()) {
                    Some(declaration) => only.admits(declaration),
                    None => self.ownership.prune == Prune::Delete && only.admits(&listed.address),
                }
        }
    }
}

/// The addresses that a command is about.
#[derive(Debug, Clone, Default)]
pub enum Selection {
    /// Everything.
    #[default]
    All,
    /// The addresses that match one of the `--only` patterns.
    Matching(Scope),
    /// The entries that were named, in any letter case.
    Named(BTreeSet<(Kind, FoldedCode)>),
}

impl Selection {
    /// The patterns of `--only`; none when it was not given.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        match self {
            Self::Matching(scope) => scope.patterns(),
            Self::All | Self::Named(_) => &[],
        }
    }

    /// Whether the command is about `address`. An entry that is declared goes by the spelling of its declaration.
    pub(crate) fn admits(&self, address: &Address) -> bool {
        match self {
            Self::All => true,
            Self::Matching(scope) => scope.matches(address),
            Self::Named(addresses) => addresses.contains(&address.folded()),
        }
    }
}

/// One entry as the portal lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Kind and code, spelt as the portal spells it.
    pub address: Address,
    /// Comes with the product: never touched.
    pub system: bool,
    /// Where its PNG is: a path on the portal or an absolute URL; empty for system entries. A new one with every add,
    /// but once seen, it keeps its content.
    pub file_uri: String,
}

/// All entries that the portal lists, of both kinds, in the portal's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The entries; a code can be listed twice.
    pub entries: Vec<Listed>,
}

impl Listing {
    /// The custom entries of a kind that `ownership` owns.
    pub(crate) fn owned(&self, ownership: &Ownership, kind: Kind) -> usize {
        self.entries
            .iter()
            .filter(|listed| listed.address.kind == kind && !listed.system && ownership.of(&listed.address).is_ok())
            .count()
    }
}

/// The knowledge of an entry's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Nobody needs to know.
    NotNeeded,
    /// Read, now or at an earlier time under the same `fileUri`.
    Known(Content),
    /// Something came that `add` would take, and there is reason to doubt that it is the stored image, which is unknown.
    Doubtful {
        /// The facts of what came.
        content: Content,
        /// The reason.
        doubt: Doubt,
    },
    /// Could not be fetched, and why.
    Failed(String),
}

/// The reason to doubt that what came is the stored image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// It is not a sound PNG: it was cut or damaged on the way, or is stored so.
    Unsound,
    /// It came for several entries that are known to have different images, in words.
    Substituted(String),
}

const UNSOUND: &str = "what came is not a sound PNG: it was damaged on the way, or is stored so, and then --allow-unbacked can \
                       replace or delete it";

impl Reading {
    /// The reading that bytes with these facts are.
    pub(crate) const fn of(content: Content) -> Self {
        if content.appearance.is_some() {
            Self::Known(content)
        } else {
            Self::Doubtful { content, doubt: Doubt::Unsound }
        }
    }

    /// The facts of the bytes that came, whatever they are: to keep and to show them.
    pub(crate) const fn content(&self) -> Option<&Content> {
        match self {
            Self::Known(content) | Self::Doubtful { content, .. } => Some(content),
            Self::NotNeeded | Self::Failed(_) => None,
        }
    }

    /// The facts of the bytes that came, if they may be compared: what came for several entries says nothing of any of them, and
    /// what is not sound looks only like itself.
    pub(crate) const fn comparable(&self) -> Option<&Content> {
        match self {
            Self::Known(content) | Self::Doubtful { content, doubt: Doubt::Unsound } => Some(content),
            Self::Doubtful { doubt: Doubt::Substituted(_), .. } | Self::NotNeeded | Self::Failed(_) => None,
        }
    }

    /// Why nobody knows the stored image, though it was asked for.
    pub(crate) fn why_unknown(&self) -> Option<&str> {
        match self {
            Self::Failed(why) | Self::Doubtful { doubt: Doubt::Substituted(why), .. } => Some(why),
            Self::Doubtful { doubt: Doubt::Unsound, .. } => Some(UNSOUND),
            Self::NotNeeded | Self::Known(_) => None,
        }
    }
}

/// One entry as the portal lists it, and what is known of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObservedEntry {
    pub(crate) listed: Listed,
    pub(crate) reading: Reading,
}

/// The entries that the portal holds: the listing, with the content of the entries that matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ObservedState {
    /// The entries, in the portal's order.
    pub(crate) entries: Vec<ObservedEntry>,
}
