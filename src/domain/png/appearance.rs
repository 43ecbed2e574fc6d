//! Appearance: when two images look the same.

use std::fmt;

use png::BitDepth;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::header::Header;
use crate::domain::asset::Digest;

/// Names how an image looks: two are equal exactly when the images look the same.
///
/// It covers the dimensions, the decoded RGBA with fully transparent pixels normalised, and the colour chunks iCCP
/// (inflated, without its name), gAMA, cHRM and cICP; sRGB counts as none. Compression, palette, bit depth, interlacing
/// and metadata are not a part of it: 16 bits count only where they say more than 8 do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "Look")]
pub struct Appearance(Digest);

impl Appearance {
    /// `samples` are normalised RGBA of `depth` bits, big-endian.
    pub(super) fn of(header: &Header, profile: Option<&[u8]>, depth: BitDepth, samples: &[u8]) -> Self {
        let color = &header.color;
        let gamma = color.gamma.map(u32::to_be_bytes);
        // None and empty must differ, so each chunk is a list of no or one part.
        let optional: [Option<&[u8]>; 4] = [
            profile,
            gamma.as_ref().map(<[u8; 4]>::as_slice),
            color.chromaticities.as_ref().map(<[u8; 32]>::as_slice),
            color.cicp.as_ref().map(<[u8; 4]>::as_slice),
        ];
        let present = optional.map(|part| u8::from(part.is_some()));
        let [profile, gamma, chromaticities, cicp] = optional.map(Option::unwrap_or_default);
        Self(Digest::of_parts(&[
            &header.width.to_be_bytes(),
            &header.height.to_be_bytes(),
            &[depth as u8],
            samples,
            &present,
            profile,
            gamma,
            chromaticities,
            cicp,
        ]))
    }
}

impl fmt::Display for Appearance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
