//! Damage of every kind to sound files, and bytes that were never one.

use png::{BitDepth, ColorType};
use proptest::prelude::*;

use crate::domain::png::testing::{Drawing, deflate, file, insert, rgba};
use crate::domain::png::{header, read};

/// One with most of the chunks that are looked into, one as an encoder writes it, one interlaced.
fn samples() -> Vec<Vec<u8>> {
    let profile = [b"sRGB IEC61966-2.1\0\0", &deflate(b"not much of a profile", 6)[..]].concat();
    let rich = Drawing::new(5, 4, ColorType::Indexed, BitDepth::Two)
        .with(b"gAMA", 45_455_u32.to_be_bytes())
        .with(b"iCCP", profile)
        .with(b"PLTE", (0..12).collect::<Vec<u8>>())
        .with(b"tRNS", [0, 128])
        .with(b"tEXt", *b"Software\0none")
        .draw(|x, y, _| (x + y) as u16);
    let interlaced = Drawing::new(9, 9, ColorType::Rgb, BitDepth::Sixteen)
        .interlaced()
        .draw(|x, y, c| (x * 999 + y * 77) as u16 + c as u16);
    let plain = rgba(6, 6, |x, y| [(x * 40) as u8, (y * 40) as u8, 99, (x * y) as u8]);
    vec![insert(&rich, b"IEND", b"tIME", &[0; 7]), interlaced, plain]
}

#[test]
fn cut_anywhere_it_is_a_fault() {
    for sample in samples() {
        read(&sample).unwrap();
        for length in 0..sample.len() {
            header(&sample[..length]).unwrap_err();
            read(&sample[..length]).unwrap_err();
        }
    }
}

#[test]
fn with_any_bit_flipped_it_is_a_fault() {
    for mut sample in samples() {
        for byte in 0..sample.len() {
            for bit in 0..8 {
                sample[byte] ^= 1 << bit;
                assert!(header(&sample).is_err(), "bit {bit} of byte {byte}");
                sample[byte] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn with_any_bit_of_the_stream_flipped_under_a_good_crc_it_is_a_fault_or_looks_the_same() {
    let drawing = Drawing::new(4, 4, ColorType::Grayscale, BitDepth::Eight);
    let stream = deflate(&drawing.rows(|x, y, _| (x * 16 + y) as u16), 9);
    let look = read(&drawing.file_around(&stream)).unwrap().appearance();
    for byte in 0..stream.len() {
        for bit in 0..8 {
            let mut flipped = stream.clone();
            flipped[byte] ^= 1 << bit;
            if let Ok(image) = read(&drawing.file_around(&flipped)) {
                assert_eq!(image.appearance(), look, "bit {bit} of byte {byte}");
            }
        }
    }
}

/// 80,000 chunks in a megabyte: were each compared with all before it, this would take a minute.
#[test]
fn many_chunks_cost_what_their_bytes_cost() {
    let sound = rgba(1, 1, |_, _| [9; 4]);
    for name in [b"sPLT", b"prVt"] {
        let many = file(&vec![(name, &[][..]); 80_000]);
        let (start, end) = sound.split_at(33);
        read(&[start, &many[8..], end].concat()).unwrap();
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        prop_assert!(read(&bytes).is_err());
        let with_signature = [b"\x89PNG\r\n\x1a\n", &bytes[..]].concat();
        prop_assert!(read(&with_signature).is_err());
    }

    /// The checksums hold, so that what lies behind them is reached.
    #[test]
    fn random_chunks_never_panic(
        ihdr in (0_u32..70, 0_u32..70, 0_u8..17, 0_u8..7, 0_u8..2),
        names in prop::collection::vec((0_usize..16, prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        stream in prop::collection::vec(any::<u8>(), 0..300),
        deflated: bool,
    ) {
        const NAMES: [&[u8; 4]; 16] = [
            b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"cICP", b"iCCP", b"sRGB", b"acTL", b"fcTL", b"fdAT", b"IDAT", b"eXIf",
            b"sBIT", b"bKGD", b"hIST", b"pHYs",
        ];
        let (width, height, depth, color_type, interlace) = ihdr;
        let mut first = [width.to_be_bytes(), height.to_be_bytes()].concat();
        first.extend([depth, color_type, 0, 0, interlace]);
        let stream = if deflated { deflate(&stream, 1) } else { stream };
        let mut chunks: Vec<(&[u8; 4], &[u8])> = vec![(b"IHDR", &first)];
        chunks.extend(names.iter().map(|(name, data)| (NAMES[*name], data.as_slice())));
        chunks.extend([(b"IDAT", &stream[..]), (b"IEND", &b""[..])]);
        let bytes = file(&chunks);
        let header = header(&bytes);
        if let Ok(image) = read(&bytes) {
            prop_assert_eq!(image.header, header.unwrap());
        }
    }

    /// Right lengths, random rows: everything up to the pixels is reached, in every colour type.
    #[test]
    fn random_rows_never_panic(
        width in 1_u32..20,
        height in 1_u32..20,
        pair in prop::sample::select(super::pixels::PAIRS.to_vec()),
        interlaced: bool,
        seed: u64,
    ) {
        let (color_type, bit_depth) = pair;
        let mut drawing = Drawing::new(width, height, color_type, bit_depth);
        drawing.interlaced = interlaced;
        if color_type == ColorType::Indexed {
            drawing = drawing.with(b"PLTE", [9; 6]);
        }
        let mut rows = drawing.rows(|_, _, _| 0);
        let mut state = seed;
        for byte in &mut rows {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (state >> 40) as u8 % 6;
        }
        if let Ok(image) = read(&drawing.file_of(&rows)) {
            prop_assert_eq!(image.pixels.dimensions(), (width, height));
        }
    }
}
