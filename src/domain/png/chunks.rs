//! The walk over every chunk: framing, checksums, order and multiplicity, as the PNG specification has them.

use png::{BitDepth, ColorType};

use super::fault::{ChunkFault, ChunkName, PngFault};
use super::foreign::{self, SIGNATURE};
use super::header::{ColorChunks, Header};

/// Checks signature and chunks, without decoding a pixel: the cost is that of a checksum, for any dimensions.
///
/// # Errors
///
/// The first fault in the order of the file. Faults that only decoding shows (damaged compressed data, missing rows,
/// palette entries that do not exist) are left to [`read`](super::read).
pub fn header(bytes: &[u8]) -> Result<Header, PngFault> {
    walk(bytes).map(|png| png.header)
}

/// The width and height that the first bytes state them, before anything is checked; `None` when there are none.
#[must_use]
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let (_, rest) = bytes.strip_prefix(SIGNATURE)?.split_first_chunk::<4>()?;
    let (width, rest) = rest.strip_prefix(b"IHDR")?.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

/// One chunk whose frame is whole and whose checksum holds.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) name: ChunkName,
    /// Where its length field starts in the file.
    pub(super) at: usize,
    pub(super) data: &'a [u8],
}

impl Chunk<'_> {
    pub(super) const fn fault(&self, fault: ChunkFault) -> PngFault {
        PngFault::Chunk { chunk: self.name, at: self.at, fault }
    }

    fn of_length<const N: usize>(&self, allowed: &'static str) -> Result<[u8; N], PngFault> {
        self.data.try_into().map_err(|_| self.bad_length(allowed))
    }

    fn bad_length(&self, allowed: &'static str) -> PngFault {
        // A chunk's length is 31 bits, so this never saturates.
        self.fault(ChunkFault::Length { found: u32::try_from(self.data.len()).unwrap_or(u32::MAX), allowed })
    }
}

/// A PNG whose chunks are sound, taken apart.
pub(super) struct Chunks<'a> {
    pub(super) header: Header,
    /// Red, green and blue of each entry.
    pub(super) palette: &'a [u8],
    /// tRNS: one alpha per palette entry, or the one transparent colour, two bytes a sample.
    pub(super) transparency: Option<&'a [u8]>,
    /// iCCP, and the compressed profile in it.
    pub(super) profile: Option<(Chunk<'a>, &'a [u8])>,
    /// The IDAT chunks; at least one.
    pub(super) pixels: Vec<Chunk<'a>>,
}

/// Known chunks that a file has at most once. (IDAT, IEND, sPLT, the text chunks and APNG's frames are not here.)
const SINGLE: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"acTL", b"bKGD", b"cHRM", b"cICP", b"cLLI", b"eXIf", b"gAMA", b"hIST", b"iCCP", b"mDCV",
    b"pHYs", b"sBIT", b"sRGB", b"sTER", b"tIME", b"tRNS",
];
/// The chunks that come before the palette.
const BEFORE_PALETTE: [&[u8; 4]; 8] = [b"cHRM", b"cICP", b"cLLI", b"gAMA", b"iCCP", b"mDCV", b"sBIT", b"sRGB"];
/// The chunks that come after the palette, if the file has one.
const AFTER_PALETTE: [&[u8; 4]; 3] = [b"bKGD", b"hIST", b"tRNS"];
/// The chunks that come before the pixels, besides the two lists above. The eXIf chunk is not here: it often follows
/// them, because editions of the specification differ.
const BEFORE_PIXELS: [&[u8; 4]; 3] = [b"PLTE", b"pHYs", b"sPLT"];

/// Walks over `bytes` to the last one.
pub(super) fn walk(bytes: &[u8]) -> Result<Chunks<'_>, PngFault> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or_else(|| foreign::explain(bytes))?;
    let first = next(bytes, &mut rest)?;
    let mut png =
        Chunks { header: parse_header(&first)?, palette: &[], transparency: None, profile: None, pixels: Vec::new() };
    let mut seen = vec![first.name];
    let mut previous = first.name;
    loop {
        if rest.is_empty() {
            return Err(PngFault::NoEnd { at: bytes.len() });
        }
        let chunk = next(bytes, &mut rest)?;
        if let Some(fault) = tolerated(&chunk, &seen) {
            png.header.tolerate(fault);
            previous = chunk.name;
            continue;
        }
        png.check_place(&chunk, &seen, previous)?;
        if &chunk.name.0 == b"IEND" {
            chunk.of_length::<0>("0")?;
            break;
        }
        // Only the requested names, each once: a file of 100,000 tiny chunks must not be searched 100,000 times.
        if SINGLE.contains(&&chunk.name.0) || &chunk.name.0 == b"IDAT" && png.pixels.is_empty() {
            seen.push(chunk.name);
        }
        png.take(chunk)?;
        previous = chunk.name;
    }
    match (png.pixels.is_empty(), rest.len()) {
        (true, _) => Err(PngFault::NoPixels),
        (false, 0) => Ok(png),
        (false, count) => Err(PngFault::Trailing { count }),
    }
}

