//! The art, as bytes and as pixels: whether bytes are a sound PNG, what it shows, and whether two look the same.
//!
//! Common decoders accept faults that must not reach a portal: bad checksums of ancillary chunks, bytes after the end,
//! missing or surplus rows, hidden animations. So [`header`](header()) walks every chunk itself, and [`read`](read())
//! inflates the pixels itself, held to the length that the header promises and to the last byte of the stream.
//!
//! Filters, interlacing and palettes are undone here too (`rows`, `pixels`), on the bytes that this pass has inflated,
//! instead of by the `png` crate, which would inflate them again because it takes files only. Measured on the benches'
//! icons (24×24, RGBA): reading one takes 43,000 instructions, and 84,000 when `png` decodes it after the strict pass,
//! with its checksums off; `validate` as a whole takes 71,000 an icon, so it would take half as many again. `png` decodes animations, writes what is written, and is what the tests hold the pixels
//! against.

mod appearance;
mod chunks;
mod compare;
mod fault;
mod foreign;
mod header;
mod inflate;
mod pixels;
mod rows;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use appearance::Appearance;
pub use chunks::{dimensions, header};
pub(crate) use compare::{Area, Comparison, compare};
pub(crate) use fault::PngFault;
pub(crate) use header::Header;
pub use pixels::{Image, MAX_PIXELS, MAX_WIDTH, changed_pixels, read};
