//! PNGs of at most 1 MiB (more is never read) that ask for as much work as they can. The bench `validate` times them.

use std::io::Write as _;

use flate2::write::{DeflateEncoder, ZlibEncoder};
use flate2::{Compression, Crc};

/// The most that is read of any file.
const MOST: usize = 1024 * 1024;

/// Name and bytes of each.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let icon = rows(24, 24, 4);
    let small = zlib(&icon);
    let bomb = bomb();
    let named = |name: &[u8]| [name, &bomb].concat();
    let vast = i32::MAX.unsigned_abs();
    let many = |name: &[u8; 4], data: &[u8]| chunk(name, data).repeat(MOST / (12 + data.len()) - 16);
    vec![
        ("pixels that inflate to 1 GiB", png(24, 24, [8, 6, 0], &[], &chunk(b"IDAT", &bomb))),
        (
            "iCCP that inflates to 1 GiB",
            png(24, 24, [8, 6, 0], &chunk(b"iCCP", &named(b"x\0\0")), &chunk(b"IDAT", &small)),
        ),
        (
            "zTXt that inflates to 1 GiB",
            png(24, 24, [8, 6, 0], &chunk(b"zTXt", &named(b"x\0\0")), &chunk(b"IDAT", &small)),
        ),
        (
            "iTXt that inflates to 1 GiB",
            png(24, 24, [8, 6, 0], &chunk(b"iTXt", &named(b"x\0\x01\0\0\0")), &chunk(b"IDAT", &small)),
        ),
        ("2³¹-1 pixels a side", png(vast, vast, [16, 6, 0], &[], &chunk(b"IDAT", &small))),
        ("2³¹-1 pixels a side, interlaced", png(vast, vast, [16, 6, 1], &[], &chunk(b"IDAT", &small))),
        ("2²⁴-1 rows", png(1, (1 << 24) - 1, [1, 0, 1], &[], &chunk(b"IDAT", &bomb))),
        ("as many private chunks as fit", png(24, 24, [8, 6, 0], &many(b"prVt", b""), &chunk(b"IDAT", &small))),
        ("as many sPLT chunks as fit", png(24, 24, [8, 6, 0], &many(b"sPLT", b""), &chunk(b"IDAT", &small))),
        ("as many PLTE chunks as fit", png(24, 24, [8, 6, 0], &many(b"PLTE", &[0; 3]), &chunk(b"IDAT", &small))),
        (
            "as many IDAT chunks as fit",
            png(24, 24, [8, 6, 0], &[], &[many(b"IDAT", b""), chunk(b"IDAT", &small)].concat()),
        ),
        (
            "pixels in empty stored blocks",
            png(24, 24, [8, 6, 0], &[], &chunk(b"IDAT", &padded(&icon, &[0, 0, 0, 0xff, 0xff]))),
        ),
        ("pixels in empty blocks with tables", png(24, 24, [8, 6, 0], &[], &chunk(b"IDAT", &padded(&icon, &tables())))),
        ("thousands of frames", frames(&small)),
        ("the most pixels", png(2048, 2048, [8, 6, 0], &[], &chunk(b"IDAT", &zlib(&rows(2048, 2048, 4))))),
        (
            "the most grey pixels of 16 bits",
            png(2048, 2048, [16, 0, 0], &[], &chunk(b"IDAT", &zlib(&rows(2048, 2048, 2)))),
        ),
        ("the most bytes", png(1773, 1773, [16, 6, 0], &[], &chunk(b"IDAT", &zlib(&rows(1773, 1773, 8))))),
        ("one column, interlaced", png(1, 1 << 20, [1, 0, 1], &[], &chunk(b"IDAT", &zlib(&[0; 1 << 21])))),
    ]
}

/// Rows of zeros, each with the costliest filter.
fn rows(width: usize, height: usize, bytes_per_pixel: usize) -> Vec<u8> {
    [&[4][..], &vec![0; width * bytes_per_pixel]].concat().repeat(height)
}