/// The fault of a chunk that every browser ignores.
fn tolerated(chunk: &Chunk<'_>, seen: &[ChunkName]) -> Option<PngFault> {
    let has_seen = |name: &[u8; 4]| seen.iter().any(|seen| &seen.0 == name);
    if !is_valid(chunk.name) {
        return Some(chunk.fault(ChunkFault::Name));
    }
    // The first one counts. Behind the palette or the pixels, it is a chunk out of place.
    let is_second = &chunk.name.0 == b"iCCP" && has_seen(b"iCCP") && !has_seen(b"PLTE") && !has_seen(b"IDAT");
    is_second.then(|| chunk.fault(ChunkFault::Duplicate))
}

/// Takes the next chunk off `rest`, which is the end of `bytes`.
fn next<'a>(bytes: &[u8], rest: &mut &'a [u8]) -> Result<Chunk<'a>, PngFault> {
    let at = bytes.len() - rest.len();
    let header = || {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        Some((u32::from_be_bytes(*length), ChunkName(*name), rest))
    };
    let (length, name, after) = header().ok_or(PngFault::HeaderTruncated { at })?;
    let fault = |fault| Err(PngFault::Chunk { chunk: name, at, fault });
    // An ancillary one can be skipped, with any name.
    let [first, ..] = name.0;
    if !is_valid(name) && !first.is_ascii_lowercase() {
        return fault(ChunkFault::Name);
    }
    if at == SIGNATURE.len() && &name.0 != b"IHDR" {
        // A PNG that Xcode converted starts with this chunk and has its colours swapped.
        return match &name.0 {
            b"CgBI" => Err(PngFault::Foreign("an iOS-optimised image")),
            _ => fault(ChunkFault::BeforeHeader),
        };
    }
    if length > i32::MAX.unsigned_abs() {
        return fault(ChunkFault::Length { found: length, allowed: "below 2³¹" });
    }
    let body = || {
        let (data, rest) = after.split_at_checked(usize::try_from(length).ok()?)?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        Some((data, u32::from_be_bytes(*crc), rest))
    };
    let (data, crc, after) = body().ok_or(PngFault::Truncated { chunk: name, at })?;
    let mut computed = crc32fast::Hasher::new();
    computed.update(&name.0);
    computed.update(data);
    if computed.finalize() != crc {
        return fault(ChunkFault::Crc);
    }
    *rest = after;
    Ok(Chunk { name, at, data })
}

/// Whether a name has four letters, the third in upper case, as in every version of PNG so far.
fn is_valid(name: ChunkName) -> bool {
    let [a, b, reserved, d] = name.0;
    [a, b, d].iter().all(u8::is_ascii_alphabetic) && reserved.is_ascii_uppercase()
}

fn parse_header(chunk: &Chunk<'_>) -> Result<Header, PngFault> {
    let [w0, w1, w2, w3, h0, h1, h2, h3, bit_depth, color_type, compression, filter, interlace] =
        chunk.of_length::<13>("13")?;
    let width = u32::from_be_bytes([w0, w1, w2, w3]);
    let height = u32::from_be_bytes([h0, h1, h2, h3]);
    let possible = 1..=i32::MAX.unsigned_abs();
    if !possible.contains(&width) || !possible.contains(&height) {
        return Err(chunk.fault(ChunkFault::Dimensions(width, height)));
    }
    let is_pair = match color_type {
        0 => matches!(bit_depth, 1 | 2 | 4 | 8 | 16),
        3 => matches!(bit_depth, 1 | 2 | 4 | 8),
        _ => matches!(bit_depth, 8 | 16),
    };
    let (Some(color), Some(depth), true) = (ColorType::from_u8(color_type), BitDepth::from_u8(bit_depth), is_pair)
    else {
        return Err(chunk.fault(ChunkFault::ColorType { color_type, bit_depth }));
    };
    for (field, value, last) in
        [("compression method", compression, 0), ("filter method", filter, 0), ("interlace method", interlace, 1)]
    {
        if value > last {
            return Err(chunk.fault(ChunkFault::Unknown { field, value }));
        }
    }
    Ok(Header {
        width,
        height,
        color_type: color,
        bit_depth: depth,
        interlaced: interlace == 1,
        animated: false,
        color: ColorChunks::default(),
        tolerated: Vec::new(),
    })
}

impl<'a> Chunks<'a> {
    /// Whether `chunk` may stand here, after those `seen`.
    fn check_place(&self, chunk: &Chunk<'_>, seen: &[ChunkName], previous: ChunkName) -> Result<(), PngFault> {
        let name = &chunk.name.0;
        let has_seen = |name: &[u8; 4]| seen.iter().any(|seen| &seen.0 == name);
        let after = |earlier: &[u8; 4]| ChunkFault::After(ChunkName(*earlier));
        let is_before_palette = BEFORE_PALETTE.contains(&name);
        let is_before_pixels = is_before_palette || AFTER_PALETTE.contains(&name) || BEFORE_PIXELS.contains(&name);
        let fault = if SINGLE.contains(&name) && has_seen(name) {
            ChunkFault::Duplicate
        } else if is_before_palette && has_seen(b"PLTE") {
            after(b"PLTE")
        } else if is_before_pixels && has_seen(b"IDAT") {
            after(b"IDAT")
        } else if name == b"PLTE"
            && let Some(early) = AFTER_PALETTE.into_iter().find(|listed| has_seen(listed))
        {
            after(early)
        } else if name == b"IDAT" && has_seen(b"IDAT") && &previous.0 != b"IDAT" {
            ChunkFault::Apart
        } else {
            return Ok(());
        };
        Err(chunk.fault(fault))
    }

