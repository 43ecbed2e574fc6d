//! The art, as bytes and as pixels: whether bytes are a sound PNG, what it shows, and whether two look the same.
//!
//! Common decoders forgive what must not reach a portal: bad checksums of ancillary chunks, bytes after the end, missing
//! or surplus rows, hidden animations. So [`header`] walks every chunk itself, and [`read`] takes the pixels from a single
//! pass of inflating that is held to the length that the header promises and to the last byte of the stream.

mod chunks;
mod compare;
mod fault;
mod foreign;
mod header;
mod inflate;
mod look;
mod pixels;
mod rows;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use chunks::{dimensions, header};
pub use compare::{Area, Comparison, compare};
pub use fault::{ChunkFault, ChunkName, PngFault};
pub use header::{ColorChunks, Header};
pub use look::Appearance;
pub use pixels::{Image, MAX_PIXELS, MAX_WIDTH, changed_pixels, read};
