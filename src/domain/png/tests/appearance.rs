//! What looks the same, and what does not.

use png::{BitDepth, ColorType};

use crate::domain::asset::Digest;
use crate::domain::png::testing::{Drawing, deflate, insert, rgba};
use crate::domain::png::{Appearance, Image, changed_pixels, read};

fn image(bytes: &[u8]) -> Image {
    read(bytes).unwrap_or_else(|fault| panic!("{fault}"))
}

fn look(bytes: &[u8]) -> Appearance {
    image(bytes).appearance()
}

/// Four colours, one of them half, one of them fully transparent.
const COLORS: [[u8; 4]; 4] = [[10, 20, 30, 255], [200, 100, 0, 255], [1, 2, 3, 128], [0, 0, 0, 0]];

fn color(x: u32, y: u32) -> [u8; 4] {
    COLORS[(x + y) as usize % 4]
}

fn reference() -> Vec<u8> {
    rgba(6, 5, color)
}

#[test]
fn palette_depth_interlacing_and_filters_make_no_difference() {
    let expected = look(&reference());
    let palette: Vec<u8> = COLORS.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    for bit_depth in [BitDepth::Two, BitDepth::Four, BitDepth::Eight] {
        for interlaced in [false, true] {
            let mut drawing = Drawing::new(6, 5, ColorType::Indexed, bit_depth)
                .with(b"PLTE", palette.clone())
                .with(b"tRNS", COLORS.map(|[.., alpha]| alpha));
            drawing.interlaced = interlaced;
            assert_eq!(look(&drawing.draw(|x, y, _| ((x + y) % 4) as u16)), expected);
        }
    }
    for interlaced in [false, true] {
        let mut deep = Drawing::new(6, 5, ColorType::Rgba, BitDepth::Sixteen);
        deep.interlaced = interlaced;
        assert_eq!(look(&deep.draw(|x, y, channel| u16::from(color(x, y)[channel]) * 257)), expected);
        let mut shallow = Drawing::new(6, 5, ColorType::Rgba, BitDepth::Eight);
        shallow.interlaced = interlaced;
        assert_eq!(look(&shallow.draw(|x, y, channel| u16::from(color(x, y)[channel]))), expected);
    }
}

#[test]
fn compression_and_the_cut_into_chunks_make_no_difference() {
    let drawing = Drawing::new(6, 5, ColorType::Rgba, BitDepth::Eight);
    let rows = drawing.rows(|x, y, channel| u16::from(color(x, y)[channel]));
    let stored = drawing.file_around(&deflate(&rows, 0));
    let small = drawing.file_around(&deflate(&rows, 9));
    assert_ne!(stored, small);
    assert_eq!(look(&stored), look(&small));
    assert_eq!(look(&stored), look(&reference()));
    let stream = deflate(&rows, 6);
    let (first, last) = stream.split_at(1);
    let cut = insert(&drawing.file_around(last), b"IDAT", b"IDAT", first);
    assert_eq!(look(&cut), look(&reference()));
}

#[test]
fn grey_and_rgb_of_the_same_colours_look_the_same() {
    let value = |x: u32, y: u32| (x * 51 + y * 17) as u16 & 0xff;
    let grey = Drawing::new(4, 4, ColorType::Grayscale, BitDepth::Eight).draw(|x, y, _| value(x, y));
    let rgb = Drawing::new(4, 4, ColorType::Rgb, BitDepth::Eight).draw(|x, y, _| value(x, y));
    let alpha = Drawing::new(4, 4, ColorType::GrayscaleAlpha, BitDepth::Eight)
        .draw(|x, y, channel| if channel == 0 { value(x, y) } else { 255 });
    assert_eq!(look(&grey), look(&rgb));
    assert_eq!(look(&grey), look(&alpha));
    let four = Drawing::new(4, 4, ColorType::Grayscale, BitDepth::Four).draw(|x, y, _| (x + y) as u16);
    let eight = Drawing::new(4, 4, ColorType::Grayscale, BitDepth::Eight).draw(|x, y, _| ((x + y) * 17) as u16);
    assert_eq!(look(&four), look(&eight));
}

#[test]
fn metadata_and_srgb_make_no_difference() {
    let reference = reference();
    for (name, data) in [
        (b"tEXt", &b"Author\0somebody"[..]),
        (b"tIME", &[7, 0xea, 1, 1, 0, 0, 0]),
        (b"pHYs", &[0, 0, 0x0b, 0x13, 0, 0, 0x0b, 0x13, 1]),
        (b"sRGB", &[0]),
        (b"bKGD", &[0; 6]),
        (b"sBIT", &[8; 4]),
        (b"eXIf", b"II*\0"),
        (b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]),
    ] {
        assert_eq!(look(&insert(&reference, b"IDAT", name, data)), look(&reference), "{}", name.escape_ascii());
    }
}