    /// Stores the content of `chunk`, if it matters here.
    fn take(&mut self, chunk: Chunk<'a>) -> Result<(), PngFault> {
        let color = &mut self.header.color;
        match &chunk.name.0 {
            b"PLTE" => self.take_palette(&chunk)?,
            b"IDAT" => {
                if self.header.color_type == ColorType::Indexed && self.palette.is_empty() {
                    return Err(chunk.fault(ChunkFault::NeedsPalette));
                }
                self.pixels.push(chunk);
            }
            b"tRNS" => self.take_transparency(&chunk)?,
            b"acTL" | b"fcTL" | b"fdAT" => self.header.animated = true,
            b"gAMA" => color.gamma = Some(u32::from_be_bytes(chunk.of_length("4")?)),
            b"cHRM" => color.chromaticities = Some(chunk.of_length("32")?),
            b"cICP" => match chunk.of_length("4")? {
                points @ [_, _, 0, 0..=1] => color.cicp = Some(points),
                [_, _, 0, value] => return Err(chunk.fault(ChunkFault::Unknown { field: "range flag", value })),
                [_, _, value, _] => return Err(chunk.fault(ChunkFault::Unknown { field: "colour matrix", value })),
            },
            b"sRGB" => match chunk.of_length("1")? {
                [0..=3] => color.srgb = true,
                [value] => return Err(chunk.fault(ChunkFault::Unknown { field: "rendering intent", value })),
            },
            b"iCCP" => self.take_profile(chunk)?,
            // The fifth bit of the first letter: ancillary when set.
            [first, ..] if first.is_ascii_uppercase() => return Err(chunk.fault(ChunkFault::UnknownCritical)),
            _ => {}
        }
        Ok(())
    }

    fn take_palette(&mut self, chunk: &Chunk<'a>) -> Result<(), PngFault> {
        let color_type = self.header.color_type;
        if matches!(color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha) {
            return Err(chunk.fault(ChunkFault::Forbidden(color_type as u8)));
        }
        let (entries, partial) = chunk.data.as_chunks::<3>();
        if entries.is_empty() || !partial.is_empty() {
            return Err(chunk.bad_length("a positive multiple of 3"));
        }
        let allowed = if color_type == ColorType::Indexed { 1 << self.header.bit_depth as u8 } else { 256 };
        if entries.len() > allowed {
            return Err(chunk.fault(ChunkFault::Entries { found: entries.len(), allowed }));
        }
        self.palette = chunk.data;
        Ok(())
    }

    fn take_transparency(&mut self, chunk: &Chunk<'a>) -> Result<(), PngFault> {
        let length = chunk.data.len();
        match self.header.color_type {
            ColorType::Grayscale if length != 2 => return Err(chunk.bad_length("2")),
            ColorType::Rgb if length != 6 => return Err(chunk.bad_length("6")),
            ColorType::Indexed => {
                let entries = self.palette.len() / 3;
                if entries == 0 {
                    return Err(chunk.fault(ChunkFault::BeforePalette));
                }
                if length == 0 {
                    return Err(chunk.bad_length("at least 1"));
                }
                if length > entries {
                    return Err(chunk.fault(ChunkFault::Entries { found: length, allowed: entries }));
                }
            }
            color_type @ (ColorType::GrayscaleAlpha | ColorType::Rgba) => {
                return Err(chunk.fault(ChunkFault::Forbidden(color_type as u8)));
            }
            ColorType::Grayscale | ColorType::Rgb => {}
        }
        self.transparency = Some(chunk.data);
        Ok(())
    }

    /// A name of 1 to 79 bytes, a zero, the compression method (0, zlib), the compressed profile.
    fn take_profile(&mut self, chunk: Chunk<'a>) -> Result<(), PngFault> {
        let end = chunk.data.iter().take(80).position(|byte| *byte == 0).filter(|end| *end > 0);
        let parts = end.and_then(|end| chunk.data.split_at_checked(end));
        let Some((name, [0, method, compressed @ ..])) = parts else {
            return Err(chunk.fault(ChunkFault::ProfileName));
        };
        if *method != 0 {
            return Err(chunk.fault(ChunkFault::Unknown { field: "compression method", value: *method }));
        }
        self.header.color.profile_name = Some(name.iter().copied().map(char::from).collect());
        self.profile = Some((chunk, compressed));
        Ok(())
    }
}
