//! The images of a page: each distinct one once, as a class of the style sheet that has it as a background. So one image
//! can be shown in many places and sizes, and each place takes only the class name.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::asset::{Digest, Kind};
use crate::domain::png::{self, Comparison, Image};

/// The maximum size in bytes of an image on a page. The portal's are 60 pixels wide at most; a larger file is broken.
const MAX_IMAGE_BYTES: usize = 256 << 10;

/// The picture of some bytes that can be shown.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) class: String,
    pub(super) size: usize,
    pub(super) image: Image,
}

impl Picture {
    /// The dimensions of an image, where they are not those of its kind.
    pub(super) fn misfit(&self, kind: Kind) -> Option<String> {
        let (width, height) = self.image.pixels.dimensions();
        let side = kind.side();
        ((width, height) != (side, side)).then(|| format!("{width}×{height} px instead of {side}×{side}"))
    }
}

/// The images that a page needs so far.
#[derive(Debug, Default)]
pub(super) struct Gallery {
    classes: BTreeMap<Digest, String>,
    /// The rules that draw the images.
    pub(super) style: String,
}

impl Gallery {
    /// Takes in a PNG. `None` if it cannot be shown: it is not a sound PNG, or too large for a page.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<Picture> {
        if bytes.len() > MAX_IMAGE_BYTES {
            return None;
        }
        let image = png::read(bytes).ok()?;
        Some(Picture { class: self.class(bytes), size: bytes.len(), image })
    }

    /// Takes in the picture of a comparison and gives its class.
    pub(super) fn take_comparison(&mut self, comparison: &Comparison) -> Option<String> {
        comparison.picture().ok().map(|bytes| self.class(&bytes))
    }

    fn class(&mut self, bytes: &[u8]) -> String {
        let next = format!("i{}", self.classes.len());
        let style = &mut self.style;
        self.classes
            .entry(Digest::of(bytes))
            .or_insert_with(|| {
                let data = STANDARD.encode(bytes);
                let _ = write!(style, ".{next}{{--i:url(data:image/png;base64,{data})}}");
                next
            })
            .clone()
    }
}
