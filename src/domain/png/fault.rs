//! The reasons why bytes are not a sound PNG. Every message is one sentence in lower case without a full stop.

use std::fmt;

use thiserror::Error;

/// The four bytes that name a chunk. Shown as letters when they are letters, else as hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkName(pub [u8; 4]);

impl fmt::Display for ChunkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(&self.0) {
            Ok(name) if name.bytes().all(|byte| byte.is_ascii_alphabetic()) => f.write_str(name),
            _ => self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// The reason why bytes are not a sound PNG. Offsets count from the first byte of the file; a chunk's is that of its
/// length field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PngFault {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Another kind of file; the text is its name with an article.
    #[error("it is {0}, not a PNG")]
    Foreign(&'static str),
    /// A Git LFS pointer, which a checkout without Git LFS has in place of the file.
    #[error("it is a Git LFS pointer, not the image itself")]
    LfsPointer,
    /// A PNG whose line ends or high bytes were rewritten as if it were text.
    #[error("it is a PNG that a transfer in text mode damaged")]
    TextMode,
    /// The file does not begin with the PNG signature or with that of any known kind of file.
    #[error("it does not start with the PNG signature")]
    Signature,
    /// The file ends within the signature.
    #[error("the file ends inside the PNG signature")]
    SignatureTruncated,
    /// The file ends within a chunk's length or name.
    #[error("the file ends inside the chunk header at byte {at}")]
    HeaderTruncated {
        /// Where the chunk starts.
        at: usize,
    },
    /// The file ends within a chunk's data or checksum.
    #[error("the file ends inside the {chunk} chunk at byte {at}")]
    Truncated {
        /// Which chunk.
        chunk: ChunkName,
        /// Where it starts.
        at: usize,
    },
    /// All chunks are whole, but the last is not IEND.
    #[error("the file ends at byte {at} without an IEND chunk")]
    NoEnd {
        /// The length of the file.
        at: usize,
    },
    /// No IDAT chunk.
    #[error("the file has no IDAT chunk, so it holds no pixels")]
    NoPixels,
    /// Bytes after IEND.
    #[error("{count} {} the IEND chunk", follow(*.count))]
    Trailing {
        /// How many.
        count: usize,
    },
    /// One chunk breaks a rule of the format.
    #[error("the {chunk} chunk at byte {at} {fault}")]
    Chunk {
        /// Which chunk.
        chunk: ChunkName,
        /// Where it starts.
        at: usize,
        /// Which rule.
        fault: ChunkFault,
    },
    /// The compressed pixels end before their zlib stream does.
    #[error("the compressed pixels are cut off before their end")]
    PixelsBreakOff,
    /// The zlib stream is whole but too short for the dimensions.
    #[error("the compressed pixels hold {found} of the {expected} bytes that {width}×{height} pixels take")]
    TooFewRows {
        /// Bytes inflated.
        found: u64,
        /// Bytes that the header promises.
        expected: u64,
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The zlib stream is too long for the dimensions.
    #[error("the compressed pixels hold more than the {expected} bytes that {width}×{height} pixels take")]
    TooManyRows {
        /// Bytes that the header promises.
        expected: u64,
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A pixel names a colour that the palette lacks.
    #[error("the pixel at {x},{y} uses palette entry {index}, but the PLTE chunk has {entries}")]
    PaletteIndex {
        /// Column, from 0.
        x: usize,
        /// Row, from 0.
        y: usize,
        /// The entry it names, from 0.
        index: u8,
        /// How many there are.
        entries: usize,
    },
    /// The decoder refused a fault that the earlier checks do not find, for example a filter type that does not exist
    /// or a damaged frame of an animation.
    #[error("the image cannot be decoded: {0}")]
    Undecodable(String),
    /// An image with too many pixels to decode: it may be sound, but would take too much memory.
    #[error("{width}×{height} pixels are too many to decode")]
    TooLarge {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
}

impl PngFault {
    /// The fix, where it is known: one sentence in the form of the message.
    pub(crate) const fn help(&self) -> Option<&'static str> {
        match self {
            Self::LfsPointer => Some("run `git lfs pull`; in CI, let the checkout fetch LFS files"),
            Self::TextMode => Some("add `*.png binary` to .gitattributes and commit the original file again"),
            Self::Foreign(_) => Some("export it as PNG; renaming the file does not convert it"),
            _ => None,
        }
    }
}

/// The rule of the format that one chunk breaks; reads on from "the IDAT chunk at byte 41 …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChunkFault {
    /// The checksum does not fit name and data.
    #[error("fails its CRC")]
    Crc,
    /// The name is not four letters with the third in upper case.
    #[error("has a type that PNG does not allow")]
    Name,
    /// The length is not one that this chunk can have.
    #[error("has a length of {found}, not {allowed}")]
    Length {
        /// As the chunk says.
        found: u32,
        /// As the format says.
        allowed: &'static str,
    },
    /// The first chunk is not IHDR.
    #[error("comes before the IHDR chunk")]
    BeforeHeader,
    /// Transparency for a palette that has not come yet.
    #[error("comes before the PLTE chunk")]
    BeforePalette,
    /// The chunk comes after one that it must precede.
    #[error("comes after the {0} chunk")]
    After(ChunkName),
    /// Other chunks lie between two IDAT chunks.
    #[error("does not directly follow the previous IDAT chunk")]
    Apart,
    /// A second chunk of a kind that is allowed only once.
    #[error("is the second of its kind")]
    Duplicate,
    /// A critical chunk that the format does not define.
    #[error("is critical and unknown")]
    UnknownCritical,
    /// A chunk that the colour type forbids.
    #[error("is not allowed in an image of colour type {0}")]
    Forbidden(u8),
    /// A palette that the colour type needs is missing.
    #[error("needs a PLTE chunk before it")]
    NeedsPalette,
    /// A palette larger than the bit depth can address, or transparency for more entries than there are.
    #[error("has {found} entries where at most {allowed} fit")]
    Entries {
        /// As the chunk says.
        found: usize,
        /// As the header or the palette says.
        allowed: usize,
    },
    /// A width or height of 0 or beyond 2³¹-1.
    #[error("states {0}×{1} pixels")]
    Dimensions(u32, u32),
    /// A colour type that does not exist, or not at this bit depth.
    #[error("pairs colour type {color_type} with bit depth {bit_depth}, which PNG does not allow")]
    ColorType {
        /// As the chunk says.
        color_type: u8,
        /// As the chunk says.
        bit_depth: u8,
    },
    /// A field with a value that the format does not define.
    #[error("has an unknown {field} ({value})")]
    Unknown {
        /// Which field.
        field: &'static str,
        /// As the chunk says.
        value: u8,
    },
    /// The profile's name is empty, too long or not closed.
    #[error("has an invalid profile name")]
    ProfileName,
    /// The profile does not inflate.
    #[error("holds a colour profile that does not inflate")]
    Profile,
    /// The profile is larger than any that is read.
    #[error("holds a colour profile larger than {0} bytes")]
    ProfileSize(u64),
    /// The zlib stream of the pixels is damaged here, its Adler-32 included.
    #[error("holds damaged compressed pixels")]
    Damaged,
    /// The zlib stream ended before the data did.
    #[error("goes on after the end of the compressed pixels")]
    AfterStream,
}

const fn follow(count: usize) -> &'static str {
    if count == 1 { "byte follows" } else { "bytes follow" }
}
