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

    /// The facts of downloaded bytes, or the reason why no portal can have stored them: `add` accepts only a PNG whose
    /// header has the exact size. Other bytes come from something in between, such as an image service or a proxy, and
    /// prove nothing about the stored image. What follows the header is checked elsewhere, because `add` does not check
    /// it.
    pub(crate) fn of_download(kind: Kind, bytes: &[u8]) -> Result<Self, String> {
        let side = kind.side();
        match png::dimensions(bytes) {
            Some(size) if size == (side, side) => Ok(Self::of(bytes)),
            Some((width, height)) => {
                Err(format!("the download is a PNG of {width}×{height} pixels, but a stored {kind} has {side}×{side}"))
            }
            None => Err("the download is not a PNG, but a portal stores only PNGs".to_owned()),
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
/// [`super::restore`] makes one of images that the portal had before; there is no other way to make one.
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

    /// The entries of a backup: images that were on the portal, to which the rules are not applied. Called by restore
    /// alone. A restore never deletes an entry to bring another one back.
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

    /// Whether the diff needs the content of a listed entry: it is owned, and declared or about to be deleted.
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

    /// Whether the command is about `address`. A declared entry is matched by the spelling of its declaration.
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

/// What is known of an entry's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It is not needed.
    NotNeeded,
    /// Read, now or at an earlier time under the same `fileUri`.
    Known(Content),
    /// `add` would accept the received bytes, but there is reason to doubt that they are the stored image. The stored
    /// image is unknown.
    Doubtful {
        /// The facts of the received bytes.
        content: Content,
        /// The reason.
        doubt: Doubt,
    },
    /// Could not be fetched, and why.
    Failed(String),
}

/// The reason to doubt that the received bytes are the stored image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// They are not a sound PNG: they were cut or damaged on the way, or are stored like that.
    Unsound,
    /// They arrived for several entries that are known to have different images, in words.
    Substituted(String),
}

const UNSOUND: &str = "the download is not a sound PNG: it was damaged on the way, or the portal stores it like that; in that \
     case --allow-unbacked can replace or delete the entry";

impl Reading {
    /// The reading of bytes with these facts.
    pub(crate) const fn of(content: Content) -> Self {
        if content.appearance.is_some() {
            Self::Known(content)
        } else {
            Self::Doubtful { content, doubt: Doubt::Unsound }
        }
    }

    /// The facts of the received bytes, doubtful or not: to keep and to show them.
    pub(crate) const fn content(&self) -> Option<&Content> {
        match self {
            Self::Known(content) | Self::Doubtful { content, .. } => Some(content),
            Self::NotNeeded | Self::Failed(_) => None,
        }
    }

    /// The facts of the received bytes, if they may be compared. Bytes that arrived for several entries prove nothing
    /// about any of them, and bytes that are not sound look only like themselves.
    pub(crate) const fn comparable(&self) -> Option<&Content> {
        match self {
            Self::Known(content) | Self::Doubtful { content, doubt: Doubt::Unsound } => Some(content),
            Self::Doubtful { doubt: Doubt::Substituted(_), .. } | Self::NotNeeded | Self::Failed(_) => None,
        }
    }

    /// Why the stored image is unknown although it was requested.
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
