//! From sound chunks to pixels: bounded inflating, strict decoding, and one form for every colour type and depth.

use std::io::Cursor;

use image::RgbaImage;
use png::{BitDepth, ColorType, DecodeOptions, Decoder, DecodingError, Limits};

use super::appearance::Appearance;
use super::chunks::{Chunks, walk};
use super::fault::{ChunkFault, PngFault};
use super::header::Header;
use super::inflate::{InflateFault, Inflated, inflate};
use super::rows::arrange;

/// The most pixels that are decoded.
pub const MAX_PIXELS: u64 = 4 << 20;

/// The widest row that is decoded, in pixels.
pub const MAX_WIDTH: u32 = 1 << 16;

/// The most bytes that the pixels may take once inflated. Besides them, the pixels in reading order are held, or those
/// and what becomes of them: so never more than 64 MiB at once.
const MAX_INFLATED: u64 = 24 << 20;

/// The largest colour profile that is inflated, in bytes. The largest in use (for printing) stay below half of it.
const MAX_PROFILE: usize = 4 << 20;

/// The bytes that the decoder may allocate besides the pixels.
const DECODER_LIMIT: usize = 8 << 20;

/// A PNG that was read to its last byte and found sound. An animated one is here with its default image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its header.
    pub header: Header,
    /// 8-bit RGBA with straight alpha, 16 bits rounded; fully transparent pixels are all zero.
    pub pixels: RgbaImage,
    /// The pixels in 16 bits, where those say more than 8 do.
    deep: Option<Vec<u8>>,
    /// The colour profile, inflated.
    profile: Option<Vec<u8>>,
}

impl Image {
    /// The image's appearance.
    #[must_use]
    pub fn appearance(&self) -> Appearance {
        let (depth, samples) = match &self.deep {
            Some(deep) => (BitDepth::Sixteen, deep.as_slice()),
            None => (BitDepth::Eight, self.pixels.as_raw().as_slice()),
        };
        Appearance::of(&self.header, self.profile.as_deref(), depth, samples)
    }

    /// A checksum of the pixels, much cheaper than the appearance: images that look the same have the same one.
    pub(crate) fn pixel_crc(&self) -> u32 {
        crc32fast::hash(self.pixels.as_raw())
    }

    /// Whether at least one pixel is fully transparent.
    #[must_use]
    pub fn has_transparent_pixel(&self) -> bool {
        self.pixels.pixels().any(|pixel| pixel.0 == CLEAR)
    }

    /// Whether every pixel is fully transparent.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.pixels.pixels().all(|pixel| pixel.0 == CLEAR)
    }
}

const CLEAR: [u8; 4] = [0; 4];

/// How many pixels differ; `None` when the dimensions do. It can be 0 for images that do not look the same: when only
/// colour chunks differ, or 16-bit samples by less than 8 bits can show.
#[must_use]
pub fn changed_pixels(a: &Image, b: &Image) -> Option<usize> {
    let same_dimensions = a.pixels.dimensions() == b.pixels.dimensions();
    same_dimensions.then(|| a.pixels.pixels().zip(b.pixels.pixels()).filter(|(a, b)| a != b).count())
}

/// Reads a PNG to its last byte.
///
/// # Errors
///
/// The first fault: of the chunks, as [`header`](super::header()) finds it, then of the colour profile and of the pixels.
/// [`PngFault::TooLarge`] when there are more than [`MAX_PIXELS`], more than [`MAX_WIDTH`] in a row, or more than 24 MiB
/// of samples; nothing is inflated then.
pub fn read(bytes: &[u8]) -> Result<Image, PngFault> {
    let mut png = walk(bytes)?;
    let Header { width, height, .. } = png.header;
    let is_too_large = width > MAX_WIDTH
        || u64::from(width) * u64::from(height) > MAX_PIXELS
        || png.header.inflated_len() > MAX_INFLATED;
    if is_too_large {
        return Err(PngFault::TooLarge { width, height });
    }
    let profile = inflate_profile(&mut png)?;
    let packed = inflate_pixels(&mut png)?;
    let samples = arrange(&png.header, packed)?;
    if png.header.animated {
        check_animation(bytes).map_err(|error| undecodable(&error))?;
    }

    let (depth, samples) = match png.header.bit_depth {
        BitDepth::Sixteen => reduced(normalised::<8>(expand::<2>(&png, samples))),
        _ if png.header.color_type == ColorType::Indexed => {
            (BitDepth::Eight, normalised::<4>(look_up(&png, &samples)?))
        }
        depth => {
            let mut samples = samples;
            let scale = grey_scale(depth);
            if scale > 1 {
                samples.iter_mut().for_each(|sample| *sample = sample.wrapping_mul(scale));
            }
            (BitDepth::Eight, normalised::<4>(expand::<1>(&png, samples)))
        }
    };
    let (samples, deep) = match depth {
        BitDepth::Sixteen => (normalised::<4>(rounded(&samples)), Some(samples)),
        _ => (samples, None),
    };
    let pixels = RgbaImage::from_raw(width, height, samples)
        .ok_or_else(|| PngFault::Undecodable("the rows do not fill the image".to_owned()))?;
    Ok(Image { header: png.header, pixels, deep, profile })
}

