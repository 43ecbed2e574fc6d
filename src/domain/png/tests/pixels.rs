//! Every colour type and depth, and the facts about an image.

use png::{BitDepth, ColorType, Transformations};

use crate::domain::png::testing::{Drawing, deflate, insert, rgba};
use crate::domain::png::{Image, header, read};

/// All pairs that PNG allows.
pub(super) const PAIRS: [(ColorType, BitDepth); 15] = [
    (ColorType::Grayscale, BitDepth::One),
    (ColorType::Grayscale, BitDepth::Two),
    (ColorType::Grayscale, BitDepth::Four),
    (ColorType::Grayscale, BitDepth::Eight),
    (ColorType::Grayscale, BitDepth::Sixteen),
    (ColorType::Rgb, BitDepth::Eight),
    (ColorType::Rgb, BitDepth::Sixteen),
    (ColorType::Indexed, BitDepth::One),
    (ColorType::Indexed, BitDepth::Two),
    (ColorType::Indexed, BitDepth::Four),
    (ColorType::Indexed, BitDepth::Eight),
    (ColorType::GrayscaleAlpha, BitDepth::Eight),
    (ColorType::GrayscaleAlpha, BitDepth::Sixteen),
    (ColorType::Rgba, BitDepth::Eight),
    (ColorType::Rgba, BitDepth::Sixteen),
];

fn image(bytes: &[u8]) -> Image {
    read(bytes).unwrap_or_else(|fault| panic!("{fault}"))
}

/// What the decoder's own expansion makes of the file, as normalised RGBA of 8 bits.
fn as_the_decoder_expands_it(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(Transformations::EXPAND | Transformations::ALPHA);
    let mut reader = decoder.read_info().unwrap();
    let mut out = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut out).unwrap();
    let nearest = |wide: u16| ((f64::from(wide) / 257.0).round()) as u8;
    let samples: Vec<u8> = match info.bit_depth {
        BitDepth::Sixteen => out.chunks(2).map(|pair| nearest(u16::from_be_bytes([pair[0], pair[1]]))).collect(),
        _ => out,
    };
    let pixels: Vec<[u8; 4]> = match info.color_type {
        ColorType::GrayscaleAlpha => samples.chunks(2).map(|p| [p[0], p[0], p[0], p[1]]).collect(),
        ColorType::Rgba => samples.chunks(4).map(|p| [p[0], p[1], p[2], p[3]]).collect(),
        other => panic!("{other:?}"),
    };
    pixels.into_iter().flat_map(|pixel| if pixel[3] == 0 { [0; 4] } else { pixel }).collect()
}

#[test]
fn every_colour_type_depth_and_interlacing_gives_the_decoders_pixels() {
    for (color_type, bit_depth) in PAIRS {
        for (width, height) in [(1, 1), (3, 2), (8, 8), (5, 17), (24, 24)] {
            for transparent in [false, true] {
                let draw = |interlaced| {
                    let mut drawing = Drawing::new(width, height, color_type, bit_depth);
                    drawing.interlaced = interlaced;
                    let entries = 1_usize << (bit_depth as usize).min(8);
                    if color_type == ColorType::Indexed {
                        drawing = drawing.with(b"PLTE", (0..3 * entries).map(|i| (i * 5) as u8).collect::<Vec<_>>());
                    }
                    drawing = match color_type {
                        ColorType::Grayscale if transparent => drawing.with(b"tRNS", [0, 1]),
                        ColorType::Rgb if transparent => drawing.with(b"tRNS", [0, 1, 0, 38, 0, 92]),
                        ColorType::Indexed if transparent => drawing.with(b"tRNS", [0, 77]),
                        _ => drawing,
                    };
                    drawing.draw(|x, y, channel| {
                        (x * x + 37 * y * channel as u32 + 91 * (channel as u32 / 2) + y) as u16
                            + u16::from(channel == 0 && x == 2)
                    })
                };
                let (plain, interlaced) = (image(&draw(false)), image(&draw(true)));
                let name = format!("{color_type:?} {bit_depth:?} {width}×{height} {transparent}");
                assert_eq!(plain.pixels.as_raw(), &as_the_decoder_expands_it(&draw(false)), "{name}");
                assert_eq!(plain.pixels, interlaced.pixels, "{name}");
                assert_eq!(plain.appearance(), interlaced.appearance(), "{name}");
                assert!(interlaced.header.interlaced && !plain.header.interlaced);
            }
        }
    }
}

