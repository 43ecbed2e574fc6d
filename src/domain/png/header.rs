//! The header of a PNG: what its chunks state before any pixel is decoded.

use png::{BitDepth, ColorType};

use super::fault::PngFault;

/// The facts that the chunks state, before any pixel is decoded.
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
    /// Faults that the format forbids but every browser accepts, the first of each kind.
    pub(crate) tolerated: Vec<PngFault>,
}

impl Header {
    /// Notes something that is tolerated, unless there was something of its kind before.
    pub(super) fn tolerate(&mut self, fault: PngFault) {
        let kind = |fault: &PngFault| match fault {
            PngFault::Chunk { fault, .. } => Some(std::mem::discriminant(fault)),
            _ => None,
        };
        if self.tolerated.iter().all(|known| kind(known) != kind(&fault)) {
            self.tolerated.push(fault);
        }
    }

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
        self.passes()
            .filter(|pass| pass.width > 0)
            .map(|pass| u64::from(pass.height).saturating_mul(1 + self.bits(pass.width).div_ceil(8)))
            .fold(0, u64::saturating_add)
    }

    /// The reduced images that its rows belong to: seven when it is interlaced, else one. Some may be empty.
    pub(super) fn passes(&self) -> impl Iterator<Item = Pass> {
        let steps: &'static [[u32; 4]] = if self.interlaced { &ADAM7 } else { &[[0, 0, 1, 1]] };
        let (width, height) = (self.width, self.height);
        steps.iter().map(move |&[x, y, dx, dy]| Pass {
            x,
            y,
            dx,
            dy,
            width: width.saturating_sub(x).div_ceil(dx),
            height: height.saturating_sub(y).div_ceil(dy),
        })
    }

    /// How many bytes a row of this width takes, without its filter byte.
    pub(super) fn row_len(&self, width: u32) -> usize {
        usize::try_from(self.bits(width).div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// How many bytes a pixel takes: 1 to 8, and 1 where a byte packs several.
    pub(super) fn bytes_per_pixel(&self) -> usize {
        (self.color_type.samples() * self.bit_depth as usize).div_ceil(8)
    }

    fn bits(&self, width: u32) -> u64 {
        u64::from(width) * self.color_type.samples() as u64 * self.bit_depth as u64
    }
}

/// The colour chunks as they lie in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColorChunks {
    /// Whether there is an sRGB chunk.
    pub(crate) srgb: bool,
    /// gAMA: the exponent times 100,000.
    pub gamma: Option<u32>,
    /// cHRM: white, red, green and blue, each x and y times 100,000.
    pub chromaticities: Option<[u8; 32]>,
    /// cICP: primaries, transfer function, matrix, full range.
    pub(crate) cicp: Option<[u8; 4]>,
    /// iCCP: the name of the profile, read as Latin-1. It may hold control characters: rendering escapes it.
    pub(crate) profile_name: Option<String>,
}

const CICP_OF_SRGB: [u8; 4] = [1, 13, 0, 1];
const GAMMA_OF_SRGB: u32 = 45_455;
/// Writers round differently, and 1 % is too little to see.
const GAMMA_TOLERANCE: u32 = 455;
const PRIMARIES_OF_SRGB: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
const PRIMARIES_TOLERANCE: u32 = 100;

fn are_primaries_of_srgb(points: &[u8; 32]) -> bool {
    let points = points.as_chunks::<4>().0.iter().map(|point| u32::from_be_bytes(*point));
    points.zip(PRIMARIES_OF_SRGB).all(|(found, srgb)| found.abs_diff(srgb) <= PRIMARIES_TOLERANCE)
}

/// A reduced image within an interlaced one, or the whole of one that is not.
pub(super) struct Pass {
    /// Column and row of its first pixel.
    pub(super) x: u32,
    pub(super) y: u32,
    /// Steps to the next.
    pub(super) dx: u32,
    pub(super) dy: u32,
    /// Its own dimensions. Where either is 0, it has no rows at all.
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The passes of Adam7: first column, first row, steps.
const ADAM7: [[u32; 4]; 7] =
    [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