/// Inflates the colour profile. One that does not inflate counts for nothing, as in browsers.
fn inflate_profile(png: &mut Chunks<'_>) -> Result<Option<Vec<u8>>, PngFault> {
    let Some((chunk, compressed)) = png.profile else { return Ok(None) };
    match inflate(std::iter::once(compressed), MAX_PROFILE) {
        // Some programs write bytes after the profile's stream. They mean nothing.
        Ok(profile) => Ok(Some(profile.bytes)),
        Err(InflateFault::TooLong) => Err(chunk.fault(ChunkFault::ProfileSize(MAX_PROFILE as u64))),
        Err(InflateFault::Damaged(_) | InflateFault::BreaksOff) => {
            png.header.tolerate(chunk.fault(ChunkFault::Profile));
            png.header.color.profile_name = None;
            Ok(None)
        }
    }
}

/// Inflates the compressed pixels and compares their length with the one that the header promises. What follows their
/// stream is tolerated: some writers pad it.
fn inflate_pixels(png: &mut Chunks<'_>) -> Result<Vec<u8>, PngFault> {
    let Header { width, height, .. } = png.header;
    let expected = png.header.inflated_len();
    let limit = usize::try_from(expected).map_err(|_| PngFault::TooLarge { width, height })?;
    let in_chunk = |index: usize, fault| match png.pixels.get(index) {
        Some(chunk) => chunk.fault(fault),
        None => PngFault::NoPixels,
    };
    match inflate(png.pixels.iter().map(|chunk| chunk.data), limit) {
        Ok(Inflated { bytes, .. }) if bytes.len() < limit => {
            Err(PngFault::TooFewRows { found: bytes.len() as u64, expected, width, height })
        }
        Ok(Inflated { bytes, followed_in }) => {
            if let Some(fault) = followed_in.map(|index| in_chunk(index, ChunkFault::AfterStream)) {
                png.header.tolerate(fault);
            }
            Ok(bytes)
        }
        Err(InflateFault::Damaged(index)) => Err(in_chunk(index, ChunkFault::Damaged)),
        Err(InflateFault::BreaksOff) => Err(PngFault::PixelsBreakOff),
        Err(InflateFault::TooLong) => Err(PngFault::TooManyRows { expected, width, height }),
    }
}

/// Checks the chunks of an animation against each other, which the walk does not.
fn check_animation(bytes: &[u8]) -> Result<(), DecodingError> {
    let mut strict = DecodeOptions::default();
    strict.set_ignore_checksums(false);
    strict.set_skip_ancillary_crc_failures(false);
    // Nothing here reads the text, and the profile is inflated above, with a limit of its own.
    strict.set_ignore_text_chunk(true);
    strict.set_ignore_iccp_chunk(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), strict);
    decoder.set_limits(Limits { bytes: DECODER_LIMIT });
    let mut reader = decoder.read_info()?;
    let mut packed = vec![0; reader.output_buffer_size().ok_or(DecodingError::LimitsExceeded)?];
    reader.next_frame(&mut packed)?;
    reader.finish()
}

fn undecodable(error: &DecodingError) -> PngFault {
    let message = error.to_string();
    let message = message.trim_end_matches('.');
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    PngFault::Undecodable(first.into_iter().chain(characters).collect())
}

/// The factor that turns a grey of fewer than 8 bits into one of 8: 255, 85 or 17.
const fn grey_scale(depth: BitDepth) -> u8 {
    match depth {
        BitDepth::One => 0xff,
        BitDepth::Two => 0x55,
        BitDepth::Four => 0x11,
        BitDepth::Eight | BitDepth::Sixteen => 1,
    }
}