/// `form` is bit depth, colour type, interlacing.
fn png(width: u32, height: u32, form: [u8; 3], before: &[u8], pixels: &[u8]) -> Vec<u8> {
    let [bit_depth, color_type, interlaced] = form;
    let mut ihdr = [width.to_be_bytes(), height.to_be_bytes()].concat();
    ihdr.extend([bit_depth, color_type, 0, 0, interlaced]);
    let bytes = [b"\x89PNG\r\n\x1a\n", &chunk(b"IHDR", &ihdr)[..], before, pixels, &chunk(b"IEND", b"")].concat();
    assert!(bytes.len() <= MOST, "{} bytes are not even read", bytes.len());
    bytes
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(name);
    crc.update(data);
    let length = u32::try_from(data.len()).expect("a chunk below 1 MiB");
    [&length.to_be_bytes(), &name[..], data, &crc.sum().to_be_bytes()].concat()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(9));
    encoder.write_all(data).expect("a Vec takes all");
    encoder.finish().expect("a Vec takes all")
}

/// A zlib stream of 1 MiB at most that goes on for a GiB. Its checksum is wrong, which nobody should live to see.
fn bomb() -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(9));
    encoder.write_all(&[0; 1 << 20]).expect("a Vec takes all");
    encoder.flush().expect("a Vec takes all");
    // A flush ends at a byte, so what is before it can be repeated.
    let mebibyte = encoder.get_ref().clone();
    let count = (MOST - 200) / mebibyte.len();
    assert!(count > 900, "{count} MiB");
    [&[0x78, 0x9c][..], &mebibyte.repeat(count)].concat()
}

/// The zlib stream of `data`, with as many of these blocks before it as fit. They hold nothing.
fn padded(data: &[u8], block: &[u8]) -> Vec<u8> {
    let stream = zlib(data);
    let (header, rest) = stream.split_at(2);
    [header, &block.repeat((MOST - 200 - stream.len()) / block.len()), rest].concat()
}

/// Deflate blocks that define both their codes and then end, and an empty stored block, so that they end at a byte.
fn tables() -> Vec<u8> {
    let mut bits = Vec::new();
    let mut put = |value: u32, count: u32| bits.extend((0..count).map(|bit| (value >> bit & 1) as u8));
    for _ in 0..64 {
        put(0b100, 3); // not the last; dynamic codes
        put(0, 5); // 257 literals and lengths
        put(0, 5); // 1 distance
        put(14, 4); // 18 lengths of the code of lengths, in their odd order: 16, 17, 18, …, 1
        for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1] {
            put(u32::from(symbol == 18 || symbol == 1), 3);
        }
        // Code 0 is the length 1, code 1 repeats zeros: 138 and 118 of them, then 1 for the end and 1 for the distance.
        put(1, 1);
        put(127, 7);
        put(1, 1);
        put(107, 7);
        put(0, 1);
        put(0, 1);
        put(0, 1); // the end
    }
    put(0, 3); // an empty stored block
    let mut bytes: Vec<u8> =
        bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |sum, (place, bit)| sum | bit << place)).collect();
    bytes.extend([0, 0, 0xff, 0xff]);
    bytes
}

/// An animation of one pixel that changes as often as fits.
fn frames(first: &[u8]) -> Vec<u8> {
    let pixel = zlib(&rows(1, 1, 4));
    let control = |number: u32, side: u32| {
        let fields = [number, side, side, 0, 0].map(u32::to_be_bytes).concat();
        chunk(b"fcTL", &[&fields[..], &[0, 1, 0, 1, 0, 0]].concat())
    };
    let frame = |index: u32| {
        [control(2 * index - 1, 1), chunk(b"fdAT", &[&(2 * index).to_be_bytes()[..], &pixel].concat())].concat()
    };
    let count = u32::try_from((MOST - 4096) / frame(1).len()).expect("few");
    let begin = [chunk(b"acTL", &[(count + 1).to_be_bytes(), [0; 4]].concat()), control(0, 24)].concat();
    let pixels = std::iter::once(chunk(b"IDAT", first)).chain((1..=count).map(frame)).collect::<Vec<_>>().concat();
    png(24, 24, [8, 6, 0], &begin, &pixels)
}
