//! The subjects of the rules: one piece of art with its decoded parts, and all the art together.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::domain::asset::Address;
use crate::domain::finding::Place;
use crate::domain::png::{Header, Image, PngFault};

use super::legibility::Legibility;

/// One declared image, as read from disk.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The entry it is for.
    pub address: Address,
    /// Its file, as the user would name it, relative to the manifest.
    pub file: String,
    /// Where the manifest declares it.
    pub place: Place,
    /// Its size on disk, in bytes.
    pub size: u64,
    /// Its bytes; `None` when it is larger than anything worth reading ([`MAX_READ`](crate::domain::rules::MAX_READ)).
    pub bytes: Option<Arc<[u8]>>,
}

/// The PNGs that the manifest does not declare.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrphanFiles {
    /// Their paths, relative to the manifest, sorted.
    pub(crate) files: Vec<String>,
    /// The reason why there may be more of them: what could not be searched, and the reason.
    pub(crate) unseen: Option<String>,
}

/// A piece with the decoded parts of its bytes.
pub(in crate::domain) struct DecodedPiece<'a> {
    pub(super) piece: &'a Piece,
    /// The header, when every chunk is sound.
    pub(super) header: Option<&'a Header>,
    /// The image, when its pixels are sound too; `None` when there were no bytes or too many pixels to decode.
    pub(super) image: Option<Result<&'a Image, &'a PngFault>>,
    /// Its legibility, measured once for all rules that need it.
    legibility: OnceCell<Legibility>,
}

impl<'a> DecodedPiece<'a> {
    pub(in crate::domain) const fn new(
        piece: &'a Piece,
        header: Option<&'a Header>,
        image: Option<Result<&'a Image, &'a PngFault>>,
    ) -> Self {
        Self { piece, header, image, legibility: OnceCell::new() }
    }

    /// The legibility of the image on the grounds of its kind.
    pub(super) fn legibility(&self) -> Option<&Legibility> {
        let image = self.image?.ok()?;
        Some(self.legibility.get_or_init(|| Legibility::of(self.piece.address.kind, &image.pixels)))
    }
}

/// All the sound art, and what lies beside it.
pub(in crate::domain) struct AllArt<'a> {
    /// How the user names the manifest.
    pub(in crate::domain) manifest: &'a str,
    /// Sorted by address, each with the checksum of its pixels.
    pub(in crate::domain) pieces: &'a [(&'a Piece, u32)],
    pub(in crate::domain) orphans: &'a OrphanFiles,
}