/// Converts palette indexes to RGBA.
fn look_up(png: &Chunks<'_>, indexes: &[u8]) -> Result<Vec<u8>, PngFault> {
    let alphas = png.transparency.unwrap_or_default().iter().copied().chain(std::iter::repeat(u8::MAX));
    let palette: Vec<[u8; 4]> =
        png.palette.as_chunks::<3>().0.iter().zip(alphas).map(|(&[r, g, b], alpha)| [r, g, b, alpha]).collect();
    let mut rgba = Vec::with_capacity(4 * indexes.len());
    for (at, index) in indexes.iter().enumerate() {
        let Some(entry) = palette.get(usize::from(*index)) else {
            let width = png.header.width as usize;
            return Err(PngFault::PaletteIndex { x: at % width, y: at / width, index: *index, entries: palette.len() });
        };
        rgba.extend_from_slice(entry);
    }
    Ok(rgba)
}

/// Converts samples of `N` bytes to RGBA of `N` bytes a sample. The colour that tRNS names becomes transparent.
fn expand<const N: usize>(png: &Chunks<'_>, raw: Vec<u8>) -> Vec<u8> {
    const { assert!(N == 1 || N == 2, "a sample is one byte or two") };
    let header = &png.header;
    if header.color_type == ColorType::Rgba {
        return raw;
    }
    let (clear, opaque) = ([0; N], [u8::MAX; N]);
    let key: Option<Vec<[u8; N]>> = png.transparency.map(|colour| {
        // Two bytes a sample; only as many bits count as a sample has.
        let bits = header.bit_depth as u32;
        let scale = grey_scale(header.bit_depth);
        let sample = |pair: &[u8; 2]| {
            let value = u16::from_be_bytes(*pair) & (u16::MAX >> (16 - bits));
            let [high, low] = value.to_be_bytes();
            std::array::from_fn(|byte| if N == 2 && byte == 0 { high } else { low.wrapping_mul(scale) })
        };
        colour.as_chunks::<2>().0.iter().map(sample).collect()
    });
    let alpha = |colour: &[[u8; N]]| if key.as_deref() == Some(colour) { clear } else { opaque };

    let samples = raw.as_chunks::<N>().0;
    let mut rgba = Vec::with_capacity(4 * N * header.width as usize * header.height as usize);
    let mut push = |pixel: [[u8; N]; 4]| rgba.extend_from_slice(pixel.as_flattened());
    match header.color_type {
        ColorType::Grayscale => samples.iter().for_each(|&grey| push([grey, grey, grey, alpha(&[grey])])),
        ColorType::GrayscaleAlpha => {
            samples.as_chunks().0.iter().for_each(|&[grey, alpha]| push([grey, grey, grey, alpha]));
        }
        ColorType::Rgb => samples.as_chunks().0.iter().for_each(|&[r, g, b]| push([r, g, b, alpha(&[r, g, b])])),
        // Indexes go through the palette, and RGBA is what it should be.
        ColorType::Indexed | ColorType::Rgba => {}
    }
    rgba
}

/// Makes fully transparent pixels of `N` bytes all zero, with any colour that they hide.
fn normalised<const N: usize>(mut rgba: Vec<u8>) -> Vec<u8> {
    for pixel in rgba.as_chunks_mut::<N>().0 {
        if pixel.iter().skip(N - N / 4).all(|alpha| *alpha == 0) {
            *pixel = [0; N];
        }
    }
    rgba
}

/// 16-bit samples, as 8-bit ones if those say the same: 257 times the value, so both bytes equal.
fn reduced(samples: Vec<u8>) -> (BitDepth, Vec<u8>) {
    let pairs = samples.as_chunks::<2>().0;
    if pairs.iter().all(|[high, low]| high == low) {
        (BitDepth::Eight, pairs.iter().map(|[high, _]| *high).collect())
    } else {
        (BitDepth::Sixteen, samples)
    }
}

/// Rounds 16-bit samples to the nearest 8-bit ones.
fn rounded(samples: &[u8]) -> Vec<u8> {
    let nearest = |pair: &[u8; 2]| u8::try_from((u32::from(u16::from_be_bytes(*pair)) + 128) / 257).unwrap_or(u8::MAX);
    samples.as_chunks::<2>().0.iter().map(nearest).collect()
}