#[test]
fn what_hides_under_full_transparency_makes_no_difference() {
    let hidden = rgba(6, 5, |x, y| if color(x, y) == [0; 4] { [255, x as u8, 7, 0] } else { color(x, y) });
    assert_ne!(hidden, reference());
    assert_eq!(image(&hidden), image(&reference()));
    assert_eq!(changed_pixels(&image(&hidden), &image(&reference())), Some(0));
}

#[test]
fn one_pixel_makes_a_difference() {
    let reference = image(&reference());
    for (changed, pixel) in [((0, 0), [10, 20, 31, 255]), ((5, 4), [0; 4]), ((1, 1), [1, 2, 3, 127])] {
        let other = image(&rgba(6, 5, |x, y| if (x, y) == changed { pixel } else { color(x, y) }));
        assert_ne!(other.appearance(), reference.appearance());
        assert_eq!(changed_pixels(&other, &reference), Some(1));
    }
}

#[test]
fn dimensions_make_a_difference() {
    let (wide, tall) = (image(&rgba(6, 4, |_, _| [9; 4])), image(&rgba(4, 6, |_, _| [9; 4])));
    assert_ne!(wide.appearance(), tall.appearance());
    assert_eq!(changed_pixels(&wide, &tall), None);
}

#[test]
fn sixteen_bits_that_say_more_than_eight_make_a_difference() {
    let drawing = Drawing::new(2, 2, ColorType::GrayscaleAlpha, BitDepth::Sixteen);
    let of = |value: u16| image(&drawing.draw(|_, _, channel| if channel == 0 { value } else { u16::MAX }));
    assert_eq!(of(0x4040).appearance(), look(&rgba(2, 2, |_, _| [0x40, 0x40, 0x40, 255])));
    assert_ne!(of(0x4041).appearance(), of(0x4040).appearance());
    assert_eq!(changed_pixels(&of(0x4041), &of(0x4040)), Some(0));
    // All samples count: one that needs 16 bits keeps the others there.
    assert_ne!(of(0x4041).appearance(), of(0x4042).appearance());
}

#[test]
fn colour_chunks_make_a_difference() {
    let reference = reference();
    let with = |name, data: &[u8]| look(&insert(&reference, b"IDAT", name, data));
    let looks = [
        look(&reference),
        with(b"gAMA", &45_455_u32.to_be_bytes()),
        with(b"gAMA", &45_454_u32.to_be_bytes()),
        with(b"cICP", &[1, 13, 0, 1]),
        with(b"cICP", &[12, 13, 0, 1]),
        with(b"cHRM", &[0; 32]),
        with(b"cHRM", &[1; 32]),
        with(b"iCCP", &[b"x\0\0", &deflate(b"profile", 6)[..]].concat()),
        with(b"iCCP", &[b"x\0\0", &deflate(b"another", 6)[..]].concat()),
        with(b"iCCP", &[b"x\0\0", &deflate(b"", 6)[..]].concat()),
    ];
    for (index, one) in looks.iter().enumerate() {
        assert!(looks.iter().skip(index + 1).all(|other| other != one), "{index}");
    }
}

#[test]
fn a_profile_counts_by_its_bytes_not_by_its_name_or_compression() {
    let profile = vec![42; 500];
    let with = |name: &[u8], level| {
        insert(&reference(), b"IDAT", b"iCCP", &[name, b"\0\0", &deflate(&profile, level)].concat())
    };
    assert_eq!(look(&with(b"a", 0)), look(&with(b"another name", 9)));
}

#[test]
fn a_look_is_written_as_its_digest() {
    let look = look(&reference());
    let json = serde_json::to_string(&look).unwrap();
    assert_eq!(json, format!("\"{look}\""));
    assert_eq!(serde_json::from_str::<Appearance>(&json).unwrap(), look);
    assert!(look.to_string().parse::<Digest>().is_ok());
    let schema = schemars::schema_for!(Appearance);
    assert!(schema.to_value().to_string().contains("[0-9a-f]{64}"));
}

/// Appearances are kept between runs and compared with those of plans that other versions saved.
#[test]
fn the_look_of_an_image_stays() {
    assert_eq!(look(&reference()).to_string(), "37a0059bf00d2f2f00d180488d8d79846a83ae101b2710d34c698a7b1bb95392");
}