#[test]
fn the_transparent_colour_is_compared_before_scaling_and_in_its_low_bits_only() {
    let of = |bit_depth, color: [u8; 2]| {
        let drawing = Drawing::new(3, 1, ColorType::Grayscale, bit_depth).with(b"tRNS", color);
        image(&drawing.draw(|x, _, _| x as u16)).pixels.into_raw()
    };
    assert_eq!(of(BitDepth::Two, [0, 1]), [0, 0, 0, 255, 0, 0, 0, 0, 170, 170, 170, 255]);
    assert_eq!(of(BitDepth::Two, [0, 5]), of(BitDepth::Two, [0, 1]));
    assert_eq!(of(BitDepth::Eight, [1, 2]), [0, 0, 0, 255, 1, 1, 1, 255, 0, 0, 0, 0]);
    assert_eq!(of(BitDepth::Sixteen, [1, 2]), [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]);
    let rgb = Drawing::new(2, 1, ColorType::Rgb, BitDepth::Sixteen).with(b"tRNS", [1, 2, 1, 2, 1, 2]);
    assert_eq!(image(&rgb.draw(|x, _, _| 0x0102 + x as u16)).pixels.into_raw(), [0, 0, 0, 0, 1, 1, 1, 255]);
}

#[test]
fn sixteen_bits_are_rounded() {
    let of = |value| image(&Drawing::new(1, 1, ColorType::Grayscale, BitDepth::Sixteen).draw(|_, _, _| value));
    for (value, expected) in
        [(0, 0), (128, 0), (129, 1), (0xff7e, 254), (0xff7f, 255), (u16::MAX, 255), (0x8100, 128), (0x8101, 129)]
    {
        assert_eq!(of(value).pixels.as_raw()[0], expected, "{value}");
    }
}

#[test]
fn transparency_is_told() {
    let opaque = image(&rgba(2, 2, |_, _| [0, 0, 0, 1]));
    assert!(!opaque.has_transparent_pixel() && !opaque.is_blank());
    let some = image(&rgba(2, 2, |x, _| [5, 5, 5, if x == 0 { 0 } else { 255 }]));
    assert!(some.has_transparent_pixel() && !some.is_blank());
    let blank = image(&rgba(2, 2, |x, _| [x as u8, 5, 5, 0]));
    assert!(blank.has_transparent_pixel() && blank.is_blank());
}

#[test]
fn an_animation_is_a_fact_and_its_default_image_is_read() {
    let still = rgba(4, 4, |x, _| [x as u8; 4]);
    assert!(!image(&still).header.animated);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 4, 4);
    encoder.set_color(ColorType::Rgba);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    let frame: Vec<u8> = (0..16).flat_map(|at| [at % 4; 4]).collect();
    writer.write_image_data(&frame).unwrap();
    writer.write_image_data(&[9; 64]).unwrap();
    writer.finish().unwrap();
    let animated = image(&bytes);
    assert!(animated.header.animated);
    assert_eq!(animated.pixels, image(&still).pixels);
    let control =
        |width: u32| [[0; 4], width.to_be_bytes(), 4_u32.to_be_bytes(), [0; 4], [0; 4], [0, 1, 0, 1]].concat();
    assert!(header(&insert(&still, b"IDAT", b"fcTL", &[&control(4)[..], &[0, 0]].concat())).unwrap().animated);
    assert!(header(&insert(&still, b"IEND", b"fdAT", &[0; 8])).unwrap().animated);
}

#[test]
fn the_strongest_colour_chunk_tells_whether_there_is_a_profile() {
    let plain = rgba(1, 1, |_, _| [9; 4]);
    let has = |chunks: &[(&[u8; 4], &[u8])]| {
        let bytes = chunks.iter().fold(plain.clone(), |bytes, (name, data)| insert(&bytes, b"IDAT", name, data));
        header(&bytes).unwrap().has_color_profile()
    };
    let profile = [b"Display P3\0\0", &deflate(b"profile", 6)[..]].concat();
    let primaries: Vec<u8> = [31_270_u32, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]
        .iter()
        .flat_map(|v| v.to_be_bytes())
        .collect();
    let srgb_gamma = 45_455_u32.to_be_bytes();
    let linear = 100_000_u32.to_be_bytes();
    assert!(!has(&[]));
    assert!(!has(&[(b"sRGB", &[0])]));
    assert!(!has(&[(b"gAMA", &srgb_gamma), (b"cHRM", &primaries)]));
    assert!(!has(&[(b"cICP", &[1, 13, 0, 1]), (b"iCCP", &profile)]));
    assert!(!has(&[(b"sRGB", &[0]), (b"gAMA", &linear)]));
    assert!(has(&[(b"iCCP", &profile)]));
    assert!(has(&[(b"gAMA", &linear)]));
    assert!(has(&[(b"cHRM", &[0; 32])]));
    assert!(has(&[(b"cICP", &[12, 13, 0, 1])]));
    let named = header(&insert(&plain, b"IDAT", b"iCCP", &profile)).unwrap();
    assert_eq!(named.color.profile_name.as_deref(), Some("Display P3"));
}
