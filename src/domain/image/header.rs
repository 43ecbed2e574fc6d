//! What a PNG says of itself before any pixel is decoded.

use png::{BitDepth, ColorType};

/// Facts from walking every chunk, before any pixel is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Pixels a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Grey, colour, palette, and with alpha or without.
    pub color_type: ColorType,
    /// Bits a sample (a palette index counts as a sample).
    pub bit_depth: BitDepth,
    /// Whether the rows come in Adam7 order.
    pub interlaced: bool,
    /// Whether it carries an animation: an acTL, fcTL or fdAT chunk.
    pub animated: bool,
    /// What it says of the meaning of its colours.
    pub color: ColorChunks,
}

impl Header {
    /// Whether viewers that manage colours show it differently from those that do not. Of several colour chunks the
    /// strongest decides, in the order of the PNG specification: cICP, iCCP, sRGB, then gAMA and cHRM.
    #[must_use]
    pub fn has_color_profile(&self) -> bool {
        let color = &self.color;
        if let Some(code_points) = color.cicp {
            return code_points != CICP_OF_SRGB;
        }
        color.profile_name.is_some()
            || !color.srgb
                && (color.gamma.is_some_and(|gamma| gamma.abs_diff(GAMMA_OF_SRGB) > GAMMA_TOLERANCE)
                    || color.chromaticities.is_some_and(|points| !are_primaries_of_srgb(&points)))
    }

    /// How many bytes the pixels take once inflated: the packed samples and one filter byte a row.
    pub(super) fn inflated_len(&self) -> u64 {
        if !self.interlaced {
            return self.pass_len(self.width, self.height);
        }
        ADAM7.iter().fold(0, |sum: u64, pass| {
            let width = self.width.saturating_sub(pass.x).div_ceil(pass.dx);
            let height = self.height.saturating_sub(pass.y).div_ceil(pass.dy);
            sum.saturating_add(self.pass_len(width, height))
        })
    }

    fn pass_len(&self, width: u32, height: u32) -> u64 {
        if width == 0 {
            return 0;
        }
        let bits = u64::from(width) * self.color_type.samples() as u64 * self.bit_depth as u64;
        u64::from(height).saturating_mul(1 + bits.div_ceil(8))
    }
}

/// The colour chunks as they lie in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColorChunks {
    /// Whether there is an sRGB chunk.
    pub srgb: bool,
    /// gAMA: the exponent times 100,000.
    pub gamma: Option<u32>,
    /// cHRM: white, red, green and blue, each x and y times 100,000.
    pub chromaticities: Option<[u8; 32]>,
    /// cICP: primaries, transfer function, matrix, full range.
    pub cicp: Option<[u8; 4]>,
    /// iCCP: the name of the profile, read as Latin-1. It may hold control characters: whoever shows it escapes it.
    pub profile_name: Option<String>,
}

const CICP_OF_SRGB: [u8; 4] = [1, 13, 0, 1];
const GAMMA_OF_SRGB: u32 = 45_455;
/// Writers round differently, and 1 % is beyond what an eye can tell.
const GAMMA_TOLERANCE: u32 = 455;
const PRIMARIES_OF_SRGB: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
const PRIMARIES_TOLERANCE: u32 = 100;

fn are_primaries_of_srgb(points: &[u8; 32]) -> bool {
    let points = points.as_chunks::<4>().0.iter().map(|point| u32::from_be_bytes(*point));
    points.zip(PRIMARIES_OF_SRGB).all(|(found, srgb)| found.abs_diff(srgb) <= PRIMARIES_TOLERANCE)
}

/// One of the seven reduced images of an interlaced one: its first pixel and the steps to the next.
struct Pass {
    x: u32,
    y: u32,
    dx: u32,
    dy: u32,
}

const ADAM7: [Pass; 7] = [
    Pass { x: 0, y: 0, dx: 8, dy: 8 },
    Pass { x: 4, y: 0, dx: 8, dy: 8 },
    Pass { x: 0, y: 4, dx: 4, dy: 8 },
    Pass { x: 2, y: 0, dx: 4, dy: 4 },
    Pass { x: 0, y: 2, dx: 2, dy: 4 },
    Pass { x: 1, y: 0, dx: 2, dy: 2 },
    Pass { x: 0, y: 1, dx: 1, dy: 2 },
];
