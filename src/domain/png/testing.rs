//! PNGs for tests, sound and otherwise: whole ones from the `png` crate's encoder, odd ones chunk by chunk.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "tests fail by panicking"
)]

use std::io::Write as _;

use png::{BitDepth, ColorType};

use super::foreign::SIGNATURE;

/// An 8-bit RGBA image, as an ordinary encoder writes it.
pub(crate) fn rgba(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
    let samples: Vec<u8> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&samples).unwrap();
    writer.finish().unwrap();
    bytes
}

/// One chunk, whole and with its checksum.
pub(crate) fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut body = name.to_vec();
    body.extend_from_slice(data);
    let mut bytes = (data.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
    bytes
}

/// Signature and chunks.
pub(crate) fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    for (name, data) in chunks {
        bytes.extend_from_slice(&chunk(name, data));
    }
    bytes
}

/// A zlib stream.
pub(crate) fn deflate(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// `png` with a chunk put in before the first one called `before`.
pub(crate) fn insert(png: &[u8], before: &[u8; 4], name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let at = png.windows(4).position(|window| window == before).unwrap() - 4;
    [&png[..at], &chunk(name, data), &png[at..]].concat()
}

/// A PNG of any colour type, depth and interlacing, written without the help of an encoder.
#[derive(Debug, Clone)]
pub(crate) struct Drawing<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) color_type: ColorType,
    pub(crate) bit_depth: BitDepth,
    pub(crate) interlaced: bool,
    /// Chunks between IHDR and IDAT.
    pub(crate) before: Vec<(&'a [u8; 4], Vec<u8>)>,
}

impl<'a> Drawing<'a> {
    pub(crate) fn new(width: u32, height: u32, color_type: ColorType, bit_depth: BitDepth) -> Self {
        Self { width, height, color_type, bit_depth, interlaced: false, before: Vec::new() }
    }

    pub(crate) fn interlaced(mut self) -> Self {
        self.interlaced = true;
        self
    }

    pub(crate) fn with(mut self, name: &'a [u8; 4], data: impl Into<Vec<u8>>) -> Self {
        self.before.push((name, data.into()));
        self
    }

    pub(crate) fn ihdr(&self) -> Vec<u8> {
        let mut data = [self.width.to_be_bytes(), self.height.to_be_bytes()].concat();
        data.extend([self.bit_depth as u8, self.color_type as u8, 0, 0, u8::from(self.interlaced)]);
        data
    }

    /// The rows before compression, unfiltered; `sample` gives a channel of a pixel, whose low bits count.
    pub(crate) fn rows(&self, sample: impl Fn(u32, u32, usize) -> u16) -> Vec<u8> {
        self.filtered_rows(sample, 0)
    }

    /// The rows before compression, each with `filter`; with 5, each with the next one.
    pub(crate) fn filtered_rows(&self, sample: impl Fn(u32, u32, usize) -> u16, filter: u8) -> Vec<u8> {
        let pixel_len = (self.color_type.samples() * self.bit_depth as usize).div_ceil(8);
        let passes: &[(u32, u32, u32, u32)] = if self.interlaced {
            &[(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        } else {
            &[(0, 0, 1, 1)]
        };
        let mut rows = Vec::new();
        for &(x0, y0, dx, dy) in passes {
            if x0 >= self.width {
                continue;
            }
            let mut above = Vec::new();
            for (number, y) in (y0..self.height).step_by(dy as usize).enumerate() {
                let mut bits = Vec::new();
                for x in (x0..self.width).step_by(dx as usize) {
                    for channel in 0..self.color_type.samples() {
                        let value = sample(x, y, channel);
                        bits.extend((0..self.bit_depth as u32).rev().map(|bit| (value >> bit & 1) as u8));
                    }
                }
                let row: Vec<u8> = bits
                    .chunks(8)
                    .map(|byte| byte.iter().enumerate().fold(0, |sum, (place, bit)| sum | bit << (7 - place)))
                    .collect();
                let filter = if filter == 5 { number as u8 % 5 } else { filter };
                rows.push(filter);
                rows.extend((0..row.len()).map(|at| {
                    let before = |row: &Vec<u8>| {
                        at.checked_sub(pixel_len).and_then(|at| row.get(at)).copied().map_or(0, i32::from)
                    };
                    let (left, corner) = (before(&row), before(&above));
                    let up = above.get(at).copied().map_or(0, i32::from);
                    let estimate = left + up - corner;
                    let predicted = match filter {
                        0 => 0,
                        1 => left,
                        2 => up,
                        3 => (left + up) / 2,
                        // The first of the nearest.
                        _ => [left, up, corner].into_iter().min_by_key(|near| (estimate - near).abs()).unwrap(),
                    };
                    row[at].wrapping_sub(predicted as u8)
                }));
                above = row;
            }
        }
        rows
    }

    /// The file around these rows.
    pub(crate) fn file_of(&self, rows: &[u8]) -> Vec<u8> {
        self.file_around(&deflate(rows, 6))
    }

    /// The file around this zlib stream.
    pub(crate) fn file_around(&self, stream: &[u8]) -> Vec<u8> {
        let ihdr = self.ihdr();
        let mut chunks: Vec<(&[u8; 4], &[u8])> = vec![(b"IHDR", &ihdr)];
        chunks.extend(self.before.iter().map(|(name, data)| (*name, data.as_slice())));
        chunks.extend([(b"IDAT", stream), (b"IEND", &[][..])]);
        file(&chunks)
    }

    /// The file with these samples.
    pub(crate) fn draw(&self, sample: impl Fn(u32, u32, usize) -> u16) -> Vec<u8> {
        self.file_of(&self.rows(sample))
    }
}
